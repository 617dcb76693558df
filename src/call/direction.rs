//! Direction: pairs of nodes of which the capture shows only one speaking.
//!
//! Absence alone proves nothing: a node must act on an answer that the capture lacks before a direction counts as missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::call::anatomy::Anatomy;
use crate::call::book::Book;
use crate::call::build::{Happenings, anatomy_of};
use crate::call::endpoint::{EndpointId, NodeId};
use crate::call::record::Leg;
use crate::sip::{HeaderName, Method};

/// Pairs of which one direction is missing: who was captured speaking, and who was not; in the order of endpoints.
pub fn one_direction_pairs(book: &Book, happened: &Happenings) -> Vec<(EndpointId, EndpointId)> {
    let mut counts: BTreeMap<(NodeId, NodeId), (u32, EndpointId, EndpointId)> = BTreeMap::new();
    for message in &book.messages {
        let key = (
            book.tables.node(message.source),
            book.tables.node(message.destination),
        );
        counts
            .entry(key)
            .or_insert((0, message.source, message.destination))
            .0 += 1;
    }
    let silent: BTreeSet<(NodeId, NodeId)> = counts
        .keys()
        .filter(|(a, b)| a != b && !counts.contains_key(&(*b, *a)))
        .copied()
        .collect();
    if silent.is_empty() {
        return Vec::new();
    }
    let mut known: BTreeSet<(NodeId, NodeId)> = BTreeSet::new();
    let legs = happened
        .calls
        .iter()
        .flat_map(|call| call.legs.iter())
        .chain(happened.attempts.iter().map(|attempt| &attempt.leg));
    for leg in legs {
        learn(book, leg, &silent, &mut known);
    }
    known
        .iter()
        .filter_map(|pair| counts.get(pair))
        .map(|(_, source, destination)| (*source, *destination))
        .collect()
}

/// Pairs whose speaker shows in this leg that it heard what the capture lacks.
fn learn(
    book: &Book,
    leg: &Leg,
    silent: &BTreeSet<(NodeId, NodeId)>,
    known: &mut BTreeSet<(NodeId, NodeId)>,
) {
    let messages = book
        .messages
        .get(leg.start as usize..leg.end as usize)
        .unwrap_or_default();
    let speaks_alone = messages
        .iter()
        .any(|m| silent.contains(&(book.tables.node(m.source), book.tables.node(m.destination))));
    if !speaks_alone {
        return;
    }
    let anatomy = anatomy_of(book, &[*leg]);
    for (_, message) in anatomy.originals() {
        let pair = (
            book.tables.node(message.source),
            book.tables.node(message.destination),
        );
        if !silent.contains(&pair) {
            continue;
        }
        let acts = match message.method() {
            // An ACK confirms a final response; a To tag can only come from the other side.
            Some(Method::Ack) => true,
            Some(Method::Bye | Method::Prack | Method::Update | Method::Info) => {
                !message.to_tag.is_absent() && opened_here(&anatomy, pair)
            }
            Some(Method::Invite | Method::Register) => answers_unseen_challenge(&anatomy, message),
            _ => message.status().is_some() && !has_request(&anatomy, message),
        };
        if acts {
            known.insert(pair);
        }
    }
}

/// Whether the speaker's own first request of this Call-ID, without a To tag, is in the capture.
fn opened_here(anatomy: &Anatomy<'_>, pair: (NodeId, NodeId)) -> bool {
    anatomy.originals().any(|(_, m)| {
        m.is_request(Method::Invite)
            && m.to_tag.is_absent()
            && anatomy.tables.node(m.source) == pair.0
    })
}

/// Credentials directly after the same request without them, although no challenge was captured.
fn answers_unseen_challenge(
    anatomy: &Anatomy<'_>,
    message: &crate::call::message::Message,
) -> bool {
    let tables = anatomy.tables;
    let has_login = |m| {
        tables
            .header(m, HeaderName::Authorization)
            .or_else(|| tables.header(m, HeaderName::ProxyAuthorization))
            .is_some()
    };
    let is_before = |m: &crate::call::message::Message| {
        m.method() == message.method()
            && m.cseq.wrapping_add(1) == message.cseq
            && m.source == message.source
    };
    has_login(message)
        && anatomy
            .originals()
            .any(|(_, m)| is_before(m) && !has_login(m))
}

/// Whether the request that a response answers was captured.
fn has_request(anatomy: &Anatomy<'_>, response: &crate::call::message::Message) -> bool {
    anatomy.each().any(|(_, t)| {
        t.request.is_some() && t.method == response.cseq_method && t.cseq == response.cseq
    })
}
