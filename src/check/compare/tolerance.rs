//! The verdicts of a comparison: each kind of difference against what the policy tolerates.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::analysis::CallField;
use crate::check::compare::growth::shift_verdict;
use crate::check::compare::shift::measures;
use crate::check::policy::{Change, Compare, Ruling, Waivers, expired_text, shown};
use crate::check::verdict::{ChangedCall, Comparison, Kind, PROOFS_MAX, Proof, SetChange, Status, Subject, Verdict};
use crate::check::view::{CallView, FindingView, RunView};

/// A comparison, and what it is judged by.
pub(super) struct Bench<'a> {
    pub(super) comparison: &'a Comparison,
    pub(super) candidate: &'a RunView,
    pub(super) tolerances: &'a Compare,
    pub(super) waivers: Waivers<'a>,
    /// Calls of the candidate by their number.
    calls: HashMap<u32, &'a CallView>,
    /// Of these, the numbers of those that end otherwise than in the baseline.
    changed: HashSet<u32>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        comparison: &'a Comparison,
        candidate: &'a RunView,
        tolerances: &'a Compare,
        waivers: Waivers<'a>,
    ) -> Self {
        let calls = candidate.calls.iter().map(|call| (call.id, call));
        let changed = comparison.changed.iter();
        Self {
            comparison,
            candidate,
            tolerances,
            waivers,
            calls: calls.collect(),
            changed: changed.filter_map(|change| change.candidate).collect(),
        }
    }

    /// Every verdict, in the order of reports.
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        let (comparison, tolerances) = (self.comparison, self.tolerances);
        let mut verdicts = vec![
            paired(comparison),
            self.changed_verdict(),
            self.count_verdict(
                "no call is missing",
                &comparison.missing,
                tolerances.max_missing_calls,
                "only in the baseline",
            ),
            self.count_verdict(
                "no call is added",
                &comparison.added,
                tolerances.max_added_calls,
                "only in the candidate",
            ),
        ];
        let mut before = None;
        for (measure, of, increase_ms) in measures(tolerances) {
            let sample = tolerances.min_sample;
            let verdict = shift_verdict(measure, before, comparison, increase_ms, sample);
            verdicts.extend(verdict.map(|verdict| self.with_values(verdict, measure, of)));
            before = Some(measure);
        }
        verdicts.push(self.finding_verdict());
        let kinds: [(&str, &[Subject], Change); 3] = [
            ("codecs stay", &[Subject::CodecsOffered, Subject::CodecsAnswered], tolerances.codecs),
            ("software stays", &[Subject::CallerSoftware, Subject::CalleeSoftware], tolerances.software),
            ("header fields stay", &[Subject::Header], tolerances.headers),
        ];
        for (name, subjects, change) in kinds {
            verdicts.push(self.difference_verdict(name, subjects, change));
        }
        for verdict in &mut verdicts {
            self.waivers.by_name(verdict);
        }
        verdicts
    }

    /// The same with the frames of its calls and the delay that each had.
    fn with_values(&self, mut verdict: Verdict, measure: CallField, of: fn(&CallView) -> Option<f64>) -> Verdict {
        for proof in &mut verdict.proofs {
            let Some(call) = proof.call.and_then(|id| self.calls.get(&id)) else {
                continue;
            };
            proof.call_id = call.call_ids.first().cloned().unwrap_or_default();
            proof.frames = call.frames();
            proof.note = of(call)
                .map_or(String::new(), |value| format!("{} is {}", measure.name(), shown(measure.name(), value)));
        }
        verdict
    }

    fn proof(&self, change: &ChangedCall, note: String) -> Proof {
        let call = change.candidate.and_then(|id| self.calls.get(&id));
        let call_ids = call.and_then(|call| call.call_ids.first());
        Proof {
            call: change.candidate,
            call_id: call_ids.cloned().unwrap_or_default(),
            note,
            frames: call.map_or_else(Vec::new, |call| call.frames()),
        }
    }

    fn changed_verdict(&self) -> Verdict {
        let changed = &self.comparison.changed;
        let max = self.tolerances.max_changed_calls as usize;
        let transitions = self.comparison.transitions.iter();
        let pairs: u32 = transitions.map(|transition| transition.calls).sum();
        let name = "calls end as before";
        if changed.is_empty() {
            return verdict(name, true, format!("all {pairs} end as before"));
        }
        let mut left: Vec<&ChangedCall> = Vec::new();
        let mut rulings = Ruling::default();
        for change in changed {
            let call = change.candidate.and_then(|id| self.calls.get(&id));
            let ruling = call.map_or(Ruling::default(), |call| self.waivers.of_call(call));
            if ruling.reason.is_some() {
                rulings.reason = ruling.reason;
            } else {
                rulings.expired = rulings.expired.max(ruling.expired);
                left.push(change);
            }
        }
        let is_within = changed.len() <= max;
        let is_accepted = !is_within && left.len() <= max;
        // What is accepted is named as such; what is left over is named alone.
        let named: Vec<&ChangedCall> = if is_within || is_accepted { changed.iter().collect() } else { left };
        let accepted = match (changed.len() - named.len(), rulings.reason) {
            (0, _) | (_, None) => String::new(),
            (more, Some(reason)) => format!(" ({more} more accepted: {reason})"),
        };
        let mut said = format!("{} of {pairs} end otherwise{accepted}: {}", named.len(), transitions_text(&named));
        if !is_within && !is_accepted {
            said.push_str(&rulings.expired.map_or(String::new(), expired_text));
        }
        let proofs = named.iter().take(PROOFS_MAX).map(|change| {
            let mut note = format!("{} instead of {}", change.after, change.before);
            if change.after_note != change.after {
                note.push_str(": ");
                note.push_str(&change.after_note);
            }
            self.proof(change, note)
        });
        let mut verdict = verdict(name, is_within, said).shown_by(proofs.collect());
        if is_accepted {
            verdict.status = Status::Waived(rulings.reason.unwrap_or_default().to_owned());
        }
        verdict
    }

    fn count_verdict(&self, name: &str, calls: &[ChangedCall], max: u32, whose: &str) -> Verdict {
        let said = match calls.first() {
            None => "none".to_owned(),
            Some(first) => format!("{} {whose}, first from {} to {}", calls.len(), first.caller, first.callee),
        };
        let proofs = calls.iter().take(PROOFS_MAX).map(|change| {
            let note = format!("from {} to {}: {}{}", change.caller, change.callee, change.before, change.after);
            self.proof(change, note)
        });
        verdict(name, calls.len() <= max as usize, said).shown_by(proofs.collect())
    }

    fn finding_verdict(&self) -> Verdict {
        let (mut found, mut accepted) = (Vec::new(), Vec::new());
        let mut proofs = Vec::new();
        let mut rulings = Ruling::default();
        let news = self.news();
        for (rule, _) in &self.comparison.new_findings {
            let of_rule = news.get(rule.as_str()).map_or(&[][..], Vec::as_slice);
            let left: Vec<_> = of_rule.iter().filter(|(_, r)| r.reason.is_none()).collect();
            match left.first() {
                Some((finding, _)) => {
                    found.push(format!("{rule} ({})", left.len()));
                    proofs.push(Proof {
                        note: format!("{}: {}", finding.title, finding.explanation),
                        frames: finding.frames.clone(),
                        ..Proof::default()
                    });
                }
                None if of_rule.is_empty() => {}
                None => accepted.push(format!("{rule} ({})", of_rule.len())),
            }
            let mut reasons = of_rule.iter().filter_map(|(_, ruling)| ruling.reason);
            rulings.reason = reasons.next_back().or(rulings.reason);
            let expired = left.iter().filter_map(|(_, ruling)| ruling.expired);
            rulings.expired = expired.max().max(rulings.expired);
        }
        let name = "no new findings";
        match (found.is_empty(), accepted.is_empty()) {
            (true, true) if self.comparison.new_findings.is_empty() => verdict(name, true, "none"),
            (true, true) => verdict(name, true, "none but what changed endings and the policy account for"),
            (true, false) => {
                let mut verdict = verdict(name, false, accepted.join(", "));
                verdict.status = Status::Waived(rulings.reason.unwrap_or_default().to_owned());
                verdict
            }
            (false, _) => {
                let said = format!("{}{}", found.join(", "), rulings.expired_text());
                verdict(name, false, said).shown_by(proofs)
            }
        }
    }

    /// What rules found in the candidate that the policy counts, by rule, each with what the waivers say of it.
    fn news(&self) -> HashMap<&'a str, Vec<(&'a FindingView, Ruling<'a>)>> {
        let new = self.comparison.new_findings.iter();
        let rules: HashSet<&str> = new.map(|(rule, _)| rule.as_str()).collect();
        let counts = |finding: &FindingView| {
            let least = self.tolerances.new_findings;
            least.is_some_and(|least| finding.severity >= least) && rules.contains(finding.rule.as_str())
        };
        let mut news: HashMap<&'a str, Vec<(&'a FindingView, Ruling<'a>)>> = HashMap::new();
        for call in &self.candidate.calls {
            for finding in call.findings.iter().filter(|finding| counts(finding)) {
                let mut ruling = self.waivers.of_finding(&finding.rule, Some(call));
                if finding.explains || call.primary == finding.rule {
                    // Why a call ends otherwise stands with that; why one ends that is accepted is accepted with it.
                    if self.changed.contains(&call.id) {
                        continue;
                    }
                    ruling = ruling.or(self.waivers.of_call(call));
                }
                let of_rule = news.entry(&finding.rule).or_default();
                of_rule.push((finding, ruling));
            }
        }
        let beside = self.candidate.beside_calls.iter();
        for finding in beside.filter(|finding| counts(finding)) {
            let ruling = self.waivers.of_finding(&finding.rule, None);
            let of_rule = news.entry(&finding.rule).or_default();
            of_rule.push((finding, ruling));
        }
        news
    }

    fn difference_verdict(&self, name: &str, subjects: &[Subject], change: Change) -> Verdict {
        let changes: Vec<&SetChange> =
            self.comparison.differences.iter().filter(|change| subjects.contains(&change.subject)).collect();
        let texts: Vec<String> = changes.iter().take(PROOFS_MAX).map(|change| change_text(change)).collect();
        let said = if texts.is_empty() { "no change".to_owned() } else { texts.join("; ") };
        let mut verdict = verdict(name, changes.is_empty(), said);
        if verdict.fails() && change == Change::Report {
            verdict.status = Status::Holds;
        }
        let calls = changes.iter().take(PROOFS_MAX).filter_map(|change| {
            let call = self.calls.get(&change.call?)?;
            Some(Proof {
                call: Some(call.id),
                call_id: call.call_ids.first().cloned().unwrap_or_default(),
                note: change_text(change),
                frames: call.sequence_frames.first().copied().into_iter().collect(),
            })
        });
        let proofs = calls.collect();
        verdict.shown_by(proofs)
    }
}

