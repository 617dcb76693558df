//! Abnormal endings of answered calls, and who stopped the ringing of the others.
//!
//! Sources: RFC 3261 sections 13.3.1.4 (2xx repeated until the ACK comes), 15; RFC 4028 section 10 (session timer);
//! RFC 3326 and Q.850 (causes that a person never sends).

use std::time::Duration;

use crate::call::outcome::reason::Cause;
use crate::call::outcome::refresh;
use crate::call::store::message::Message;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::dialog::Dialog;
use crate::call::transaction::pairing::{MessageIndex, Transaction, TransactionIndex};
use crate::capture::Timestamp;
use crate::sip::{HeaderName, Method, StatusCode};

/// Sends of one 2xx after which its ACK counts as lost: the first and three repeats.
pub(in crate::call) const ACK_LOST_SENDS: u32 = 4;
/// When a callee that never got the ACK hangs up: 64 × T1 after its first 2xx, give or take a slow stack.
pub(in crate::call) const ACK_LOST_BYE: (Duration, Duration) = (Duration::from_secs(28), Duration::from_secs(40));
/// Repeats of a 2xx behind an ACK that was captured, after which the ACK was lost or refused behind the capture point.
const UNHEARD_ACK_SENDS: usize = 3;
/// How soon a callee whose stack gives up early hangs up after its last 2xx.
const ACK_GIVE_UP_WAIT: Duration = Duration::from_secs(6);
/// Sends of a 2xx by which its stack has run its timer for at least 7 s.
const ACK_GIVE_UP_SENDS: u32 = 6;
/// The shortest talk that a fault in the middle of a call can end.
const TALK_MIN: Duration = Duration::from_secs(2);
/// How far apart a node between the parties hangs up on one and on the other.
const BOTH_SIDES_WAIT: Duration = Duration::from_millis(500);
/// How soon a side hangs up because a request of its own in the call was refused.
const GIVE_UP_WAIT: Duration = Duration::from_secs(3);

/// Why an answered call counts as dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropCause {
    /// The 2xx was repeated and no ACK came to the node that answered.
    AckLost {
        /// The INVITE transaction of the hop nearest to the answerer.
        hop: TransactionIndex,
    },
    /// Nobody refreshed the session within its interval.
    SessionTimer {
        /// The BYE that ended it.
        bye: TransactionIndex,
        /// The interval in force, in seconds.
        interval_seconds: u32,
        /// The message that set it.
        set_by: MessageIndex,
    },
    /// A request that should have refreshed the session failed, and its sender hung up.
    RefreshFailed {
        /// The failed request.
        request: TransactionIndex,
        /// The BYE that ended it.
        bye: TransactionIndex,
    },
    /// The BYE names a cause that no person sends, or a node between the parties hung up on both of them.
    Network {
        /// The BYE.
        bye: TransactionIndex,
    },
    /// A request inside the call was answered as if there were no such call, and the call ended.
    NoSuchCall {
        /// The refused request.
        request: TransactionIndex,
    },
    /// The BYE was repeated and never answered; the talk itself was over.
    ByeUnanswered {
        /// The BYE.
        bye: TransactionIndex,
    },
}

/// When the callee was first heard ringing, and when that ended: by an answer, a refusal or the caller's CANCEL.
pub fn ring(transactions: &CallTransactions<'_>) -> Option<(Timestamp, Timestamp)> {
    let step = transactions.deciding_step()?;
    let start = transactions.message(step.ringing.or(step.alerting)?).time;
    let cancel = transactions.all().find(|hop| hop.method == Method::Cancel && hop.via == step.via);
    let cancel = cancel.and_then(|cancel| cancel.request);
    let ends = [step.final_response, cancel];
    let end = ends.into_iter().flatten().map(|end| transactions.message(end).time).min()?;
    (end >= start).then_some((start, end))
}

