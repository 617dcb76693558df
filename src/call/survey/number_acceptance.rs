//! Acceptance: which numbers, callers and sources each node accepted and which it refused, over the whole capture.
//!
//! Kept for nodes that refused something alone, so that rules can compare a refused call with the accepted ones.

use std::fmt::{self, Write};

use rayon::prelude::*;

use crate::call::beside::registration::address_of;
use crate::call::outcome::call::{Asked, Call, Hop};
use crate::call::outcome::call_index::CallIndex;
use crate::call::store::endpoint::NodeId;
use crate::call::store::fast_map::{FastMap, FastSet};
use crate::call::store::header_list::HeaderListId;
use crate::call::store::message_store::MessageStore;
use crate::call::store::string_arena::TextId;
use crate::capture::{FrameRef, Timestamp};
use crate::sip::number::{Lead, Number, Shape, user_of};
use crate::sip::{HeaderName, Uri};

/// Accepted numbers kept of one shape as examples; more would not show more regions.
const SAMPLES_MAX: usize = 32;
/// Values of one kind up to which accepted ones are kept that were never refused.
const ACCEPTED_KEYS_MAX: usize = 256;
/// Refused and accepted calls of one kind that a contrast needs of each.
pub const CONTRAST_MIN: u32 = 2;
/// Shapes distinguished at one node; the kinds of lead and flag allow no more in practice.
const SHAPES_MAX: usize = 64;

type KeyedMap<K, V> = FastMap<K, V>;

/// One INVITE that a node received.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedInvite {
    /// Index of the call.
    pub call: CallIndex,
    /// Request-URI.
    pub uri: TextId,
    /// URI of From.
    pub from: TextId,
    /// First send.
    pub time: Timestamp,
    /// Frame of the first send.
    pub at: FrameRef,
}

/// How often something was accepted and how often refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct AcceptanceCount {
    /// Answered or alerted.
    pub accepted: u32,
    /// Refused as a number that does not exist or is written wrongly: 404, 484, 604.
    pub unknown: u32,
    /// Refused by 403.
    pub forbidden: u32,
    /// Refused by any of the codes that a wrong number may get.
    pub refused: u32,
    /// The first one accepted.
    pub first: Option<ReceivedInvite>,
    /// The last one accepted.
    pub last: Option<ReceivedInvite>,
}

impl AcceptanceCount {
    fn add(&mut self, received: ReceivedInvite, code: u16) {
        if code < 300 {
            self.accepted += 1;
            self.first = self.first.or(Some(received));
            self.last = Some(received);
            return;
        }
        self.refused += 1;
        self.unknown += u32::from(matches!(code, 404 | 484 | 604));
        self.forbidden += u32::from(code == 403);
    }
}

