//! Shifts of a delay between two runs: medians, how many values, and an effect size that chance rarely reaches.
//!
//! Source of the effect size: Cliff, "Dominance statistics", 1993: how much likelier a value of one run is above one of
//! the other than below it, -1 to 1.

use crate::analysis::CallField;
use crate::call::survey::metrics::Spread;
use crate::check::policy::Compare;
use crate::check::verdict::{PROOFS_MAX, Shift, Side};
use crate::check::view::CallView;

/// A delay: which, how it is read, and the milliseconds that its median may grow by.
type Measure = (CallField, fn(&CallView) -> Option<f64>, f64);

/// The delays that are compared, each part of the next.
pub(super) fn measures(tolerances: &Compare) -> [Measure; 3] {
    [
        (CallField::ReplyMs, CallView::reply_ms, tolerances.max_reply_increase_ms),
        (CallField::PddMs, |call| call.pdd_ms, tolerances.max_pdd_increase_ms),
        (CallField::SetupMs, |call| call.setup_ms, tolerances.max_setup_increase_ms),
    ]
}

/// What a growth must exceed to count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance {
    /// Milliseconds of the median.
    pub(super) increase_ms: f64,
    /// Cliff's delta.
    pub(super) effect_size: f64,
    /// Values on each side.
    pub(super) sample: u32,
}

impl Shift {
    /// The shift of pairs of values, baseline first; `None` where there are none.
    pub(super) fn of(measure: CallField, node: &str, values: &[(f64, f64)], tolerance: Tolerance) -> Option<Self> {
        let before: Vec<f64> = values.iter().map(|pair| pair.0).collect();
        let after: Vec<f64> = values.iter().map(|pair| pair.1).collect();
        let effect_size = cliffs_delta(&before, &after);
        let (baseline, candidate) = (side(before)?, side(after)?);
        let grows = baseline.count >= tolerance.sample
            && candidate.p50 - baseline.p50 > tolerance.increase_ms
            && effect_size >= tolerance.effect_size;
        Some(Self { measure, node: node.to_owned(), baseline, candidate, effect_size, grows, worst: Vec::new() })
    }

    /// The same with the calls that grew most; `calls` are the numbers of those that the values are of.
    pub(super) fn of_calls(mut self, values: &[(f64, f64)], calls: &[u32]) -> Self {
        if self.grows {
            let mut grown: Vec<(f64, u32)> =
                values.iter().zip(calls).map(|((before, after), call)| (after - before, *call)).collect();
            grown.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let worst = grown.into_iter().take(PROOFS_MAX);
            self.worst = worst.map(|(_, call)| call).collect();
        }
        self
    }
}

fn side(values: Vec<f64>) -> Option<Side> {
    let spread = Spread::of(values)?;
    Some(Side { count: spread.count, p50: spread.p50, p95: spread.p95 })
}

fn cliffs_delta(before: &[f64], after: &[f64]) -> f64 {
    let mut sorted = before.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut dominance = 0.0;
    for value in after {
        let below = sorted.partition_point(|known| known < value);
        let above = sorted.len() - sorted.partition_point(|known| known <= value);
        dominance += below as f64 - above as f64;
    }
    let pairs = before.len() as f64 * after.len() as f64;
    if pairs > 0.0 { dominance / pairs } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Tolerance = Tolerance { increase_ms: 200.0, effect_size: 0.474, sample: 5 };

    fn shift(values: &[(f64, f64)]) -> Shift {
        Shift::of(CallField::PddMs, "", values, TOLERANCE).expect("there are values")
    }

    #[test]
    fn effect_size_counts_who_is_above_whom() {
        assert_eq!(1.0, cliffs_delta(&[1.0, 2.0], &[3.0, 4.0]));
        assert_eq!(-1.0, cliffs_delta(&[3.0], &[1.0]));
        assert_eq!(0.0, cliffs_delta(&[1.0, 2.0], &[1.0, 2.0]));
        assert_eq!(0.0, cliffs_delta(&[], &[1.0]));
    }

    #[test]
    fn two_seconds_more_are_a_growth_and_jitter_is_none() {
        assert!(shift(&[(40.0, 2041.0), (41.0, 2040.0), (39.0, 2044.0), (44.0, 2040.0), (40.0, 2050.0)]).grows);
        assert!(!shift(&[(40.0, 61.0), (71.0, 40.0), (39.0, 44.0), (44.0, 90.0), (40.0, 30.0)]).grows);
        // One slow call of five is an accident.
        assert!(!shift(&[(40.0, 2041.0), (41.0, 40.0), (39.0, 44.0), (44.0, 40.0), (40.0, 50.0)]).grows);
    }

    #[test]
    fn four_values_are_too_few_to_judge() {
        assert!(!shift(&[(40.0, 2041.0), (41.0, 2040.0), (39.0, 2044.0), (44.0, 2040.0)]).grows);
        assert!(Shift::of(CallField::PddMs, "", &[], TOLERANCE).is_none());
    }
}
