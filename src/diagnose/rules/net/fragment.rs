//! Large messages over UDP: lost because their fragments are, or a risk because they are fragmented at all.
//!
//! Source: RFC 3261 section 18.1.1 (above 1300 bytes a request has to go over TCP).

use crate::call::{Message, OutcomeGroup, Transaction, TransactionIndex};
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Evidence, Finding, Proof, Severity};
use crate::diagnose::rules::net::silence::silent_request;
use crate::diagnose::rules::net::{sends, times};
use crate::diagnose::words::counted;
use crate::net::Transport;

/// Bytes of a message above which RFC 3261 section 18.1.1 wants another transport than UDP.
const UDP_BIG: u32 = 1300;
/// Sends of a large request after which it counts as lost.
const SENDS_MIN: u32 = 2;

/// Large requests are lost where small ones arrive; or they arrive in fragments.
pub(super) fn net_udp_fragment(case: &Case<'_>) -> Option<Finding> {
    if let Some((hop, t)) = silent_request(case) {
        return lost_request(case, hop, t);
    }
    if case.outcome().group() == OutcomeGroup::Answered {
        return delivered(case);
    }
    None
}

fn lost_request(case: &Case<'_>, hop: TransactionIndex, t: &Transaction) -> Option<Finding> {
    let request = case.message(t.request?)?;
    let is_large = request.size > UDP_BIG || request.flags.is_fragmented();
    if t.transport != Transport::Udp || !is_large || t.sends < SENDS_MIN {
        return None;
    }
    let scene = case.scene;
    let asked = scene
        .history()
        .asked(scene.node(t.source), scene.node(t.destination));
    let arrived = asked.largest_answered;
    let lacks_fragments = case
        .anatomy
        .sends_of(hop)
        .all(|(_, message)| message.flags.is_incomplete());
    let (small, frame) = match arrived {
        // A request at least as large was answered: size is not what separates them.
        Some((size, _)) if size >= request.size => return None,
        Some((size, at)) => (size, Some(at)),
        None if lacks_fragments => (0, None),
        None => return None,
    };
    let count = asked.silent.max(1);
    let compared = if small > 0 {
        format!(
            "while it answered {} from there of at most {small} bytes",
            counted(asked.answered, "request")
        )
    } else {
        "and of each send only the first fragment is in the capture".to_owned()
    };
    let pieces = if request.flags.is_fragmented() || request.flags.is_incomplete() {
        " in IP fragments"
    } else {
        ""
    };
    let explanation = format!(
        "{} got no answer to {} of {} bytes{pieces}, sent {}, {compared}: most likely fragments are dropped on the way. Requests from there without an answer: {count}.",
        case.scene.name(t.source),
        t.method.text(),
        request.size,
        times(t.sends as usize)
    );
    let mut finding = Finding::new(
        "net-udp-fragment",
        Severity::Error,
        Confidence::Likely,
        Proof::Protocol,
    )
    .says(
        format!(
            "Large requests to {} are lost",
            case.scene.name(t.destination)
        ),
        explanation,
        remedy(case, t),
    )
    .at(t.destination, "lost");
    if let Some(evidence) = sends(case, hop, "the large request, never answered") {
        finding = finding.shown_by(evidence);
    }
    if let Some(at) = frame {
        finding = finding
            .shown_by(Evidence::seen(
                at,
                format!("{small} bytes"),
                "the largest request to it that was answered",
            ))
            .not(
                "net-no-response",
                format!("the same node answers requests of up to {small} bytes"),
            );
    }
    Some(finding)
}

fn remedy(case: &Case<'_>, t: &Transaction) -> String {
    let tables = case.tables();
    let (here, there) = (
        tables.endpoint(t.source).address,
        tables.endpoint(t.destination).address,
    );
    format!(
        "1. {here}: send to {there} over TCP or TLS, or make requests smaller than 1300 bytes (fewer codecs and headers). 2. Firewalls and NAT between {here} and {there}: let IP fragments through. 3. Re-test: the same call must get at least a 100."
    )
}

/// Fragmented requests that were answered: it works here, and fails behind the first firewall that drops fragments.
fn delivered(case: &Case<'_>) -> Option<Finding> {
    let fragmented: Vec<&Message> = case
        .anatomy
        .originals()
        .map(|(_, message)| message)
        .filter(|message| message.flags.is_fragmented() && message.transport == Transport::Udp)
        .collect();
    let first = fragmented.first()?;
    let largest = fragmented.iter().map(|message| message.size).max()?;
    let finding = Finding::new(
        "net-udp-fragment",
        Severity::Warn,
        Confidence::Certain,
        Proof::Protocol,
    )
    .beside()
    .says(
        "SIP messages over UDP are sent in IP fragments",
        format!(
            "{} sends messages of up to {largest} bytes over UDP, in IP fragments. They arrived here; where a firewall or NAT drops fragments they are lost.",
            case.scene.name(first.source)
        ),
        format!(
            "{}: use TCP for messages above 1300 bytes, or make them smaller (fewer codecs and headers).",
            case.scene.book.tables.endpoint(first.source).address
        ),
    )
    .shown_by(case.shows(first, "put together from several IP fragments"))
    .at(first.source, "delivered");
    Some(finding)
}
