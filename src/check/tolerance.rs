//! The verdicts of a comparison: each kind of difference against what the policy tolerates.

use crate::check::compare::{ChangedCall, Comparison, findings, measures};
use crate::check::difference::SetChange;
use crate::check::policy::{Change, Compare};
use crate::check::shift::Shift;
use crate::check::verdict::{Kind, PROOFS_MAX, Proof, Status, Verdict};
use crate::check::view::{CallView, View};

/// Every verdict, in the order of reports.
pub(super) fn verdicts(
    comparison: &Comparison,
    candidate: &View,
    tolerances: &Compare,
) -> Vec<Verdict> {
    let mut verdicts = vec![
        paired(comparison),
        changed_verdict(comparison, candidate, tolerances),
        count_verdict(
            "no call is missing",
            &comparison.missing,
            tolerances.max_missing_calls,
            "only in the baseline",
            candidate,
        ),
        count_verdict(
            "no call is added",
            &comparison.added,
            tolerances.max_added_calls,
            "only in the candidate",
            candidate,
        ),
    ];
    let mut before = None;
    for (measure, _, increase_ms) in measures(tolerances) {
        let sample = tolerances.min_sample;
        verdicts.extend(shift_verdict(
            measure,
            before,
            comparison,
            increase_ms,
            sample,
        ));
        before = Some(measure);
    }
    verdicts.push(finding_verdict(comparison, candidate, tolerances));
    let kinds: [(&str, &[&str], Change); 3] = [
        (
            "codecs stay",
            &["codecs_offered", "codecs_answered"],
            tolerances.codecs,
        ),
        (
            "software stays",
            &["caller_software", "callee_software"],
            tolerances.software,
        ),
        ("header fields stay", &["header"], tolerances.headers),
    ];
    for (name, subjects, change) in kinds {
        verdicts.push(difference_verdict(
            name, subjects, change, comparison, candidate,
        ));
    }
    verdicts
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

fn proof(change: &ChangedCall, note: String, candidate: &View) -> Proof {
    let call = change
        .candidate
        .and_then(|id| candidate.calls.iter().find(|call| call.id == id));
    Proof {
        call: change.candidate,
        call_id: call
            .and_then(|call| call.call_ids.first().cloned())
            .unwrap_or_default(),
        note,
        frames: call.map_or_else(Vec::new, CallView::frames),
    }
}

fn changed_verdict(comparison: &Comparison, candidate: &View, tolerances: &Compare) -> Verdict {
    let changed = &comparison.changed;
    let moved = comparison
        .transitions
        .iter()
        .filter(|transition| transition.before != transition.after);
    let told: Vec<String> = moved
        .map(|transition| {
            format!(
                "{} instead of {} ({})",
                transition.after, transition.before, transition.calls
            )
        })
        .collect();
    let pairs: u32 = comparison
        .transitions
        .iter()
        .map(|transition| transition.calls)
        .sum();
    let said = match changed.len() {
        0 => format!("all {pairs} end as before"),
        count => format!("{count} of {pairs} end otherwise: {}", told.join(", ")),
    };
    let proofs = changed.iter().take(PROOFS_MAX).map(|change| {
        let mut note = format!("{} instead of {}", change.after, change.before);
        if change.after_note != change.after {
            note.push_str(": ");
            note.push_str(&change.after_note);
        }
        proof(change, note, candidate)
    });
    let holds = changed.len() <= tolerances.max_changed_calls as usize;
    verdict("calls end as before", holds, said).shown_by(proofs.collect())
}

fn count_verdict(
    name: &str,
    calls: &[ChangedCall],
    max: u32,
    whose: &str,
    candidate: &View,
) -> Verdict {
    let said = match calls.first() {
        None => "none".to_owned(),
        Some(first) => format!(
            "{} {whose}, first from {} to {}",
            calls.len(),
            first.caller,
            first.callee
        ),
    };
    let proofs = calls.iter().take(PROOFS_MAX).map(|change| {
        let note = format!(
            "from {} to {}: {}{}",
            change.caller, change.callee, change.before, change.after
        );
        proof(change, note, candidate)
    });
    verdict(name, calls.len() <= max as usize, said).shown_by(proofs.collect())
}

/// The verdict on one delay; a growth that comes whole from an earlier delay of the same calls is that one's, told there.
fn shift_verdict(
    measure: &str,
    before: Option<&'static str>,
    comparison: &Comparison,
    tolerance_ms: f64,
    sample_min: u32,
) -> Option<Verdict> {
    let shifts = comparison.shifts.iter();
    let of_measure: Vec<&Shift> = shifts.filter(|shift| shift.measure == measure).collect();
    let all = *of_measure.first()?;
    let cause = |shift: &Shift| {
        let earlier = comparison.shifts.iter().find(|earlier| {
            Some(earlier.measure) == before && earlier.node == shift.node && earlier.grows
        })?;
        (shift.increase_ms() - earlier.increase_ms() <= tolerance_ms).then_some(earlier.measure)
    };
    let name = format!("{measure} does not grow");
    let is_own = |shift: &&Shift| shift.grows && cause(shift).is_none();
    let growing: Vec<&Shift> = of_measure.iter().copied().filter(is_own).collect();
    let nodes = of_measure.iter().filter(|shift| !shift.node.is_empty());
    let growing_nodes: Vec<&Shift> = growing
        .iter()
        .copied()
        .filter(|shift| !shift.node.is_empty())
        .collect();
    // Naming all calls where one node is to blame would hide which.
    let is_of_some = match nodes.count() {
        1 => !growing_nodes.is_empty(),
        nodes => !growing_nodes.is_empty() && growing_nodes.len() < nodes,
    };
    let told = if is_of_some {
        growing_nodes
    } else {
        growing.into_iter().take(1).collect()
    };
    if !told.is_empty() {
        let texts: Vec<String> = told.iter().map(|shift| shift_text(shift)).collect();
        return Some(verdict(name, false, texts.join("; ")));
    }
    let why = match of_measure
        .iter()
        .copied()
        .filter(|shift| shift.grows)
        .find_map(cause)
    {
        Some(earlier) => format!("; no more than {earlier} does"),
        None if all.baseline.count < sample_min => "; too few to judge".to_owned(),
        None => String::new(),
    };
    Some(verdict(name, true, format!("{}{why}", shift_text(all))))
}

fn shift_text(shift: &Shift) -> String {
    let at = if shift.node.is_empty() {
        String::new()
    } else {
        format!("at {}: ", shift.node)
    };
    format!(
        "{at}median {:.0} ms, was {:.0} ms ({} calls, effect size {:.2})",
        shift.candidate.p50, shift.baseline.p50, shift.candidate.count, shift.effect_size
    )
}

fn finding_verdict(comparison: &Comparison, candidate: &View, tolerances: &Compare) -> Verdict {
    let mut proofs = Vec::new();
    let mut told = Vec::new();
    for (rule, count) in &comparison.new_findings {
        let found = findings(candidate).find(|finding| {
            finding.rule == *rule
                && tolerances
                    .new_findings
                    .is_some_and(|least| finding.severity >= least)
        });
        if let Some(finding) = found {
            told.push(format!("{rule} ({count})"));
            proofs.push(Proof {
                note: format!("{}: {}", finding.title, finding.explanation),
                frames: finding.frames.clone(),
                ..Proof::default()
            });
        }
    }
    let said = if told.is_empty() {
        "none".to_owned()
    } else {
        told.join(", ")
    };
    verdict("no new findings", told.is_empty(), said).shown_by(proofs)
}

fn difference_verdict(
    name: &str,
    subjects: &[&str],
    change: Change,
    comparison: &Comparison,
    candidate: &View,
) -> Verdict {
    let changes: Vec<&SetChange> = comparison
        .differences
        .iter()
        .filter(|change| subjects.contains(&change.subject))
        .collect();
    let told: Vec<String> = changes
        .iter()
        .take(PROOFS_MAX)
        .map(|change| change_text(change))
        .collect();
    let said = if told.is_empty() {
        "no change".to_owned()
    } else {
        told.join("; ")
    };
    let mut verdict = verdict(name, changes.is_empty(), said);
    if verdict.fails() && change == Change::Report {
        verdict.status = Status::Holds;
    }
    let calls = changes.iter().take(PROOFS_MAX).filter_map(|change| {
        let call = candidate
            .calls
            .iter()
            .find(|call| Some(call.id) == change.call)?;
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

/// One change in words: `offers PCMA instead of PCMU PCMA (6 calls)`.
fn change_text(change: &SetChange) -> String {
    let of = |text: &str| {
        if text.is_empty() {
            "nothing".to_owned()
        } else {
            text.to_owned()
        }
    };
    let (before, after) = (of(&change.before), of(&change.after));
    let what = match change.subject {
        "codecs_offered" => "offered",
        "codecs_answered" => "answered",
        "caller_software" => "caller is",
        "callee_software" => "callee is",
        _ if change.before.is_empty() => return format!("new: {after}"),
        _ => return format!("gone: {before}"),
    };
    format!(
        "{what} {after} instead of {before} ({} calls)",
        change.count
    )
}
