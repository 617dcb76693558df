//! Large messages over UDP: lost because their fragments are, or a risk because they are fragmented at all.
//!
//! Source: RFC 3261 section 18.1.1 (above 1300 bytes a request has to go over TCP).

use std::collections::{HashMap, HashSet};

use crate::call::{EndpointId, GroupId, Message, NodeId, Transaction};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::{counted, times};
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::net::message_evidence::{FRAMES_MAX, sends};
use crate::diagnose::rules::net::silent_request::silent_request;
use crate::diagnose::start_line;
use crate::net::Transport;

/// Bytes of a message above which RFC 3261 section 18.1.1 wants another transport than UDP.
const UDP_BIG: u32 = 1300;
/// Senders that are named.
const SENDERS_MAX: usize = 3;
/// Sends of a large request after which it counts as lost.
const SENDS_MIN: u32 = 2;

/// Large requests are lost where small ones arrive.
pub(super) fn net_udp_fragment_of_call(context: &CallContext<'_>) -> Option<Observation> {
    let (hop, t) = silent_request(context)?;
    let request = context.message(t.request?)?;
    let is_large = request.size > UDP_BIG || request.flags.is_fragmented();
    if t.transport != Transport::Udp || !is_large || t.sends < SENDS_MIN {
        return None;
    }
    let capture = context.capture;
    let asked = capture.history().asked(capture.node(t.source), capture.node(t.destination));
    let arrived = asked.largest_answered;
    let lacks_fragments = context.transactions.sends_of(hop).all(|(_, message)| message.flags.is_incomplete());
    let (small, frame) = match arrived {
        // A request at least as large was answered: size is not what separates them.
        Some((size, _)) if size >= request.size => return None,
        Some((size, at)) => (size, Some(at)),
        None if lacks_fragments => (0, None),
        None => return None,
    };
    let count = asked.silent.max(1);
    let peer = context.capture.name(t.destination);
    let compared = if small > 0 {
        format!("while {peer} answered {} from there of at most {small} bytes", counted(asked.answered, "request"))
    } else {
        "and of each send only the first fragment is in the capture".to_owned()
    };
    let pieces = if request.flags.is_fragmented() || request.flags.is_incomplete() { " in IP fragments" } else { "" };
    let explanation = format!(
        "{} got no answer to {} of {} bytes{pieces}, sent {}, {compared}: most likely fragments are dropped on the way. Requests from there without an answer: {count}.",
        context.capture.name(t.source),
        t.method.text(),
        request.size,
        times(t.sends as usize)
    );
    let mut observation = Observation::new(Confidence::Likely, Proof::Protocol)
        .titled(format!("Large requests to {peer} are lost"))
        .happened(explanation)
        .remedy(remedy(context, t))
        .at(t.destination, "lost")
        .maybe_shown_by(sends(context, hop, "the large request, never answered"));
    if let Some(at) = frame {
        observation = observation
            .shown_by(Evidence::seen(at, format!("{small} bytes"), "the largest request to it that was answered"))
            .not("net-no-response", format!("the same node answers requests of up to {small} bytes"));
    }
    Some(observation)
}

fn remedy(context: &CallContext<'_>, t: &Transaction) -> Steps {
    let tables = context.tables();
    let (here, there) = (tables.endpoint(t.source).address, tables.endpoint(t.destination).address);
    Steps::from([
        format!(
            "{here}: send to {there} over TCP or TLS, or make requests smaller than 1300 bytes (fewer codecs and headers)."
        ),
        format!("Firewalls and NAT between {here} and {there}: let IP fragments through."),
        "Re-test: the same call must get at least a 100.".to_owned(),
    ])
}

/// Messages that arrived in fragments: it works here, and fails behind the first firewall that drops fragments.
pub(super) fn net_udp_fragment_of_capture(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let is_delivered = |message: &&Message| {
        let flags = message.flags;
        message.transport == Transport::Udp && flags.is_fragmented() && !flags.is_incomplete() && !flags.is_copy()
    };
    let mut delivered: Vec<&Message> = capture.fragmented().filter(is_delivered).collect();
    delivered.sort_by_key(|message| message.order());
    let (Some(first), Some(last)) = (delivered.first(), delivered.last()) else {
        return Vec::new();
    };
    let largest = delivered.iter().map(|message| message.size).max();
    let call_ids: HashSet<GroupId> = delivered.iter().map(|message| message.group).collect();
    let senders = senders(capture, &delivered);
    let size = format!("{} of up to {} bytes", counted(delivered.len() as u64, "message"), largest.unwrap_or_default());
    let what = match senders.as_slice() {
        [(only, _)] => format!("{} sends SIP over UDP in IP fragments: {size}", capture.name(*only)),
        _ => format!("SIP over UDP is sent in IP fragments: {size}, {}", shares(capture, &senders)),
    };
    let observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .warn()
        .beside()
        .titled("SIP messages over UDP are sent in IP fragments")
        .happened(format!(
            "{what}. All fragments arrived here; where a firewall or NAT drops fragments such messages are lost."
        ))
        .remedy("Senders: use TCP for messages above 1300 bytes, or make them smaller (fewer codecs and headers).")
        .shown_by(Evidence::in_frames(
            delivered.iter().take(FRAMES_MAX).map(|message| message.at).collect(),
            start_line(&capture.store.tables, first),
            "put together from several IP fragments",
        ));
    let observation = match senders.as_slice() {
        [(only, _)] => observation.at(*only, "delivered"),
        _ => observation,
    };
    vec![Claim {
        said: observation,
        calls: Vec::new(),
        count: call_ids.len() as u32,
        first_at: first.time,
        last_at: last.time,
        scope: String::new(),
    }]
}

/// Who sent how many: `7 by 10.0.0.1:5060, 2 by 10.0.0.2:5060 and 3 by others`.
fn shares(capture: &CaptureContext<'_>, senders: &[(EndpointId, u32)]) -> String {
    let (named, others) = senders.split_at(senders.len().min(SENDERS_MAX));
    let mut parts: Vec<String> =
        named.iter().map(|(sender, count)| format!("{count} by {}", capture.name(*sender))).collect();
    let others: u32 = others.iter().map(|(_, count)| count).sum();
    if others > 0 {
        parts.push(format!("{others} by others"));
    }
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => parts.concat(),
    }
}

/// Who sent some messages, and how many; who sent most comes first, of equal ones who sent first.
fn senders(capture: &CaptureContext<'_>, messages: &[&Message]) -> Vec<(EndpointId, u32)> {
    let mut places: HashMap<NodeId, usize> = HashMap::new();
    let mut senders: Vec<(EndpointId, u32)> = Vec::new();
    for message in messages {
        let place = *places.entry(capture.node(message.source)).or_insert_with(|| {
            senders.push((message.source, 0));
            senders.len() - 1
        });
        senders[place].1 += 1;
    }
    senders.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    senders
}
