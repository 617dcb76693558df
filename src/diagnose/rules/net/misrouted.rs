//! Responses that go elsewhere than the request came from.
//!
//! Sources: RFC 3581 section 4 (rport), RFC 3261 section 18.2.2 (where a response is sent).

use crate::call::{Message, Outcome, Transaction, TransactionIndex};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::times;
use crate::diagnose::finding::{Confidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rules::net::message_evidence::in_messages;
use crate::sip::Method;

/// Repeats of a request behind a response that prove that its sender did not get it.
const REPEATS_MIN: usize = 2;

/// The sender of a request repeats it although it was answered: every answer went to another address or port.
pub(super) fn net_response_misrouted(context: &CallContext<'_>) -> Option<Observation> {
    // Cheap first: in most calls nothing is ever repeated.
    if context.call.retransmissions < REPEATS_MIN as u32 {
        return None;
    }
    let wrong = context.transactions.each().find_map(|(index, t)| {
        let is_asked = !t.transport.is_reliable()
            && t.request.is_some()
            && t.sends as usize > REPEATS_MIN
            && !matches!(t.method, Method::Ack | Method::Cancel);
        let answer = misrouted(context, index, t).filter(|_| is_asked)?;
        Some((index, *t, answer))
    });
    let (index, t, answer) = wrong?;
    let request = context.message(t.request?)?;
    let repeats: Vec<&Message> = context
        .transactions
        .sends_of(index)
        .map(|(_, message)| message)
        .filter(|message| message.time > answer.time)
        .collect();
    let capture = context.capture;
    let (asked, got) = (capture.name(t.source), capture.name(answer.destination));
    let from_elsewhere = answer.source != t.destination && answer.destination == t.source;
    let explanation = if from_elsewhere {
        format!(
            "{} was asked, and {} answered: {asked} takes answers from the address it asked alone, so it sent its {} {} more.",
            context.name(t.destination),
            capture.name(answer.source),
            t.method.text(),
            times(repeats.len())
        )
    } else {
        format!(
            "{} answered, but to {got}, not to {asked} where the {} came from{}. So the caller's side never got the answer and sent the request {} more.",
            context.name(answer.source),
            t.method.text(),
            why(context, &t, request, answer),
            times(repeats.len())
        )
    };
    let explains = !context.outcome().is_answered() && t.method == Method::Invite;
    let observation = Observation::new(Confidence::Certain, Proof::OwnWords)
        .severity(if explains || context.outcome() == Outcome::Dropped { Severity::Error } else { Severity::Warn })
        .titled(format!("Answers of {} go to the wrong address or port", capture.name(t.destination)))
        .happened(explanation)
        .remedy(remedy(context, &t, request, from_elsewhere))
        .shown_by(context.shows(answer, "the answer, sent elsewhere"))
        .at(t.destination, if from_elsewhere { "source" } else { "target" })
        .maybe_shown_by(in_messages(context, &repeats, "repeated although it was answered"))
        .not("net-no-response", "the answers are in the capture");
    Some(if explains { observation } else { observation.beside() })
}

/// The first answer, where every answer went to another place than the request came from, or came from another than was asked.
fn misrouted<'a>(context: &CallContext<'a>, index: TransactionIndex, t: &Transaction) -> Option<&'a Message> {
    // An ACK shows that the sender listens where the answer went.
    if t.ack.is_some() {
        return None;
    }
    let answers: Vec<&Message> = context.transactions.responses_of(index).map(|(_, message)| message).collect();
    let first = *answers.first()?;
    let astray = |m: &&Message| m.destination != t.source || m.source != t.destination;
    let repeats = context.transactions.sends_of(index).filter(|(_, message)| message.time > first.time).count();
    (answers.iter().all(astray) && repeats >= REPEATS_MIN && !goes_on(context, t)).then_some(first)
}

/// Whether the sender acts on an answer: requests inside the dialog need the tag that only the answer holds.
fn goes_on(context: &CallContext<'_>, t: &Transaction) -> bool {
    let node = context.capture.node(t.source);
    t.method == Method::Invite
        && context.transactions.originals().any(|(_, m)| {
            m.method().is_some()
                && !m.to_tag.is_absent()
                && m.group == context.transactions.message(t.first).group
                && context.transactions.message(t.first).to_tag.is_absent()
                && context.capture.node(m.source) == node
        })
}

/// Why the answer went there, as far as the request's Via tells.
fn why(context: &CallContext<'_>, t: &Transaction, request: &Message, answer: &Message) -> String {
    let tables = context.tables();
    let sent_by = tables.text(tables.vias.get(t.via).sent_by);
    let there = tables.endpoint(answer.destination);
    let is_via = sent_by == there.to_string()
        || sent_by == there.address.to_string() && there.port == 5060
        || sent_by == format!("[{}]", there.address);
    let port = sent_by.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(5060);
    let place = if is_via {
        format!(": that is the address in the request's Via ({sent_by})")
    } else if port == there.port {
        format!(": that is the port in the request's Via ({sent_by})")
    } else {
        return format!(" (its Via says {sent_by})");
    };
    if request.flags.has_rport() {
        format!("{place}, although the Via asks with rport for an answer to where it came from")
    } else {
        format!("{place}, which does not ask for rport")
    }
}

fn remedy(context: &CallContext<'_>, t: &Transaction, request: &Message, from_elsewhere: bool) -> Steps {
    let tables = context.tables();
    let (here, there) = (tables.endpoint(t.source).address, tables.endpoint(t.destination).address);
    if from_elsewhere {
        return format!(
            "{there}: answer from the address and port that was asked (bind the SIP service to it, or set its source address)."
        )
        .into();
    }
    let server = format!("{there}: answer to where the request came from (force_rport, nat=yes, RFC 3581).");
    let port = format!("Or let {here} send from the port that it listens on.");
    match request.flags.has_rport() {
        // The first of a list, even where it is all of it.
        true => format!("1. {server} {port}").into(),
        false => [server, format!("{here}: send `rport` in Via. {port}")].into(),
    }
}