fn verdict(name: impl Into<String>, holds: bool, said: impl Into<String>) -> Verdict {
    Verdict::new(Kind::Comparison, name, holds, said)
}

/// Two runs without a call in common say nothing about each other.
fn paired(comparison: &Comparison) -> Verdict {
    let pairs = comparison.baseline_calls as usize - comparison.missing.len();
    let said = format!(
        "{pairs} of {} calls of the baseline are in the candidate, which has {}",
        comparison.baseline_calls, comparison.candidate_calls
    );
    verdict("the runs have calls in common", pairs > 0, said)
}

/// `unreachable 408 instead of completed 200 (6)`, each kind once.
fn transitions_text(changed: &[&ChangedCall]) -> String {
    let mut counts: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for change in changed {
        *counts.entry((&change.before, &change.after)).or_default() += 1;
    }
    let texts: Vec<String> =
        counts.iter().map(|((before, after), calls)| format!("{after} instead of {before} ({calls})")).collect();
    texts.join(", ")
}

/// One change in words: `offers PCMA instead of PCMU PCMA (6 calls)`.
fn change_text(change: &SetChange) -> String {
    let of = |text: &str| {
        if text.is_empty() { "nothing".to_owned() } else { text.to_owned() }
    };
    let (before, after) = (of(&change.before), of(&change.after));
    let what = match change.subject {
        Subject::CodecsOffered => "offered",
        Subject::CodecsAnswered => "answered",
        Subject::CallerSoftware => "caller is",
        Subject::CalleeSoftware => "callee is",
        Subject::Header if change.before.is_empty() => return format!("new: {after}"),
        Subject::Header => return format!("gone: {before}"),
    };
    format!("{what} {after} instead of {before} ({} calls)", change.count)
}
