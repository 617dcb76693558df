//! `check`: every expectation of a policy, and those that hold without one, against one analysis.

use std::collections::BTreeMap;

use crate::analysis::Analysis;
use crate::call::Outcome;
use crate::check::expectation::Tally;
use crate::check::limit::{Bound, shown};
use crate::check::policy::{Day, Policy, Waiver, WaiverTarget};
use crate::check::verdict::{Judgement, Kind, PROOFS_MAX, Proof, Status, Verdict};
use crate::check::view::{CallView, FindingView, View, call_view};
use crate::diagnose::Severity;

/// Judges an analysis.
///
/// `today` is the day that waivers expire against; `None` takes the day of the last frame (UTC).
pub fn check(analysis: &Analysis, policy: &Policy, today: Option<Day>) -> Judgement {
    let frame = View::frame_of(analysis);
    let today = today.or_else(|| frame.last_at.and_then(day_of));
    let mut judge = Judge::new(policy, today);
    for place in 0..analysis.calls.len() {
        if let Some(call) = call_view(analysis, place) {
            judge.call(&call, analysis);
        }
    }
    for finding in &frame.beside_calls {
        judge.finding(finding, None);
    }
    let mut verdicts = metric_verdicts(analysis, policy);
    verdicts.extend(judge.verdicts());
    for verdict in &mut verdicts {
        waive_by_name(verdict, policy, today);
    }
    Judgement {
        task: "check",
        captures: frame.captures,
        calls: analysis.calls.len() as u32,
        verdicts,
        ..Judgement::default()
    }
}

/// The day of a moment in UTC.
fn day_of(time: crate::capture::Timestamp) -> Option<Day> {
    let moment = jiff::Timestamp::from_nanosecond(i128::from(time.nanoseconds())).ok()?;
    Some(moment.to_zoned(jiff::tz::TimeZone::UTC).date())
}

fn metric_verdicts(analysis: &Analysis, policy: &Policy) -> Vec<Verdict> {
    let metrics = &analysis.metrics;
    let mut verdicts = Vec::new();
    let limits_calls = policy.metrics.iter().any(|limit| limit.number.0 == "calls");
    if !limits_calls && policy.expects.is_empty() && metrics.calls == 0 {
        let said = "the captures hold no call whose ending is known, so nothing was tested; min_calls = 0 in [metrics] allows that";
        verdicts.push(Verdict::new(Kind::Metric, "min_calls", false, said));
    }
    for limit in &policy.metrics {
        let key = limit.key();
        let wanted = shown(&key, limit.value);
        let is_ratio_or_delay = !matches!(
            limit.number.0,
            "calls" | "answered" | "partial" | "retransmissions"
        );
        let side = match limit.bound {
            Bound::Min => "at least",
            Bound::Max => "at most",
        };
        let (holds, said) = match limit.measure(metrics) {
            _ if is_ratio_or_delay && metrics.calls < policy.min_sample => (
                false,
                format!(
                    "{} calls, min_sample asks for {}",
                    metrics.calls, policy.min_sample
                ),
            ),
            None => (
                false,
                format!("nothing to measure it by, {side} {wanted} is needed"),
            ),
            Some(value) => {
                let holds = limit.bound.holds(value, limit.value);
                (
                    holds,
                    format!("{}, {side} {wanted} is needed", shown(&key, value)),
                )
            }
        };
        verdicts.push(Verdict::new(Kind::Metric, key, holds, said).at_line(limit.line));
    }
    verdicts
}

/// What one outcome, code or rule did to how many calls.
#[derive(Default)]
struct Group {
    count: u32,
    waived: u32,
    reason: String,
    proofs: Vec<Proof>,
    said: String,
}

struct Judge<'p> {
    policy: &'p Policy,
    today: Option<Day>,
    tallies: Vec<Tally<'p>>,
    outcomes: BTreeMap<Outcome, Group>,
    codes: BTreeMap<u16, Group>,
    findings: BTreeMap<String, Group>,
}

