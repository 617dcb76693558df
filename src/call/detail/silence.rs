//! Silence: requests that nothing answered, and whether their sender repeated them as SIP's timers say.
//!
//! Source: RFC 3261 sections 17.1.1.2 (timers A and B) and 17.1.2.2 (timers E and F).

use std::time::Duration;

use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::pairing::TransactionIndex;
use crate::call::transaction::timer::HOPS_MAX;
use crate::capture::Timestamp;
use crate::sip::Method;

/// The first repeat comes no sooner; stacks use a T1 from 50 ms to 2 s instead of 500 ms.
const FIRST_GAP_MIN: Duration = Duration::from_millis(40);
/// The first repeat comes no later.
const FIRST_GAP_MAX: Duration = Duration::from_millis(4500);
/// How much shorter than the gap before it a gap may be.
const GAP_SHRINK_MAX: f64 = 0.8;
/// How much longer than the gap before it a gap may be: one repeat may have been missed.
const GAP_GROWTH_MAX: f64 = 4.5;
/// Shorter gaps count as this: nothing is compared with zero.
const GAP_MIN_SECONDS: f64 = 0.001;

/// The INVITE at which the visible path of the last try ends, where nothing at all answered it.
///
/// `None` where a response came, where the callee rang, where another branch gave the result, or where the capture cut
/// messages so short that answers cannot be known from others.
pub fn silent_hop(transactions: &CallTransactions<'_>) -> Option<TransactionIndex> {
    let mut hop = transactions.deciding_step()?;
    if hop.alerting.is_some() || transactions.has_headless() {
        return None;
    }
    for _ in 0..HOPS_MAX {
        let children: Vec<TransactionView<'_, '_>> =
            hop.children().filter(|child| child.method == Method::Invite).collect();
        let Some(next) = children.last() else {
            break;
        };
        // Branches that were asked at the same time share the result: which one made it cannot be known.
        let mut others = children.iter().filter(|child| child.index() != next.index());
        if others.any(|other| is_rival(*other, next.first().time)) || next.index() <= hop.index() {
            return None;
        }
        hop = *next;
    }
    let is_silent = hop.request.is_some() && hop.responses().next().is_none();
    is_silent.then_some(hop.index())
}

/// Whether a branch rang, or was answered by anything but the end of a CANCEL, after a moment.
fn is_rival(branch: TransactionView<'_, '_>, began: Timestamp) -> bool {
    let answer = branch.alerting().or(branch.final_response());
    answer.is_some_and(|answer| answer.time > began) && branch.status().is_none_or(|status| status.0 != 487)
}

/// Whether the times of several sends are those of one request that its stack repeats, rather than of somebody trying again.
pub fn follows_timer(times: &[Timestamp]) -> bool {
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).collect();
    let Some(first) = gaps.first() else {
        return false;
    };
    let starts_well = (FIRST_GAP_MIN.as_secs_f64()..=FIRST_GAP_MAX.as_secs_f64()).contains(first);
    let grows = gaps.windows(2).all(|pair| {
        let ratio = pair[1] / pair[0].max(GAP_MIN_SECONDS);
        (GAP_SHRINK_MAX..=GAP_GROWTH_MAX).contains(&ratio)
    });
    starts_well && grows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(seconds: &[f64]) -> Vec<Timestamp> {
        seconds.iter().map(|second| Timestamp::from_nanoseconds((second * 1e9) as i64)).collect()
    }

    #[test]
    fn timers_a_and_e_with_any_usual_t1_are_schedules() {
        assert!(follows_timer(&times(&[0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5])));
        assert!(follows_timer(&times(&[0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5])));
        assert!(follows_timer(&times(&[0.0, 0.1, 0.3, 0.7, 1.5, 3.1])));
        assert!(follows_timer(&times(&[0.0, 2.0, 6.0])));
    }

    #[test]
    fn tries_of_a_person_and_bursts_are_no_schedule() {
        assert!(!follows_timer(&times(&[0.0, 9.0, 12.0])));
        assert!(!follows_timer(&times(&[0.0, 0.001, 0.002])));
        assert!(!follows_timer(&times(&[0.0, 4.0, 4.5])));
        assert!(!follows_timer(&times(&[0.0])));
    }
}