/// What one node accepted and refused.
#[derive(Debug, Default)]
pub struct NumberAcceptance {
    /// All together.
    pub all: AcceptanceCount,
    /// By the way in which the number is written, with accepted examples.
    pub shapes: KeyedMap<Shape, (AcceptanceCount, Vec<(Number<'static>, ReceivedInvite)>)>,
    /// By the last digits of the number.
    pub subscribers: KeyedMap<Box<str>, AcceptanceCount>,
    /// By the user part of the Request-URI.
    pub users: KeyedMap<Box<str>, AcceptanceCount>,
    /// By the host of the Request-URI.
    pub hosts: KeyedMap<Box<str>, AcceptanceCount>,
    /// By the user of From, where that was forbidden [`CONTRAST_MIN`] times.
    pub callers: KeyedMap<Box<str>, AcceptanceCount>,
    /// By the user of P-Asserted-Identity or P-Preferred-Identity, empty where there is none; as `callers`.
    pub asserted: KeyedMap<Box<str>, AcceptanceCount>,
    /// By the node that sent it; as `callers`.
    pub sources: KeyedMap<NodeId, AcceptanceCount>,
    /// By how the number begins; as `callers`.
    pub prefixes: KeyedMap<Prefix, AcceptanceCount>,
    /// Called users that were refused by 603 without ringing.
    pub declined: FastSet<Box<str>>,
}

/// The acceptance of all nodes that refused something.
#[derive(Debug, Default)]
pub struct NumberAcceptances {
    nodes: KeyedMap<NodeId, NumberAcceptance>,
}

impl NumberAcceptances {
    /// Compares the calls of a run.
    pub fn of(calls: &[Call], store: &MessageStore) -> Self {
        let node = |hop: &Hop| store.tables.node(hop.destination);
        // The calls that concern each node that refused something, by its place.
        let mut concerned: Vec<Option<(NodeId, Vec<CallIndex>)>> = Vec::new();
        for hop in calls.iter().flat_map(|call| call.hops.iter()) {
            if is_refusal(hop.final_code) || hop.final_code == 603 {
                let node = node(hop);
                concerned.resize(concerned.len().max(node.place() + 1), None);
                concerned[node.place()] = Some((node, Vec::new()));
            }
        }
        if concerned.is_empty() {
            return Self::default();
        }
        for (index, call) in (0..).map(CallIndex).zip(calls) {
            for hop in call.hops.iter().filter(|hop| fate(hop) != NumberFate::Other) {
                let known = concerned.get_mut(node(hop).place());
                let own = known.and_then(Option::as_mut).map(|(_, own)| own);
                if let Some(own) = own.filter(|own| own.last() != Some(&index)) {
                    own.push(index);
                }
            }
        }
        let nodes = concerned.into_par_iter().with_max_len(1).flatten();
        Self { nodes: nodes.map(|(node, own)| (node, NumberAcceptance::of(node, &own, calls, store))).collect() }
    }

    /// What a node accepted and refused; `None` where it refused nothing.
    pub fn at(&self, node: NodeId) -> Option<&NumberAcceptance> {
        self.nodes.get(&node)
    }
}

/// What a node did with an INVITE, as far as numbers are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberFate {
    /// The number led to a callee.
    Accepted,
    /// Refused with a code that a wrong number may get.
    Refused(u16),
    /// 603 without ringing.
    Declined,
    Other,
}

fn fate(hop: &Hop) -> NumberFate {
    match hop.final_code {
        code if is_taken(code) => NumberFate::Accepted,
        // A network plays its announcement in a 183 before it says that there is no such number.
        404 | 410 | 484 | 604 if hop.alerted_ms.is_some() => NumberFate::Other,
        _ if hop.alerted_ms.is_some() => NumberFate::Accepted,
        603 => NumberFate::Declined,
        code if is_refusal(code) => NumberFate::Refused(code),
        _ => NumberFate::Other,
    }
}

impl NumberAcceptance {
    /// What a node did with the INVITEs of some calls.
    fn of(node: NodeId, own: &[CallIndex], calls: &[Call], store: &MessageStore) -> Self {
        let mut acceptance = Self::default();
        let mut accepted: Vec<(ReceivedInvite, &Hop)> = Vec::new();
        let mut refused_last = None;
        for (index, call) in own.iter().filter_map(|i| Some((*i, calls.get(i.place())?))) {
            let hops = call.hops.iter();
            let here = hops.filter(|hop| store.tables.node(hop.destination) == node);
            for (hop, asked) in here.filter_map(|hop| Some((hop, hop.asked?))) {
                let received =
                    ReceivedInvite { call: index, uri: asked.uri, from: asked.from, time: hop.sent, at: asked.at };
                match fate(hop) {
                    // Two hops of one call may end at one node: a proxy and a PBX on one host.
                    NumberFate::Accepted => {
                        let last = accepted.last().map(|(last, _)| last.call);
                        if last != Some(index) {
                            accepted.push((received, hop));
                        }
                    }
                    NumberFate::Refused(_) if refused_last == Some(index) => {}
                    NumberFate::Refused(code) => {
                        refused_last = Some(index);
                        acceptance.refuse(received, hop, asked, store, code);
                    }
                    NumberFate::Declined => {
                        let user = user_of(store.tables.text(asked.uri));
                        acceptance.declined.insert(user.into());
                    }
                    NumberFate::Other => {}
                }
            }
        }
        // What was refused is known now, so that of what was accepted only the same is kept, beside a few examples.
        acceptance.forget_rare();
        for (received, hop) in accepted {
            acceptance.accept(received, hop, store);
        }
        acceptance
    }

    fn refuse(&mut self, received: ReceivedInvite, hop: &Hop, asked: Asked, store: &MessageStore, code: u16) {
        let tables = &store.tables;
        let prefix = self.add(received, store, code);
        let caller = user_of(tables.text(asked.from));
        let vouched = asserted(asked.headers, store);
        let tallies = [
            Some(self.sources.entry(tables.node(hop.source)).or_default()),
            Some(self.callers.entry(caller.into()).or_default()),
            Some(self.asserted.entry(vouched.into()).or_default()),
            prefix.map(|prefix| self.prefixes.entry(prefix).or_default()),
        ];
        for tally in tallies.into_iter().flatten() {
            tally.add(received, code);
        }
    }

