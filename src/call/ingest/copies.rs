//! Copies: the same packet captured more than once, distinguished from the sender sending again.
//!
//! A copy keeps the IP identification of its original, or comes through another capture point; a retransmission is a new
//! packet and, on SIP's timers, comes no sooner than T1 (RFC 3261 section 17.1.1.2) after the one before.

use std::time::Duration;

use crate::call::store::message::Message;

/// The longest time between two captures of one packet.
pub(in crate::call) const COPY_WINDOW: Duration = Duration::from_millis(100);
/// The longest time between two captures of one packet where only its bytes, or its two addresses, show it.
pub(in crate::call) const COPY_WINDOW_BLIND: Duration = Duration::from_millis(50);
/// Messages looked back at for the original of a copy; as many hops and taps as one call is seen on.
const LOOK_BACK_MAX: usize = 64;
/// One message in so many must be doubled before closeness alone makes a copy.
const DOUBLED_SHARE_MIN: u32 = 4;

/// For each capture point its messages without an IP identification, and how many of them look doubled.
pub type DoubledCounts = Vec<(u32, u32)>;

/// Counts, for each of `taps` capture points, which messages of one Call-ID look doubled; they are in the order of time.
pub(in crate::call) fn count_doubled(group: &[Message], taps: usize) -> DoubledCounts {
    let mut counts = DoubledCounts::new();
    for (place, message) in group.iter().enumerate() {
        if !has_no_identification(message) {
            continue;
        }
        counts.resize(taps, (0, 0));
        let Some(count) = counts.get_mut(usize::from(message.tap)) else {
            continue;
        };
        count.0 += 1;
        let before = group.get(place.saturating_sub(LOOK_BACK_MAX)..place).unwrap_or_default().iter().rev();
        let mut near = before.take_while(|m| message.time.since(m.time) <= COPY_WINDOW_BLIND);
        count.1 += u32::from(near.any(|m| is_same_packet(m, message) && is_same_place(m, message)));
    }
    counts
}

/// Adds up the counts of two shares of the messages.
pub(in crate::call) fn add_counts(mut all: DoubledCounts, more: DoubledCounts) -> DoubledCounts {
    if all.len() < more.len() {
        all.resize(more.len(), (0, 0));
    }
    for (known, count) in all.iter_mut().zip(more) {
        *known = (known.0 + count.0, known.1 + count.1);
    }
    all
}

/// Which captures hold copies that only their bytes and their closeness give away.
///
/// A capture point that doubles packets doubles most of them; a sender that repeats a message at once does so now and then.
pub(in crate::call) fn doubling_taps(counts: &[(u32, u32)]) -> Vec<bool> {
    let is_doubling = |&(all, doubled): &(u32, u32)| doubled * DOUBLED_SHARE_MIN >= all && doubled > 0;
    counts.iter().map(is_doubling).collect()
}

/// Marks the copies among the messages of one Call-ID, which are in the order of capture; says how many.
pub(in crate::call) fn mark_copies(messages: &mut [Message], doubling: &[bool]) -> u32 {
    let mut copies = 0;
    for index in 1..messages.len() {
        let (earlier, rest) = messages.split_at_mut(index);
        let Some(message) = rest.first_mut() else {
            break;
        };
        let original = earlier
            .iter()
            .rev()
            .take(LOOK_BACK_MAX)
            .take_while(|candidate| message.time.since(candidate.time) <= COPY_WINDOW)
            .any(|candidate| is_copy(candidate, message, doubling));
        if original {
            message.flags.set_copy(true);
            copies += 1;
        }
    }
    copies
}

fn is_same_packet(original: &Message, later: &Message) -> bool {
    original.digest == later.digest
        && original.size == later.size
        && original.source == later.source
        && original.destination == later.destination
}

fn is_same_place(original: &Message, later: &Message) -> bool {
    let (a, b) = (original.trace, later.trace);
    original.tap == later.tap && a.interface == b.interface && a.link == b.link && a.ttl == b.ttl
}

/// Without an IP identification, two captures of one packet look like two packets.
fn has_no_identification(message: &Message) -> bool {
    message.trace.ip_id.is_none_or(|id| id == 0)
}

fn is_copy(original: &Message, later: &Message, doubling: &[bool]) -> bool {
    if original.digest != later.digest || original.size != later.size {
        return false;
    }
    let gap = later.time.since(original.time);
    if !is_same_packet(original, later) {
        // The same bytes between other addresses: both sides of an address translation. A proxy would have added a Via.
        return gap <= COPY_WINDOW_BLIND;
    }
    if !is_same_place(original, later) {
        return true;
    }
    if has_no_identification(original) || has_no_identification(later) {
        return gap < COPY_WINDOW_BLIND && doubling.get(usize::from(later.tap)).copied().unwrap_or(false);
    }
    original.trace.ip_id == later.trace.ip_id
}
