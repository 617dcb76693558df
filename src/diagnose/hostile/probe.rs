//! Probes: what each sender asked for at the edge of the capture, and whether that looks like people or like a search.
//!
//! Source: RFC 3261 section 26.1 (attacks and threat models).

mod mark;

use std::collections::HashMap;
use std::time::Duration;

use crate::call::beside::other_request::OtherRequest;
use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::call::{Call, EndpointId, FastSet, Message, MessageRange, MessageStore, NodeId, TextId, is_private};
use crate::capture::{FrameRef, Timestamp};
use crate::sip::number::user_of;
use crate::sip::{HeaderName, Method};

pub(in crate::diagnose) use mark::mark_of;
pub use mark::{Mark, Marks};

/// The time in which names that were asked for are counted.
pub const WINDOW: Duration = Duration::from_secs(60);
/// The time in which one number is tried with several prefixes.
const HUNT_WINDOW: Duration = Duration::from_secs(600);
/// Digits at the end that stay when a prefix changes.
const HUNT_DIGITS: usize = 7;
/// What came back for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// A call that was answered or rang, or a registration.
    Served,
    /// Any other answer.
    Refused,
    /// Nothing.
    None,
}

/// One thing that a sender asked for: a call, a registration or another request.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// First send.
    pub time: Timestamp,
    /// Frame of the first send.
    pub at: FrameRef,
    /// What it asked.
    pub method: Method,
    /// The socket that it came from.
    pub source: EndpointId,
    /// Who was asked.
    pub destination: EndpointId,
    /// The URI that was asked for.
    pub target: TextId,
    /// URI of From.
    pub from: TextId,
    /// Product that the request names, absent where none.
    pub software: TextId,
    /// What came back.
    pub reply: Reply,
    /// Its final status; 0 where none came.
    pub code: u16,
    /// Index of the call.
    pub call: Option<u32>,
    /// Whether it passed another node before.
    pub is_relayed: bool,
    /// Whether it is known to have carried a login; [`Ask::has_login`] looks.
    has_credentials: bool,
    /// Range of the messages that belong to it, as far as they matter; few are ever looked at.
    messages: MessageRange,
}

impl Ask {
    /// Whether it carried a login.
    pub fn has_login(&self, store: &MessageStore) -> bool {
        let mut messages = store.messages_of(self.messages).iter();
        self.has_credentials || messages.any(|message| carries_login(store, message))
    }

    /// Whether it is an INVITE that was refused, and the sender did not confirm the refusal.
    pub fn lacks_ack(&self, store: &MessageStore) -> bool {
        let mut messages = store.messages_of(self.messages).iter();
        self.method == Method::Invite
            && self.call.is_some()
            && self.code >= 300
            && !messages.any(|message| message.is_request(Method::Ack))
    }
}

/// What one node asked for, in the order of time.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The node.
    pub node: NodeId,
    /// What it asked for.
    pub asks: Vec<Ask>,
}

/// Everything that nodes asked for, by node, nodes in the order of first sight.
pub fn senders(
    store: &MessageStore,
    calls: &[Call],
    attempts: &[RegisterAttempt],
    requests: &[OtherRequest],
) -> Vec<Sender> {
    // By the number of the node; these are dense, and most nodes ask for something.
    let mut by_node: Vec<Option<Sender>> = Vec::new();
    let of_calls = (0_u32..).zip(calls).filter_map(|(index, call)| of_call(store, index, call));
    let of_attempts = attempts.iter().filter_map(|attempt| of_attempt(store, attempt));
    let of_requests = requests.iter().map(|request| of_request(store, request));
    for ask in of_calls.chain(of_attempts).chain(of_requests) {
        let node = store.tables.node(ask.source);
        if by_node.len() <= node.place() {
            by_node.resize(node.place() + 1, None);
        }
        let asks = Vec::new();
        let sender = by_node[node.place()].get_or_insert(Sender { node, asks });
        sender.asks.push(ask);
    }
    let mut senders: Vec<Sender> = by_node.into_iter().flatten().collect();
    for sender in &mut senders {
        sender.asks.sort_by_key(|ask| (ask.time, ask.at));
    }
    senders
}

fn software(store: &MessageStore, message: &Message) -> TextId {
    store.tables.header_id(message, HeaderName::UserAgent)
}

