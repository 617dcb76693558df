//! Legs: calls of different Call-IDs that a B2BUA made of one, and redirected calls that came back under a new Call-ID.
//!
//! Sources: RFC 7989 (Session-ID), RFC 7315 section 4.6 (icid), RFC 3261 section 8.1.3.4 (redirection). Where two candidates fit,
//! nothing is linked: a wrong link would accuse the wrong node.

use std::collections::HashMap;
use std::time::Duration;

use rayon::prelude::*;

use crate::call::outcome::call::Call;
use crate::call::store::endpoint::NodeId;
use crate::call::store::fast_map::FastSet;
use crate::call::store::message::Message;
use crate::call::store::message_store::MessageStore;
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_id_parts::{FAILOVER_WAIT, LEG_WAIT};
use crate::capture::Timestamp;
use crate::sip::number::{is_same_target, user_of};
use crate::sip::{HeaderName, Method, StatusCode};

/// How long a B2BUA may take to pass a final response on.
const RELAY_WAIT: Duration = Duration::from_millis(500);
/// Digits that two spellings of one number must share at their ends.
const DIGITS_MIN: usize = 7;
/// Characters of a From tag that can be taken for one of its own (RFC 3261 section 19.3 asks for 32 random bits).
const TAG_MIN: usize = 6;
/// Characters of a Session-ID that can be taken for one of its own (RFC 7989 section 5 has 32 hexadecimal digits).
const SESSION_ID_MIN: usize = 16;
/// Characters of an icid that can be taken for one of its own.
const ICID_MIN: usize = 8;
/// Calls with one From tag, or one number, that are compared; generators of load give all theirs the same.
const CANDIDATES_MAX: usize = 8;
/// Headers in which B2BUAs quote the Call-ID of the other leg, or one that both legs share.
const QUOTING: [HeaderName; 4] =
    [HeaderName::XCallId, HeaderName::XCallIdPlain, HeaderName::XCid, HeaderName::XOriginalCallId];

/// For each call the index of the call that it is a leg of, its own where it stands alone; `calls` are in the order of time.
pub(in crate::call) fn leaders(calls: &[Call], store: &MessageStore) -> Vec<u32> {
    let linkable: Vec<Option<LinkableCall<'_>>> = calls.par_iter().map(|call| LinkableCall::of(call, store)).collect();
    let mut leader: Vec<u32> = (0..calls.len() as u32).collect();
    link_by_identifier(&linkable, &mut leader);
    link_by_hiding(&linkable, &mut leader);
    link_by_behaviour(&linkable, &mut leader);
    link_by_redirection(&linkable, &mut leader, store);
    for place in 0..leader.len() {
        // Leaders are earlier calls, settled before the calls that they lead.
        leader[place] = leader[leader[place] as usize];
    }
    leader
}

/// What linking reads of a call.
struct LinkableCall<'a> {
    call: &'a Call,
    invite: &'a Message,
    tables: &'a Tables,
    concluded: Timestamp,
    /// The first Session-ID of its INVITE.
    session_id: Option<TextId>,
    /// The first P-Charging-Vector of its INVITE.
    charging_vector: Option<TextId>,
    /// Whether its INVITE quotes another Call-ID.
    is_quoting: bool,
    /// Nodes at which the visible path of the INVITE ends.
    ends: Vec<NodeId>,
}

impl<'a> LinkableCall<'a> {
    fn of(call: &'a Call, store: &'a MessageStore) -> Option<Self> {
        let leg = call.legs.first()?;
        let mut messages = store.messages_of(leg).iter();
        let invite = messages.find(|message| message.is_request(Method::Invite) && message.to_tag.is_absent())?;
        let tables = &store.tables;
        let is_source = |node| call.hops.iter().any(|hop| tables.node(hop.source) == node);
        let mut ends: Vec<NodeId> =
            call.hops.iter().map(|hop| tables.node(hop.destination)).filter(|node| !is_source(*node)).collect();
        ends.dedup();
        let (mut session_id, mut charging_vector, mut is_quoting) = (None, None, false);
        for (name, value) in tables.headers.get(invite.headers) {
            match name {
                HeaderName::SessionId => session_id = session_id.or(Some(value)),
                HeaderName::PChargingVector => charging_vector = charging_vector.or(Some(value)),
                name => is_quoting |= QUOTING.contains(&name),
            }
        }
        let concluded = call.milestones.answered.or(call.milestones.concluded).unwrap_or(call.ended);
        Some(Self { call, invite, tables, concluded, session_id, charging_vector, is_quoting, ends })
    }

    fn header(&self, name: HeaderName) -> Option<&'a str> {
        self.tables.header(self.invite, name)
    }

    fn call_id(&self) -> &'a str {
        self.tables.call_id(self.invite)
    }

    /// Whether `later` begins while this call is being set up.
    fn covers(&self, later: &Self) -> bool {
        self.invite.time <= later.invite.time && later.invite.time <= self.concluded
    }
}

fn set_leader(leader: &mut [u32], of: usize, to: usize) {
    if to < of && leader[of] as usize == of {
        leader[of] = leader[to];
    }
}

