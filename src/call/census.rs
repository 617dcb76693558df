//! The census: what all messages together say of who spoke to whom, counted in one pass over the book.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use crate::call::book::Book;
use crate::call::endpoint::{EndpointId, NodeId};
use crate::call::message::Message;
use crate::capture::Timestamp;
use crate::net::Transport;

/// Messages that one thread counts at a time.
const MESSAGES_AT_A_TIME: usize = 1 << 15;

/// Messages of one node to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// How many, copies included.
    pub messages: u32,
    /// Sender of the first one.
    pub source: EndpointId,
    /// Receiver of the first one.
    pub destination: EndpointId,
}

/// Counts over all messages of a run.
#[derive(Debug, Default)]
pub struct Census {
    /// Messages that are no copies, by what carried them.
    pub by_transport: BTreeMap<Transport, u64>,
    /// For each file with messages that the capture cut: the lowest frame and how many.
    pub cut: BTreeMap<u16, (u32, u64)>,
    /// What nodes sent each other.
    pub traffic: BTreeMap<(NodeId, NodeId), Traffic>,
    /// Times of the first and the last message; `None` where there is none.
    pub span: Option<(Timestamp, Timestamp)>,
}

type ByPair = HashMap<(NodeId, NodeId), Traffic, foldhash::fast::FixedState>;

#[derive(Default)]
struct Share {
    by_transport: BTreeMap<Transport, u64>,
    cut: BTreeMap<u16, (u32, u64)>,
    traffic: ByPair,
    span: Option<(Timestamp, Timestamp)>,
}

impl Census {
    /// Counts the messages of a book.
    pub fn of(book: &Book) -> Self {
        let all = book
            .messages
            .par_chunks(MESSAGES_AT_A_TIME)
            .map(|messages| Share::of(messages, book))
            .reduce(Share::default, Share::and);
        Self {
            by_transport: all.by_transport,
            cut: all.cut,
            traffic: all.traffic.into_iter().collect(),
            span: all.span,
        }
    }
}

impl Share {
    fn of(messages: &[Message], book: &Book) -> Self {
        let mut share = Self::default();
        for message in messages {
            if !message.flags.is_copy() {
                *share.by_transport.entry(message.transport).or_default() += 1;
            }
            if message.flags.is_cut() && !message.flags.is_incomplete() {
                let frame = message.at.frame;
                let cut = share.cut.entry(message.at.file).or_insert((frame, 0));
                *cut = (cut.0.min(frame), cut.1 + 1);
            }
            let (source, destination) = (message.source, message.destination);
            let pair = (book.tables.node(source), book.tables.node(destination));
            let traffic = share.traffic.entry(pair).or_insert(Traffic {
                messages: 0,
                source,
                destination,
            });
            traffic.messages += 1;
            share.span = wider(share.span, Some((message.time, message.time)));
        }
        share
    }

    /// This share and one of later messages.
    fn and(mut self, later: Self) -> Self {
        for (transport, count) in later.by_transport {
            *self.by_transport.entry(transport).or_default() += count;
        }
        for (file, (frame, count)) in later.cut {
            let cut = self.cut.entry(file).or_insert((frame, 0));
            *cut = (cut.0.min(frame), cut.1 + count);
        }
        for (pair, more) in later.traffic {
            let known = self.traffic.entry(pair);
            known
                .and_modify(|known| known.messages += more.messages)
                .or_insert(more);
        }
        self.span = wider(self.span, later.span);
        self
    }
}

fn wider(
    a: Option<(Timestamp, Timestamp)>,
    b: Option<(Timestamp, Timestamp)>,
) -> Option<(Timestamp, Timestamp)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (one, other) => one.or(other),
    }
}
