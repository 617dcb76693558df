//! Large requests that a node refuses while it takes small ones from the same sender, without saying that size is why.
//!
//! Sources: RFC 3261 sections 18.1.1 (size and transport), 21.4.11 and 21.5.7; R. A. Fisher's exact test.

use std::collections::BTreeMap;

use crate::call::survey::chance::{Table, bound};
use crate::call::{Call, Message, NodeId};
use crate::diagnose::background::call_features::invite_of;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::alike::{by_origin, claim};
use crate::diagnose::start_line;
use crate::net::Transport;

/// Codes of servers that give up on a request without a word on its size.
const CODES: [u16; 3] = [400, 500, 503];
/// Bytes above which RFC 3261 section 18.1.1 calls a request large.
const LARGE_BYTES: u32 = 1300;
/// Refused and good calls needed.
const CALLS_MIN: usize = 3;
/// Chance at most that sizes separate the calls so; above the lower one the finding is only possible.
const CHANCE_MAX: f64 = 0.06;
const CHANCE_LIKELY: f64 = 0.01;

/// Nodes that refuse every large INVITE of a sender and take its small ones.
pub(super) fn msg_too_large_of_capture(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let groups = by_origin(capture, |call, origin| call.outcome.is_failure() && CODES.contains(&origin.code));
    let large = groups.into_iter().filter(|(_, calls)| calls.len() >= CALLS_MIN);
    large.flat_map(|((node, code), calls)| at_node(capture, node, code, &calls)).collect()
}

/// The refused and the good calls of one sender, with the INVITE of each.
type Sides<'a> = (Vec<(u32, &'a Message)>, Vec<(u32, &'a Message)>);

fn at_node(capture: &CaptureContext<'_>, node: NodeId, code: u16, refused: &[u32]) -> Vec<Claim> {
    let known = capture.explained_calls(node);
    let mut by_sender: BTreeMap<NodeId, Sides<'_>> = BTreeMap::new();
    let invite = |index: u32| -> Option<&Message> {
        let call: &Call = capture.calls.get(index as usize)?;
        invite_of(capture, call)
    };
    let is_open = |call: &&u32| known.binary_search(call).is_err();
    for index in refused.iter().filter(is_open) {
        if let Some(invite) = invite(*index) {
            let sides = by_sender.entry(capture.node(invite.source)).or_default();
            sides.0.push((*index, invite));
        }
    }
    // Of a small one that was refused nothing can be said by size.
    let are_large =
        |sides: &Sides<'_>| sides.0.len() >= CALLS_MIN && sides.0.iter().all(|(_, bad)| bad.size > LARGE_BYTES);
    by_sender.retain(|_, sides| are_large(sides));
    if by_sender.is_empty() {
        return Vec::new();
    }
    for index in capture.good_calls(node).iter().copied() {
        if let Some(invite) = invite(index)
            && let Some(sides) = by_sender.get_mut(&capture.node(invite.source))
        {
            sides.1.push((index, invite));
        }
    }
    by_sender.into_values().filter_map(|(bad, good)| contrast(capture, code, &bad, &good)).collect()
}

/// The smallest INVITE refused and the largest one taken, where all of the refused are larger, with the chance of that.
fn separated<'a>(bad: &[(u32, &'a Message)], good: &[(u32, &'a Message)]) -> Option<(&'a Message, &'a Message, f64)> {
    let by_size = |(_, message): &&(u32, &Message)| message.size;
    let smallest = bad.iter().min_by_key(by_size)?.1;
    let largest = good.iter().max_by_key(by_size)?.1;
    let is_udp = bad.iter().all(|(_, invite)| invite.transport == Transport::Udp);
    let is_separated = smallest.size > largest.size && smallest.size > LARGE_BYTES;
    if bad.len().min(good.len()) < CALLS_MIN || !is_udp || !is_separated {
        return None;
    }
    // Where all large ones come at one time, the time may be why.
    let times = || bad.iter().map(|(_, invite)| invite.time);
    let (first, last) = (times().min()?, times().max()?);
    let is_mixed = good.iter().any(|(_, invite)| first < invite.time && invite.time < last);
    let table = Table { failed_in: bad.len() as u64, good_in: 0, failed_out: 0, good_out: good.len() as u64 };
    let chance = table.chance();
    (is_mixed && chance <= CHANCE_MAX).then_some((smallest, largest, chance))
}

fn contrast(
    capture: &CaptureContext<'_>,
    code: u16,
    bad: &[(u32, &Message)],
    good: &[(u32, &Message)],
) -> Option<Claim> {
    let (smallest, largest, chance) = separated(bad, good)?;
    let calls: Vec<u32> = bad.iter().map(|(index, _)| *index).collect();
    let origin = capture.calls.get(*calls.first()? as usize)?.origin?;
    let (name, sender) = (capture.name(origin.endpoint), capture.name(smallest.source));
    let (confidence, sure) = if chance <= CHANCE_LIKELY {
        (Confidence::Likely, "most likely it cannot take requests of that size")
    } else {
        (
            Confidence::Possible,
            "possibly it cannot take requests of that size; also consider what else the large ones have in common",
        )
    };
    let observation = Observation::new(confidence, Proof::Comparison)
        .titled("Only large requests are refused")
        .happened(format!(
            "{name} refused all {} of {sender} that have {} bytes or more with {code}, and took all {} of up to {} bytes (chance {}): {sure}.",
            counted(bad.len() as u64, "INVITE"),
            smallest.size,
            good.len(),
            largest.size,
            bound(chance)
        ))
        .remedy(format!(
            "{sender}: offer fewer codecs and candidates and leave out headers that {name} does not need."
        ))
        .remedy("Or send to it over TCP.")
        .remedy(format!(
            "{name}: raise the largest size that it reads from one datagram (buffers of 1500, 2048 or 4096 bytes are common)."
        ))
        .shown_by(Evidence::seen(
            smallest.at,
            start_line(&capture.store.tables, smallest),
            format!("{} bytes, refused", smallest.size),
        ))
        .shown_by(Evidence::seen(
            largest.at,
            start_line(&capture.store.tables, largest),
            format!("{} bytes, taken", largest.size),
        ))
        .at(origin.endpoint, "size");
    claim(capture, observation, calls, good.len())
}
