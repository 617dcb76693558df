//! Clocks: how far the capture points of a run disagree, read off messages that several of them saw.

use std::collections::{HashMap, HashSet};

use crate::call::store::fast_map::FastMap;
use crate::call::store::message::Message;
use crate::call::store::messages::Messages;

/// Different messages that two capture points must share before their clocks are compared.
const SHARED_MIN: usize = 3;
/// The widest spread of the differences that still means one constant offset, in nanoseconds.
const SPREAD_MAX: i64 = 20_000_000;
/// Offsets up to this are left alone, in nanoseconds: the packet itself takes time to travel.
const OFFSET_MIN: i64 = 100_000_000;
/// Messages of one Call-ID that are compared with each other.
const LOOK_BACK_MAX: usize = 64;

/// What to add to the times of each capture point, in nanoseconds, so that all agree with the first.
///
/// `messages` are sorted by Call-ID; `taps` is how many capture points there are.
pub fn shifts(messages: &Messages, taps: usize) -> Vec<i64> {
    let differences = differences(messages);
    let mut shifts: Vec<Option<i64>> = vec![None; taps];
    if let Some(first) = shifts.first_mut() {
        *first = Some(0);
    }
    // Each round settles at least one capture point, or nothing is left to learn.
    for _ in 0..taps {
        let mut learnt = false;
        for (&(early, late), offset) in &differences {
            let (a, b) = (usize::from(early), usize::from(late));
            match (shifts[a], shifts[b]) {
                (Some(known), None) => shifts[b] = Some(known - offset),
                (None, Some(known)) => shifts[a] = Some(known + offset),
                _ => continue,
            }
            learnt = true;
        }
        if !learnt {
            break;
        }
    }
    shifts.into_iter().map(|shift| shift.filter(|shift| shift.abs() > OFFSET_MIN).unwrap_or(0)).collect()
}

/// For each pair of capture points the constant by which the second is ahead of the first, where there is one.
fn differences(messages: &Messages) -> std::collections::BTreeMap<(u16, u16), i64> {
    let mut seen: FastMap<(u16, u16), Vec<(i64, u64)>> = HashMap::default();
    for group in messages.by_call_id() {
        for (place, message) in group.iter().enumerate() {
            for earlier in group[..place].iter().rev().take(LOOK_BACK_MAX) {
                if earlier.tap != message.tap && is_same_packet(earlier, message) {
                    let (a, b) = if earlier.tap < message.tap { (earlier, message) } else { (message, earlier) };
                    let difference = b.time.nanoseconds().saturating_sub(a.time.nanoseconds());
                    seen.entry((a.tap, b.tap)).or_default().push((difference, message.digest));
                }
            }
        }
    }
    let constant = |mut all: Vec<(i64, u64)>| {
        all.sort_unstable();
        let (low, high) = (all[all.len() / 10].0, all[all.len() - 1 - all.len() / 10].0);
        let different: HashSet<u64> = all.iter().map(|(_, digest)| *digest).collect();
        let is_constant = different.len() >= SHARED_MIN && high - low <= SPREAD_MAX;
        is_constant.then(|| all[all.len() / 2].0)
    };
    seen.into_iter().filter_map(|(pair, all)| constant(all).map(|offset| (pair, offset))).collect()
}

/// Whether two capture points may have seen one packet: its sender's repeats have the same bytes, but other IP identifications.
fn is_same_packet(a: &Message, b: &Message) -> bool {
    let id = |message: &Message| message.trace.ip_id.filter(|id| *id != 0);
    a.digest == b.digest && id(a) == id(b)
}
