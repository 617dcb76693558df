//! `check`: every expectation of a policy, and those that hold without one, against one analysis.

use std::collections::BTreeMap;

use crate::analysis::Analysis;
use crate::call::Outcome;
use crate::check::expectation::Tally;
use crate::check::metric;
use crate::check::policy::{About, Day, Policy, Ruling, Waivers, day_of, expired_text};
use crate::check::verdict::{Judgement, Kind, PROOFS_MAX, Proof, Status, Verdict, brief};
use crate::check::view::{CallView, FindingView, RunView, call_view};
use crate::diagnose::Severity;
use crate::diagnose::words::counted;

/// Judges an analysis.
///
/// `today` is the day that waivers expire against; `None` takes the day of the last frame (UTC).
pub fn check(analysis: &Analysis, policy: &Policy, today: Option<Day>) -> Judgement {
    let frame = RunView::frame_of(analysis);
    let today = today.or_else(|| frame.last_at.and_then(day_of));
    let waivers = Waivers::new(policy, today);
    let mut judge = Judge::new(policy, waivers);
    for id in 1..=analysis.calls.len() as u32 {
        if let Some(call) = call_view(analysis, id) {
            judge.call(&call, analysis);
        }
    }
    for finding in &frame.beside_calls {
        judge.finding(finding, None);
    }
    let mut verdicts = metric_verdicts(analysis, policy);
    verdicts.extend(judge.verdicts(analysis));
    for verdict in &mut verdicts {
        waivers.by_name(verdict);
    }
    Judgement {
        task: "check",
        captures: frame.captures,
        calls: analysis.calls.len() as u32,
        verdicts,
        ..Judgement::default()
    }
}

fn metric_verdicts(analysis: &Analysis, policy: &Policy) -> Vec<Verdict> {
    let metrics = &analysis.metrics;
    let mut verdicts = Vec::new();
    let limits_calls = policy.metrics.iter().any(|limit| limit.number.about == About::Calls);
    let registrations = analysis.registration_metrics();
    let tests_registrations = !policy.registrations.is_empty() && registrations.attempts > 0;
    let is_idle = metrics.calls == 0 && !tests_registrations;
    if !limits_calls && policy.expects.is_empty() && is_idle {
        let said = "the captures hold no call whose ending is known, so nothing was tested; min_calls = 0 in [metrics] allows that";
        verdicts.push(Verdict::new(Kind::Metric, "min_calls", false, said));
    }
    let limits = policy.metrics.iter();
    verdicts.extend(limits.map(|limit| metric::verdict(limit, analysis, policy.min_sample)));
    let limits = policy.registrations.iter();
    verdicts
        .extend(limits.map(|limit| metric::registration_verdict(limit, &registrations, analysis, policy.min_sample)));
    verdicts
}

/// What one outcome, code or rule did to how many calls.
#[derive(Default)]
struct FailureGroup {
    count: u32,
    waived: u32,
    reason: String,
    /// Last day on which some of what is not waived was.
    expired: Option<Day>,
    proofs: Vec<Proof>,
    said: String,
}

struct Judge<'p> {
    policy: &'p Policy,
    waivers: Waivers<'p>,
    tallies: Vec<Tally<'p>>,
    outcomes: BTreeMap<Outcome, FailureGroup>,
    codes: BTreeMap<u16, FailureGroup>,
    findings: BTreeMap<String, FailureGroup>,
}

impl<'p> Judge<'p> {
    fn new(policy: &'p Policy, waivers: Waivers<'p>) -> Self {
        Self {
            policy,
            waivers,
            tallies: policy.expects.iter().map(Tally::new).collect(),
            outcomes: BTreeMap::new(),
            codes: BTreeMap::new(),
            findings: BTreeMap::new(),
        }
    }

    fn call(&mut self, call: &CallView, analysis: &Analysis) {
        let mut is_expected = false;
        for tally in &mut self.tallies {
            is_expected |= tally.push(call, analysis);
        }
        let (allow, forbid) = (&self.policy.allow, &self.policy.forbid);
        let forbids_outcome = forbid.outcomes.contains(&call.outcome);
        let forbids_code = forbid.codes.iter().any(|code| code.fits(call.final_code));
        let is_allowed = is_expected
            || allow.outcomes.contains(&call.outcome)
            || allow.codes.iter().any(|code| code.fits(call.final_code));
        let is_fine = is_allowed && !forbids_outcome && !forbids_code;
        let ruling = self.waivers.of_call(call);
        let mut is_settled = is_fine || is_expected || ruling.reason.is_some();
        if forbids_code && !is_expected {
            let group = self.codes.entry(call.final_code).or_default();
            group.add(call, call.note(), call.frames(), ruling);
            is_settled = true;
        } else if (forbids_outcome || call.outcome.is_failure()) && !is_fine && !is_expected {
            let group = self.outcomes.entry(call.outcome).or_default();
            group.add(call, call.note(), call.frames(), ruling);
            is_settled = true;
        }
        for finding in &call.findings {
            // What explains an ending that is fine, or that is a failure as an ending, is no second failure.
            if !finding.explains || !is_settled || forbid.rules.contains(&finding.rule) {
                self.finding(finding, Some(call));
            }
        }
    }

