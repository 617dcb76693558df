//! The engine: asks every rule about every call and the capture, silences consequences, and picks one explanation for each call.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::HashMap;

use rayon::prelude::*;

use crate::call::FastMap;
use crate::call::survey::metrics::Metrics;
use crate::call::{CallIndex, Outcome, OutcomeGroup};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::doubt::{Doubt, doubt_claim, doubt_registration};
use crate::diagnose::finding::{Finding, Incident, Verdict};
use crate::diagnose::incident;
use crate::diagnose::input::DiagnosisInput;
use crate::diagnose::rule::{AskCall, Claim, Gate, Rule};
use crate::diagnose::rules;
use crate::diagnose::suppression;

/// Everything that is said.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// For each call.
    pub calls: Vec<Verdict>,
    /// For each registration.
    pub registrations: Vec<Vec<Finding>>,
    /// Most harmful first.
    pub incidents: Vec<Incident>,
    /// The metrics of all other calls.
    pub metrics: Metrics,
    /// Indices of the calls that scanners and password guessers placed, rising; they count in no metric.
    pub hostile_calls: Vec<CallIndex>,
}

/// Calls that one thread judges at a time: whoever is done first takes over what others have left.
const CALLS_AT_A_TIME: usize = 256;

/// Asks every rule about everything that happened.
pub fn diagnose(input: DiagnosisInput<'_>) -> Diagnosis {
    let mut capture = CaptureContext::from(input);
    // Few rules take most of the time, so that each is handed out by itself.
    let rules = rules::all().par_iter().with_max_len(1);
    let claims: Vec<Claim<Finding>> = rules.flat_map_iter(|rule| ask_capture(rule, &capture)).collect();
    capture.forget_senders();
    let mut by_call: FastMap<u32, Vec<&Finding>> = HashMap::default();
    for claim in &claims {
        for call in &claim.calls {
            by_call.entry(*call).or_default().push(&claim.said);
        }
    }
    let asked: Vec<(&Rule, AskCall)> = rules::all().iter().filter_map(|rule| Some((rule, rule.of_call?))).collect();
    let calls: Vec<Verdict> = (0..capture.calls.len())
        .into_par_iter()
        .with_max_len(CALLS_AT_A_TIME)
        .map(|index| judge(&capture, &asked, index, by_call.get(&(index as u32))))
        .collect();
    let registrations: Vec<Vec<Finding>> =
        capture.registrations.par_iter().map(|registration| ask_registration(&capture, registration)).collect();
    let incidents = incident::gather(&capture, &claims, &calls, &registrations);
    Diagnosis {
        calls,
        registrations,
        incidents,
        metrics: capture.honest_metrics().clone(),
        hostile_calls: hostile_calls(&capture),
    }
}

fn hostile_calls(capture: &CaptureContext<'_>) -> Vec<CallIndex> {
    let placed = (0..).map(CallIndex).zip(capture.calls);
    placed.filter(|(_, call)| capture.is_hostile(call.source)).map(|(index, _)| index).collect()
}

fn ask_capture(rule: &Rule, capture: &CaptureContext<'_>) -> Vec<Claim<Finding>> {
    let claims = rule.of_capture.map_or(Vec::new(), |ask| ask(capture)).into_iter();
    let doubted = claims.map(|mut claim| {
        doubt_claim(capture, rule, &mut claim.said);
        claim.signed(rule)
    });
    doubted.collect()
}

fn ask_registration(
    capture: &CaptureContext<'_>,
    registration: &crate::call::beside::registration::Registration,
) -> Vec<Finding> {
    if capture.is_hostile(registration.source) {
        return Vec::new();
    }
    let asked = rules::all().iter().filter_map(|rule| {
        let mut seen = rule.of_registration?(capture, registration)?;
        doubt_registration(capture, registration, rule, &mut seen);
        Some(rule.sign(seen))
    });
    let mut findings: Vec<Finding> = asked.collect();
    suppression::silence(&mut findings);
    findings.sort_by_key(|finding| Reverse((finding.severity, finding.seen.proof, finding.seen.confidence)));
    findings
}

/// What every rule that is asked says about one call, in the order of a report.
fn judge(
    capture: &CaptureContext<'_>,
    asked: &[(&Rule, AskCall)],
    index: usize,
    claimed: Option<&Vec<&Finding>>,
) -> Verdict {
    let context = CallContext::new(capture, index);
    let mut findings: Vec<Finding> = claimed.into_iter().flatten().map(|finding| (*finding).clone()).collect();
    let is_gated = is_one_directional(&context);
    let doubt = OnceCell::new();
    for (rule, ask) in asked {
        if !(is_gated && rule.gate == Gate::BothDirections)
            && let Some(mut seen) = ask(&context)
        {
            let doubt = doubt.get_or_init(|| Doubt::of(&context));
            doubt.apply(rule, &mut seen);
            findings.push(rule.sign(seen));
        }
    }
    if findings.is_empty() {
        return Verdict::default();
    }
    suppression::silence(&mut findings);
    let primary = pick(&context, &findings);
    let has_primary = primary.is_some();
    let first = primary.map(|place| findings.remove(place));
    findings.sort_by_key(|finding| Reverse((finding.severity, finding.seen.proof, finding.seen.confidence)));
    findings.splice(0..0, first);
    Verdict { findings, has_primary }
}

fn is_one_directional(context: &CallContext<'_>) -> bool {
    let capture = context.capture;
    !capture.sight.one_direction.is_empty()
        && context
            .call
            .hops
            .iter()
            .any(|hop| capture.is_one_directional(capture.node(hop.source), capture.node(hop.destination)))
}

/// The finding that explains the outcome best: by the strength of its proof, then by how sure it is, then by dispatch order.
fn pick(context: &CallContext<'_>, findings: &[Finding]) -> Option<usize> {
    let outcome = context.outcome();
    if outcome.group() == OutcomeGroup::Answered || outcome == Outcome::Partial {
        return None;
    }
    let candidates = findings.iter().enumerate().filter(|(_, finding)| finding.seen.explains);
    let best = candidates.max_by_key(|(place, finding)| {
        (finding.seen.proof, finding.seen.confidence, Reverse(rules::priority(finding.rule)), Reverse(*place))
    });
    best.map(|(place, _)| place)
}
