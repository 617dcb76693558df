//! Outcomes: how a call ended, in one word, decided on the hop next to the caller.
//!
//! Sources: RFC 3261 sections 9, 13, 15, 16.7 and 21; RFC 8197, RFC 8688, RFC 8224 section 6.2.2.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::call::outcome::ending::{self, DropCause};
use crate::call::outcome::reason::Cause;
use crate::call::store::message::{GroupId, Message};
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::dialog::{Dialog, UNWANTED_ANSWER_WAIT};
use crate::call::transaction::pairing::{MessageIndex, Transaction, TransactionIndex};
use crate::call::transaction::timer::{TIMER_B, TIMER_C};
use crate::capture::{Pause, Timestamp, watched_since};
use crate::sip::{Digest, HeaderName, Method};

/// Ringing that lasted at least this long and led nowhere is called unanswered rather than refused.
pub(in crate::call) const NO_ANSWER_RING: Duration = Duration::from_secs(10);
/// A 486 after at least this much ringing of the same device was a hand, not a busy line.
pub(in crate::call) const REJECT_RING: Duration = Duration::from_secs(2);
/// Sends of an INVITE after which a caller that follows RFC 3261 gives up.
const INVITE_SENDS: u32 = 7;

/// How a call ended, as the report contract has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Answered, and ended by a BYE.
    Completed,
    /// Answered, and not ended when the capture was.
    StillUp,
    /// Answered, and ended by a fault.
    Dropped,
    /// Answered and cancelled at the same moment.
    CancelRace,
    /// The caller gave up.
    Cancelled,
    /// It rang and nobody answered.
    NoAnswer,
    /// The callee was busy.
    Busy,
    /// The callee, or a system for the callee, refused.
    Declined,
    /// Refused as unwanted, suspected or badly signed.
    Blocked,
    /// The login failed or was never tried.
    AuthFailed,
    /// Sent elsewhere, and nobody followed.
    Redirected,
    /// No such user or number, or none that can be reached.
    Unreachable,
    /// A server failed: 5xx.
    ServerFailed,
    /// Any other refusal.
    Rejected,
    /// No final response at all.
    TimedOut,
    /// The capture holds too little of the call to say.
    Partial,
}

/// What kind of ending an outcome is, for ratios and colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeGroup {
    /// The parties talked.
    Answered,
    /// Ended as calls do: nobody is to blame.
    Normal,
    /// Something went wrong.
    Failure,
    /// Left out of every ratio.
    Unknown,
}

impl Outcome {
    /// Every outcome in the order of reports.
    pub const ALL: [Self; 16] = [
        Self::Completed,
        Self::StillUp,
        Self::Dropped,
        Self::CancelRace,
        Self::Cancelled,
        Self::NoAnswer,
        Self::Busy,
        Self::Declined,
        Self::Blocked,
        Self::AuthFailed,
        Self::Redirected,
        Self::Unreachable,
        Self::ServerFailed,
        Self::Rejected,
        Self::TimedOut,
        Self::Partial,
    ];

    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::StillUp => "still-up",
            Self::Dropped => "dropped",
            Self::CancelRace => "cancel-race",
            Self::Cancelled => "cancelled",
            Self::NoAnswer => "no-answer",
            Self::Busy => "busy",
            Self::Declined => "declined",
            Self::Blocked => "blocked",
            Self::AuthFailed => "auth-failed",
            Self::Redirected => "redirected",
            Self::Unreachable => "unreachable",
            Self::ServerFailed => "server-failed",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed-out",
            Self::Partial => "partial",
        }
    }

    /// The group that the outcome counts in.
    pub fn group(self) -> OutcomeGroup {
        match self {
            Self::Completed | Self::StillUp => OutcomeGroup::Answered,
            Self::CancelRace | Self::Cancelled | Self::NoAnswer | Self::Busy | Self::Declined => OutcomeGroup::Normal,
            Self::Partial => OutcomeGroup::Unknown,
            _ => OutcomeGroup::Failure,
        }
    }

    /// Whether a 2xx ended the set-up.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Completed | Self::StillUp | Self::Dropped | Self::CancelRace)
    }

    /// Whether the ending is a failure.
    pub fn is_failure(self) -> bool {
        self.group() == OutcomeGroup::Failure
    }
}

