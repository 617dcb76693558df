//! Where the ACK of an answer went, or why it was never sent.
//!
//! Sources: RFC 3261 sections 12.2.1.1 (where an ACK goes), 13.2.2.4 (what it carries), RFC 3581 section 4 (where answers go).

use std::time::Duration;

use crate::call::beside::icmp::IcmpReport;
use crate::call::{Message, Transaction, TransactionIndex, detail::target, is_private};
use crate::diagnose::context::call_context::CallContext;
use crate::sip::{Method, StatusCode};

/// How soon a report that a message could not be delivered comes.
pub(super) const ICMP_WAIT: Duration = Duration::from_secs(1);

/// Where the ACK was lost.
pub(super) struct Place<'a> {
    /// Told after "never got the ACK": a sentence of its own.
    pub(super) sentence: String,
    /// The ACK that shows it.
    pub(super) ack: Option<&'a Message>,
    /// Whether the way it was lost is seen.
    pub(super) is_seen: bool,
    /// What makes it the same problem as in another call.
    pub(super) signature: &'static str,
}

/// The 2xx that one hop carried, repeats and all.
pub(super) fn answers<'a>(context: &CallContext<'a>, hop: TransactionIndex) -> Vec<&'a Message> {
    let success = |message: &Message| message.status().is_some_and(StatusCode::is_success);
    context.transactions.responses_of(hop).map(|(_, message)| message).filter(|message| success(message)).collect()
}

/// What became of the ACK, as far as the capture shows.
pub(super) fn locate<'a>(context: &CallContext<'a>, hop: TransactionIndex, invite: &Transaction) -> Place<'a> {
    let node = |endpoint| context.capture.node(endpoint);
    let acks: Vec<&Message> = context
        .transactions
        .originals()
        .map(|(_, message)| message)
        .filter(|m| m.is_request(Method::Ack) && m.cseq == invite.cseq)
        .collect();
    let Some(&ack) = acks.last() else {
        return misnumbered(context, hop, invite).unwrap_or_else(|| never_sent(context, invite));
    };
    let answer = invite.final_response.map(|answer| context.transactions.message(answer));
    let tag = answer.map(|answer| answer.to_tag);
    let arrived = acks.iter().find(|ack| node(ack.destination) == node(invite.destination));
    if let Some(&ack) = arrived {
        let (sentence, signature) = if Some(ack.to_tag) != tag {
            ("An ACK arrived there, but with another To tag than the 200 has.", "tag")
        } else if ack.via == invite.via {
            (
                "The ACK arrived, but with the branch of the INVITE: an ACK to a 200 needs a branch of its own, so the INVITE's old transaction swallows it.",
                "branch",
            )
        } else {
            (
                "The ACK is seen on its way there in this capture: it was lost, or refused, behind the place where the capture was made.",
                "beyond",
            )
        };
        return Place { sentence: sentence.to_owned(), ack: Some(ack), is_seen: signature != "beyond", signature };
    }
    let there = context.capture.store.tables.endpoint(ack.destination);
    let contact = answers(context, hop).first().and_then(|answer| target::contact(context.tables(), answer));
    if contact.and_then(target::address) == Some(there.address) {
        let kind = if is_private(there.address) { "a private address" } else { "an address" };
        return Place {
            sentence: format!(
                "The ACK went to {there}, {kind} that {} put into the Contact of its 200; the 200 itself came from {}.",
                context.capture.name(invite.destination),
                context.capture.name(invite.destination)
            ),
            ack: Some(ack),
            is_seen: true,
            signature: "contact",
        };
    }
    Place {
        sentence: format!("The ACK was last seen on its way from {} to {there}.", context.capture.name(ack.source)),
        ack: Some(ack),
        is_seen: true,
        signature: "hop",
    }
}

/// An ACK with the tags of the 200 and another CSeq number than the INVITE: nothing that the callee waits for (RFC 3261 section 13.2.2.4).
fn misnumbered<'a>(context: &CallContext<'a>, hop: TransactionIndex, invite: &Transaction) -> Option<Place<'a>> {
    let answer = *answers(context, hop).first()?;
    let is_for_later = |number: u32| {
        let mut invites = context.transactions.invites();
        invites.any(|(_, later)| later.cseq == number && later.request.is_some())
    };
    let ack = context.transactions.originals().map(|(_, m)| m).find(|m| {
        m.is_request(Method::Ack)
            && m.time >= answer.time
            && m.to_tag == answer.to_tag
            && m.from_tag == answer.from_tag
            && !is_for_later(m.cseq)
    })?;
    Some(Place {
        sentence: format!(
            "The ACK of {} has CSeq {} where the INVITE has {}, so it acknowledges nothing.",
            context.capture.name(ack.source),
            ack.cseq,
            invite.cseq
        ),
        ack: Some(ack),
        is_seen: true,
        signature: "number",
    })
}

/// Every copy of the answer went past the caller: to another address or port than its INVITE came from.
fn astray<'a>(context: &CallContext<'a>, invite: &Transaction, edge: Option<&Transaction>) -> Option<Place<'a>> {
    let edge = edge.filter(|edge| !edge.transport.is_reliable())?;
    let index = context.dialogs.first()?.invite;
    let answers = answers(context, index);
    let first = *answers.first()?;
    let is_past = |answer: &&Message| answer.destination != edge.source;
    if edge.ack.is_some() || !answers.iter().all(is_past) {
        return None;
    }
    Some(Place {
        sentence: format!(
            "Its 200 went to {}, not to {} where the INVITE came from{}.",
            context.capture.name(first.destination),
            context.capture.name(edge.source),
            if edge.first == invite.first { "" } else { ", on the hop next to the caller" }
        ),
        ack: None,
        is_seen: true,
        signature: "astray",
    })
}

fn never_sent<'a>(context: &CallContext<'a>, invite: &Transaction) -> Place<'a> {
    let edge = context.dialogs.first().map(|dialog| *context.transactions.transaction(dialog.invite));
    if let Some(astray) = astray(context, invite, edge.as_ref()) {
        return astray;
    }
    let repeats_invite = edge.is_some_and(|edge| edge.last_request > edge.final_response && edge.sends > 1);
    let caller = context.capture.name(edge.map_or(invite.source, |edge| edge.source));
    let gone = client_gone(context, invite).filter(|_| !repeats_invite);
    let (sentence, signature) = match gone {
        Some(report) => (
            format!(
                "{caller} had gone: {} reported `{}` for the 200 (frame {}).",
                report.reporter,
                report.meaning(),
                report.at.frame
            ),
            "gone",
        ),
        None if repeats_invite => (format!("{caller} still repeated its INVITE: the 200 did not reach it."), "answer"),
        None => (format!("{caller} never sent an ACK, as far as this capture shows."), "never"),
    };
    Place { sentence, ack: None, is_seen: signature == "gone", signature }
}

/// The first report that a 2xx to this INVITE could not be delivered to who sent the INVITE.
pub(super) fn client_gone<'a>(context: &CallContext<'a>, invite: &Transaction) -> Option<&'a IcmpReport> {
    let first = context.message(invite.final_response?)?;
    let last = context.message(invite.last_final?)?;
    let client = context.tables().endpoint(invite.source);
    let (node, until) = (context.capture.node(invite.source), last.time.plus(ICMP_WAIT));
    let mut about = context.capture.errors_about(node, first.time, until);
    about.find(|report| report.quoted.destination == client && report.group.is_none_or(|group| group == first.group))
}
