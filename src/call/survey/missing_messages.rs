//! Missing messages: those that were sent and that the capture lacks, as what it holds of the same Call-ID gives away.
//!
//! A response has a request, an ACK a response, a tag somebody who gave it, the numbers of CSeq follow each other, and a request
//! over UDP is repeated until it is answered, at times that double.
//! Sources: RFC 3261 sections 8.1.1.5 (CSeq), 8.1.1.7 (branch), 12.1 (tags), 17 (transactions and their timers).

use std::collections::HashMap;
use std::time::Duration;

use crate::call::store::endpoint::{NodeId, NodePair};
use crate::call::store::fast_map::FastMap;
use crate::call::store::message::Message;
use crate::call::store::message_store::MessageStore;
use crate::call::store::tables::Tables;
use crate::call::transaction::timer::{REQUEST_ANSWER_WAIT, answer_wait};
use crate::capture::Timestamp;
use crate::sip::Method;

/// When a request that was sent once would have been sent again: T1 up to 2 s.
const REPEAT_WAIT: Duration = Duration::from_secs(2);
/// How much longer than the gap before it a gap between repeats is at most; beyond that a repeat between them is missing.
const GAP_GROWTH_MAX: f64 = 2.7;
/// Shorter gaps are no timer's: stacks use a T1 of 50 ms and more.
const GAP_MIN_SECONDS: f64 = 0.04;
/// A longer gap is somebody trying again: the last one of timer A lasts 16 s.
const GAP_MAX_SECONDS: f64 = 25.0;
/// CSeq numbers that a gap leaves out at most; a wider gap is the sender's own way of counting.
const LEFT_OUT_MAX: u32 = 3;
/// One of so many messages that is missing shows a direction, or a kind of traffic, that was not captured at all.
const SYSTEMATIC_SHARE: u32 = 3;
/// Call-IDs that are looked at: what is missing by chance is missing everywhere.
const GROUPS_MAX: usize = 5_000;
/// Messages of one Call-ID that are looked at.
const GROUP_MAX: usize = 256;

/// Messages that were sent and not captured, beside those that were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MissedCount {
    /// Messages that must have been sent and are not in the capture; more may lack that nothing gives away.
    pub missed: u32,
    /// Messages in the capture, copies left out.
    pub seen: u32,
}

impl MissedCount {
    fn add(&mut self, other: Self) {
        self.missed += other.missed;
        self.seen += other.seen;
    }

    /// Whether of each `share` messages at least one was missed.
    pub fn is_at_least_one_in(self, share: u32) -> bool {
        self.missed > 0 && u64::from(self.missed) * u64::from(share) >= u64::from(self.seen)
    }
}

type ByPair = FastMap<NodePair, MissedCount>;

/// What the capture lacks between which nodes.
#[derive(Debug, Default)]
pub struct MissingMessages {
    by_pair: ByPair,
    by_node: FastMap<NodeId, MissedCount>,
    total: MissedCount,
}

impl MissingMessages {
    /// Reads a store, of very many Call-IDs a fair share; `start` is when the capture began.
    pub fn of(store: &MessageStore, start: Timestamp) -> Self {
        let mut by_pair = ByPair::default();
        let step = store.groups.len().div_ceil(GROUPS_MAX).max(1);
        for range in store.groups.iter().step_by(step) {
            look(store.messages_of(*range), &store.tables, start, &mut by_pair);
        }
        let mut by_node: FastMap<NodeId, MissedCount> = HashMap::default();
        for ((a, b), count) in &by_pair {
            by_node.entry(*a).or_default().add(*count);
            if a != b {
                by_node.entry(*b).or_default().add(*count);
            }
        }
        let mut total = MissedCount::default();
        // Where nearly everything is missing, it is not chance: the capture holds one direction, or a part of the transports.
        for count in by_pair.values().filter(|count| !count.is_at_least_one_in(SYSTEMATIC_SHARE)) {
            total.add(*count);
        }
        Self { by_pair, by_node, total }
    }

    /// What it lacks between two nodes, both ways.
    pub fn between(&self, a: NodeId, b: NodeId) -> MissedCount {
        self.by_pair.get(&(a.min(b), a.max(b))).copied().unwrap_or_default()
    }

    /// What it lacks of a node, whomever it spoke with.
    pub fn at(&self, node: NodeId) -> MissedCount {
        self.by_node.get(&node).copied().unwrap_or_default()
    }

    /// What it lacks in all, pairs left out of which it holds no more than one direction.
    pub fn total(&self) -> MissedCount {
        self.total
    }
}

/// A message with the key of its transaction.
#[derive(Clone, Copy)]
struct KeyedMessage<'a> {
    message: &'a Message,
    key: u64,
    from: NodeId,
    to: NodeId,
}

