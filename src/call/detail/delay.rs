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
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::dialog::{Dialog, dialogs};
use crate::call::transaction::pairing::{MessageIndex, TransactionIndex};
use crate::call::transaction::timer::HOPS_MAX;
use crate::capture::{FrameRef, Timestamp};
use crate::sip::{Method, StatusCode};

/// Two tries that begin within this time are branches of one fork: nobody waited for the first of them.
const FORK_MAX: Duration = Duration::from_millis(100);

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
    let alerted = transactions.steps().filter_map(|step| Some((step.index(), step.alerting?)));
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
    let step = transactions.hop(step);
    let Some(invite) = transactions.steps().next().unwrap_or(step).request() else {
        return Vec::new();
    };
    let (start, end) = (invite.time, transactions.message(sign).time);
    if end <= start {
        return Vec::new();
    }
    let mut walk = DelayWalk { transactions, stages: Vec::new(), reached: start, end };
    let tries: Vec<TransactionView<'_, '_>> = transactions.steps().collect();
    walk.tries(&tries, step);
    walk.descend(step, sign, 0);
    walk.stages
}

/// Whether a call has one hop on which nothing was repeated: its delay has one stage.
pub fn is_plain(call: &Call) -> bool {
    call.hops.len() == 1 && call.retransmissions == 0
}

/// The one stage of a [plain](is_plain) call, found without its transactions; `None` where [`stages`] is empty.
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
struct DelayWalk<'w, 'a> {
    transactions: &'w CallTransactions<'a>,
    stages: Vec<Stage>,
    reached: Timestamp,
    end: Timestamp,
}

impl<'w, 'a> DelayWalk<'w, 'a> {
    /// Adds the time up to a message, where there is any.
    fn until(&mut self, kind: StageKind, endpoint: EndpointId, code: u16, message: &Message) {
        let time = message.time.clamp(self.reached, self.end);
        if time <= self.reached {
            return;
        }
        self.stages.push(Stage { kind, endpoint, code, start: self.reached, end: time, ended_at: message.at });
        self.reached = time;
    }

    /// What one node tried before the try that rang.
    fn tries(&mut self, tries: &[TransactionView<'w, 'a>], winner: TransactionView<'w, 'a>) {
        let before = tries.iter().take_while(|hop| hop.index() != winner.index());
        for (this, next) in before.zip(tries.iter().skip(1)) {
            if let Some(request) = next.request() {
                self.lost_try(*this, next.source, request);
            }
        }
    }

    /// A try that came to nothing, until its sender, at `source`, sent the `next` one.
    fn lost_try(&mut self, this: TransactionView<'w, 'a>, source: EndpointId, next: &Message) {
        let Some(answer) = this.final_response().filter(|answer| answer.time <= next.time) else {
            let began = this.request().unwrap_or(this.first()).time;
            let (kind, endpoint) = if next.time.since(began) <= FORK_MAX {
                (StageKind::Forwarding, source)
            } else {
                (StageKind::SilentTry, farthest(this).destination)
            };
            return self.until(kind, endpoint, 0, next);
        };
        let status = answer.status();
        let kind = match status {
            Some(status) if is_challenge(status) => StageKind::Challenge,
            Some(status) if status.is_redirection() => StageKind::Redirection,
            _ => StageKind::FailedTry,
        };
        let code = status.map_or(0, |status| status.0);
        self.until(kind, farthest(this).destination, code, answer);
        self.until(StageKind::TurnRound, source, code, next);
    }

    /// What passed on one hop and behind it until its `sign` came.
    fn descend(&mut self, hop: TransactionView<'w, 'a>, sign: MessageIndex, depth: usize) {
        let children: Vec<TransactionView<'w, 'a>> =
            invites_behind(hop).filter(|child| child.index() > hop.index()).collect();
        self.unheard(hop, children.first().copied());
        let sign_message = self.transactions.message(sign);
        let rang = rang(&children, sign_message).filter(|_| depth < HOPS_MAX);
        let Some((winner, child_sign)) = rang else {
            return self.until(StageKind::Waiting, hop.destination, 0, sign_message);
        };
        if let Some(sent) = children.first().and_then(|child| child.request()) {
            self.until(StageKind::Forwarding, hop.destination, 0, sent);
        }
        self.tries(&children, winner);
        self.descend(winner, child_sign, depth + 1);
        self.until(StageKind::Returning, hop.destination, 0, sign_message);
    }

    /// The time up to the send that was the first to be heard, where the INVITE was repeated before anything came of it.
    fn unheard(&mut self, hop: TransactionView<'w, 'a>, child: Option<TransactionView<'w, 'a>>) {
        let Some(request) = hop.request.filter(|_| hop.sends > 1) else {
            return;
        };
        let reactions = [hop.trying, hop.alerting, hop.final_response, child.and_then(|child| child.request)];
        let Some(first_reaction) = reactions.into_iter().flatten().min() else {
            return;
        };
        let last = hop.sends().take_while(|(send, _)| *send < first_reaction).last();
        if let Some((_, last)) = last.filter(|(last, _)| *last > request) {
            self.until(StageKind::Unheard, hop.destination, 0, last);
        }
    }
}

/// The INVITEs that a node sent on, once for each target.
fn invites_behind<'w, 'a>(hop: TransactionView<'w, 'a>) -> impl Iterator<Item = TransactionView<'w, 'a>> {
    hop.children().filter(|child| child.method == Method::Invite && child.request.is_some())
}

/// The last hop of a try that came to nothing: the one that answered what was passed back, or that never answered.
fn farthest<'w, 'a>(lost: TransactionView<'w, 'a>) -> TransactionView<'w, 'a> {
    let mut hop = lost;
    for _ in 0..HOPS_MAX {
        let behind = invites_behind(hop).filter(|child| {
            let is_passed_back = child.status().is_none() || child.status() == hop.status();
            child.index() > hop.index() && is_passed_back
        });
        match behind.last() {
            Some(next) if hop.request.is_some() => hop = next,
            _ => break,
        }
    }
    hop
}

/// Which of the further hops brought the sign, and its own sign: the same response, else the first that rang in time.
fn rang<'w, 'a>(
    children: &[TransactionView<'w, 'a>],
    wanted: &Message,
) -> Option<(TransactionView<'w, 'a>, MessageIndex)> {
    let signs = || {
        let signs = |child: &TransactionView<'w, 'a>| {
            let child = *child;
            let signs = child.responses().filter(|(_, message)| is_sign(message));
            signs.map(move |(index, message)| (child, index, message))
        };
        children.iter().flat_map(signs)
    };
    let same = |message: &Message| {
        message.kind == wanted.kind && message.to_tag == wanted.to_tag && !wanted.to_tag.is_absent()
    };
    let relayed = signs().filter(|(_, _, message)| same(message)).min_by_key(|(_, _, message)| message.order());
    let in_time =
        || signs().filter(|(_, _, message)| message.time <= wanted.time).min_by_key(|(_, _, message)| message.order());
    relayed.or_else(in_time).map(|(child, index, _)| (child, index))
}

/// A response that says that the callee is being alerted, or that it answered.
fn is_sign(message: &Message) -> bool {
    let is_sign = |status: StatusCode| (180..190).contains(&status.0) || status.is_success();
    message.is_response_to(Method::Invite) && message.status().is_some_and(is_sign)
}
