//! Memory: what rules compare calls with, gathered from the whole scene once and only when a rule first asks.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::call::beside::binding::{Binding, Bindings};
use crate::call::survey::number_acceptance::NumberAcceptance;
use crate::call::{EndpointId, Leg, Message, NodeId, Outcome};
use crate::capture::Timestamp;
use crate::diagnose::background::logins::Logins;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::sip::number::user_of;

/// Earlier calls of one party that are looked at to find the one that keeps it busy; a phone has few lines.
const TALKS_MAX: usize = 64;
/// Repeats after which an INVITE was left unanswered rather than given up by its sender.
const UNHEARD_REPEATS_MIN: u32 = 2;

/// What was gathered so far.
#[derive(Default)]
pub struct CrossCallIndex {
    bindings: OnceLock<Bindings>,
    logins: OnceLock<Logins>,
    talks: OnceLock<HashMap<Box<str>, Vec<u32>, foldhash::fast::FixedState>>,
    unheard: OnceLock<HashMap<EndpointId, Vec<u32>, foldhash::fast::FixedState>>,
    routes: OnceLock<HashMap<(NodeId, NodeId), u32, foldhash::fast::FixedState>>,
}

// Nothing here may use several threads to gather: a thread that waits for others could be handed a call whose rule asks again.
impl<'a> CaptureContext<'a> {
    /// Messages of a leg in a span of time, both ends included: one Call-ID may hold thousands of tries to register.
    pub fn between(&self, leg: &Leg, (since, until): (Timestamp, Timestamp)) -> &'a [Message] {
        let all = self.store.messages_of(leg);
        let start = all.partition_point(|message| message.time < since);
        let end = all.partition_point(|message| message.time <= until);
        all.get(start..end).unwrap_or_default()
    }

    /// What an address-of-record led to at a moment; `nodes` are those that may be its registrar.
    pub fn binding_at(&self, aor: &str, nodes: &[NodeId], time: Timestamp) -> Option<Binding> {
        let tables = &self.store.tables;
        let bindings = self.memory.bindings.get_or_init(|| Bindings::of(self.attempts, tables));
        bindings.binding_at(self.attempts, tables, aor, nodes, time)
    }

    /// What the node of an endpoint accepted and refused; `None` where it refused nothing.
    pub fn reception(&self, endpoint: EndpointId) -> Option<&NumberAcceptance> {
        self.receptions.at(self.node(endpoint))
    }

    /// The logins that servers accepted, and who ever tried one.
    pub fn logins(&self) -> &Logins {
        self.memory.logins.get_or_init(|| Logins::of(self))
    }

    /// Gathers what the first busy call would ask for, and the next ones wait for.
    pub(in crate::diagnose) fn prepare(&self) {
        if self.calls.iter().any(|call| call.outcome == Outcome::Busy) {
            self.memory.talks.get_or_init(|| self.talks());
        }
    }

    /// Another call that a party was in at a moment.
    pub fn talk_of(&self, party: &str, but: usize, time: Timestamp) -> Option<u32> {
        let talks = self.memory.talks.get_or_init(|| self.talks());
        let own = talks.get(user_of(party))?;
        let known = own.partition_point(|call| self.calls[*call as usize].started <= time);
        let recent = own.get(known.saturating_sub(TALKS_MAX)..known)?;
        let is_up = |call: &&u32| {
            let talk = &self.calls[**call as usize];
            let ended = talk.milestones.hung_up.unwrap_or(talk.ended.max(time));
            **call as usize != but && talk.milestones.answered.is_some_and(|since| since <= time) && ended >= time
        };
        recent.iter().rev().find(is_up).copied()
    }

    fn talks(&self) -> HashMap<Box<str>, Vec<u32>, foldhash::fast::FixedState> {
        // Only the busy are asked for, and they are few.
        let busy = self.calls.iter().filter(|call| call.outcome == Outcome::Busy);
        let mut talks: HashMap<Box<str>, Vec<u32>, foldhash::fast::FixedState> =
            busy.map(|call| (user_of(self.text(call.callee)).into(), Vec::new())).collect();
        for (index, call) in self.calls.iter().enumerate() {
            if call.milestones.answered.is_none() {
                continue;
            }
            for party in [call.caller, call.callee] {
                if let Some(own) = talks.get_mut(user_of(self.text(party))) {
                    own.push(index as u32);
                }
            }
        }
        talks
    }

    /// Calls whose INVITE to an endpoint nothing answered there, in the order of time.
    pub fn unheard_at(&self, endpoint: EndpointId) -> &[u32] {
        let unheard = self.memory.unheard.get_or_init(|| {
            let mut unheard: HashMap<EndpointId, Vec<u32>, foldhash::fast::FixedState> = HashMap::default();
            for (index, call) in self.calls.iter().enumerate() {
                // Sent once or twice says nothing: the sender may have stopped by itself.
                if call.retransmissions < UNHEARD_REPEATS_MIN {
                    continue;
                }
                for hop in &call.hops {
                    let is_silent = hop.final_code == 0 && hop.reply_ms.is_none();
                    if is_silent && !hop.transport.is_reliable() {
                        unheard.entry(hop.destination).or_default().push(index as u32);
                    }
                }
            }
            unheard
        });
        unheard.get(&endpoint).map_or(&[], Vec::as_slice)
    }

    /// In how many calls the second node failed when the first one sent it an INVITE.
    pub fn failures_between(&self, from: EndpointId, to: EndpointId) -> u32 {
        let routes = self.memory.routes.get_or_init(|| {
            let mut routes: HashMap<(NodeId, NodeId), u32, foldhash::fast::FixedState> = HashMap::default();
            for hop in self.calls.iter().flat_map(|call| call.hops.iter()) {
                let is_dead = matches!(hop.final_code, 0 | 408 | 500..=599);
                let key = (self.node(hop.source), self.node(hop.destination));
                *routes.entry(key).or_default() += u32::from(is_dead);
            }
            routes
        });
        let key = (self.node(from), self.node(to));
        routes.get(&key).copied().unwrap_or(0)
    }
}