    /// Drops those that were not forbidden often enough for a contrast.
    fn forget_rare(&mut self) {
        let is_frequent = |tally: &AcceptanceCount| tally.forbidden >= CONTRAST_MIN;
        self.sources.retain(|_, tally| is_frequent(tally));
        self.callers.retain(|_, tally| is_frequent(tally));
        self.asserted.retain(|_, tally| is_frequent(tally));
        self.prefixes.retain(|_, tally| is_frequent(tally));
    }

    fn accept(&mut self, received: ReceivedInvite, hop: &Hop, store: &MessageStore) {
        let tables = &store.tables;
        let prefix = self.add(received, store, 200);
        // Texts are far apart in memory, and mostly nothing is to be compared with them.
        let caller = match self.callers.is_empty() {
            true => None,
            false => self.callers.get_mut(user_of(tables.text(received.from))),
        };
        let vouched = match (self.asserted.is_empty(), hop.asked) {
            (false, Some(asked)) => self.asserted.get_mut(asserted(asked.headers, store)),
            _ => None,
        };
        let tallies = [
            self.sources.get_mut(&tables.node(hop.source)),
            caller,
            vouched,
            prefix.and_then(|prefix| self.prefixes.get_mut(&prefix)),
        ];
        for tally in tallies.into_iter().flatten() {
            tally.add(received, 200);
        }
    }

    /// Counts what the Request-URI holds; gives how its number begins.
    fn add(&mut self, received: ReceivedInvite, store: &MessageStore, code: u16) -> Option<Prefix> {
        let text = store.tables.text(received.uri);
        let uri = Uri::parse(text.as_bytes());
        self.all.add(received, code);
        tally(&mut self.users, user_of(text), received, code);
        let host = std::str::from_utf8(uri.host_port.host).unwrap_or_default();
        tally(&mut self.hosts, host, received, code);
        let number = Number::of_uri(&uri)?;
        let prefix = Prefix::of(&number);
        if let Some(subscriber) = number.subscriber() {
            tally(&mut self.subscribers, subscriber, received, code);
        }
        if self.shapes.len() < SHAPES_MAX || self.shapes.contains_key(&number.shape) {
            let (tally, samples) = self.shapes.entry(number.shape).or_default();
            tally.add(received, code);
            if code < 300 && samples.len() < SAMPLES_MAX {
                samples.push((number.into_owned(), received));
            }
        }
        Some(prefix)
    }
}

/// Counts under a text that was refused, or is one of the first few accepted ones.
fn tally(map: &mut KeyedMap<Box<str>, AcceptanceCount>, key: &str, received: ReceivedInvite, code: u16) {
    if let Some(known) = map.get_mut(key) {
        known.add(received, code);
    } else if code >= 300 || map.len() < ACCEPTED_KEYS_MAX {
        map.entry(key.into()).or_default().add(received, code);
    }
}

/// How a number begins: its lead and the first two digits behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    lead: Lead,
    /// Digits as text; 0 where there are fewer.
    digits: [u8; 2],
}

impl Prefix {
    /// How a number begins.
    pub fn of(number: &Number<'_>) -> Self {
        let mut digits = [0; 2];
        for (place, digit) in digits.iter_mut().zip(number.core.bytes()) {
            *place = digit;
        }
        Self { lead: number.shape.lead, digits }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lead != Lead::Bare {
            write!(f, "{}", self.lead)?;
        }
        let digits = self.digits.iter().filter(|digit| **digit != 0);
        digits.copied().map(char::from).try_for_each(|digit| f.write_char(digit))
    }
}

/// The user that the sender vouches for, empty where it does not.
pub fn asserted(headers: HeaderListId, store: &MessageStore) -> &str {
    let tables = &store.tables;
    let first = |name| tables.headers.first(headers, name);
    let identity = first(HeaderName::PAssertedIdentity);
    let identity = identity.or_else(|| first(HeaderName::PPreferredIdentity));
    identity.map_or("", |identity| user_of(address_of(tables.text(identity))))
}

/// Codes that only a call gets whose number led to a callee.
fn is_taken(code: u16) -> bool {
    matches!(code, 200..=299 | 486 | 600)
}

/// Codes that a number written wrongly, or a call that is not allowed, may get.
fn is_refusal(code: u16) -> bool {
    matches!(code, 400 | 403 | 404 | 410 | 480 | 484 | 503 | 604)
}
