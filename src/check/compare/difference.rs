//! What the calls of two runs carry differently: codecs, products, header fields.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::verdict::{SetChange, Subject};
use crate::check::view::{CallView, RunView};

type Of = fn(&CallView) -> String;

/// What is compared call by call.
const SUBJECTS: [(Subject, Of); 4] = [
    (Subject::CodecsOffered, |call| call.codecs_offered.join(" ")),
    (Subject::CodecsAnswered, |call| call.codecs_answered.join(" ")),
    (Subject::CallerSoftware, |call| call.caller_software.clone()),
    (Subject::CalleeSoftware, |call| call.callee_software.clone()),
];

/// What pairs of calls carry differently, most calls first.
pub(super) fn of_calls<'v>(pairs: impl Iterator<Item = (&'v CallView, &'v CallView)>) -> Vec<SetChange> {
    let mut changes: BTreeMap<(Subject, String, String), (u64, u32)> = BTreeMap::new();
    for (old, new) in pairs {
        for (subject, of) in SUBJECTS {
            let (before, after) = (of(old), of(new));
            // A call that ended otherwise was answered by somebody else, or by nobody: that is reported as its ending.
            let is_of_answer = matches!(subject, Subject::CodecsAnswered | Subject::CalleeSoftware);
            if before != after && (!is_of_answer || old.ending() == new.ending()) {
                let entry = changes.entry((subject, before, after)).or_insert((0, new.id));
                entry.0 += 1;
            }
        }
    }
    let mut changes: Vec<SetChange> = changes
        .into_iter()
        .map(|((subject, before, after), (count, call))| SetChange { subject, before, after, count, call: Some(call) })
        .collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.count));
    changes
}

/// Header fields that came or went, in messages of a kind that both runs have.
pub(super) fn of_headers(baseline: &RunView, candidate: &RunView) -> Vec<SetChange> {
    let kinds = |view: &RunView| -> BTreeSet<String> {
        let kinds = view.headers.keys().map(|(kind, _)| kind.clone());
        kinds.collect()
    };
    let both: BTreeSet<String> = kinds(baseline).intersection(&kinds(candidate)).cloned().collect();
    let only = |ours: &RunView, theirs: &RunView| -> Vec<(String, u64)> {
        let lone = ours.headers.iter().filter(|(key, _)| both.contains(&key.0) && !theirs.headers.contains_key(*key));
        lone.map(|((kind, name), count)| (format!("{name} in {kind}"), *count)).collect()
    };
    let change = |before: String, after: String, count: u64| SetChange {
        subject: Subject::Header,
        before,
        after,
        count,
        call: None,
    };
    let gone = only(baseline, candidate).into_iter();
    let came = only(candidate, baseline).into_iter();
    gone.map(|(name, count)| change(name, String::new(), count))
        .chain(came.map(|(name, count)| change(String::new(), name, count)))
        .collect()
}
