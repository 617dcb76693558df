//! Where the ACK of an answer went, or why it was never sent.
//!
//! Sources: RFC 3261 sections 12.2.1.1 (where an ACK goes), 13.2.2.4 (what it carries), RFC 3581 section 4 (where answers go).

use std::time::Duration;

use crate::call::beside::icmp::IcmpReport;
use crate::call::{EndpointId, Message, Transaction, TransactionIndex, detail::target, is_private};
use crate::diagnose::context::call_context::CallContext;
use crate::sip::{Method, StatusCode};

/// How soon a report that a message could not be delivered comes.
pub(super) const ICMP_WAIT: Duration = Duration::from_secs(1);

/// Where the ACK was lost, or why it was never sent.
pub(super) enum AckPlace<'a> {
    /// It arrived with another To tag than the 200 has.
    WrongTag(&'a Message),
    /// It arrived with the branch of the INVITE, whose old transaction swallows it.
    OldBranch(&'a Message),
    /// It is seen on its last hop, and was lost behind the place where the capture was made.
    Beyond(&'a Message),
    /// It went to the address in the Contact of the 200, from which the 200 did not come.
    Contact(&'a Message),
    /// Some node on the way did not pass it on.
    Hop(&'a Message),
    /// It has another CSeq number than the INVITE.
    WrongNumber(&'a Message),
    /// Every copy of the 200 went past the caller.
    Astray {
        /// The 200.
        answer: &'a Message,
        /// Where the INVITE came from.
        caller: EndpointId,
        /// Whether that was on another hop than the callee's.
        is_other_hop: bool,
    },
    /// The caller's port was closed.
    Gone(EndpointId, &'a IcmpReport),
    /// The caller still repeats its INVITE: the 200 did not reach it.
    Unanswered(EndpointId),
    /// The caller never sent one.
    NeverSent(EndpointId),
}

impl<'a> AckPlace<'a> {
    /// The ACK that shows it.
    pub(super) fn ack(&self) -> Option<&'a Message> {
        match self {
            Self::WrongTag(ack)
            | Self::OldBranch(ack)
            | Self::Beyond(ack)
            | Self::Contact(ack)
            | Self::Hop(ack)
            | Self::WrongNumber(ack) => Some(ack),
            Self::Astray { .. } | Self::Gone(..) | Self::Unanswered(_) | Self::NeverSent(_) => None,
        }
    }

    /// Whether the way it was lost is seen.
    pub(super) fn is_seen(&self) -> bool {
        !matches!(self, Self::Beyond(_) | Self::Unanswered(_) | Self::NeverSent(_))
    }

    /// What makes it the same problem as in another call.
    pub(super) fn signature(&self) -> &'static str {
        match self {
            Self::WrongTag(_) => "tag",
            Self::OldBranch(_) => "branch",
            Self::Beyond(_) => "beyond",
            Self::Contact(_) => "contact",
            Self::Hop(_) => "hop",
            Self::WrongNumber(_) => "number",
            Self::Astray { .. } => "astray",
            Self::Gone(..) => "gone",
            Self::Unanswered(_) => "answer",
            Self::NeverSent(_) => "never",
        }
    }

    /// The sentence behind "never got the ACK".
    pub(super) fn sentence(&self, context: &CallContext<'_>, invite: &Transaction) -> String {
        let name = |endpoint| context.capture.name(endpoint);
        match *self {
            Self::WrongTag(_) => "An ACK arrived there, but with another To tag than the 200 has.".to_owned(),
            Self::OldBranch(_) => {
                "The ACK arrived, but with the branch of the INVITE: an ACK to a 200 needs a branch of its own, so the INVITE's old transaction swallows it.".to_owned()
            }
            Self::Beyond(_) => {
                "The ACK is seen on its way there in this capture: it was lost, or refused, behind the place where the capture was made.".to_owned()
            }
            Self::Contact(ack) => {
                let there = context.tables().endpoint(ack.destination);
                let kind = if is_private(there.address) { "a private address" } else { "an address" };
                let callee = name(invite.destination);
                format!(
                    "The ACK went to {there}, {kind} that {callee} put into the Contact of its 200; the 200 itself came from {callee}."
                )
            }
            Self::Hop(ack) => {
                format!("The ACK was last seen on its way from {} to {}.", name(ack.source), name(ack.destination))
            }
            Self::WrongNumber(ack) => format!(
                "The ACK of {} has CSeq {} where the INVITE has {}, so it acknowledges nothing.",
                name(ack.source),
                ack.cseq,
                invite.cseq
            ),
            Self::Astray { answer, caller, is_other_hop } => format!(
                "Its 200 went to {}, not to {} where the INVITE came from{}.",
                name(answer.destination),
                name(caller),
                if is_other_hop { ", on the hop next to the caller" } else { "" }
            ),
            Self::Gone(caller, report) => format!(
                "{} had gone: {} reported `{}` for the 200 (frame {}).",
                name(caller),
                report.reporter,
                report.meaning(),
                report.at.frame
            ),
            Self::Unanswered(caller) => {
                format!("{} still repeated its INVITE: the 200 did not reach it.", name(caller))
            }
            Self::NeverSent(caller) => format!("{} never sent an ACK, as far as this capture shows.", name(caller)),
        }
    }
}

/// The 2xx that one hop carried, repeats and all.
pub(super) fn answers<'a>(context: &CallContext<'a>, hop: TransactionIndex) -> Vec<&'a Message> {
    let success = |message: &Message| message.status().is_some_and(StatusCode::is_success);
    context.transactions.responses_of(hop).map(|(_, message)| message).filter(|message| success(message)).collect()
}

/// What became of the ACK, as far as the capture shows.
pub(super) fn locate<'a>(context: &CallContext<'a>, hop: TransactionIndex, invite: &Transaction) -> AckPlace<'a> {
    let node = |endpoint| context.capture.node(endpoint);
    let acks: Vec<&Message> = context
        .transactions
        .originals()
        .map(|(_, message)| message)
        .filter(|m| m.is_request(Method::Ack) && m.cseq == invite.cseq)
        .collect();
    let Some(&ack) = acks.last() else {
        return misnumbered(context, hop).unwrap_or_else(|| never_sent(context, invite));
    };
    let answer = invite.final_response.map(|answer| context.transactions.message(answer));
    let tag = answer.map(|answer| answer.to_tag);
    let arrived = acks.iter().find(|ack| node(ack.destination) == node(invite.destination));
    if let Some(&ack) = arrived {
        return match ack {
            _ if Some(ack.to_tag) != tag => AckPlace::WrongTag(ack),
            _ if ack.via == invite.via => AckPlace::OldBranch(ack),
            _ => AckPlace::Beyond(ack),
        };
    }
    let there = context.tables().endpoint(ack.destination).address;
    let contact = answers(context, hop).first().and_then(|answer| target::contact(context.tables(), answer));
    match contact.and_then(target::address) == Some(there) {
        true => AckPlace::Contact(ack),
        false => AckPlace::Hop(ack),
    }
}

