//! What one Call-ID holds: perhaps several calls, a registration and others beside them.
//!
//! A call is an attempt chain with its dialogs: the first INVITE, its retries after a challenge, a redirection or a refusal
//! that a changed request cures, and failovers. A new From tag, or a new INVITE after the call had ended, is a new call.

use std::time::Duration;

use crate::call::store::message::Message;
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::call::transaction::pairing::{Pairing, Transaction, TransactionIndex, pair};
use crate::call::transaction::timer::TIMER_C;
use crate::capture::Timestamp;
use crate::sip::{Method, StatusCode};

/// How long after a failure the next INVITE still counts as the same attempt on another route.
pub const FAILOVER_WAIT: Duration = Duration::from_secs(5);
/// How long a caller may take to answer a challenge or to follow a redirection.
pub const RETRY_WAIT: Duration = Duration::from_secs(60);
/// How long a B2BUA may take to send its own INVITE.
pub(in crate::call) const LEG_WAIT: Duration = Duration::from_secs(3);
/// Tags kept of one call; a forged Call-ID may carry a new one in each message.
const TAGS_MAX: usize = 64;
/// Calls distinguished under one Call-ID; the rest joins the last one.
const CALLS_MAX: usize = 4096;

/// What the messages of one part are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A call, or what the capture holds of one.
    Call,
    /// REGISTER requests and their responses.
    Registration,
    /// Requests outside any call, of one method.
    Other(Method),
}

/// The parts of one Call-ID, and for each of its transactions the part that it belongs to.
#[derive(Debug)]
pub(in crate::call) struct CallIdParts {
    /// In the order of their first message.
    pub kinds: Vec<PartKind>,
    /// Index into `kinds` for each transaction.
    of_transaction: Vec<u32>,
    /// The transactions of all messages.
    pub pairing: Pairing,
}

impl CallIdParts {
    /// Index into `kinds` for each message.
    pub(in crate::call) fn of_messages(&self) -> impl Iterator<Item = u32> + '_ {
        let owners = self.pairing.owner.iter();
        owners.map(|owner| self.of_transaction[owner.0 as usize])
    }
}

/// A call while its Call-ID is being sorted.
struct OpenCall {
    part: u32,
    from_tag: TextId,
    tags: Vec<TextId>,
    last: TransactionIndex,
    started: Timestamp,
}

/// Says what the messages of one Call-ID, in the order of capture, belong to.
pub(in crate::call) fn classify_group(messages: &[&Message], tables: &Tables) -> CallIdParts {
    let pairing = pair(messages, tables);
    let mut sorter = PartSorter {
        messages,
        tables,
        pairing: &pairing,
        kinds: Vec::new(),
        calls: Vec::new(),
        of_transaction: Vec::with_capacity(pairing.transactions.len()),
    };
    for place in 0..pairing.transactions.len() {
        let part = sorter.place(TransactionIndex(place as u32));
        sorter.of_transaction.push(part);
    }
    CallIdParts { kinds: sorter.kinds, of_transaction: sorter.of_transaction, pairing }
}

struct PartSorter<'a> {
    messages: &'a [&'a Message],
    tables: &'a Tables,
    pairing: &'a Pairing,
    kinds: Vec<PartKind>,
    calls: Vec<OpenCall>,
    of_transaction: Vec<u32>,
}