impl KeyedMessage<'_> {
    /// The two nodes, whoever of them spoke.
    fn pair(&self) -> NodePair {
        (self.from.min(self.to), self.from.max(self.to))
    }
}

/// How many messages the capture must lack of one part of a Call-ID, whose messages are in the order of capture.
pub fn missed_in(messages: &[Message], tables: &Tables, start: Timestamp) -> u32 {
    let mut by_pair = ByPair::default();
    look(messages, tables, start, &mut by_pair);
    by_pair.values().map(|count| count.missed).sum()
}

fn look(messages: &[Message], tables: &Tables, start: Timestamp, by_pair: &mut ByPair) {
    let messages = &messages[..messages.len().min(GROUP_MAX)];
    let mut keyed: Vec<KeyedMessage<'_>> = Vec::with_capacity(messages.len());
    let originals = messages.iter().filter(|message| !message.flags.is_copy());
    keyed.extend(originals.map(|message| KeyedMessage {
        message,
        key: tables.vias.key(message.via),
        from: tables.node(message.source),
        to: tables.node(message.destination),
    }));
    for between in keyed.chunk_by(|a, b| a.pair() == b.pair()) {
        by_pair.entry(between[0].pair()).or_default().seen += between.len() as u32;
    }
    // What was cut before its headers ended cannot be distinguished.
    if messages.iter().any(|message| message.flags.is_headless()) {
        return;
    }
    let mut miss = |own: &KeyedMessage<'_>, count: u32| {
        if count > 0 {
            by_pair.entry(own.pair()).or_default().missed += count;
        }
    };
    let group = GroupLookup::of(&keyed, start);
    for (place, own) in keyed.iter().enumerate() {
        if own.message.status().is_some() {
            if group.is_orphan(own) && group.is_first(place) {
                miss(own, 1);
            }
        } else if group.is_first(place) {
            let lacks = group.confirms_unseen(own) || group.knows_unseen(own);
            let is_missing = !lacks && group.is_left_alone(place);
            miss(own, u32::from(lacks || is_missing) + group.late_repeats(place));
        }
    }
    for (own, count) in group.left_out() {
        miss(&own, count);
    }
}

/// The messages of one Call-ID, with look-ups.
struct GroupLookup<'a> {
    messages: &'a [KeyedMessage<'a>],
    start: Timestamp,
    /// Transactions that a request was captured of, sorted.
    asked: Vec<(u64, Method)>,
    /// Transactions that a response was captured of, sorted, with the highest status.
    answered: Vec<(u64, Method, u16)>,
    /// Places of messages, in the order of transactions and kinds, each with whether it is a request.
    firsts: Vec<bool>,
}