/// What the whole capture says about the time around a call.
#[derive(Debug, Clone)]
pub struct Watch {
    /// First frame of the run.
    pub start: Timestamp,
    /// Last frame of the run.
    pub end: Timestamp,
    /// Times in which the captures hold nothing, in the order of time.
    pub pauses: Arc<[Pause]>,
    /// Longest ringing that any call of the run saw.
    pub longest_ring: Duration,
    /// The capture cut messages before their Call-ID: any answer that seems to be missing may be among them.
    pub has_nameless: bool,
    /// Call-IDs of which an ICMP error quotes a message: the sender learnt that nobody listens.
    pub unreachable: Arc<HashSet<GroupId>>,
}

impl Watch {
    /// How long the captures ran on from a moment without a break.
    pub(in crate::call) fn since(&self, time: Timestamp) -> Duration {
        watched_since(time, self.end, &self.pauses)
    }
}

/// The outcome of a call; `dialog` is the one that carried it, and `drop` why that was cut, where it was.
pub(in crate::call) fn decide(
    transactions: &CallTransactions<'_>,
    dialog: Option<&Dialog>,
    drop: Option<DropCause>,
    watch: &Watch,
) -> Outcome {
    let Some(step) = transactions.deciding_step() else {
        return Outcome::Partial;
    };
    if is_nameless(transactions) {
        return Outcome::Partial;
    }
    if let Some(dialog) = dialog {
        return decide_answered(transactions, dialog, drop);
    }
    let cancel = cancel_of(transactions, step.index()).map(|cancel| transactions.hop(cancel));
    let Some(answer) = step.final_response() else {
        return decide_unanswered(transactions, step, cancel.is_some(), watch);
    };
    let cancelled = cancel.and_then(|cancel| cancel.request);
    if cancelled.is_some() && cancelled < step.final_response {
        return Outcome::Cancelled;
    }
    decide_refused(transactions, step, answer)
}

/// The CANCEL that the caller's side sent for a step of its attempt.
pub fn cancel_of(transactions: &CallTransactions<'_>, step: TransactionIndex) -> Option<TransactionIndex> {
    let invite = transactions.hop(step);
    let cancels = || {
        let all = transactions.all();
        all.filter(move |hop| hop.method == Method::Cancel && hop.request.is_some() && hop.cseq == invite.cseq)
    };
    let by_branch = cancels().find(|cancel| cancel.via == invite.via);
    // A CANCEL with a branch of its own is a fault of the caller; its hop still shows what it meant.
    let by_hop = || {
        cancels().find(|cancel| {
            cancel.parent.is_none() && cancel.source == invite.source && cancel.destination == invite.destination
        })
    };
    by_branch.or_else(by_hop).map(TransactionView::index)
}

fn decide_answered(transactions: &CallTransactions<'_>, dialog: &Dialog, drop: Option<DropCause>) -> Outcome {
    let answered = transactions.message(dialog.answer).time;
    let request = |index| transactions.hop(index).request();
    let bye = dialog.bye.and_then(request);
    let cancel = cancel_of(transactions, dialog.invite).and_then(request);
    if let (Some(cancel), Some(bye)) = (cancel, bye) {
        let between = cancel.time.since(answered).max(answered.since(cancel.time));
        let settled = bye.time.since(answered.max(cancel.time)) <= UNWANTED_ANSWER_WAIT;
        if between <= UNWANTED_ANSWER_WAIT && settled && bye.from_tag == transactions.caller_tag() {
            return Outcome::CancelRace;
        }
    }
    match drop {
        Some(DropCause::ByeUnanswered { .. }) | None => {}
        Some(_) => return Outcome::Dropped,
    }
    if bye.is_some() { Outcome::Completed } else { Outcome::StillUp }
}

fn decide_unanswered(
    transactions: &CallTransactions<'_>,
    step: TransactionView<'_, '_>,
    is_cancelled: bool,
    watch: &Watch,
) -> Outcome {
    if is_cancelled {
        return Outcome::Cancelled;
    }
    if has_unseen_answer(transactions) || transactions.has_headless() || watch.has_nameless {
        return Outcome::Partial;
    }
    let Some(request) = step.request() else {
        return Outcome::Partial;
    };
    let progress = step.alerting.or(step.trying);
    let (since, wait) = match progress {
        Some(progress) => (transactions.message(progress).time, TIMER_C.max(watch.longest_ring)),
        None => (request.time, TIMER_B),
    };
    // A client takes an ICMP error for a 503 and is done (RFC 3261 section 8.1.3.1).
    let is_unreachable = progress.is_none() && watch.unreachable.contains(&request.group);
    let was_given_up = progress.is_none() && step.sends >= INVITE_SENDS;
    if watch.since(since) >= wait || was_given_up || is_unreachable { Outcome::TimedOut } else { Outcome::Partial }
}

