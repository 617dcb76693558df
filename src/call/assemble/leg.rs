//! Legs: calls of different Call-IDs that a B2BUA made of one, and redirected calls that came back under a new Call-ID.
//!
//! Sources: RFC 7989 (Session-ID), RFC 7315 section 4.6 (icid), RFC 3261 section 8.1.3.4 (redirection). Where two candidates fit,
//! nothing is linked: a wrong link would accuse the wrong node.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rayon::prelude::*;

use crate::call::outcome::call::Call;
use crate::call::store::endpoint::NodeId;
use crate::call::store::message::Message;
use crate::call::store::message_store::MessageStore;
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_id_parts::FAILOVER_WAIT;
use crate::call::transaction::hop_tree::LEG_WAIT;
use crate::capture::Timestamp;
use crate::sip::number::{is_same_target, user_of};
use crate::sip::{HeaderName, Method, StatusCode};

/// How long a B2BUA may take to pass a final response on.
const RELAY_WAIT: Duration = Duration::from_millis(500);
/// Digits that two spellings of one number must share at their ends.
const DIGITS_MIN: usize = 7;
/// Characters of a From tag that can be taken for one of its own (RFC 3261 section 19.3 asks for 32 random bits).
const TAG_MIN: usize = 6;
/// Calls with one From tag that are compared; generators of load give all theirs the same.
const CANDIDATES_MAX: usize = 8;
/// Headers in which B2BUAs quote the Call-ID of the other leg, or one that both legs share.
const QUOTING: [HeaderName; 4] =
    [HeaderName::XCallId, HeaderName::XCallIdPlain, HeaderName::XCid, HeaderName::XOriginalCallId];