impl<'a> GroupLookup<'a> {
    fn of(messages: &'a [KeyedMessage<'a>], start: Timestamp) -> Self {
        let mut asked = Vec::with_capacity(messages.len());
        let mut answered = Vec::with_capacity(messages.len());
        let mut kinds: Vec<(u64, Method, bool, NodeId, usize)> = Vec::with_capacity(messages.len());
        for (place, own) in messages.iter().enumerate() {
            let method = own.message.transaction_method();
            match own.message.status() {
                Some(status) => answered.push((own.key, method, status.0)),
                None => asked.push((own.key, method)),
            }
            let is_request = own.message.status().is_none();
            kinds.push((own.key, method, is_request, own.from, place));
        }
        asked.sort_unstable();
        answered.sort_unstable();
        kinds.sort_unstable();
        let mut firsts = vec![false; messages.len()];
        let mut before = None;
        for (key, method, is_request, from, place) in kinds {
            let kind = Some((key, method, is_request, from));
            firsts[place] = kind != before;
            before = kind;
        }
        Self { messages, start, asked, answered, firsts }
    }

    /// Whether a message is the first of its kind, request or response, in its transaction.
    fn is_first(&self, place: usize) -> bool {
        self.firsts.get(place).copied().unwrap_or(false)
    }

    fn highest_answer(&self, key: u64, method: Method) -> Option<u16> {
        let end = self.answered.partition_point(|(k, m, _)| (*k, *m) <= (key, method));
        let (found, asked, status) = *self.answered.get(end.checked_sub(1)?)?;
        (found == key && asked == method).then_some(status)
    }

    /// A response whose request is not there, although the capture was running when it was sent.
    fn is_orphan(&self, own: &KeyedMessage<'_>) -> bool {
        let message = own.message;
        let name = (own.key, message.cseq_method);
        if own.key == 0 || self.asked.binary_search(&name).is_ok() {
            return false;
        }
        let wait = answer_wait(message.cseq_method);
        let asked_before = || {
            self.messages.iter().any(|other| {
                other.from == own.to
                    && other.to == own.from
                    && other.message.status().is_none()
                    && other.message.cseq < message.cseq
                    && other.message.time <= message.time
            })
        };
        message.time.since(self.start) >= wait || asked_before()
    }

    /// An ACK of an answer that is not there, although its INVITE is.
    fn confirms_unseen(&self, own: &KeyedMessage<'_>) -> bool {
        if !own.message.is_request(Method::Ack) {
            return false;
        }
        let is_final = |status: Option<u16>| status.is_some_and(|status| status >= 200);
        let invites = self.messages.iter().filter(|other| {
            other.message.is_request(Method::Invite) && other.from == own.from && other.message.cseq == own.message.cseq
        });
        let mut invites = invites.peekable();
        invites.peek().is_some() && !invites.any(|invite| is_final(self.highest_answer(invite.key, Method::Invite)))
    }

    /// A request with a tag that only an answer can have given its sender, whose own INVITE is there and the answer is not.
    fn knows_unseen(&self, own: &KeyedMessage<'_>) -> bool {
        let tag = own.message.to_tag;
        if tag.is_absent() || own.message.is_request(Method::Ack) {
            return false;
        }
        let opened = self.messages.iter().any(|other| {
            other.message.is_request(Method::Invite) && other.message.to_tag.is_absent() && other.from == own.from
        });
        opened
            && !self.messages.iter().any(|other| {
                let given = match other.message.status() {
                    Some(_) => other.message.to_tag,
                    None => other.message.from_tag,
                };
                given == tag && other.to == own.from
            })
    }

    /// A request over UDP that nothing answered, that was not repeated, and whose sender went on all the same.
    fn is_left_alone(&self, place: usize) -> bool {
        let own = &self.messages[place];
        let message = own.message;
        let is_repeated =
            matches!(message.method(), Some(Method::Invite | Method::Register | Method::Bye | Method::Subscribe));
        if !is_repeated || message.transport.is_reliable() || own.key == 0 {
            return false;
        }
        let method = message.transaction_method();
        if self.highest_answer(own.key, method).is_some() {
            return false;
        }
        let later = self.messages.get(place + 1..).unwrap_or_default();
        let is_again = |other: &&KeyedMessage<'_>| other.key == own.key && other.message.method() == message.method();
        if later.iter().any(|other| is_again(&other)) {
            return false;
        }
        later.iter().any(|other| {
            other.from == own.from
                && other.to == own.to
                && other.message.status().is_none()
                && (other.message.cseq > message.cseq && other.message.time.since(message.time) < REPEAT_WAIT
                    || other.message.time.since(message.time) >= REPEAT_WAIT
                        && other.message.time.since(message.time) < REQUEST_ANSWER_WAIT)
        })
    }

    /// Repeats that are missing between those that were captured: the gaps between repeats double at most.
    fn late_repeats(&self, place: usize) -> u32 {
        let own = &self.messages[place];
        let is_same = |other: &&KeyedMessage<'_>| {
            other.key == own.key && other.from == own.from && other.message.kind == own.message.kind
        };
        if own.message.transport.is_reliable() {
            return 0;
        }
        let (mut last, mut gap_before, mut late) = (own.message.time, 0.0, 0);
        for again in self.messages[place + 1..].iter().filter(is_same) {
            let gap = again.message.time.since(last).as_secs_f64();
            let is_late = gap_before >= GAP_MIN_SECONDS && gap > gap_before * GAP_GROWTH_MAX && gap < GAP_MAX_SECONDS;
            late += u32::from(is_late);
            (last, gap_before) = (again.message.time, gap);
        }
        late
    }

    /// Numbers of CSeq that a sender left out although it counts by one, each with the request behind the gap.
    fn left_out(&self) -> Vec<(KeyedMessage<'a>, u32)> {
        let requests = self.messages.iter().enumerate().filter(|(_, own)| {
            let method = own.message.method();
            method.is_some_and(|method| !matches!(method, Method::Ack | Method::Cancel))
        });
        let mut numbers: Vec<(NodeId, NodeId, u32, usize)> = Vec::with_capacity(self.messages.len());
        numbers.extend(requests.map(|(place, own)| (own.from, own.to, own.message.cseq, place)));
        numbers.sort_unstable();
        let mut left_out = Vec::new();
        for way in numbers.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let steps = || way.windows(2).map(|pair| pair[1].2 - pair[0].2);
            let by_one = steps().filter(|step| *step == 1).count();
            let wide = |step: u32| (2..=LEFT_OUT_MAX + 1).contains(&step);
            let gaps = steps().filter(|step| wide(*step)).count();
            let others = steps().filter(|step| *step > LEFT_OUT_MAX + 1).count();
            if gaps == 0 || others > 0 || by_one < gaps {
                continue;
            }
            for pair in way.windows(2).filter(|pair| wide(pair[1].2 - pair[0].2)) {
                left_out.push((self.messages[pair[1].3], pair[1].2 - pair[0].2 - 1));
            }
        }
        left_out
    }
}
