//! Direction: pairs of nodes of which the capture shows only one speaking.
//!
//! Absence alone proves nothing: a node must act on what the capture lacks before a direction counts as missing. It does so when
//! it acknowledges an answer, uses a tag, logs in or changes a value that only an answer could have taught it, when it answers
//! requests that were never captured, or when it keeps leaving requests unrepeated although no answer was captured.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rayon::prelude::*;

use crate::call::beside::registration::RegisterAttempt;
use crate::call::outcome::call::Call;
use crate::call::store::endpoint::{EndpointId, NodeId, NodePair};
use crate::call::store::message::Message;
use crate::call::store::message_store::{Leg, MessageStore};
use crate::call::survey::census::Census;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::join::transactions_of;
use crate::call::transaction::timer::answer_wait;
use crate::capture::Timestamp;
use crate::sip::{HeaderName, Method};

/// Answers without a request after which the requests are missing, rather than older than the capture.
const ORPHANS_MIN: u32 = 2;
/// Messages of a node after which its habits mean something.
const MESSAGES_MIN: u32 = 10;
/// Requests that must have been left unrepeated.
const UNREPEATED_MIN: u32 = 3;
/// Of ten requests so many must have been left unrepeated.
const UNREPEATED_TENTHS_MIN: u32 = 8;
/// A node that speaks alone to more than so many others is looking for servers; it never repeats anything.
const PARTNERS_MAX: usize = 8;
/// Sends that a node makes at most where an answer came soon.
const SENDS_MAX: u32 = 2;
/// When a request that was sent once or twice would have been sent again: 3 × T1 (RFC 3261 section 17.1.1.2), with some slack.
const REPEAT_WAIT: Duration = Duration::from_secs(2);

/// Two nodes of which only one was captured speaking to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneDirection {
    /// Who was captured speaking.
    pub speaker: EndpointId,
    /// Who was not.
    pub silent: EndpointId,
    /// The speaker knows, or answers, what only the other one can have said; otherwise its habits alone show it.
    pub is_known: bool,
}

/// What a speaker that is captured alone does.
#[derive(Debug, Default)]
struct SpeakerSigns {
    /// It knows something that only the other side can have said.
    knows: bool,
    /// Requests that it answers, though none was captured.
    orphans: u32,
    /// Requests that it sent over UDP.
    requests: u32,
    /// Those that it did not repeat although the time for it had come.
    unrepeated: u32,
}

type AllSigns = BTreeMap<NodePair, SpeakerSigns>;

/// Legs that one thread looks at at a time.
const LEGS_AT_A_TIME: usize = 1024;

/// Pairs of which one direction is missing, in the order of endpoints.
pub fn one_direction_pairs(
    store: &MessageStore,
    calls: &[Call],
    attempts: &[RegisterAttempt],
    census: &Census,
) -> Vec<OneDirection> {
    let counts = &census.traffic;
    let silent: BTreeSet<NodePair> =
        counts.keys().filter(|(a, b)| a != b && !counts.contains_key(&(*b, *a))).copied().collect();
    if silent.is_empty() {
        return Vec::new();
    }
    let watch = census.span.unwrap_or_default();
    let of_calls = calls.iter().flat_map(|call| call.legs.iter());
    let of_attempts = attempts.iter().map(|attempt| &attempt.leg);
    let legs: Vec<&Leg> = of_calls.chain(of_attempts).collect();
    let alone = LoneSpeakers::of(&silent);
    let shares = legs.par_chunks(LEGS_AT_A_TIME).with_max_len(1).map(|legs| {
        let mut signs = AllSigns::new();
        for leg in legs {
            if alone.speaks_in(store, leg) {
                add_leg(store, leg, &silent, watch, &mut signs);
            }
        }
        signs
    });
    let signs = shares.reduce(AllSigns::new, add_signs);
    let mut partners: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (speaker, _) in &silent {
        *partners.entry(*speaker).or_default() += 1;
    }
    let is_missing = |pair: &NodePair, signs: &SpeakerSigns| {
        let habit = counts.get(pair).is_some_and(|count| count.messages >= MESSAGES_MIN)
            && signs.unrepeated >= UNREPEATED_MIN
            && signs.unrepeated * 10 >= signs.requests * UNREPEATED_TENTHS_MIN
            && partners.get(&pair.0).is_none_or(|n| *n <= PARTNERS_MAX);
        signs.knows || signs.orphans >= ORPHANS_MIN || habit
    };
    signs
        .iter()
        .filter(|(pair, signs)| is_missing(pair, signs))
        .filter_map(|(pair, signs)| Some((counts.get(pair)?, signs)))
        .map(|(traffic, signs)| OneDirection {
            speaker: traffic.source,
            silent: traffic.destination,
            is_known: signs.knows || signs.orphans >= ORPHANS_MIN,
        })
        .collect()
}

/// Pairs of which one speaks alone, and for each node by its number whether it does: few do, and every message is asked about.
struct LoneSpeakers<'a> {
    pairs: &'a BTreeSet<NodePair>,
    speaks: Vec<bool>,
}

impl<'a> LoneSpeakers<'a> {
    fn of(pairs: &'a BTreeSet<NodePair>) -> Self {
        let last = pairs.iter().map(|(speaker, _)| speaker.place()).max();
        let mut speaks = vec![false; last.map_or(0, |last| last + 1)];
        for (speaker, _) in pairs {
            speaks[speaker.place()] = true;
        }
        Self { pairs, speaks }
    }

