//! What of a call's messages is compared: their order next to the caller, the codecs, the products at both ends.
//!
//! Sources: RFC 3264 section 5 (offer and answer), RFC 3261 sections 20.35 and 20.41 (Server, User-Agent).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::call::FastMap;
use crate::call::{Call, Message, MessageKind, MessageStore, SessionId, ShapeId, Tables};
use crate::capture::FrameRef;
use crate::sip::{HeaderName, Method, Sdp, StatusCode};

/// One message next to the caller, repeats and copies left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Request or response.
    pub kind: MessageKind,
    /// Frame that completed it.
    pub at: FrameRef,
}

/// Steps that most calls have at most.
const STEPS: usize = 8;

/// Facts of one call that are read from its messages on the hop next to the caller.
#[derive(Debug, Clone, Default)]
pub struct Facts<'a> {
    /// Messages in the order of capture.
    pub sequence: Vec<Step>,
    /// Codecs of the first session description, in its order: `PCMA`, `telephone-event`; empty where there was none.
    pub codecs_offered: Vec<&'a str>,
    /// Codecs of the description that answered it, in its order; empty where none did.
    pub codecs_answered: Vec<&'a str>,
    /// Product that sent the first INVITE, empty where it names none.
    pub caller_software: &'a str,
    /// Product that answered last, as far as it names one: the callee's, or that of a proxy which answered in its place.
    pub callee_software: &'a str,
}

impl<'a> Facts<'a> {
    /// The words of the sequence, separated by blanks: `INVITE 100 180 200 ACK`.
    pub fn words(&self) -> String {
        // Words have six letters at most, a few of them more.
        let mut words = String::with_capacity(self.sequence.len() * 8);
        for step in &self.sequence {
            if !words.is_empty() {
                words.push(' ');
            }
            push_word(&mut words, step.kind);
        }
        words
    }

    /// Reads the messages of a call.
    pub fn of(call: &Call, store: &'a MessageStore) -> Self {
        let tables = &store.tables;
        let mut facts = Self { sequence: Vec::with_capacity(STEPS), ..Self::default() };
        let (mut offer, mut answer) = (None, None);
        let (mut is_settled, mut is_answered) = (false, false);
        let mut answers: Vec<&Message> = Vec::new();
        for message in beside_caller(call, store) {
            facts.sequence.push(Step { kind: message.kind, at: message.at });
            if message.is_request(Method::Invite) && facts.caller_software.is_empty() {
                facts.caller_software = tables.software(message).unwrap_or_default();
            }
            let code = message.status().map_or(0, |status| status.0);
            if message.is_response_to(Method::Invite) && code > 100 && !is_answered {
                answers.push(message);
                is_answered = message.status().is_some_and(|status| status.is_success());
            }
            if message.session.is_absent() || is_settled {
                continue;
            }
            match offer {
                None => offer = Some((message.session, message.source)),
                Some((_, offerer)) if offerer != message.source => {
                    answer = Some(message.session);
                    is_settled = code >= 200 || message.is_request(Method::Ack);
                }
                Some(_) => {}
            }
        }
        let last = answers.iter().rev();
        let mut named = last.filter_map(|answer| tables.software(answer));
        facts.callee_software = named.find(|name| !name.is_empty()).unwrap_or_default();
        facts.codecs_offered = offer.map_or_else(Vec::new, |(offer, _)| codecs(tables, offer));
        facts.codecs_answered = answer.map_or_else(Vec::new, |answer| codecs(tables, answer));
        facts
    }
}

/// The word of a message in a sequence: its method, or its code.
pub fn word(kind: MessageKind) -> String {
    let mut word = String::new();
    push_word(&mut word, kind);
    word
}

fn push_word(text: &mut String, kind: MessageKind) {
    match kind {
        MessageKind::Request(method) => text.push_str(method.text()),
        // Of a code of three digits, as all are that a response may have.
        MessageKind::Response(StatusCode(code @ 100..1000)) => {
            let digits = [code / 100, code / 10 % 10, code % 10];
            text.extend(digits.map(|digit| char::from(b'0' + digit as u8)));
        }
        // Writing to memory does not fail.
        MessageKind::Response(status) => {
            let _ = write!(text, "{}", status.0);
        }
    }
}

/// Messages that the caller sent or received in the leg next to it, copies and repeats left out.
pub fn beside_caller<'a>(call: &Call, store: &'a MessageStore) -> impl Iterator<Item = &'a Message> {
    let messages = call.legs.first().map_or(&[][..], |leg| store.messages_of(leg));
    let tables = &store.tables;
    let caller = call.source;
    // On one machine every party has the same address; then the port makes the difference.
    let is_one_machine = tables.node(caller) == tables.node(call.destination);
    let is_caller =
        move |endpoint| endpoint == caller || !is_one_machine && tables.node(endpoint) == tables.node(caller);
    let kept = messages.iter().filter(|message| !message.flags.is_copy() && !message.flags.is_retransmission());
    kept.filter(move |message| is_caller(message.source) || is_caller(message.destination))
}

fn codecs(tables: &Tables, session: SessionId) -> Vec<&str> {
    let sdp: &Sdp = tables.sessions.shape(session);
    let listed = sdp.medias.iter().flat_map(|media| &media.codecs);
    listed
        .map(|codec| match codec.common_name() {
            "" => codec.format.as_str(),
            // The one name that everybody writes in small letters.
            "TELEPHONE-EVENT" => "telephone-event",
            name => name,
        })
        .collect()
}

/// Which header fields the messages of calls carry: how many messages of each method or code have each of the fields
/// that are kept, repeats and copies left out.
#[derive(Debug, Default)]
pub struct HeaderUses {
    /// Messages by their fields: there are few sets of these.
    counts: FastMap<(MessageKind, ShapeId), u64>,
}

impl HeaderUses {
    /// Counts the messages of a call.
    pub fn add_call(&mut self, call: &Call, store: &MessageStore) {
        for leg in &call.legs {
            for message in store.messages_of(leg) {
                if !message.flags.is_copy() && !message.flags.is_retransmission() {
                    self.add(message, store);
                }
            }
        }
    }

    fn add(&mut self, message: &Message, store: &MessageStore) {
        let fields = store.tables.headers.shape_of(message.headers);
        *self.counts.entry((message.kind, fields)).or_default() += 1;
    }

    /// Adds what was counted elsewhere in the same book.
    pub fn add_uses(&mut self, more: &Self) {
        for (known, count) in &more.counts {
            *self.counts.entry(*known).or_default() += count;
        }
    }

    /// The counts by the word of the message and the name of the field, a field that a message has twice being one; none is 0.
    pub fn by_name(&self, store: &MessageStore) -> BTreeMap<(String, HeaderName), u64> {
        let mut uses = BTreeMap::new();
        for ((kind, fields), count) in &self.counts {
            let names: BTreeSet<HeaderName> = store.tables.headers.names(*fields).iter().copied().collect();
            for name in names {
                // Methods that are not known share a word.
                *uses.entry((word(*kind), name)).or_default() += count;
            }
        }
        uses
    }
}
