//! Copies: the same packet captured more than once, told apart from the sender sending again.
//!
//! A copy keeps the IP identification of its original, or comes through another capture point; a retransmission is a new
//! packet and, on SIP's timers, comes no sooner than T1 (RFC 3261 section 17.1.1.2) after the one before.

use std::time::Duration;

use crate::call::message::Message;

/// The longest time between two captures of one packet.
pub const COPY_WINDOW: Duration = Duration::from_millis(100);
/// The longest time between two captures of one packet where only its bytes, or its two addresses, tell.
pub const COPY_WINDOW_BLIND: Duration = Duration::from_millis(50);
/// Messages looked back at for the original of a copy; as many hops and taps as one call is seen on.
const LOOK_BACK_MAX: usize = 64;

/// Marks the copies among the messages of one Call-ID, which are in the order of capture; says how many.
pub fn mark_copies(messages: &mut [Message]) -> u32 {
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
            .any(|candidate| is_copy(candidate, message));
        if original {
            message.flags.set_copy(true);
            copies += 1;
        }
    }
    copies
}

fn is_copy(original: &Message, later: &Message) -> bool {
    if original.digest != later.digest || original.size != later.size {
        return false;
    }
    let gap = later.time.since(original.time);
    let same_way = original.source == later.source && original.destination == later.destination;
    if !same_way {
        // The same bytes between other addresses: both sides of an address translation. A proxy would have added a Via.
        return gap <= COPY_WINDOW_BLIND;
    }
    let (a, b) = (original.trace, later.trace);
    let same_identification = match (a.ip_id, b.ip_id) {
        (Some(x), Some(y)) if x != 0 || y != 0 => x == y,
        _ => {
            return a.interface != b.interface
                || a.link != b.link
                || a.ttl != b.ttl
                || gap < COPY_WINDOW_BLIND;
        }
    };
    let other_place = original.tap != later.tap
        || a.interface != b.interface
        || a.link != b.link
        || a.ttl != b.ttl;
    same_identification || other_place
}