/// What an identifier is, so that none is compared with one of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum IdentifierKind {
    Session,
    Charging,
    Call,
}

fn link_by_identifier(linkable: &[Option<LinkableCall<'_>>], leader: &mut [u32]) {
    let mut known: HashMap<(IdentifierKind, &str), usize, foldhash::fast::RandomState> = HashMap::default();
    // Where no call quotes another, Call-IDs need not be remembered.
    let is_quoting = linkable.iter().flatten().any(|own| own.is_quoting);
    for (place, own) in linkable.iter().enumerate() {
        let Some(own) = own else { continue };
        for identifier in identifiers(own, is_quoting) {
            let first = known.get(&identifier).copied();
            let covering = first.filter(|first| linkable[*first].as_ref().is_some_and(|first| first.covers(own)));
            match covering {
                Some(first) => set_leader(leader, place, first),
                None => {
                    known.insert(identifier, place);
                }
            }
        }
    }
}

/// Values that only legs of one call share; a quoted Call-ID is compared with Call-IDs themselves.
fn identifiers<'a>(own: &LinkableCall<'a>, is_quoting: bool) -> impl Iterator<Item = (IdentifierKind, &'a str)> {
    let [session, charging] = [own.session_id, own.charging_vector].map(|id| Some(own.tables.text(id?)));
    let session = session.and_then(|value| value.split(';').next()).map(str::trim);
    let session = session.filter(|id| id.len() >= SESSION_ID_MIN && id.bytes().any(|byte| byte != b'0'));
    let session = session.map(|id| (IdentifierKind::Session, id));
    let icid = charging.and_then(icid_of).map(|id| (IdentifierKind::Charging, id));
    let call_id = is_quoting.then(|| (IdentifierKind::Call, own.call_id()));
    let quoted = QUOTING.iter().filter(move |_| is_quoting).filter_map(|name| own.header(*name));
    let quoted = quoted.map(|value| (IdentifierKind::Call, value.trim()));
    // The quoted Call-ID comes first, so that a leg finds the call it quotes before it is known under its own.
    quoted.chain(session).chain(icid).chain(call_id).filter(|(_, value)| !value.is_empty())
}

/// Proxies that hide the topology write a Call-ID of their own and leave the caller's tag, CSeq and session as they are.
fn link_by_hiding(linkable: &[Option<LinkableCall<'_>>], leader: &mut [u32]) {
    let mut tags: Vec<TextId> = linkable.iter().flatten().map(|own| own.invite.from_tag).collect();
    tags.par_sort_unstable();
    let pairs = tags.windows(2).filter(|pair| pair[0] == pair[1]);
    let shared: FastSet<TextId> = pairs.map(|pair| pair[0]).collect();
    let mut known: HashMap<(TextId, u32), Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
    for (place, own) in linkable.iter().enumerate() {
        let Some(own) = own else { continue };
        let tag = own.invite.from_tag;
        if !shared.contains(&tag) || own.tables.text(tag).len() < TAG_MIN {
            continue;
        }
        let before = known.entry((tag, own.invite.cseq)).or_default();
        before.retain(|first| {
            linkable[*first].as_ref().is_some_and(|first| own.invite.time.since(first.invite.time) <= LEG_WAIT)
        });
        let is_hidden = |first: &LinkableCall<'_>| {
            let node = |endpoint| first.tables.node(endpoint);
            first.covers(own)
                && node(first.call.source) != node(own.call.source)
                && node(first.call.destination) != node(own.call.destination)
                && has_same_origin(first, own)
                && user_of(first.tables.text(first.call.callee)) == user_of(first.tables.text(own.call.callee))
        };
        let mut fitting = before.iter().filter(|first| linkable[**first].as_ref().is_some_and(is_hidden));
        if let (Some(&only), None) = (fitting.next(), fitting.next()) {
            set_leader(leader, place, only);
        }
        if before.len() < CANDIDATES_MAX {
            before.push(place);
        }
    }
}

fn icid_of(vector: &str) -> Option<&str> {
    let value = vector.split(';').map(str::trim).find_map(|part| part.strip_prefix("icid-value="))?;
    Some(value.trim_matches('"')).filter(|value| value.len() >= ICID_MIN)
}

/// Whether a node is among some, by its place.
fn node_marks(nodes: impl Iterator<Item = NodeId>) -> Vec<bool> {
    let mut marks = Vec::new();
    for node in nodes {
        marks.resize(marks.len().max(node.place() + 1), false);
        marks[node.place()] = true;
    }
    marks
}

