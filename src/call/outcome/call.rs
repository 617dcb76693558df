//! A call as it is kept: what happened, in a few hundred bytes; its messages stay where they are.

use crate::call::outcome::ending::{self, DropCause};
use crate::call::outcome::origin::{self, Origin};
use crate::call::outcome::verdict::{self, Outcome, Watch};
use crate::call::store::endpoint::EndpointId;
use crate::call::store::header_list::HeaderListId;
use crate::call::store::message::Message;
use crate::call::store::message_store::Leg;
use crate::call::store::string_arena::TextId;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::dialog::{self, Dialog};
use crate::call::transaction::pairing::{MessageIndex, TransactionIndex};
use crate::capture::{FrameRef, Timestamp};
use crate::net::Transport;
use crate::sip::{Method, StatusCode};

/// A party of a call, for "who ended it".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Who sent the INVITE.
    Caller,
    /// Who was called.
    Callee,
    /// A machine between them.
    Network,
}

impl Party {
    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Network => "network",
        }
    }
}

/// The moments of a call on the hop next to the caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Milestones {
    /// First INVITE of the attempt.
    pub invited: Option<Timestamp>,
    /// First 18x.
    pub alerted: Option<Timestamp>,
    /// First 180, else the first other 18x.
    pub ringing: Option<Timestamp>,
    /// First 2xx of the dialog that carried the call.
    pub answered: Option<Timestamp>,
    /// The caller's CANCEL.
    pub cancelled: Option<Timestamp>,
    /// Final response of the last step.
    pub concluded: Option<Timestamp>,
    /// First BYE.
    pub hung_up: Option<Timestamp>,
    /// The 2xx to a BYE of the side that hung up first.
    pub released: Option<Timestamp>,
}

impl Milestones {
    /// Post-dial delay in milliseconds: first INVITE to the first 18x, or to the answer where nothing rang.
    ///
    /// RFC 6076 section 4.3.1 (session request delay, success), measured where the capture is. `None` also where clocks of
    /// several capture points disagree so far that it would be negative.
    pub fn pdd_ms(&self) -> Option<f64> {
        // A 18x that overtook nothing may still arrive behind the 2xx: over UDP, or on another branch.
        let sign = [self.alerted, self.answered].into_iter().flatten().min()?;
        Some(sign.millis_since(self.invited?)).filter(|delay| *delay >= 0.0)
    }

    /// Ringing in milliseconds: first 180 to the answer, the refusal or the CANCEL.
    pub fn ring_ms(&self) -> Option<f64> {
        let ends = [self.answered, self.cancelled, self.concluded];
        let end = ends.into_iter().flatten().min()?;
        Some(end.millis_since(self.ringing?)).filter(|ring| *ring >= 0.0)
    }

    /// Set-up in milliseconds: first INVITE to the answer.
    pub fn setup_ms(&self) -> Option<f64> {
        Some(self.answered?.millis_since(self.invited?))
    }

    /// Talk in milliseconds: answer to the first BYE.
    pub fn talk_ms(&self) -> Option<f64> {
        Some(self.hung_up?.millis_since(self.answered?))
    }

    /// Teardown in milliseconds: first BYE to its 2xx, a challenge of the BYE included (RFC 6076 section 4.4).
    pub fn teardown_ms(&self) -> Option<f64> {
        Some(self.released?.millis_since(self.hung_up?))
    }
}

/// One INVITE transaction of a call: one hop of one try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hop {
    /// Sender.
    pub source: EndpointId,
    /// Receiver.
    pub destination: EndpointId,
    /// What carried it.
    pub transport: Transport,
    /// First send, or where it was not captured the first message of this hop.
    pub sent: Timestamp,
    /// Final status on this hop, 0 where none came.
    pub final_code: u16,
    /// First send to the final response in milliseconds.
    pub final_ms: Option<f32>,
    /// First send to the first response of any kind in milliseconds.
    pub reply_ms: Option<f32>,
    /// First send to the first 18x in milliseconds.
    pub alerted_ms: Option<f32>,
    /// Place in the call of the hop that this one relays; `None` next to the caller.
    pub parent: Option<u16>,
    /// The INVITE as it was first sent here; `None` where it was not captured.
    pub asked: Option<Asked>,
}