/// Whether the capture cut the messages before their Call-ID, so that they may be of any number of calls.
fn is_nameless(transactions: &CallTransactions<'_>) -> bool {
    let first = transactions.messages.first();
    first.is_some_and(|first| transactions.tables.lacks_name(first))
}

/// Whether a side acts on an answer that the capture lacks: an ACK, or a request inside a dialog that was never seen to start.
fn has_unseen_answer(transactions: &CallTransactions<'_>) -> bool {
    let inside = |message: &Message| {
        matches!(
            message.method(),
            Some(Method::Ack | Method::Bye | Method::Prack | Method::Update | Method::Info | Method::Invite)
        )
    };
    // The ACK of a refusal that was captured, such as a challenge or a redirection, is part of that step.
    let was_seen = |at: MessageIndex| transactions.hop_of(at).is_some_and(|hop| hop.final_response.is_some());
    transactions.originals().any(|(at, message)| {
        let is_of_step = message.is_request(Method::Ack) && was_seen(at);
        inside(message) && !message.to_tag.is_absent() && !is_of_step
    })
}

fn decide_refused(transactions: &CallTransactions<'_>, step: TransactionView<'_, '_>, answer: &Message) -> Outcome {
    let code = answer.status().map_or(0, |status| status.0);
    let cause = Cause::of(transactions.tables, answer);
    let ring = ending::ring(transactions).map_or(Duration::ZERO, |(start, end)| end.since(start));
    let phrase = transactions.tables.text(answer.line).to_ascii_lowercase();
    let is_blocked = matches!(code, 607 | 608 | 433 | 428 | 436 | 437 | 438)
        || code == 603 && is_network_block(transactions, answer, &phrase);
    let by_proxy = ending::proxy_cancel(transactions, step.index()).is_some();
    match code {
        _ if is_blocked => Outcome::Blocked,
        _ if cause.q850 == Some(19) && ring >= REJECT_RING => Outcome::NoAnswer,
        408 | 480 if ring >= NO_ANSWER_RING => Outcome::NoAnswer,
        408 | 480 | 487 | 500 | 504 if by_proxy && ring >= NO_ANSWER_RING => Outcome::NoAnswer,
        487 => Outcome::Cancelled,
        600 => Outcome::Busy,
        _ if cause.q850 == Some(17) => Outcome::Busy,
        486 if rang_itself(step, answer) => Outcome::Declined,
        486 => Outcome::Busy,
        603 => Outcome::Declined,
        _ if cause.q850 == Some(21) && cause.is_user => Outcome::Declined,
        401 | 407 => Outcome::AuthFailed,
        // What a client sends after a challenge carries a login, captured or not.
        403 if has_credentials(transactions, &step) || step.is_unseen_step => Outcome::AuthFailed,
        300..=399 => Outcome::Redirected,
        480 | 404 | 410 | 604 | 430 | 408 if step.alerting.is_none() => Outcome::Unreachable,
        500..=599 => Outcome::ServerFailed,
        _ => Outcome::Rejected,
    }
}

/// The device that answers 486 had itself been ringing for a while: somebody pressed a key.
fn rang_itself(step: TransactionView<'_, '_>, answer: &Message) -> bool {
    step.responses().any(|(_, response)| {
        response.status().is_some_and(|status| (180..=189).contains(&status.0))
            && (response.to_tag == answer.to_tag || response.to_tag.is_absent())
            && answer.time.since(response.time) >= REJECT_RING
    })
}

/// 603 that an analytics engine sent, not a person: "Network Blocked" (ATIS-1000099).
pub fn is_network_block(transactions: &CallTransactions<'_>, answer: &Message, phrase: &str) -> bool {
    let mut reasons = transactions.tables.header_values(answer, HeaderName::Reason);
    phrase.contains("network blocked") || reasons.any(|reason| reason.to_ascii_lowercase().contains("v=analytics"))
}

/// Whether a request carried a login; one without a nonce, as IMS devices send it first, only gives the name (RFC 3310).
pub(in crate::call) fn has_credentials(transactions: &CallTransactions<'_>, transaction: &Transaction) -> bool {
    let Some(request) = transaction.request.map(|request| transactions.message(request)) else {
        return false;
    };
    let tables = transactions.tables;
    tables
        .header(request, HeaderName::Authorization)
        .or_else(|| tables.header(request, HeaderName::ProxyAuthorization))
        .is_some_and(|value| !is_name_only(&Digest::parse(value.as_bytes())))
}

/// Whether a login answers no challenge: its nonce is empty.
pub(in crate::call) fn is_name_only(login: &Digest<'_>) -> bool {
    login.nonce().is_some_and(<[u8]>::is_empty)
}
