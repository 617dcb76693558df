//! Post-dial delay, stage by stage: where the time passed between the first INVITE and the first sign of ringing.
//!
//! Sources: RFC 6076 section 4.3.1; RFC 3261 sections 8.1.3 (challenges, redirections), 16.6 to 16.8 (a proxy tries its targets)
//! and 17.1.1.2 (repeats).

use std::time::Duration;

use crate::call::outcome::call::Call;
use crate::call::store::endpoint::EndpointId;
use crate::call::store::message::Message;
use crate::call::store::message_store::MessageStore;
use crate::call::transaction::call_id_parts::is_challenge;
use crate::call::transaction::call_transactions::CallTransactions;
use crate::call::transaction::dialog::{Dialog, dialogs};
use crate::call::transaction::transaction::{MessageIndex, Transaction, TransactionIndex};
use crate::capture::{FrameRef, Timestamp};
use crate::sip::{Method, StatusCode};

/// Two tries that begin within this time are branches of one fork: nobody waited for the first of them.
const FORK_MAX: Duration = Duration::from_millis(100);
/// Hops followed towards the callee (RFC 3261 section 16.6 allows 70).
const HOPS_MAX: usize = 70;

/// What a part of the delay was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StageKind {
    /// Until a node asked for a login: 401 or 407.
    Challenge,
    /// Until a node named another target: 3xx.
    Redirection,
    /// Until a try was refused by any other final response.
    FailedTry,
    /// Until the sender of a try that got no final response went on without it.
    SilentTry,
    /// Until the sender of a try that had ended sent the next one.
    TurnRound,
    /// Until the send of a repeated INVITE that was the first to be heard.
    Unheard,
    /// Until a node sent the INVITE on.
    Forwarding,
    /// Until the last node that the capture shows, or what lies behind it, rang or answered.
    Waiting,
    /// Until a node passed the ringing or the answer on towards the caller.
    Returning,
}

impl StageKind {
    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Redirection => "redirection",
            Self::FailedTry => "failed-try",
            Self::SilentTry => "silent-try",
            Self::TurnRound => "turn-round",
            Self::Unheard => "unheard",
            Self::Forwarding => "forwarding",
            Self::Waiting => "waiting",
            Self::Returning => "returning",
        }
    }
}

/// A part of the delay; stages follow one another without gaps, and none is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// What the time was spent on.
    pub kind: StageKind,
    /// The node at which it passed: who was waited for, or who took its time.
    pub endpoint: EndpointId,
    /// The final response that ended a try, or that a turn-round follows; 0 where there was none.
    pub code: u16,
    /// Begin: the first INVITE, or the end of the stage before.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// Frame of the message that ended it.
    pub ended_at: FrameRef,
}

impl Stage {
    /// How long it took, in milliseconds.
    pub fn millis(&self) -> f64 {
        self.end.millis_since(self.start)
    }
}

/// The first sign next to the caller that the call got through: the first 18x, or the 2xx of the dialog that carried the call.
pub fn first_sign(
    transactions: &CallTransactions<'_>,
    dialog: Option<&Dialog>,
) -> Option<(TransactionIndex, MessageIndex)> {
    let alerted = transactions.chain.iter().filter_map(|step| Some((*step, transactions.transaction(*step).alerting?)));
    let answered = dialog.map(|dialog| (dialog.invite, dialog.answer));
    alerted.chain(answered).min_by_key(|(_, sign)| transactions.message(*sign).order())
}