/// What an INVITE asked for: comparing calls needs no message for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Request-URI.
    pub uri: TextId,
    /// URI of From.
    pub from: TextId,
    /// The other headers that rules read.
    pub headers: HeaderListId,
    /// Frame of the first send.
    pub at: FrameRef,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its legs, the one next to the caller first.
    pub legs: Vec<Leg>,
    /// URI of the caller.
    pub caller: TextId,
    /// URI of the callee.
    pub callee: TextId,
    /// Sender of the first INVITE.
    pub source: EndpointId,
    /// Receiver of the first INVITE.
    pub destination: EndpointId,
    /// What carried the first INVITE.
    pub transport: Transport,
    /// First message.
    pub started: Timestamp,
    /// Last message.
    pub ended: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// The final response that the caller saw last.
    pub final_code: Option<StatusCode>,
    /// Its reason phrase.
    pub phrase: TextId,
    /// Who ended it.
    pub ended_by: Option<Party>,
    /// Its moments.
    pub milestones: Milestones,
    /// Every hop of every try, in the order of time.
    pub hops: Box<[Hop]>,
    /// Where a failure came from.
    pub origin: Option<Origin>,
    /// Messages without copies.
    pub messages: u32,
    /// Of these, how many the sender had sent before.
    pub retransmissions: u32,
    /// Captured copies.
    pub copies: u32,
}

/// Calls are kept to the end of a run, millions of them perhaps: a few hundred bytes and their hops.
const _: () = assert!(size_of::<Call>() <= 320 && size_of::<Hop>() <= 80);

/// Sums a call up; `legs` are the ranges that `transactions` was made of.
pub(in crate::call) fn sum_up(transactions: &CallTransactions<'_>, legs: Vec<Leg>, watch: &Watch) -> Call {
    let dialogs = dialog::dialogs(transactions);
    let dialog = dialogs.first();
    let drop = dialog.and_then(|dialog| ending::drop_cause(transactions, dialog));
    let outcome = verdict::decide(transactions, dialog, drop, watch);
    let first = first_message(transactions);
    let answer = match dialog {
        Some(dialog) => Some(transactions.message(dialog.answer)),
        None => transactions.deciding_step().and_then(TransactionView::final_response),
    };
    let answer = answer.filter(|_| outcome != Outcome::Partial);
    let copies = transactions.messages.iter();
    let copies = copies.filter(|message| message.flags.is_copy()).count() as u32;
    let (source, destination) = ends_of_request(first);
    Call {
        legs,
        caller: first.from,
        callee: first.to,
        source,
        destination,
        transport: first.transport,
        started: transactions.messages.first().map_or(first.time, |message| message.time),
        ended: transactions.messages.last().map_or(first.time, |message| message.time),
        outcome,
        final_code: answer.and_then(Message::status),
        phrase: answer.map_or(TextId::default(), |answer| answer.line),
        ended_by: ended_by(transactions, dialog, drop, outcome),
        milestones: milestones(transactions, dialog),
        hops: hops(transactions),
        origin: if outcome.is_failure() && outcome != Outcome::Dropped { origin::trace(transactions) } else { None },
        messages: transactions.messages.len() as u32 - copies,
        retransmissions: transactions.retransmissions(),
        copies,
    }
}

/// The first INVITE of the attempt, else the first message of the call.
fn first_message<'a>(transactions: &CallTransactions<'a>) -> &'a Message {
    transactions.steps().next().and_then(TransactionView::request).unwrap_or(transactions.messages[0])
}

/// Sender and receiver of the request that a message is or answers.
fn ends_of_request(message: &Message) -> (EndpointId, EndpointId) {
    if message.method().is_some() {
        (message.source, message.destination)
    } else {
        (message.destination, message.source)
    }
}

