//! The engine: asks every rule about every call and the capture, silences consequences, and picks one explanation for each call.

use std::cell::OnceCell;
use std::collections::HashMap;

use rayon::prelude::*;

use crate::call::survey::metrics::Metrics;
use crate::call::{Outcome, OutcomeGroup};
use crate::diagnose::context::call_context::Case;
use crate::diagnose::context::capture_context::{Happened, Scene};
use crate::diagnose::doubt::{Doubt, doubt_claim, doubt_registration};
use crate::diagnose::finding::{Finding, Incident};
use crate::diagnose::incident;
use crate::diagnose::rule::{AskCall, Claim, Gate, Rule};
use crate::diagnose::rules;
use crate::diagnose::suppression;

/// What is said about a call: findings, best explanation first.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The explanation first where there is one, then by severity.
    pub findings: Vec<Finding>,
    /// Whether the first finding explains the outcome.
    pub has_primary: bool,
}

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
    pub hostile_calls: Vec<u32>,
}

/// Calls that one thread judges at a time: whoever is done first takes over what others have left.
const CALLS_AT_A_TIME: usize = 256;

/// Asks every rule about everything that happened.
pub fn diagnose(happened: Happened<'_>) -> Diagnosis {
    let mut scene = Scene::from(happened);
    // Few rules take most of the time, so that each is handed out by itself.
    let rules = rules::all().par_iter().with_max_len(1);
    let ask = || rules.map(|rule| ask_capture(rule, &scene)).collect::<Vec<_>>();
    let (told, ()) = rayon::join(ask, || scene.prepare());
    let claims: Vec<Claim> = told.into_iter().flatten().collect();
    scene.forget_senders();
    let mut by_call: HashMap<u32, Vec<&Finding>, foldhash::fast::FixedState> = HashMap::default();
    for claim in &claims {
        for call in &claim.calls {
            by_call.entry(*call).or_default().push(&claim.finding);
        }
    }
    let asked: Vec<(&Rule, AskCall)> =
        rules::all().iter().filter_map(|rule| Some((rule, rule.subject.of_call()?))).collect();
    let calls: Vec<Verdict> = (0..scene.calls.len())
        .into_par_iter()
        .with_max_len(CALLS_AT_A_TIME)
        .map(|index| judge(&scene, &asked, index, by_call.get(&(index as u32))))
        .collect();
    let registrations: Vec<Vec<Finding>> =
        scene.registrations.par_iter().map(|registration| ask_registration(&scene, registration)).collect();
    let incidents = incident::gather(&scene, &claims, &calls, &registrations);
    Diagnosis {
        calls,
        registrations,
        incidents,
        metrics: scene.honest_metrics().clone(),
        hostile_calls: hostile_calls(&scene),
    }
}

fn hostile_calls(scene: &Scene<'_>) -> Vec<u32> {
    let placed = (0_u32..).zip(scene.calls);
    placed.filter(|(_, call)| scene.is_hostile(call.source)).map(|(index, _)| index).collect()
}

fn ask_capture(rule: &Rule, scene: &Scene<'_>) -> Vec<Claim> {
    let mut claims = rule.subject.of_capture().map_or(Vec::new(), |ask| ask(scene));
    for claim in &mut claims {
        doubt_claim(scene, rule, &mut claim.finding);
    }
    claims
}

fn ask_registration(scene: &Scene<'_>, registration: &crate::call::beside::registration::Registration) -> Vec<Finding> {
    if scene.is_hostile(registration.source) {
        return Vec::new();
    }
    let asked = rules::all().iter().filter_map(|rule| {
        let mut finding = rule.subject.of_registration()?(scene, registration)?;
        doubt_registration(scene, registration, rule, &mut finding);
        Some(finding)
    });
    let mut findings: Vec<Finding> = asked.collect();
    suppression::silence(&mut findings);
    findings.sort_by(|a, b| (b.severity, b.proof, b.confidence).cmp(&(a.severity, a.proof, a.confidence)));
    findings
}

/// What every rule that is asked says about one call, in the order of a report.
fn judge(scene: &Scene<'_>, asked: &[(&Rule, AskCall)], index: usize, claimed: Option<&Vec<&Finding>>) -> Verdict {
    let case = Case::new(scene, index);
    let mut findings: Vec<Finding> = claimed.into_iter().flatten().map(|finding| (*finding).clone()).collect();
    let is_gated = is_one_directional(&case);
    let doubt = OnceCell::new();
    for (rule, ask) in asked {
        if !(is_gated && rule.gate == Gate::BothDirections)
            && let Some(mut finding) = ask(&case)
        {
            let doubt = doubt.get_or_init(|| Doubt::of(&case));
            doubt.apply(rule, &mut finding);
            findings.push(finding);
        }
    }
    if findings.is_empty() {
        return Verdict::default();
    }
    suppression::silence(&mut findings);
    let primary = pick(&case, &findings);
    let has_primary = primary.is_some();
    let first = primary.map(|place| findings.remove(place));
    findings.sort_by(|a, b| (b.severity, b.proof, b.confidence).cmp(&(a.severity, a.proof, a.confidence)));
    findings.splice(0..0, first);
    Verdict { findings, has_primary }
}

fn is_one_directional(case: &Case<'_>) -> bool {
    let scene = case.scene;
    !scene.sight.one_direction.is_empty()
        && case
            .call
            .hops
            .iter()
            .any(|hop| scene.is_one_directional(scene.node(hop.source), scene.node(hop.destination)))
}

/// The finding that explains the outcome best: by the strength of its proof, then by how sure it is, then by dispatch order.
fn pick(case: &Case<'_>, findings: &[Finding]) -> Option<usize> {
    let outcome = case.outcome();
    if outcome.group() == OutcomeGroup::Answered || outcome == Outcome::Partial {
        return None;
    }
    let candidates = findings.iter().enumerate().filter(|(_, finding)| finding.explains);
    let best = candidates.max_by_key(|(place, finding)| {
        (finding.proof, finding.confidence, std::cmp::Reverse(rules::priority(finding.rule)), std::cmp::Reverse(*place))
    });
    best.map(|(place, _)| place)
}
