//! Trends: whether a node fares worse from some moment on than before.
//!
//! Pure over lists of attempts, so that it can be measured on simulated traffic (docs/statistics.md).

use crate::call::survey::chance::Table;
use crate::capture::Timestamp;

/// A moment from which on more fails than before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// The first attempt of the worse part.
    pub since: Timestamp,
    /// Failed and all attempts before.
    pub before: (u32, u32),
    /// Failed and all attempts from then on.
    pub after: (u32, u32),
    /// How likely attempts that fail by chance would part like this, corrected for the moments tried.
    pub chance: f64,
}

/// Attempts needed on either side.
const ATTEMPTS_MIN: usize = 20;
/// Moments that are tried, evenly over the attempts.
const MOMENTS_MAX: usize = 64;
/// Chance at most.
const CHANCE_MAX: f64 = 0.001;
/// How many times as often attempts must fail.
const TIMES_MIN: f64 = 2.0;

/// The moment from which on a node fares worse, where there is one; `attempts` are moments in order, with whether each failed.
pub fn trend(attempts: &[(Timestamp, bool)]) -> Option<Trend> {
    let last = attempts.len().checked_sub(ATTEMPTS_MIN)?;
    let step = last.saturating_sub(ATTEMPTS_MIN) / MOMENTS_MAX + 1;
    let splits: Vec<usize> = (ATTEMPTS_MIN..=last).step_by(step).collect();
    let failures = |part: &[(Timestamp, bool)]| part.iter().filter(|(_, failed)| *failed).count();
    let all = failures(attempts);
    let mut best: Option<(f64, usize, usize)> = None;
    let (mut counted, mut before) = (0, 0);
    for split in &splits {
        before += failures(attempts.get(counted..*split)?);
        counted = *split;
        let table = Table {
            failed_in: (all - before) as u64,
            good_in: (attempts.len() - split - (all - before)) as u64,
            failed_out: before as u64,
            good_out: (split - before) as u64,
        };
        if table.rate_in() < TIMES_MIN * table.rate_out() {
            continue;
        }
        let chance = table.chance() * splits.len() as f64;
        if chance < CHANCE_MAX && best.is_none_or(|best| chance < best.0) {
            best = Some((chance, *split, before));
        }
    }
    let (chance, split, before) = best?;
    Some(Trend {
        since: attempts.get(split)?.0,
        before: (before as u32, split as u32),
        after: ((all - before) as u32, (attempts.len() - split) as u32),
        chance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An attempt a second, of which one in so many fails, first and after a moment.
    fn attempts(first: usize, then: usize, change: usize) -> Vec<(Timestamp, bool)> {
        let each = (0..200_usize).map(|second| {
            let one_in = if second < change { first } else { then };
            let at = Timestamp::from_nanoseconds(second as i64 * 1_000_000_000);
            (at, second % one_in == 0)
        });
        each.collect()
    }

    #[test]
    fn a_node_that_fails_one_in_three_after_one_in_twenty_got_worse() {
        let found = trend(&attempts(20, 3, 120)).expect("it got worse");
        assert!(found.since.nanoseconds() >= 115_000_000_000);
        assert!(found.since.nanoseconds() <= 130_000_000_000);
        assert!(found.after.0 * found.before.1 > 4 * found.before.0 * found.after.1);
    }

    #[test]
    fn a_node_that_fails_alike_all_along_or_recovers_got_no_worse() {
        assert_eq!(None, trend(&attempts(5, 5, 100)));
        assert_eq!(None, trend(&attempts(3, 20, 100)));
        assert_eq!(None, trend(&attempts(20, 2, 195)[..39]));
    }
}