    /// Whether somebody speaks alone in a leg.
    fn speaks_in(&self, store: &MessageStore, leg: &Leg) -> bool {
        store.messages_of(leg).iter().any(|message| {
            let speaker = store.tables.node(message.source);
            let speaks = self.speaks.get(speaker.place()).copied().unwrap_or(false);
            speaks && self.pairs.contains(&(speaker, store.tables.node(message.destination)))
        })
    }
}

/// Adds what two shares of the legs show.
fn add_signs(mut all: AllSigns, more: AllSigns) -> AllSigns {
    for (pair, signs) in more {
        let known = all.entry(pair).or_default();
        known.knows |= signs.knows;
        known.orphans += signs.orphans;
        known.requests += signs.requests;
        known.unrepeated += signs.unrepeated;
    }
    all
}

/// Adds what the speakers of one leg show of what reached them.
fn add_leg(
    store: &MessageStore,
    leg: &Leg,
    silent: &BTreeSet<NodePair>,
    watch: (Timestamp, Timestamp),
    signs: &mut AllSigns,
) {
    let transactions = transactions_of(store, &[*leg]);
    for hop in transactions.all() {
        let (asker, asked) = hop.nodes();
        if hop.request.is_none() && silent.contains(&(asked, asker)) {
            let wait = answer_wait(hop.method);
            let signs = signs.entry((asked, asker)).or_default();
            signs.orphans += 1;
            signs.knows |= hop.first().time.since(watch.0) >= wait;
        } else if hop.request.is_some() && silent.contains(&(asker, asked)) {
            let signs = signs.entry((asker, asked)).or_default();
            signs.knows |= acts_on_unseen(&transactions, hop);
            let counts =
                !hop.transport.is_reliable() && !matches!(hop.method, Method::Ack | Method::Cancel | Method::Options);
            signs.requests += u32::from(counts);
            signs.unrepeated += u32::from(counts && is_left_alone(&transactions, hop, watch.1));
        }
    }
}

/// Whether the sender of a request shows by it that it knows what the capture lacks.
fn acts_on_unseen(transactions: &CallTransactions<'_>, hop: TransactionView<'_, '_>) -> bool {
    let Some(request) = hop.request() else {
        return false;
    };
    let speaker = hop.source_node();
    match hop.method {
        Method::Invite | Method::Register if request.to_tag.is_absent() => {
            let unseen_final = hop.method == Method::Invite && hop.ack.is_some() && hop.final_response.is_none();
            unseen_final || learnt_from_unseen(transactions, request)
        }
        _ => {
            !request.to_tag.is_absent()
                && opened_here(transactions, speaker)
                && !heard_tag(transactions, speaker, request)
        }
    }
}

/// Whether the speaker's own first INVITE of this Call-ID, without a To tag, is in the capture.
fn opened_here(transactions: &CallTransactions<'_>, speaker: NodeId) -> bool {
    transactions.originals().any(|(_, m)| {
        m.is_request(Method::Invite) && m.to_tag.is_absent() && transactions.tables.node(m.source) == speaker
    })
}

/// Whether any message to the speaker carries the tag of the other side that it uses.
fn heard_tag(transactions: &CallTransactions<'_>, speaker: NodeId, request: &Message) -> bool {
    transactions.messages.iter().any(|m| {
        let tag = if m.status().is_some() { m.to_tag } else { m.from_tag };
        tag == request.to_tag && transactions.tables.node(m.destination) == speaker
    })
}

/// The same request again, changed as only an answer could have taught, although none was captured: a login, a longer timer, an
/// extension left out.
fn learnt_from_unseen(transactions: &CallTransactions<'_>, request: &Message) -> bool {
    let tables = transactions.tables;
    let speaker = tables.node(request.source);
    let was_answered = transactions.messages.iter().any(|m| {
        m.status().is_some_and(|status| status.0 >= 300)
            && m.cseq_method == request.transaction_method()
            && m.cseq.wrapping_add(1) == request.cseq
            && tables.node(m.destination) == speaker
    });
    if was_answered {
        return false;
    }
    let before = transactions.originals().map(|(_, m)| m).find(|m| {
        m.method() == request.method()
            && m.cseq.wrapping_add(1) == request.cseq
            && m.source == request.source
            && m.to_tag.is_absent()
    });
    let Some(before) = before else { return false };
    let has = |m: &Message, name| tables.header(m, name).is_some();
    let logs_in = [HeaderName::Authorization, HeaderName::ProxyAuthorization]
        .into_iter()
        .any(|name| has(request, name) && !has(before, name));
    let changes = [HeaderName::SessionExpires, HeaderName::MinSe]
        .into_iter()
        .any(|name| has(request, name) && tables.header(request, name) != tables.header(before, name));
    let drops = has(before, HeaderName::Require) && !has(request, HeaderName::Require);
    logs_in || changes || drops
}

/// Whether a request was not repeated although the time for it had come, and nothing else took its place.
fn is_left_alone(transactions: &CallTransactions<'_>, hop: TransactionView<'_, '_>, end: Timestamp) -> bool {
    let Some(last) = hop.last_request() else {
        return false;
    };
    let went_elsewhere = transactions.all().any(|other| {
        other.index() > hop.index()
            && (other.method == Method::Cancel && other.via == hop.via
                || other.method == hop.method && other.source == hop.source && other.destination != hop.destination)
    });
    // An answer from another address than the one asked is an answer all the same.
    let is_answered = hop.responses().next().is_some();
    !is_answered && hop.sends <= SENDS_MAX && end.since(last.time) >= REPEAT_WAIT && !went_elsewhere
}