fn milestones(transactions: &CallTransactions<'_>, dialog: Option<&Dialog>) -> Milestones {
    let time = |index| transactions.message(index).time;
    let Some(last) = transactions.deciding_step() else {
        return Milestones::default();
    };
    let request_time = |index| transactions.hop(index).request.map(time);
    let alerted = transactions.steps().filter_map(|step| step.alerting).map(time).min();
    Milestones {
        invited: transactions.steps().find_map(|step| step.request).map(time),
        alerted,
        ringing: transactions.steps().filter_map(|step| step.ringing).map(time).min().or(alerted),
        answered: dialog.map(|dialog| time(dialog.answer)),
        cancelled: verdict::cancel_of(transactions, last.index()).and_then(request_time),
        concluded: last.final_response.map(time),
        hung_up: dialog.and_then(|dialog| dialog.bye).and_then(request_time),
        released: dialog.and_then(|dialog| released(transactions, dialog.bye?)).map(time),
    }
}

/// The first 2xx to a BYE of the side that hung up, on the hop on which it did: the BYE itself, or its retry with a login.
fn released(transactions: &CallTransactions<'_>, bye: TransactionIndex) -> Option<MessageIndex> {
    let first = transactions.hop(bye);
    let tag = first.request()?.from_tag;
    let answered = transactions.all().filter(|hop| {
        hop.index() >= bye
            && hop.method == first.method
            && (hop.source, hop.destination) == (first.source, first.destination)
            && hop.request().is_some_and(|request| request.from_tag == tag)
            && hop.is_success()
    });
    answered.filter_map(|hop| hop.final_response).min()
}

fn ended_by(
    transactions: &CallTransactions<'_>,
    dialog: Option<&Dialog>,
    drop: Option<DropCause>,
    outcome: Outcome,
) -> Option<Party> {
    match outcome {
        Outcome::Cancelled => {
            let last = transactions.last_step()?;
            let has_hung_up = || {
                let mut byes = transactions.in_dialog(Method::Bye).filter_map(TransactionView::request);
                byes.any(|bye| bye.from_tag == transactions.caller_tag())
            };
            (verdict::cancel_of(transactions, last).is_some() || has_hung_up()).then_some(Party::Caller)
        }
        Outcome::CancelRace => Some(Party::Caller),
        Outcome::Completed | Outcome::Dropped => {
            let dialog = dialog?;
            if let Some(DropCause::Network { .. }) = drop {
                return Some(Party::Network);
            }
            let bye = transactions.hop(dialog.bye?).request()?;
            Some(if bye.from_tag == transactions.caller_tag() { Party::Caller } else { Party::Callee })
        }
        _ => None,
    }
}

fn hops(transactions: &CallTransactions<'_>) -> Box<[Hop]> {
    let indices: Vec<TransactionIndex> = transactions.initial_invites().map(TransactionView::index).collect();
    // Transactions are in the order of time, so the places of hops can be searched.
    let place = |parent| indices.binary_search(&parent).ok();
    let hops = indices.iter().map(|index| {
        let parent = transactions.transaction(*index).parent.and_then(place);
        Hop {
            parent: parent.and_then(|parent| u16::try_from(parent).ok()),
            ..hop(transactions, transactions.hop(*index))
        }
    });
    hops.collect()
}

fn hop(transactions: &CallTransactions<'_>, transaction: TransactionView<'_, '_>) -> Hop {
    let request = transaction.request();
    let after =
        |index: Option<MessageIndex>| Some(transactions.message(index?).time.millis_since(request?.time) as f32);
    let replies = [transaction.trying, transaction.alerting, transaction.final_response];
    Hop {
        source: transaction.source,
        destination: transaction.destination,
        transport: transaction.transport,
        sent: request.unwrap_or(transaction.first()).time,
        final_code: transaction.status().map_or(0, |status| status.0),
        final_ms: after(transaction.final_response),
        reply_ms: after(replies.into_iter().flatten().min()),
        alerted_ms: after(transaction.alerting),
        parent: None,
        asked: request.map(|request| Asked {
            uri: request.line,
            from: request.from,
            headers: request.headers,
            at: request.at,
        }),
    }
}