/// An ACK with the tags of the 200 and another CSeq number than the INVITE: nothing that the callee waits for (RFC 3261 section 13.2.2.4).
fn misnumbered<'a>(context: &CallContext<'a>, hop: TransactionIndex) -> Option<AckPlace<'a>> {
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
    Some(AckPlace::WrongNumber(ack))
}

/// Every copy of the answer went past the caller: to another address or port than its INVITE came from.
fn astray<'a>(context: &CallContext<'a>, invite: &Transaction, edge: Option<&Transaction>) -> Option<AckPlace<'a>> {
    let edge = edge.filter(|edge| !edge.transport.is_reliable())?;
    let index = context.dialogs.first()?.invite;
    let answers = answers(context, index);
    let first = *answers.first()?;
    let is_past = |answer: &&Message| answer.destination != edge.source;
    if edge.ack.is_some() || !answers.iter().all(is_past) {
        return None;
    }
    Some(AckPlace::Astray { answer: first, caller: edge.source, is_other_hop: edge.first != invite.first })
}

fn never_sent<'a>(context: &CallContext<'a>, invite: &Transaction) -> AckPlace<'a> {
    let edge = context.dialogs.first().map(|dialog| *context.transactions.transaction(dialog.invite));
    if let Some(astray) = astray(context, invite, edge.as_ref()) {
        return astray;
    }
    let repeats_invite = edge.is_some_and(|edge| edge.last_request > edge.final_response && edge.sends > 1);
    let caller = edge.map_or(invite.source, |edge| edge.source);
    match client_gone(context, invite) {
        _ if repeats_invite => AckPlace::Unanswered(caller),
        Some(report) => AckPlace::Gone(caller, report),
        None => AckPlace::NeverSent(caller),
    }
}

/// The first report that a 2xx to this INVITE could not be delivered to who sent the INVITE.
fn client_gone<'a>(context: &CallContext<'a>, invite: &Transaction) -> Option<&'a IcmpReport> {
    let first = context.message(invite.final_response?)?;
    let last = context.message(invite.last_final?)?;
    let client = context.tables().endpoint(invite.source);
    let (node, until) = (context.capture.node(invite.source), last.time.plus(ICMP_WAIT));
    let mut about = context.capture.errors_about(node, first.time, until);
    about.find(|report| report.quoted.destination == client && report.group.is_none_or(|group| group == first.group))
}