impl PartSorter<'_> {
    fn place(&mut self, index: TransactionIndex) -> u32 {
        let transaction = &self.pairing.transactions[index.0 as usize];
        let first = self.messages[transaction.first.0 as usize];
        let is_inside = first.method().is_some() && !first.to_tag.is_absent()
            || transaction.request.is_none() && first.method().is_none();
        let part = match transaction.method {
            Method::Register => self.own(PartKind::Registration),
            Method::Invite if transaction.request.is_some() && !self.request_has_to_tag(transaction) => {
                self.initial(index)
            }
            Method::Invite | Method::Ack | Method::Bye | Method::Cancel | Method::Prack | Method::Update => {
                self.inside(transaction, true)
            }
            Method::Subscribe | Method::Publish => self.other(transaction),
            _ if is_inside => self.inside(transaction, false),
            _ => self.other(transaction),
        };
        self.learn_tags(index, part);
        part
    }

    fn request_has_to_tag(&self, transaction: &Transaction) -> bool {
        transaction.request.is_some_and(|request| !self.messages[request.0 as usize].to_tag.is_absent())
    }

    fn own(&mut self, kind: PartKind) -> u32 {
        let known = self.kinds.iter().position(|known| *known == kind);
        known.unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        }) as u32
    }

    fn other(&mut self, transaction: &Transaction) -> u32 {
        self.own(PartKind::Other(transaction.method))
    }

    /// An INVITE without To tag: a hop or a retry of a call that is known, or a new call.
    fn initial(&mut self, index: TransactionIndex) -> u32 {
        let transaction = &self.pairing.transactions[index.0 as usize];
        if let Some(parent) = transaction.parent.filter(|parent| parent.0 < index.0) {
            return self.of_transaction[parent.0 as usize];
        }
        let first = self.messages[transaction.first.0 as usize];
        let continued = (0..self.calls.len()).rev().find(|&call| self.continues(call, index, first));
        if let Some(call) = continued {
            self.calls[call].last = index;
            return self.calls[call].part;
        }
        self.new_call(first, index)
    }

    fn new_call(&mut self, first: &Message, index: TransactionIndex) -> u32 {
        if self.calls.len() >= CALLS_MAX {
            return self.calls.last().map_or(0, |call| call.part);
        }
        self.kinds.push(PartKind::Call);
        let part = (self.kinds.len() - 1) as u32;
        // Most calls have two: the caller's and the callee's.
        let mut tags = Vec::with_capacity(2);
        tags.push(first.from_tag);
        self.calls.push(OpenCall { part, from_tag: first.from_tag, tags, last: index, started: first.time });
        part
    }

    fn continues(&self, call: usize, index: TransactionIndex, first: &Message) -> bool {
        let call = &self.calls[call];
        let last = &self.pairing.transactions[call.last.0 as usize];
        let transaction = &self.pairing.transactions[index.0 as usize];
        // The final response of the last try may come later in the capture than this INVITE: then it is no reason yet.
        let answered = last.final_response.filter(|answer| *answer < transaction.first);
        let answer = answered.map(|answer| self.messages[answer.0 as usize]);
        let status = answer.and_then(Message::status);
        let gap = first.time.since(answer.map_or(self.messages[last.last.0 as usize].time, |answer| answer.time));
        let same_node = self.tables.node(last.source) == self.tables.node(transaction.source);
        if call.from_tag != first.from_tag {
            let relayed = self.tables.node(last.destination) == self.tables.node(transaction.source)
                && self.tables.node(last.source) != self.tables.node(transaction.destination);
            // A B2BUA that keeps the Call-ID sends its own leg while the first one is pending.
            let is_leg = relayed && status.is_none() && gap <= LEG_WAIT;
            let is_login =
                status.is_some_and(is_challenge) && same_node && transaction.cseq == last.cseq.wrapping_add(1);
            return is_leg || is_login && gap <= FAILOVER_WAIT;
        }
        match status {
            None => gap <= TIMER_C,
            Some(status) if status.is_success() => transaction.cseq == last.cseq && gap <= FAILOVER_WAIT,
            Some(status) if is_step(status) => gap <= RETRY_WAIT,
            Some(_) => gap <= FAILOVER_WAIT,
        }
    }

    /// A request or response inside a dialog, or one that only a pending INVITE explains.
    fn inside(&mut self, transaction: &Transaction, is_call_only: bool) -> u32 {
        let first = self.messages[transaction.first.0 as usize];
        let by_branch = self.pairing.transactions.iter().position(|known| {
            known.method == Method::Invite
                && known.via == transaction.via
                && known.cseq == transaction.cseq
                && !known.via.is_empty()
        });
        if transaction.method != Method::Invite
            && let Some(part) = by_branch.and_then(|known| self.of_transaction.get(known))
        {
            return *part;
        }
        let has = |call: &&OpenCall, tag: TextId| !tag.is_absent() && call.tags.contains(&tag);
        let both = self.calls.iter().rev().find(|call| has(call, first.from_tag) && has(call, first.to_tag));
        let one = || self.calls.iter().rev().find(|call| has(call, first.from_tag) || has(call, first.to_tag));
        let latest = || self.calls.iter().rev().find(|call| is_call_only && call.started <= first.time);
        if let Some(call) = both.or_else(one).or_else(latest) {
            return call.part;
        }
        if is_call_only || self.kinds.contains(&PartKind::Call) || matches!(transaction.method, Method::Info) {
            let index = TransactionIndex(self.of_transaction.len() as u32);
            return self.new_call(first, index);
        }
        self.other(transaction)
    }

    fn learn_tags(&mut self, index: TransactionIndex, part: u32) {
        let Some(call) = self.calls.iter_mut().rev().find(|call| call.part == part) else {
            return;
        };
        let transaction = &self.pairing.transactions[index.0 as usize];
        for place in [Some(transaction.first), transaction.alerting, transaction.final_response].into_iter().flatten() {
            let message = self.messages[place.0 as usize];
            for tag in [message.from_tag, message.to_tag] {
                if !tag.is_absent() && call.tags.len() < TAGS_MAX && !call.tags.contains(&tag) {
                    call.tags.push(tag);
                }
            }
        }
    }
}

/// 401 and 407: the same request with credentials is the same attempt (RFC 3261 section 22).
pub fn is_challenge(status: StatusCode) -> bool {
    matches!(status.0, 401 | 407)
}

/// Final responses that a caller answers with a changed request (RFC 3261 section 8.1.3.5, RFC 4028 section 7.3).
pub fn is_step(status: StatusCode) -> bool {
    is_challenge(status)
        || status.is_redirection()
        || matches!(status.0, 413 | 415 | 416 | 420 | 421 | 422 | 428 | 436 | 438 | 494)
}