impl<'p> Judge<'p> {
    fn new(policy: &'p Policy, today: Option<Day>) -> Self {
        Self {
            policy,
            today,
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
        let waiver = self.waiver_of_call(call);
        let mut is_told = is_fine || is_expected || waiver.is_some();
        if forbids_code && !is_expected {
            let group = self.codes.entry(call.final_code).or_default();
            group.add(call, call.note(), call.frames(), waiver);
            is_told = true;
        } else if (forbids_outcome || call.outcome.is_failure()) && !is_fine && !is_expected {
            let group = self.outcomes.entry(call.outcome).or_default();
            group.add(call, call.note(), call.frames(), waiver);
            is_told = true;
        }
        for finding in &call.findings {
            // What explains an ending that is fine, or that is told as an ending, is no second failure.
            if !finding.explains || !is_told || forbid.rules.contains(&finding.rule) {
                self.finding(finding, Some(call));
            }
        }
    }

    fn finding(&mut self, finding: &FindingView, call: Option<&CallView>) {
        let (allow, forbid) = (&self.policy.allow, &self.policy.forbid);
        let is_forbidden = forbid.rules.contains(&finding.rule);
        let is_severe = forbid
            .severity
            .is_some_and(|least| finding.severity >= least);
        if !is_forbidden && (!is_severe || allow.rules.contains(&finding.rule)) {
            return;
        }
        let waiver = self.waiver(
            |target| *target == WaiverTarget::Rule(finding.rule.clone()),
            call,
        );
        let group = self.findings.entry(finding.rule.clone()).or_default();
        match call {
            Some(call) => group.add(
                call,
                finding.explanation.clone(),
                finding.frames.clone(),
                waiver,
            ),
            None => group.add_lone(finding, waiver),
        }
        if group.said.is_empty() {
            group.said.clone_from(&finding.title);
        }
    }

    fn waiver_of_call(&self, call: &CallView) -> Option<&'p Waiver> {
        let is_meant = |target: &WaiverTarget| match target {
            WaiverTarget::Code(code) => code.fits(call.final_code),
            WaiverTarget::Outcome(outcome) => *outcome == call.outcome,
            WaiverTarget::Rule(rule) => !rule.is_empty() && *rule == call.primary,
            WaiverTarget::Expectation(_) => false,
        };
        self.waiver(is_meant, Some(call))
    }

    fn waiver(
        &self,
        is_meant: impl Fn(&WaiverTarget) -> bool,
        call: Option<&CallView>,
    ) -> Option<&'p Waiver> {
        let is_for_call = |waiver: &Waiver| match (&waiver.calls, call) {
            (None, _) => true,
            (Some(calls), Some(call)) => calls.matches(call) == Ok(true),
            (Some(_), None) => false,
        };
        let policy = self.policy;
        policy.waivers.iter().find(|waiver| {
            is_meant(&waiver.target) && counts(waiver, self.today) && is_for_call(waiver)
        })
    }

    fn verdicts(self) -> Vec<Verdict> {
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
        verdicts.extend(self.tallies.into_iter().map(Tally::verdict));
        verdicts
    }
}

impl Group {
    fn add(
        &mut self,
        call: &CallView,
        note: String,
        frames: Vec<crate::capture::FrameRef>,
        waiver: Option<&Waiver>,
    ) {
        let proof = Proof {
            call: Some(call.id),
            call_id: call.call_ids.first().cloned().unwrap_or_default(),
            note,
            frames,
        };
        self.push(proof, waiver);
    }

    fn add_lone(&mut self, finding: &FindingView, waiver: Option<&Waiver>) {
        let proof = Proof {
            note: finding.explanation.clone(),
            frames: finding.frames.clone(),
            ..Proof::default()
        };
        self.push(proof, waiver);
    }

    fn push(&mut self, proof: Proof, waiver: Option<&Waiver>) {
        self.count += 1;
        if let Some(waiver) = waiver {
            self.waived += 1;
            self.reason.clone_from(&waiver.reason);
        } else if self.proofs.len() < PROOFS_MAX {
            self.proofs.push(proof);
        }
    }

    fn verdict(self, kind: Kind, name: String) -> Verdict {
        let is_call = self.proofs.iter().all(|proof| proof.call.is_some());
        let left = self.count - self.waived;
        let counted = match (if left == 0 { self.count } else { left }, is_call) {
            (1, true) => "1 call".to_owned(),
            (count, true) => format!("{count} calls"),
            (1, false) => "found".to_owned(),
            (count, false) => format!("found {count} times"),
        };
        let first = self
            .proofs
            .first()
            .map_or(self.said.as_str(), |proof| proof.note.as_str());
        let waived = match (left, self.waived) {
            (0, _) | (_, 0) => String::new(),
            (_, waived) => format!(" ({waived} more accepted: {})", self.reason),
        };
        let said = if first.is_empty() {
            counted
        } else {
            format!("{counted}{waived}: {first}")
        };
        let mut verdict = Verdict::new(kind, name, false, said).shown_by(self.proofs);
        if left == 0 {
            verdict.status = Status::Waived(self.reason);
        }
        verdict
    }
}

/// Whether a waiver still counts: through its last day; without any date to compare with, it does.
fn counts(waiver: &Waiver, today: Option<Day>) -> bool {
    match (waiver.expires, today) {
        (Some(expires), Some(today)) => today <= expires,
        _ => true,
    }
}

fn waive_by_name(verdict: &mut Verdict, policy: &Policy, today: Option<Day>) {
    let is_meant = |waiver: &&Waiver| {
        matches!(&waiver.target, WaiverTarget::Expectation(name) if *name == verdict.name)
            && waiver.calls.is_none()
    };
    let Some(waiver) = policy
        .waivers
        .iter()
        .find(is_meant)
        .filter(|_| verdict.fails())
    else {
        return;
    };
    if counts(waiver, today) {
        verdict.status = Status::Waived(waiver.reason.clone());
    } else if let Some(expires) = waiver.expires {
        verdict.said = format!("{} (accepted until {expires})", verdict.said);
    }
}