/// The stages of the post-dial delay in the order of time; together they last exactly as long as it does.
///
/// Empty where the capture holds no sign of ringing or of an answer. Where messages of several capture points contradict each
/// other, a stage is cut so that none overlaps another.
pub fn stages(transactions: &CallTransactions<'_>) -> Vec<Stage> {
    let dialogs = dialogs(transactions);
    let Some((step, sign)) = first_sign(transactions, dialogs.first()) else {
        return Vec::new();
    };
    let first = transactions.chain.first().copied().unwrap_or(step);
    let Some(invite) = transactions.transaction(first).request else {
        return Vec::new();
    };
    let (start, end) = (transactions.message(invite).time, transactions.message(sign).time);
    if end <= start {
        return Vec::new();
    }
    let mut walk = Walk { transactions, stages: Vec::new(), reached: start, end };
    let tries: Vec<TransactionIndex> = transactions.chain.clone();
    walk.tries(&tries, step);
    walk.descend(step, sign, 0);
    walk.stages
}

/// Whether a call has one hop on which nothing was repeated: its delay has one stage.
pub fn is_plain(call: &Call) -> bool {
    call.hops.len() == 1 && call.retransmissions == 0
}

/// The one stage of a [plain](is_plain) call, found without taking it apart; `None` where [`stages`] is empty.
pub fn only_stage(call: &Call, store: &MessageStore) -> Option<Stage> {
    let (hop, leg) = (call.hops.first()?, call.legs.first()?);
    let times = &call.milestones;
    let start = times.invited?;
    let end = [times.alerted, times.answered].into_iter().flatten().min()?;
    let messages = store.messages_of(leg);
    let sign = messages.iter().find(|message| message.time == end && is_sign(message) && !message.flags.is_copy())?;
    (end > start).then_some(Stage {
        kind: StageKind::Waiting,
        endpoint: hop.destination,
        code: 0,
        start,
        end,
        ended_at: sign.at,
    })
}

/// A walk along the hops to the one that rang; `reached` is the end of the last stage.
struct Walk<'w, 'a> {
    transactions: &'w CallTransactions<'a>,
    stages: Vec<Stage>,
    reached: Timestamp,
    end: Timestamp,
}

impl Walk<'_, '_> {
    /// Files the time up to a message, where there is any.
    fn until(&mut self, kind: StageKind, endpoint: EndpointId, code: u16, message: MessageIndex) {
        let message = self.transactions.message(message);
        let time = message.time.clamp(self.reached, self.end);
        if time <= self.reached {
            return;
        }
        self.stages.push(Stage { kind, endpoint, code, start: self.reached, end: time, ended_at: message.at });
        self.reached = time;
    }

    /// What one node tried before the try that rang.
    fn tries(&mut self, tries: &[TransactionIndex], winner: TransactionIndex) {
        let before = tries.iter().take_while(|index| **index != winner);
        let next = tries.iter().skip(1);
        for (this, next) in before.zip(next) {
            let (this, next) = (*self.transactions.transaction(*this), *self.transactions.transaction(*next));
            if let Some(next_request) = next.request {
                self.lost_try(&this, &next, next_request);
            }
        }
    }

    fn lost_try(&mut self, this: &Transaction, next: &Transaction, next_request: MessageIndex) {
        let time = |index: MessageIndex| self.transactions.message(index).time;
        let went_on = time(next_request);
        let answer = this.final_response.filter(|answer| time(*answer) <= went_on);
        let Some(answer) = answer else {
            let began = time(this.request.unwrap_or(this.first));
            let (kind, endpoint) = if went_on.since(began) <= FORK_MAX {
                (StageKind::Forwarding, next.source)
            } else {
                (StageKind::SilentTry, self.farthest(this).destination)
            };
            return self.until(kind, endpoint, 0, next_request);
        };
        let status = self.transactions.message(answer).status();
        let kind = match status {
            Some(status) if is_challenge(status) => StageKind::Challenge,
            Some(status) if status.is_redirection() => StageKind::Redirection,
            _ => StageKind::FailedTry,
        };
        let code = status.map_or(0, |status| status.0);
        let refuser = self.farthest(this).destination;
        self.until(kind, refuser, code, answer);
        self.until(StageKind::TurnRound, next.source, code, next_request);
    }