/// The CANCEL that a node behind the caller sent on a further hop although the caller had not cancelled.
pub fn proxy_cancel(transactions: &CallTransactions<'_>, step: TransactionIndex) -> Option<TransactionIndex> {
    let own_via = transactions.hop(step).via;
    let mut cancels = transactions.all().filter(|hop| hop.method == Method::Cancel);
    if cancels.any(|cancel| cancel.via == own_via) {
        return None;
    }
    let mut cancels = transactions.all().filter(|hop| hop.method == Method::Cancel);
    cancels.find(|cancel| cancel.request.is_some()).map(TransactionView::index)
}

/// Why the call that `dialog` carried was cut, where it was.
pub fn drop_cause(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<DropCause> {
    ack_lost(transactions, dialog)
        .or_else(|| session_timer(transactions, dialog))
        .or_else(|| network(transactions, dialog))
        .or_else(|| no_such_call(transactions, dialog))
        .or_else(|| refresh_failed(transactions, dialog))
        .or_else(|| bye_unanswered(transactions, dialog))
}

fn session_timer(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<DropCause> {
    let interval = refresh::expired_interval(transactions, dialog)?;
    let (interval_seconds, set_by) = (interval.seconds, interval.set_by);
    Some(DropCause::SessionTimer { bye: dialog.bye?, interval_seconds, set_by })
}

fn refresh_failed(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<DropCause> {
    let request = refresh::failed_refresh(transactions, dialog)?;
    Some(DropCause::RefreshFailed { request, bye: dialog.bye? })
}

/// The hop nearest to the answerer: the deepest one that was answered with the same 2xx.
pub fn answering_hop(transactions: &CallTransactions<'_>, dialog: &Dialog) -> TransactionIndex {
    let mut hop = transactions.hop(dialog.invite);
    let is_same =
        |answer: &Message| answer.status().is_some_and(StatusCode::is_success) && answer.to_tag == dialog.to_tag;
    // Each round goes one Via value deeper, so it ends.
    while let Some(child) = hop.children().find(|child| child.final_response().is_some_and(is_same))
        && child.index() > hop.index()
    {
        hop = child;
    }
    hop.index()
}

fn ack_lost(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<DropCause> {
    let hop = answering_hop(transactions, dialog);
    if !is_ack_missed(transactions, hop) {
        return None;
    }
    let invite = transactions.hop(hop);
    let answered = invite.final_response()?.time;
    let repeated = transactions.message(invite.last_final?).time;
    let bye = transactions.hop(dialog.bye?).request()?;
    let in_time = (ACK_LOST_BYE.0..=ACK_LOST_BYE.1).contains(&bye.time.since(answered))
        || invite.final_sends >= ACK_GIVE_UP_SENDS
            && bye.time >= repeated
            && bye.time.since(repeated) <= ACK_GIVE_UP_WAIT;
    let by_callee = bye.from_tag == dialog.to_tag;
    (by_callee && in_time).then_some(DropCause::AckLost { hop })
}

/// Whether the node that answered on a hop repeated its 2xx as it does while the ACK does not reach it.
///
/// An ACK that is seen on the way to it counts for nothing where it goes on repeating: it was lost, or refused, behind the
/// capture point.
pub fn is_ack_missed(transactions: &CallTransactions<'_>, hop: TransactionIndex) -> bool {
    let invite = transactions.hop(hop);
    if !invite.is_success() || invite.final_sends < ACK_LOST_SENDS {
        return false;
    }
    let Some(ack) = first_ack(transactions, &invite) else {
        return true;
    };
    let repeats = invite
        .responses()
        .filter(|(_, message)| message.status().is_some_and(StatusCode::is_success) && message.time > ack.time);
    repeats.count() >= UNHEARD_ACK_SENDS
}

/// The first ACK that reached the node which answered on a hop, and was the one that it waited for.
fn first_ack<'a>(transactions: &CallTransactions<'a>, invite: &Transaction) -> Option<&'a Message> {
    let answer = invite.final_response?;
    let node = transactions.tables.node(invite.destination);
    let tag = transactions.message(answer).to_tag;
    let mut messages = transactions.originals();
    let ack = messages.find(|(index, message)| {
        message.is_request(Method::Ack)
            && *index > answer
            && message.cseq == invite.cseq
            && message.to_tag == tag
            && transactions.tables.node(message.destination) == node
    });
    ack.map(|(_, message)| message)
}

fn network(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<DropCause> {
    let bye = dialog.bye?;
    let message = transactions.hop(bye).request()?;
    let talked = message.time.since(transactions.message(dialog.answer).time);
    let by_machine = names_network_cause(transactions, message) || second_bye(transactions, dialog).is_some();
    (talked >= TALK_MIN && by_machine).then_some(DropCause::Network { bye })
}

/// The BYE to the other party where a node between the parties hangs up on both although neither had hung up.
pub fn second_bye(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<TransactionIndex> {
    let edge = transactions.hop(dialog.invite);
    let (caller, middle) = edge.nodes();
    let is_between = edge.children().any(|hop| hop.source_node() == middle && hop.destination_node() != caller);
    let is_transfer = transactions.all().any(|hop| hop.method == Method::Refer);
    if !is_between || is_transfer {
        return None;
    }
    // The first two decide.
    let mut byes = transactions.all().filter(|hop| hop.method == Method::Bye && hop.request.is_some());
    let (first, second) = (byes.next()?, byes.next()?);
    let (a, b) = (first.request()?, second.request()?);
    let ends = [first.destination_node(), second.destination_node()];
    let from_middle = first.source_node() == middle && second.source_node() == middle;
    let to_both = ends[0] != ends[1] && !ends.contains(&middle) && a.from_tag != b.from_tag;
    // A BYE that is passed on has the Via of the side that hung up below its own.
    let is_own = |bye: TransactionView<'_, '_>| transactions.tables.vias.get(bye.via).depth == 1;
    let are_own = is_own(first) && is_own(second);
    (from_middle && to_both && are_own && b.time.since(a.time) <= BOTH_SIDES_WAIT).then_some(second.index())
}

/// Whether a BYE says that a machine ended the call: a Q.850 cause other than those of a normal end, or a failure code.
pub fn names_network_cause(transactions: &CallTransactions<'_>, bye: &Message) -> bool {
    let cause = Cause::of(transactions.tables, bye);
    // 16 normal clearing, 17 busy, 19 no answer (both from transfers and pick-ups), 31 normal unspecified.
    let by_q850 = cause.q850.is_some_and(|code| code != 0 && !matches!(code, 16 | 17 | 19 | 31));
    let by_sip = cause.sip.is_some_and(|code| (400..700).contains(&code) && !matches!(code, 486 | 487 | 600 | 603));
    let text = || {
        transactions
            .tables
            .header_values(bye, HeaderName::Reason)
            .any(|reason| reason.to_ascii_lowercase().starts_with("preemption"))
    };
    // 1 is a user who ends the call, 6 and 7 belong to calls that are not answered yet.
    let by_release = cause.release.is_some_and(|code| (2..=5).contains(&code));
    by_q850 || by_sip || by_release || cause.has_other && text()
}

fn no_such_call(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<DropCause> {
    let bye = transactions.hop(dialog.bye?).request()?;
    let refused = transactions.all().find(|hop| {
        let is_inside =
            hop.request > Some(dialog.answer) && hop.request().is_some_and(|request| request.time <= bye.time);
        let changes = matches!(hop.method, Method::Invite | Method::Update | Method::Info) && !hop.is_initial();
        let is_gone = hop.status().is_some_and(|status| matches!(status.0, 481 | 408));
        let gave_up = hop.final_response().is_some_and(|answer| bye.time.since(answer.time) <= GIVE_UP_WAIT);
        is_inside && changes && is_gone && gave_up
    });
    refused.map(|hop| DropCause::NoSuchCall { request: hop.index() })
}

fn bye_unanswered(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<DropCause> {
    let bye = dialog.bye?;
    let transaction = transactions.transaction(bye);
    (transaction.sends >= ACK_LOST_SENDS && transaction.final_response.is_none())
        .then_some(DropCause::ByeUnanswered { bye })
}