    fn finding(&mut self, finding: &FindingView, call: Option<&CallView>) {
        let (allow, forbid) = (&self.policy.allow, &self.policy.forbid);
        let is_forbidden = forbid.rules.contains(&finding.rule);
        let is_severe = forbid.severity.is_some_and(|least| finding.severity >= least);
        if !is_forbidden && (!is_severe || allow.rules.contains(&finding.rule)) {
            return;
        }
        let ruling = self.waivers.of_finding(&finding.rule, call);
        let group = self.findings.entry(finding.rule.clone()).or_default();
        match call {
            Some(call) => group.add(call, finding.explanation.clone(), finding.frames.clone(), ruling),
            None => group.add_lone(finding, ruling),
        }
        if group.said.is_empty() {
            group.said.clone_from(&finding.title);
        }
    }

    fn verdicts(self, analysis: &Analysis) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let no_failure = self.outcomes.is_empty();
        for (outcome, group) in self.outcomes {
            let name = format!("no call is {}", outcome.word());
            verdicts.push(group.verdict(Kind::Outcome, name));
        }
        if no_failure {
            verdicts.push(Verdict::new(
                Kind::Outcome,
                "no call fails",
                true,
                "every ending is normal, allowed or expected",
            ));
        }
        for (code, group) in self.codes {
            verdicts.push(group.verdict(Kind::Code, format!("no call ends with {code}")));
        }
        let no_finding = self.findings.is_empty();
        for (rule, group) in self.findings {
            verdicts.push(group.verdict(Kind::Finding, format!("no {rule}")));
        }
        if no_finding && let Some(severity) = self.policy.forbid.severity {
            let name = match severity {
                Severity::Error => "no error finding",
                Severity::Warn => "no warning or error finding",
                Severity::Info => "no finding",
            };
            verdicts.push(Verdict::new(Kind::Finding, name, true, "none"));
        }
        let tallies = self.tallies.into_iter();
        verdicts.extend(tallies.map(|tally| tally.verdict(analysis)));
        verdicts
    }
}

impl FailureGroup {
    fn add(&mut self, call: &CallView, note: String, frames: Vec<crate::capture::FrameRef>, ruling: Ruling<'_>) {
        let proof =
            Proof { call: Some(call.id), call_id: call.call_ids.first().cloned().unwrap_or_default(), note, frames };
        self.push(proof, ruling);
    }

    fn add_lone(&mut self, finding: &FindingView, ruling: Ruling<'_>) {
        let proof = Proof { note: finding.explanation.clone(), frames: finding.frames.clone(), ..Proof::default() };
        self.push(proof, ruling);
    }

    fn push(&mut self, proof: Proof, ruling: Ruling<'_>) {
        self.count += 1;
        if let Some(reason) = ruling.reason {
            self.waived += 1;
            reason.clone_into(&mut self.reason);
            return;
        }
        self.expired = self.expired.max(ruling.expired);
        if self.proofs.len() < PROOFS_MAX {
            self.proofs.push(proof);
        }
    }

    fn verdict(self, kind: Kind, name: String) -> Verdict {
        let is_call = self.proofs.iter().all(|proof| proof.call.is_some());
        let left = self.count - self.waived;
        let counted = match (if left == 0 { self.count } else { left }, is_call) {
            (count, true) => counted(count, "call"),
            (1, false) => "found".to_owned(),
            (count, false) => format!("found {count} times"),
        };
        let first = self.proofs.first().map_or(self.said.as_str(), |proof| brief(&proof.note));
        let waived = match (left, self.waived) {
            (0, _) | (_, 0) => String::new(),
            (_, waived) => format!(" ({waived} more accepted: {})", self.reason),
        };
        let mut said = if first.is_empty() { counted } else { format!("{counted}{waived}: {first}") };
        said.push_str(&self.expired.map_or(String::new(), expired_text));
        let mut verdict = Verdict::new(kind, name, false, said).shown_by(self.proofs);
        if left == 0 {
            verdict.status = Status::Waived(self.reason);
        }
        verdict
    }
}
