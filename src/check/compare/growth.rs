//! The verdict of a comparison on one delay: whether it grows, and where.

use crate::analysis::CallField;
use crate::check::verdict::{Comparison, Kind, PROOFS_MAX, Proof, Shift, Verdict};

/// The verdict on one delay; a growth that comes whole from an earlier delay of the same calls is that one's.
///
/// Its proofs name calls of the candidate and nothing else of them.
pub(super) fn shift_verdict(
    measure: CallField,
    before: Option<CallField>,
    comparison: &Comparison,
    tolerance_ms: f64,
    sample_min: u32,
) -> Option<Verdict> {
    let shifts = comparison.shifts.iter();
    let of_measure: Vec<&Shift> = shifts.filter(|shift| shift.measure == measure).collect();
    let all = *of_measure.first()?;
    let cause = |shift: &Shift| {
        let earlier = comparison
            .shifts
            .iter()
            .find(|earlier| Some(earlier.measure) == before && earlier.node == shift.node && earlier.grows)?;
        (shift.increase_ms() - earlier.increase_ms() <= tolerance_ms).then_some(earlier.measure)
    };
    let name = format!("{} does not grow", measure.name());
    let is_own = |shift: &&Shift| shift.grows && cause(shift).is_none();
    let growing: Vec<&Shift> = of_measure.iter().copied().filter(is_own).collect();
    let nodes = of_measure.iter().filter(|shift| !shift.node.is_empty());
    let growing_nodes: Vec<&Shift> = growing.iter().copied().filter(|shift| !shift.node.is_empty()).collect();
    // Naming all calls where one node is to blame would hide which.
    let is_of_some = match nodes.count() {
        1 => !growing_nodes.is_empty(),
        nodes => !growing_nodes.is_empty() && growing_nodes.len() < nodes,
    };
    let blamed = if is_of_some { growing_nodes } else { growing.into_iter().take(1).collect() };
    if !blamed.is_empty() {
        let texts: Vec<String> = blamed.iter().map(|shift| shift_text(shift)).collect();
        let calls = blamed.iter().flat_map(|shift| shift.worst.iter().copied());
        let proofs = calls.take(PROOFS_MAX).map(|call| Proof { call: Some(call), ..Proof::default() });
        let verdict = Verdict::new(Kind::Comparison, name, false, texts.join("; "));
        return Some(verdict.shown_by(proofs.collect()));
    }
    let why = match of_measure.iter().copied().filter(|shift| shift.grows).find_map(cause) {
        Some(earlier) => format!("; no more than {} does", earlier.name()),
        None if all.baseline.count < sample_min => "; too few to judge".to_owned(),
        None => String::new(),
    };
    let said = format!("{}{why}", shift_text(all));
    Some(Verdict::new(Kind::Comparison, name, true, said))
}

fn shift_text(shift: &Shift) -> String {
    let at = if shift.node.is_empty() { String::new() } else { format!("at {}: ", shift.node) };
    format!(
        "{at}median {:.0} ms, was {:.0} ms ({} calls, effect size {:.2})",
        shift.candidate.p50, shift.baseline.p50, shift.candidate.count, shift.effect_size
    )
}