/// For each call the index of the call that it is a leg of, its own where it stands alone; `calls` are in the order of time.
pub(in crate::call) fn leaders(calls: &[Call], store: &MessageStore) -> Vec<u32> {
    let views: Vec<Option<LinkableCall<'_>>> = calls.par_iter().map(|call| LinkableCall::of(call, store)).collect();
    let mut leader: Vec<u32> = (0..calls.len() as u32).collect();
    link_by_identifier(&views, &mut leader);
    link_by_hiding(&views, &mut leader);
    link_by_behaviour(&views, &mut leader);
    link_by_redirection(&views, &mut leader, store);
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
    /// The first Session-ID and the first P-Charging-Vector of its INVITE.
    shared: [Option<TextId>; 2],
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
        let (mut shared, mut is_quoting) = ([None; 2], false);
        for (name, value) in tables.headers.get(invite.headers) {
            let own = match name {
                HeaderName::SessionId => &mut shared[0],
                HeaderName::PChargingVector => &mut shared[1],
                name => {
                    is_quoting |= QUOTING.contains(&name);
                    continue;
                }
            };
            own.get_or_insert(value);
        }
        let concluded = call.milestones.answered.or(call.milestones.concluded).unwrap_or(call.ended);
        Some(Self { call, invite, tables, concluded, shared, is_quoting, ends })
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

fn link_by_identifier(views: &[Option<LinkableCall<'_>>], leader: &mut [u32]) {
    let mut known: HashMap<(u8, &str), usize, foldhash::fast::RandomState> = HashMap::default();
    // Where no call quotes another, Call-IDs need not be remembered.
    let is_quoting = views.iter().flatten().any(|view| view.is_quoting);
    for (place, view) in views.iter().enumerate() {
        let Some(view) = view else { continue };
        for (kind, value) in identifiers(view, is_quoting) {
            match known.get(&(kind, value)) {
                Some(&first) if views[first].as_ref().is_some_and(|first| first.covers(view)) => {
                    set_leader(leader, place, first)
                }
                _ => {
                    known.insert((kind, value), place);
                }
            }
        }
    }
}

/// Values that only legs of one call share; a quoted Call-ID is compared with Call-IDs themselves.
fn identifiers<'a>(view: &LinkableCall<'a>, is_quoting: bool) -> impl Iterator<Item = (u8, &'a str)> {
    let [session, charging] = view.shared.map(|id| Some(view.tables.text(id?)));
    let session = session.and_then(|value| value.split(';').next()).map(str::trim);
    let session = session.filter(|id| id.len() >= 16 && id.bytes().any(|byte| byte != b'0')).map(|id| (0, id));
    let icid = charging.and_then(icid_of).map(|id| (1, id));
    let own = is_quoting.then(|| (2, view.call_id()));
    let quoted =
        QUOTING.iter().filter(move |_| is_quoting).filter_map(|name| view.header(*name)).map(|value| (2, value.trim()));
    // The quoted Call-ID comes first, so that a leg finds the call it quotes before it is known under its own.
    quoted.chain(session).chain(icid).chain(own).filter(|(_, value)| !value.is_empty())
}

/// Proxies that hide the topology write a Call-ID of their own and leave the caller's tag, CSeq and session as they are.
fn link_by_hiding(views: &[Option<LinkableCall<'_>>], leader: &mut [u32]) {
    let mut tags: Vec<TextId> = views.iter().flatten().map(|view| view.invite.from_tag).collect();
    tags.par_sort_unstable();
    let pairs = tags.windows(2).filter(|pair| pair[0] == pair[1]);
    let shared: HashSet<TextId, foldhash::fast::FixedState> = pairs.map(|pair| pair[0]).collect();
    let mut known: HashMap<(TextId, u32), Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
    for (place, view) in views.iter().enumerate() {
        let Some(view) = view else { continue };
        let tag = view.invite.from_tag;
        if !shared.contains(&tag) || view.tables.text(tag).len() < TAG_MIN {
            continue;
        }
        let before = known.entry((tag, view.invite.cseq)).or_default();
        before.retain(|first| {
            views[*first].as_ref().is_some_and(|first| view.invite.time.since(first.invite.time) <= LEG_WAIT)
        });
        let is_hidden = |first: &LinkableCall<'_>| {
            let node = |endpoint| first.tables.node(endpoint);
            first.covers(view)
                && node(first.call.source) != node(view.call.source)
                && node(first.call.destination) != node(view.call.destination)
                && has_same_origin(first, view)
                && user_of(first.tables.text(first.call.callee)) == user_of(first.tables.text(view.call.callee))
        };
        let mut fitting = before.iter().filter(|first| views[**first].as_ref().is_some_and(is_hidden));
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
    Some(value.trim_matches('"')).filter(|value| value.len() >= 8)
}

/// Whether a node is among some, by its place.
fn marks(nodes: impl Iterator<Item = NodeId>) -> Vec<bool> {
    let mut marks = Vec::new();
    for node in nodes {
        marks.resize(marks.len().max(node.place() + 1), false);
        marks[node.place()] = true;
    }
    marks
}

fn link_by_behaviour(views: &[Option<LinkableCall<'_>>], leader: &mut [u32]) {
    let mut waiting: HashMap<(NodeId, String), Vec<usize>, foldhash::fast::RandomState> = HashMap::default();
    let all = || views.iter().flatten();
    let sources = marks(all().map(|view| view.tables.node(view.call.source)));
    let ends = marks(all().flat_map(|view| view.ends.iter().copied()));
    let is_in = |marks: &[bool], node: &NodeId| marks.get(node.place()) == Some(&true);
    for (place, view) in views.iter().enumerate() {
        let Some(view) = view else { continue };
        let source = view.tables.node(view.call.source);
        // Most calls neither come from where another one ended nor end where another one comes from.
        if !is_in(&ends, &source) && !view.ends.iter().any(|end| is_in(&sources, end)) {
            continue;
        }
        let numbers = numbers_of(view);
        if leader[place] as usize == place {
            let mut candidates: Vec<usize> = Vec::new();
            for number in &numbers {
                let before = waiting.get(&(source, number.clone())).map(Vec::as_slice).unwrap_or_default();
                let recent = before.iter().rev().take_while(|first| {
                    views[**first].as_ref().is_some_and(|first| view.invite.time.since(first.invite.time) <= LEG_WAIT)
                });
                candidates.extend(recent.take(8));
            }
            candidates.sort_unstable();
            candidates.dedup();
            if let [only] = candidates[..]
                && views[only].as_ref().is_some_and(|first| first.covers(view) && behaves_as_leg(first, view))
            {
                set_leader(leader, place, only);
            }
        }
        for end in view.ends.iter().filter(|end| is_in(&sources, end)) {
            for number in &numbers {
                waiting.entry((*end, number.clone())).or_default().push(place);
            }
        }
    }
}

/// The last digits of caller and callee, where they are long enough to mean one subscriber.
fn numbers_of(view: &LinkableCall<'_>) -> Vec<String> {
    let texts = [view.call.callee, view.call.caller, view.invite.line];
    let mut numbers: Vec<String> = texts.iter().filter_map(|id| last_digits(view.tables.text(*id))).collect();
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

fn link_by_redirection(views: &[Option<LinkableCall<'_>>], leader: &mut [u32], store: &MessageStore) {
    let mut redirected: Vec<usize> = Vec::new();
    for (place, view) in views.iter().enumerate() {
        let Some(view) = view else { continue };
        let is_redirected = |code: StatusCode| code.is_redirection();
        if redirected.is_empty() && !view.call.final_code.is_some_and(is_redirected) {
            continue;
        }
        let target = store.tables.text(view.invite.line);
        let first = redirected.iter().rev().copied().find(|first| {
            let Some(first) = &views[*first] else {
                return false;
            };
            let same_caller = first.call.caller == view.call.caller
                && view.tables.node(first.call.source) == view.tables.node(view.call.source);
            same_caller
                && view.invite.time >= first.concluded
                && view.invite.time.since(first.concluded) <= FAILOVER_WAIT
                && contacts(first, store).any(|contact| is_same_target(contact, target))
        });
        if let Some(first) = first {
            set_leader(leader, place, first);
        }
        if view.call.final_code.is_some_and(is_redirected) {
            redirected.push(place);
        }
        redirected.retain(|first| {
            views[*first].as_ref().is_some_and(|first| view.invite.time.since(first.concluded) <= FAILOVER_WAIT)
        });
    }
}

fn contacts<'a>(view: &LinkableCall<'a>, store: &'a MessageStore) -> impl Iterator<Item = &'a str> {
    let messages = view.call.legs.first().map_or(&[][..], |leg| store.messages_of(leg));
    let redirects = messages.iter().filter(|message| message.status().is_some_and(|status| status.is_redirection()));
    redirects
        .flat_map(|message| store.tables.header_values(message, HeaderName::Contact))
        .flat_map(|line| line.split(','))
        .map(crate::call::beside::registration::address_of)
}