fn of_call(store: &MessageStore, index: u32, call: &Call) -> Option<Ask> {
    let leg = call.legs.first()?;
    let invite = store.messages_of(leg).iter().find(|message| message.is_request(Method::Invite))?;
    let is_refused = call.final_code.is_some_and(|code| code.is_failure() || code.is_redirection());
    let is_served = call.outcome.is_answered() || call.milestones.alerted.is_some();
    Some(Ask {
        time: invite.time,
        at: invite.at,
        method: Method::Invite,
        source: call.source,
        destination: call.destination,
        target: invite.to,
        from: invite.from,
        software: software(store, invite),
        reply: match (is_served, is_refused) {
            (true, _) => Reply::Served,
            (_, true) => Reply::Refused,
            _ => Reply::None,
        },
        code: call.final_code.map_or(0, |code| code.0),
        call: Some(index),
        is_relayed: store.tables.vias.get(invite.via).depth > 1,
        has_credentials: false,
        messages: leg.messages,
    })
}

fn carries_login(store: &MessageStore, message: &Message) -> bool {
    let names = [HeaderName::Authorization, HeaderName::ProxyAuthorization];
    message.method().is_some() && names.into_iter().any(|name| store.tables.header(message, name).is_some())
}

fn of_attempt(store: &MessageStore, attempt: &RegisterAttempt) -> Option<Ask> {
    let first = store.messages_of(&attempt.leg).first()?;
    let is_served = attempt.outcome == RegistrationOutcome::Registered;
    Some(Ask {
        time: attempt.started,
        at: attempt.asked_at,
        method: Method::Register,
        source: attempt.source,
        destination: attempt.registrar,
        target: attempt.aor,
        from: attempt.aor,
        software: software(store, first),
        reply: match (is_served, attempt.answered_at) {
            (true, _) => Reply::Served,
            (false, Some(_)) => Reply::Refused,
            (false, None) => Reply::None,
        },
        code: attempt.final_code.map_or(0, |code| code.0),
        call: None,
        is_relayed: store.tables.vias.get(first.via).depth > 1,
        has_credentials: attempt.has_credentials,
        messages: MessageRange::default(),
    })
}

fn of_request(store: &MessageStore, request: &OtherRequest) -> Ask {
    let first = store.messages_of(request.range).first();
    Ask {
        time: request.sent,
        at: request.at,
        method: request.method,
        source: request.source,
        destination: request.destination,
        target: request.uri,
        from: request.from,
        software: request.software,
        reply: match request.answer {
            Some((status, _, _)) if status.is_success() => Reply::Served,
            Some(_) => Reply::Refused,
            None => Reply::None,
        },
        code: request.answer.map_or(0, |(status, _, _)| status.0),
        call: None,
        is_relayed: first.is_some_and(|first| store.tables.vias.get(first.via).depth > 1),
        has_credentials: first.is_some_and(|first| carries_login(store, first)),
        messages: MessageRange::default(),
    }
}

impl Sender {
    /// Whether its address is routed in the Internet.
    pub fn is_public(&self, store: &MessageStore) -> bool {
        !is_private(store.tables.endpoints.address(self.node))
    }

    /// The first request that names a tool, and what kind of tool.
    pub fn mark(&self, store: &MessageStore, marks: &mut Marks) -> Option<(&Ask, Mark)> {
        let mut best: Option<(&Ask, Mark)> = None;
        for ask in &self.asks {
            match marks.of(ask.software, store) {
                Some(Mark::Tool) => return Some((ask, Mark::Tool)),
                Some(Mark::Doubtful) => best = best.or(Some((ask, Mark::Doubtful))),
                None => {}
            }
        }
        best
    }

    /// The first request whose From is one that tools make up.
    pub fn made_up_from(&self, store: &MessageStore) -> Option<&Ask> {
        self.asks.iter().find(|ask| {
            let from = store.tables.text(ask.from);
            from.contains("@1.1.1.1") || from.contains("sipvicious")
        })
    }

    /// The most different users that were asked for within a minute, and the places of the first and last of these requests.
    pub fn breadth(&self, store: &MessageStore) -> (usize, std::ops::Range<usize>) {
        let mut counts: HashMap<&str, u32, foldhash::fast::RandomState> = HashMap::default();
        let (mut best, mut begin) = ((0, 0..0), 0);
        for (place, ask) in self.asks.iter().enumerate() {
            *counts.entry(user_of(store.tables.text(ask.target))).or_default() += 1;
            while self.asks[begin].time.plus(WINDOW) < ask.time {
                let user = user_of(store.tables.text(self.asks[begin].target));
                if let Some(count) = counts.get_mut(user) {
                    *count -= 1;
                    if *count == 0 {
                        counts.remove(user);
                    }
                }
                begin += 1;
            }
            if counts.len() > best.0 {
                best = (counts.len(), begin..place + 1);
            }
        }
        best
    }

