//! `compare`: what differs between two runs of the same calls, and whether the policy tolerates it.

mod align;
mod difference;
mod growth;
mod shift;
mod tolerance;

use std::collections::{BTreeMap, BTreeSet};

use crate::check::compare::align::{align, host};
use crate::check::compare::shift::{Tolerance, measures};
use crate::check::compare::tolerance::Bench;
use crate::check::policy::{Compare, Day, Policy, Waivers, day_of};
use crate::check::verdict::{ChangedCall, Comparison, Judgement, Shift, Transition};
use crate::check::view::{CallView, RunView};

/// Compares two runs.
///
/// `today` is the day that waivers expire against; `None` takes the day of the candidate's last frame (UTC).
///
/// # Errors
/// Where the policy's key cannot be worked out for a call, or one run was narrowed to some of its calls otherwise than the
/// other.
pub fn compare(
    baseline: &RunView,
    candidate: &RunView,
    policy: &Policy,
    today: Option<Day>,
) -> Result<Judgement, String> {
    if baseline.filter != candidate.filter {
        return Err(format!(
            "the baseline holds {}, the candidate {}; compare runs that hold the same",
            held(baseline),
            held(candidate)
        ));
    }
    let tolerances = &policy.compare;
    let alignment =
        align(&baseline.calls, &candidate.calls, tolerances.key.as_ref()).map_err(|why| format!("key {why}"))?;
    let pairs =
        || alignment.pairs.iter().filter_map(|(a, b)| Some((baseline.calls.get(*a)?, candidate.calls.get(*b)?)));
    let mut differences = difference::of_calls(pairs());
    differences.extend(difference::of_headers(baseline, candidate));
    let comparison = Comparison {
        baseline: baseline.captures.clone(),
        candidate: candidate.captures.clone(),
        baseline_calls: baseline.calls.len() as u32,
        candidate_calls: candidate.calls.len() as u32,
        transitions: transitions(pairs()),
        changed: pairs().filter(|(a, b)| a.ending() != b.ending()).map(|(a, b)| changed(Some(a), Some(b))).collect(),
        missing: lone(&alignment.missing, &baseline.calls, |call| changed(Some(call), None)),
        added: lone(&alignment.added, &candidate.calls, |call| changed(None, Some(call))),
        shifts: shifts(&pairs().collect::<Vec<_>>(), tolerances),
        new_findings: only(candidate, baseline),
        gone_findings: only(baseline, candidate),
        differences,
    };
    let today = today.or_else(|| candidate.last_at.and_then(day_of));
    let waivers = Waivers::new(policy, today);
    let verdicts = Bench::new(&comparison, candidate, tolerances, waivers).verdicts();
    Ok(Judgement {
        task: "compare",
        captures: candidate.captures.clone(),
        calls: comparison.candidate_calls,
        verdicts,
        comparison: Some(comparison),
        ..Judgement::default()
    })
}

/// Which calls a run holds.
fn held(view: &RunView) -> String {
    match view.filter.as_str() {
        "" => "all calls".to_owned(),
        filter => format!("those that match {filter}"),
    }
}

fn lone(places: &[usize], calls: &[CallView], change: impl Fn(&CallView) -> ChangedCall) -> Vec<ChangedCall> {
    places.iter().filter_map(|place| calls.get(*place)).map(change).collect()
}

fn changed(old: Option<&CallView>, new: Option<&CallView>) -> ChangedCall {
    let either = |of: fn(&CallView) -> &String| old.or(new).map(of).cloned().unwrap_or_default();
    ChangedCall {
        baseline: old.map(|call| call.id),
        candidate: new.map(|call| call.id),
        caller: either(|call| &call.caller),
        callee: either(|call| &call.callee),
        before: old.map_or(String::new(), CallView::ending),
        after: new.map_or(String::new(), CallView::ending),
        before_note: old.map_or(String::new(), CallView::note),
        after_note: new.map_or(String::new(), CallView::note),
    }
}

fn transitions<'v>(pairs: impl Iterator<Item = (&'v CallView, &'v CallView)>) -> Vec<Transition> {
    let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
    for (old, new) in pairs {
        *counts.entry((old.ending(), new.ending())).or_default() += 1;
    }
    let transitions = counts.into_iter().map(|((before, after), calls)| Transition { before, after, calls });
    transitions.collect()
}

/// Values of a delay in both runs, and the calls of the candidate that they are of.
type Values = (Vec<(f64, f64)>, Vec<u32>);

fn shifts(pairs: &[(&CallView, &CallView)], tolerances: &Compare) -> Vec<Shift> {
    let mut shifts = Vec::new();
    for (measure, of, increase_ms) in measures(tolerances) {
        let tolerance =
            Tolerance { increase_ms, effect_size: tolerances.min_effect_size, sample: tolerances.min_sample };
        let mut all = Values::default();
        let mut nodes: BTreeMap<&str, Values> = BTreeMap::new();
        for (old, new) in pairs {
            let last = old.hops.last().map_or("", |hop| host(&hop.destination));
            let node = nodes.entry(last).or_default();
            let Some(values) = of(old).zip(of(new)) else {
                continue;
            };
            for values_of in [node, &mut all] {
                values_of.0.push(values);
                values_of.1.push(new.id);
            }
        }
        let of_node = |(node, (values, calls)): (&str, &Values)| {
            Some(Shift::of(measure, node, values, tolerance)?.of_calls(values, calls))
        };
        shifts.extend(of_node(("", &all)));
        if nodes.len() > 1 {
            let nodes = nodes.iter().map(|(node, values)| (*node, values));
            shifts.extend(nodes.filter_map(of_node));
        }
    }
    shifts
}

/// Rules that found something in `ours` and nothing in `theirs`, with how often.
fn only(ours: &RunView, theirs: &RunView) -> Vec<(String, u32)> {
    let known: BTreeSet<&str> = findings(theirs).map(|finding| finding.rule.as_str()).collect();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for finding in findings(ours).filter(|finding| !known.contains(finding.rule.as_str())) {
        *counts.entry(&finding.rule).or_default() += 1;
    }
    counts.into_iter().map(|(rule, count)| (rule.to_owned(), count)).collect()
}

fn findings(view: &RunView) -> impl Iterator<Item = &crate::check::view::FindingView> {
    let of_calls = view.calls.iter().flat_map(|call| &call.findings);
    of_calls.chain(&view.beside_calls)
}
