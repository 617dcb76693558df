//! History: who spoke when over the whole capture, and which requests between two nodes were answered.

use std::collections::HashMap;

use crate::call::{Book, EndpointId, Message, NodeId, ViaId};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::spoken::Spoken;
use crate::sip::Method;

/// Requests of one node to another, each counted once however often it was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Requests that were answered.
    pub answered: u32,
    /// Requests that nothing answered.
    pub silent: u32,
    /// Bytes of the largest request over UDP that was answered, and its frame.
    pub largest_answered: Option<(u32, FrameRef)>,
    /// Bytes of the smallest request over UDP that nothing answered.
    pub smallest_silent: Option<u32>,
}

/// Who spoke when, and what was answered.
#[derive(Debug, Default)]
pub struct History {
    /// For each node by its number.
    has_spoken: Vec<bool>,
    /// What the nodes said that left something unanswered; nobody asks that of the others.
    spoken: Vec<Spoken>,
    /// For each node by its number its place in `spoken`, where it has one.
    places: Vec<Option<u32>>,
    asked: HashMap<(NodeId, NodeId), Asked, foldhash::fast::FixedState>,
    /// Answered and silent requests to each node by its number.
    totals: Vec<(u32, u32)>,
}

/// A set of methods for each Via stack, whose numbers are dense.
struct Methods(Vec<u16>);

impl Methods {
    /// Adds a method to those of a stack; says whether it is new there.
    fn insert(&mut self, via: ViaId, method: Method) -> bool {
        let place = via.place();
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        let bit = 1 << method as u16;
        let is_new = self.0[place] & bit == 0;
        self.0[place] |= bit;
        is_new
    }

    fn has(&self, via: ViaId, method: Method) -> bool {
        let methods = self.0.get(via.place()).copied().unwrap_or_default();
        methods & (1 << method as u16) != 0
    }
}

impl History {
    /// Reads a whole book once.
    pub(in crate::diagnose) fn of(book: &Book) -> Self {
        let node = |endpoint: EndpointId| book.tables.node(endpoint);
        let mut history = Self::default();
        let mut answered = Methods(Vec::new());
        for message in &book.messages {
            raise(&mut history.has_spoken, node(message.source));
            if message.status().is_some() {
                answered.insert(message.via, message.cseq_method);
            }
        }
        history.totals = vec![(0, 0); history.has_spoken.len()];
        let mut is_left = Vec::new();
        let mut counted = Methods(Vec::new());
        for message in &book.messages {
            let Some(method) = message.method().filter(|method| *method != Method::Ack) else {
                continue;
            };
            let pair = (node(message.source), node(message.destination));
            let was_answered = answered.has(message.via, method);
            if !was_answered {
                raise(&mut is_left, pair.1);
            }
            if method != Method::Cancel && counted.insert(message.via, method) {
                history
                    .asked
                    .entry(pair)
                    .or_default()
                    .count(message, was_answered);
                history.total(pair.1, was_answered);
            }
        }
        history.place_spoken(book, &is_left);
        history
    }

    fn total(&mut self, node: NodeId, was_answered: bool) {
        let place = node.place();
        if self.totals.len() <= place {
            self.totals.resize(place + 1, (0, 0));
        }
        let (answered, silent) = &mut self.totals[place];
        *answered += u32::from(was_answered);
        *silent += u32::from(!was_answered);
    }

    /// When the nodes spoke that left something unanswered.
    fn place_spoken(&mut self, book: &Book, is_left: &[bool]) {
        if is_left.is_empty() {
            return;
        }
        let mut count = 0;
        let places = is_left.iter().map(|is_left| {
            count += u32::from(*is_left);
            is_left.then(|| count - 1)
        });
        self.places = places.collect();
        self.spoken.resize_with(count as usize, Spoken::default);
        for (place, message) in (0..).zip(&book.messages) {
            let node = book.tables.node(message.source);
            if let Some(Some(own)) = self.places.get(node.place()) {
                self.spoken[*own as usize].push(place);
            }
        }
    }

    /// The messages of a node that left something unanswered, from a moment backwards.
    fn backwards<'a>(
        &self,
        book: &'a Book,
        node: NodeId,
        before: Timestamp,
    ) -> impl Iterator<Item = &'a Message> {
        let own = self.places.get(node.place()).copied().flatten();
        let own = own.and_then(|own| self.spoken.get(own as usize));
        own.into_iter()
            .flat_map(move |own| own.backwards(book, before))
    }

    /// What one node asked another.
    pub fn asked(&self, from: NodeId, to: NodeId) -> Asked {
        self.asked.get(&(from, to)).copied().unwrap_or_default()
    }

    /// How many requests of all nodes but one a node answered, and how many it did not.
    pub fn asked_by_others(&self, from: NodeId, to: NodeId) -> (u32, u32) {
        let own = self.asked(from, to);
        let (answered, silent) = self.totals.get(to.place()).copied().unwrap_or_default();
        (
            answered.saturating_sub(own.answered),
            silent.saturating_sub(own.silent),
        )
    }

    /// The last message before a moment of a node that left something unanswered.
    pub fn last_spoken<'a>(
        &self,
        book: &'a Book,
        node: NodeId,
        before: Timestamp,
    ) -> Option<&'a Message> {
        self.backwards(book, node, before).next()
    }

    /// The last message from one port of a node before a moment, among its last thousand.
    pub fn last_from<'a>(
        &self,
        book: &'a Book,
        source: EndpointId,
        before: Timestamp,
    ) -> Option<&'a Message> {
        /// Messages looked back at: many devices may share one address.
        const LOOK_BACK_MAX: usize = 1_000;
        self.backwards(book, book.tables.node(source), before)
            .take(LOOK_BACK_MAX)
            .find(|message| message.source == source)
    }

    /// Whether a node ever sent SIP.
    pub fn has_spoken(&self, node: NodeId) -> bool {
        self.has_spoken.get(node.place()).copied().unwrap_or(false)
    }
}

/// Sets what is known of a node.
fn raise(nodes: &mut Vec<bool>, node: NodeId) {
    let place = node.place();
    if nodes.len() <= place {
        nodes.resize(place + 1, false);
    }
    nodes[place] = true;
}

impl Asked {
    fn count(&mut self, request: &Message, was_answered: bool) {
        if was_answered {
            self.answered += 1;
        } else {
            self.silent += 1;
        }
        if request.transport.is_reliable() {
            return;
        }
        let size = request.size;
        if was_answered {
            let larger = self.largest_answered.is_none_or(|(known, _)| size > known);
            self.largest_answered = if larger {
                Some((size, request.at))
            } else {
                self.largest_answered
            };
        } else {
            self.smallest_silent = Some(self.smallest_silent.map_or(size, |known| known.min(size)));
        }
    }
}
