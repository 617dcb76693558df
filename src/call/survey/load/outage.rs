//! Outages: since when everything that a node gets fails, and until when.

use std::time::Duration;

use crate::call::survey::chance;
use crate::capture::Timestamp;

/// A time in which everything failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeOutage {
    /// Place of the last attempt before it that went well, where there is one.
    pub last_good: Option<usize>,
    /// Place of the first failure.
    pub first: usize,
    /// Place of the last failure.
    pub last: usize,
    /// Place of the first attempt after it that went well, where there is one.
    pub recovered: Option<usize>,
    /// Share of the attempts before it that went well, 0 to 1.
    pub share_before: f64,
}

/// Failures in a row needed.
const FAILURES_MIN: usize = 5;
/// Attempts before the outage that show that the node was well.
const BEFORE_MIN: usize = 5;
/// Share of these that went well at least.
const SHARE_BEFORE_MIN: f64 = 0.5;
/// Chance at most that such a row comes by itself.
const CHANCE_MAX: f64 = 0.001;
/// Attempts without a single success that show a node that never worked.
const NEVER_MIN: usize = 10;
/// Failures in a row of which the chance is reckoned; more make it no smaller.
const RUN_COUNTED_MAX: usize = 1_000;
/// The shortest time in which failures are more than one burst.
const LENGTH_MIN: Duration = Duration::from_secs(5);

/// The outages of a node; `attempts` are moments in order, with whether each failed.
pub fn outages(attempts: &[(Timestamp, bool)]) -> Vec<NodeOutage> {
    let mut outages = Vec::new();
    let mut good_before = 0_usize;
    let mut last_good = None;
    let mut place = 0;
    while place < attempts.len() {
        if !attempts[place].1 {
            good_before += 1;
            last_good = Some(place);
            place += 1;
            continue;
        }
        let run = attempts[place..].iter().take_while(|(_, failed)| *failed).count();
        let next = place + run;
        let outage = NodeOutage {
            last_good,
            first: place,
            last: next - 1,
            recovered: (next < attempts.len()).then_some(next),
            share_before: chance::share(good_before as u64, place as u64),
        };
        if is_outage(attempts, &outage, run) {
            outages.push(outage);
        }
        place = next;
    }
    outages
}

fn is_outage(attempts: &[(Timestamp, bool)], outage: &NodeOutage, run: usize) -> bool {
    let before = outage.first;
    if before == 0 && run == attempts.len() {
        return run >= NEVER_MIN;
    }
    let length = attempts[outage.last].0.since(attempts[outage.first].0);
    if run < FAILURES_MIN || before < BEFORE_MIN || outage.share_before < SHARE_BEFORE_MIN {
        return false;
    }
    // One more failure than seen, so that a spotless record does not make the first failure impossible.
    let failure = 1.0 - outage.share_before * before as f64 / (before + 1) as f64;
    // Every attempt could have begun such a row.
    let chance = failure.powi(run.min(RUN_COUNTED_MAX) as i32) * attempts.len() as f64;
    chance < CHANCE_MAX && length >= LENGTH_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One attempt a second: `.` went well, `x` failed.
    fn row(text: &str) -> Vec<(Timestamp, bool)> {
        (0..)
            .zip(text.chars())
            .map(|(second, mark)| (Timestamp::from_nanoseconds(second * 1_000_000_000), mark == 'x'))
            .collect()
    }

    #[test]
    fn ten_failures_after_ten_good_calls_are_an_outage_with_both_ends() {
        let found = outages(&row("..........xxxxxxxxxx"));
        let outage = found.first().expect("an outage");
        assert_eq!((Some(9), 10, 19), (outage.last_good, outage.first, outage.last));
        assert_eq!(None, outage.recovered);
    }

    #[test]
    fn an_outage_in_the_middle_says_when_it_was_over() {
        let found = outages(&row("..........xxxxxxxxxx....."));
        assert_eq!(Some(20), found.first().and_then(|outage| outage.recovered));
    }

    #[test]
    fn four_failures_or_a_node_that_mostly_fails_are_no_outage() {
        assert!(outages(&row("..........xxxx")).is_empty());
        assert!(outages(&row("x.xx.xx.x.xx.xxxxxx")).is_empty());
    }

    #[test]
    fn a_node_that_never_worked_needs_ten_failures() {
        assert!(outages(&row("xxxxxxxxx")).is_empty());
        assert_eq!(1, outages(&row("xxxxxxxxxx")).len());
    }
}