fn link_by_behaviour(linkable: &[Option<LinkableCall<'_>>], leader: &mut [u32]) {
    let mut waiting: HashMap<(NodeId, String), Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
    let all = || linkable.iter().flatten();
    let sources = node_marks(all().map(|own| own.tables.node(own.call.source)));
    let ends = node_marks(all().flat_map(|own| own.ends.iter().copied()));
    let is_in = |marks: &[bool], node: &NodeId| marks.get(node.place()) == Some(&true);
    for (place, own) in linkable.iter().enumerate() {
        let Some(own) = own else { continue };
        let source = own.tables.node(own.call.source);
        // Most calls neither come from where another one ended nor end where another one comes from.
        if !is_in(&ends, &source) && !own.ends.iter().any(|end| is_in(&sources, end)) {
            continue;
        }
        let numbers = numbers_of(own);
        if leader[place] as usize == place {
            let mut candidates: Vec<usize> = Vec::new();
            for number in &numbers {
                let before = waiting.get(&(source, number.clone())).map(Vec::as_slice).unwrap_or_default();
                let recent = before.iter().rev().take_while(|first| {
                    linkable[**first].as_ref().is_some_and(|first| own.invite.time.since(first.invite.time) <= LEG_WAIT)
                });
                candidates.extend(recent.take(CANDIDATES_MAX));
            }
            candidates.sort_unstable();
            candidates.dedup();
            if let [only] = candidates[..]
                && linkable[only].as_ref().is_some_and(|first| first.covers(own) && behaves_as_leg(first, own))
            {
                set_leader(leader, place, only);
            }
        }
        for end in own.ends.iter().filter(|end| is_in(&sources, end)) {
            for number in &numbers {
                waiting.entry((*end, number.clone())).or_default().push(place);
            }
        }
    }
}

/// The last digits of caller and callee, where they are long enough to mean one subscriber.
fn numbers_of(own: &LinkableCall<'_>) -> Vec<String> {
    let texts = [own.call.callee, own.call.caller, own.invite.line];
    let mut numbers: Vec<String> = texts.iter().filter_map(|id| last_digits(own.tables.text(*id))).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The last seven digits of a URI's user part; `None` where it has fewer.
pub(in crate::call) fn last_digits(uri: &str) -> Option<String> {
    let user = uri.split_once(':').map_or(uri, |(_, rest)| rest).split(['@', ';']).next()?;
    let digits: String = user.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= DIGITS_MIN).then(|| digits[digits.len() - DIGITS_MIN..].to_owned())
}

/// Whether both INVITEs describe the same session (RFC 8866 section 5.2).
fn has_same_origin(first: &LinkableCall<'_>, second: &LinkableCall<'_>) -> bool {
    let sessions = &first.tables.sessions;
    let (a, b) = (first.invite.session, second.invite.session);
    !a.is_absent() && !b.is_absent() && sessions.origin(a).0 == sessions.origin(b).0
}

fn behaves_as_leg(first: &LinkableCall<'_>, second: &LinkableCall<'_>) -> bool {
    let sessions = &first.tables.sessions;
    let same_media = || {
        let (a, b) = (sessions.media(first.invite.session), sessions.media(second.invite.session));
        !a.is_empty() && a == b
    };
    let same_signature = || {
        let (a, b) = (first.header(HeaderName::Identity), second.header(HeaderName::Identity));
        a.is_some() && a == b
    };
    let ends_in_order = || {
        let same_end = first.call.outcome.is_answered() == second.call.outcome.is_answered();
        same_end && second.concluded <= first.concluded && first.concluded.since(second.concluded) <= RELAY_WAIT
    };
    has_same_origin(first, second) || same_media() || same_signature() || ends_in_order()
}

fn link_by_redirection(linkable: &[Option<LinkableCall<'_>>], leader: &mut [u32], store: &MessageStore) {
    let mut redirected: Vec<usize> = Vec::new();
    for (place, own) in linkable.iter().enumerate() {
        let Some(own) = own else { continue };
        let is_redirected = |code: StatusCode| code.is_redirection();
        if redirected.is_empty() && !own.call.final_code.is_some_and(is_redirected) {
            continue;
        }
        let target = store.tables.text(own.invite.line);
        let first = redirected.iter().rev().copied().find(|first| {
            let Some(first) = &linkable[*first] else {
                return false;
            };
            let same_caller = first.call.caller == own.call.caller
                && own.tables.node(first.call.source) == own.tables.node(own.call.source);
            same_caller
                && own.invite.time >= first.concluded
                && own.invite.time.since(first.concluded) <= FAILOVER_WAIT
                && contacts(first, store).any(|contact| is_same_target(contact, target))
        });
        if let Some(first) = first {
            set_leader(leader, place, first);
        }
        if own.call.final_code.is_some_and(is_redirected) {
            redirected.push(place);
        }
        redirected.retain(|first| {
            linkable[*first].as_ref().is_some_and(|first| own.invite.time.since(first.concluded) <= FAILOVER_WAIT)
        });
    }
}

fn contacts<'a>(own: &LinkableCall<'a>, store: &'a MessageStore) -> impl Iterator<Item = &'a str> {
    let messages = own.call.legs.first().map_or(&[][..], |leg| store.messages_of(leg));
    let redirects = messages.iter().filter(|message| message.status().is_some_and(|status| status.is_redirection()));
    redirects
        .flat_map(|message| store.tables.header_values(message, HeaderName::Contact))
        .flat_map(|line| line.split(','))
        .map(crate::call::beside::registration::address_of)
}