    /// How many different nodes were asked.
    pub fn destinations(&self, store: &MessageStore) -> usize {
        let nodes: FastSet<NodeId> = self.asks.iter().map(|ask| store.tables.node(ask.destination)).collect();
        nodes.len()
    }

    /// How many different sockets the requests came from.
    pub fn sockets(&self) -> usize {
        let sockets: FastSet<EndpointId> = self.asks.iter().map(|ask| ask.source).collect();
        sockets.len()
    }

    /// The longest run of requests in which each asks for the number after the last one.
    pub fn sequence(&self, store: &MessageStore) -> usize {
        let (mut best, mut run, mut last) = (0, 0, None);
        for ask in &self.asks {
            let number: Option<u64> = user_of(store.tables.text(ask.target)).parse().ok();
            match (last, number) {
                (Some(last), Some(number)) if number == last => {}
                (Some(last), Some(number)) if number == last + 1 => run += 1,
                (_, Some(_)) => run = 1,
                (_, None) => run = 0,
            }
            last = number.filter(|number| *number < u64::MAX);
            best = best.max(run);
        }
        best
    }

    /// The most requests within one second.
    pub fn peak_per_second(&self) -> usize {
        let (mut best, mut begin) = (0, 0);
        for (place, ask) in self.asks.iter().enumerate() {
            while self.asks[begin].time.plus(Duration::from_secs(1)) <= ask.time {
                begin += 1;
            }
            best = best.max(place + 1 - begin);
        }
        best
    }

    /// Calls to one number, written with the most different prefixes within ten minutes, in the order of time.
    pub fn prefix_hunt(&self, store: &MessageStore) -> Vec<&Ask> {
        let user = |ask: &Ask| user_of(store.tables.text(ask.target));
        let invites = self.asks.iter().zip(0_u32..);
        let invites = invites.filter(|(ask, _)| ask.method == Method::Invite);
        let mut by_end: Vec<(u64, u32)> =
            invites.filter_map(|(ask, place)| Some((number_end(user(ask))?, place))).collect();
        by_end.sort_unstable();
        let mut best: (usize, &[(u64, u32)]) = (0, &[]);
        let mut users: Vec<&str> = Vec::new();
        let ask = |(_, place): &(u64, u32)| &self.asks[*place as usize];
        for alike in by_end.chunk_by(|a, b| a.0 == b.0) {
            let until = ask(&alike[0]).time.plus(HUNT_WINDOW);
            let near = alike.partition_point(|place| ask(place).time <= until);
            let near = &alike[..near];
            users.clear();
            if near.len() > 1 {
                users.extend(near.iter().map(|place| user(ask(place))));
                users.sort_unstable();
                users.dedup();
            }
            let count = users.len().max(1);
            let is_earlier = || ask(&alike[0]).at < ask(&best.1[0]).at;
            if count > best.0 || count == best.0 && is_earlier() {
                best = (count, near);
            }
        }
        best.1.iter().map(ask).collect()
    }

    /// How many of some requests brought the reply.
    pub fn count(&self, range: std::ops::Range<usize>, reply: Reply) -> usize {
        let asks = self.asks.get(range).unwrap_or_default();
        asks.iter().filter(|ask| ask.reply == reply).count()
    }
}

/// The last digits of a number, which stay when its prefix changes, as one value; `None` for names and short numbers.
fn number_end(user: &str) -> Option<u64> {
    let is_number = user.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'*' | b'#'));
    let end: [u8; HUNT_DIGITS] = *user.as_bytes().last_chunk().filter(|_| is_number)?;
    Some(end.into_iter().fold(0, |value, byte| value << 8 | u64::from(byte)))
}

/// How many different spellings some calls use.
pub fn spellings(store: &MessageStore, asks: &[&Ask]) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for ask in asks.iter().take(1000) {
        let user = user_of(store.tables.text(ask.target)).to_owned();
        if !seen.contains(&user) {
            seen.push(user);
        }
    }
    seen
}

#[cfg(test)]
mod tests;