    /// The last hop of a try that came to nothing: the one that answered what was passed back, or that never answered.
    fn farthest(&self, lost: &Transaction) -> Transaction {
        let code = |t: &Transaction| self.transactions.final_status(t).map(|status| status.0);
        let mut hop = *lost;
        for _ in 0..HOPS_MAX {
            let Some(place) = hop.request.and_then(|request| {
                let owner = self.transactions.owner.get(request.0 as usize)?;
                Some(*owner)
            }) else {
                break;
            };
            let behind = self
                .transactions
                .children(place)
                .filter(|(_, t)| t.method == Method::Invite && t.request.is_some())
                .filter(|(index, t)| *index > place && (code(t).is_none() || code(t) == code(&hop)))
                .last();
            match behind {
                Some((_, next)) => hop = *next,
                None => break,
            }
        }
        hop
    }

    /// What passed on one hop and behind it until its `sign` came.
    fn descend(&mut self, hop: TransactionIndex, sign: MessageIndex, depth: usize) {
        let transaction = *self.transactions.transaction(hop);
        let children: Vec<TransactionIndex> = self
            .transactions
            .children(hop)
            .filter(|(index, t)| *index > hop && t.method == Method::Invite && t.request.is_some())
            .map(|(index, _)| index)
            .collect();
        self.unheard(hop, &transaction, children.first().copied());
        let rang = self.rang(&children, sign).filter(|_| depth < HOPS_MAX);
        let Some((winner, child_sign)) = rang else {
            return self.until(StageKind::Waiting, transaction.destination, 0, sign);
        };
        let first_sent = children.first().and_then(|child| self.transactions.transaction(*child).request);
        if let Some(sent) = first_sent {
            self.until(StageKind::Forwarding, transaction.destination, 0, sent);
        }
        self.tries(&children, winner);
        self.descend(winner, child_sign, depth + 1);
        self.until(StageKind::Returning, transaction.destination, 0, sign);
    }

    /// The time up to the send that was the first to be heard, where the INVITE was repeated before anything came of it.
    fn unheard(&mut self, hop: TransactionIndex, t: &Transaction, child: Option<TransactionIndex>) {
        let Some(request) = t.request.filter(|_| t.sends > 1) else {
            return;
        };
        let sent_on = child.and_then(|child| self.transactions.transaction(child).request);
        let reactions = [t.trying, t.alerting, t.final_response, sent_on];
        let Some(heard) = reactions.into_iter().flatten().min() else {
            return;
        };
        let sends = self.transactions.sends_of(hop).map(|(index, _)| index);
        let last = sends.take_while(|send| *send < heard).last();
        if let Some(last) = last.filter(|last| *last > request) {
            self.until(StageKind::Unheard, t.destination, 0, last);
        }
    }

    /// Which of the further hops brought the sign, and its own sign: the same response, else the first that rang in time.
    fn rang(&self, children: &[TransactionIndex], sign: MessageIndex) -> Option<(TransactionIndex, MessageIndex)> {
        let wanted = self.transactions.message(sign);
        let signs = || {
            children.iter().flat_map(|child| {
                let responses = self.transactions.responses_of(*child);
                responses.filter(|(_, message)| is_sign(message)).map(|(index, message)| (*child, index, message))
            })
        };
        let same = |message: &Message| {
            message.kind == wanted.kind && message.to_tag == wanted.to_tag && !wanted.to_tag.is_absent()
        };
        let relayed = signs().filter(|(_, _, message)| same(message)).min_by_key(|(_, _, message)| message.order());
        let in_time = || {
            signs().filter(|(_, _, message)| message.time <= wanted.time).min_by_key(|(_, _, message)| message.order())
        };
        relayed.or_else(in_time).map(|(child, index, _)| (child, index))
    }
}

/// A response that says that the callee is being alerted, or that it answered.
fn is_sign(message: &Message) -> bool {
    let tells = |status: StatusCode| (180..190).contains(&status.0) || status.is_success();
    message.is_response_to(Method::Invite) && message.status().is_some_and(tells)
}
