//! Message times: the messages of some nodes, found by the time at which they came.

use crate::call::{Message, MessageStore, NodeId};
use crate::capture::Timestamp;

/// Messages of a node that share a span of time if they come evenly.
const MESSAGES_IN_SPAN: u64 = 4;
/// Stands for no message.
const NONE: u32 = u32::MAX;

/// How many messages a node sent, the first and the last of them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SentMessages {
    count: u32,
    first: i64,
    last: i64,
}

impl SentMessages {
    /// Adds a message.
    pub(super) fn add(&mut self, message: &Message) {
        let time = message.time.nanoseconds();
        if self.count == 0 {
            (self.first, self.last) = (time, time);
        }
        self.count += 1;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }

    /// Whether there is any.
    pub(super) fn is_any(self) -> bool {
        self.count > 0
    }
}

/// The messages of some nodes. The time from the first to the last of each node is divided into spans of equal length.
#[derive(Debug, Default)]
pub(super) struct MessageTimeIndex {
    /// For each node by its number, where it is one of these.
    nodes: Vec<Option<Spans>>,
    /// The last message of each span of each node.
    last: Vec<u32>,
    /// For each message of the run the one before it in its span.
    before: Vec<u32>,
}

/// The time in which one node spoke.
#[derive(Debug, Clone, Copy)]
struct Spans {
    /// When it begins, in nanoseconds.
    first: i64,
    /// Binary digits of the nanoseconds of a span.
    digits: u32,
    /// Place of the first span in [`MessageTimeIndex::last`].
    begin: u32,
    count: u32,
}

impl Spans {
    /// The span that a moment is in; none before the first.
    fn span(self, moment: Timestamp) -> Option<u32> {
        let moment = moment.nanoseconds();
        let span = (moment >= self.first).then(|| moment.abs_diff(self.first) >> self.digits)?;
        Some(u32::try_from(span).unwrap_or(NONE).min(self.count - 1))
    }
}

impl MessageTimeIndex {
    /// The messages of the nodes that are wanted; `sent` has an entry for each node.
    pub(super) fn of(store: &MessageStore, sent: &[SentMessages], is_wanted: &[bool]) -> Self {
        let mut index = Self::default();
        let mut begin = 0;
        for (sent, is_wanted) in sent.iter().zip(is_wanted) {
            let spans = is_wanted.then(|| Spans::of(*sent, begin));
            begin += spans.map_or(0, |spans| spans.count);
            index.nodes.push(spans);
        }
        if begin == 0 {
            return index;
        }
        index.last = vec![NONE; begin as usize];
        index.before = vec![NONE; store.messages.len()];
        for (place, message) in (0..).zip(&store.messages) {
            let node = store.tables.node(message.source);
            if let Some(Some(spans)) = index.nodes.get(node.place())
                && let Some(span) = spans.span(message.time)
            {
                let last = &mut index.last[(spans.begin + span) as usize];
                index.before[place as usize] = std::mem::replace(last, place);
            }
        }
        index
    }

    /// The messages of a node before a moment, the last one first.
    pub(super) fn backwards<'s, 'a>(
        &'s self,
        store: &'a MessageStore,
        node: NodeId,
        before: Timestamp,
    ) -> impl Iterator<Item = &'a Message> + use<'s, 'a> {
        let spans = self.nodes.get(node.place()).copied().flatten();
        let until = spans.and_then(|spans| Some((spans.begin, spans.span(before)?)));
        let spans = until.map(|(begin, span)| begin..begin + span + 1);
        spans.into_iter().flatten().rev().flat_map(move |span| {
            let messages = self.in_span(span);
            let mut earlier: Vec<&Message> = messages
                .filter_map(|place| store.messages.get(place))
                .filter(|message| message.time < before)
                .collect();
            earlier.sort_by_key(|message| std::cmp::Reverse(message.time));
            earlier.into_iter()
        })
    }

    /// The messages of a span, from the last one in the run backwards.
    fn in_span(&self, span: u32) -> impl Iterator<Item = u32> {
        let is_one = |place: &u32| *place != NONE;
        let last = self.last.get(span as usize).copied();
        std::iter::successors(last.filter(is_one), move |place| {
            self.before.get(*place as usize).copied().filter(is_one)
        })
    }
}

impl Spans {
    fn of(sent: SentMessages, begin: u32) -> Self {
        let length = sent.first.abs_diff(sent.last);
        let wanted = u64::from(sent.count) / MESSAGES_IN_SPAN + 1;
        let digits = (0..u64::BITS).find(|digits| length >> digits < wanted);
        let digits = digits.unwrap_or(u64::BITS - 1);
        Self { first: sent.first, digits, begin, count: (length >> digits) as u32 + 1 }
    }
}
