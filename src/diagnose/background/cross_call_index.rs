//! Calls, registrations, connections and errors of the whole capture, found by what a rule about one of them knows.

use crate::call::beside::binding::{Binding, Bindings};
use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::registration::RegistrationOutcome;
use crate::call::{EndpointId, FastMap, FastSet, NodeId, Outcome, TextId};
use crate::capture::Timestamp;
use crate::diagnose::background::needs::Needs;
use crate::diagnose::input::DiagnosisInput;
use crate::net::{Connection, Endpoint};
use crate::sip::number::user_of;
use crate::sip::{DialogReference, HeaderName, Method};

/// Earlier calls of one party that are looked at to find the one that keeps it busy; a phone has few lines.
const TALKS_MAX: usize = 64;
/// Repeats after which an INVITE was left unanswered rather than given up by its sender.
const UNHEARD_REPEATS_MIN: u32 = 2;

/// Indices of calls, registrations, connections and errors, each list in the order of time.
#[derive(Debug, Default)]
pub struct CrossCallIndex {
    /// Tries to register by the user of their address-of-record, where a call was not answered.
    bindings: Bindings,
    /// Tries to register by their address-of-record.
    attempts: FastMap<TextId, Vec<u32>>,
    /// When each registrar that accepted something last sent or received a message.
    last_seen: FastMap<NodeId, Timestamp>,
    /// Answered calls by their parties, of parties that were busy to another call.
    talks: FastMap<Box<str>, Vec<u32>>,
    /// Calls whose repeated INVITE nothing answered, by where it went; where anything was registered.
    unheard: FastMap<EndpointId, Vec<u32>>,
    /// How often the second node failed when the first one sent it an INVITE; only where it did.
    failed_routes: FastMap<(NodeId, NodeId), u32>,
    /// The calls that refused INVITEs wanted to replace, by their Call-ID.
    replaced: FastMap<Box<str>, u32>,
    /// TCP connections by their two ends, the smaller one first.
    connections: FastMap<(Endpoint, Endpoint), Vec<u32>>,
    /// ICMP errors by the node that could not be reached.
    errors: FastMap<NodeId, Vec<u32>>,
}

impl CrossCallIndex {
    /// Files everything that rules may look for.
    pub(super) fn of(input: &DiagnosisInput<'_>, needs: Needs) -> Self {
        let mut index = Self::default();
        if needs.unanswered_call {
            index.bindings = Bindings::of(input.attempts, &input.store.tables);
        }
        index.file_attempts(input);
        index.talks = talks(input);
        if !input.attempts.is_empty() {
            index.unheard = unheard(input);
        }
        index.file_routes(input);
        index.replaced = replaced(input);
        for (place, connection) in (0..).zip(input.connections) {
            index.connections.entry(ends(connection.flow.source, connection.flow.destination)).or_default().push(place);
        }
        for (place, error) in (0..).zip(input.errors) {
            if let Some(node) = input.store.tables.endpoints.find_node(error.quoted.destination) {
                index.errors.entry(node).or_default().push(place);
            }
        }
        index
    }

    fn file_attempts(&mut self, input: &DiagnosisInput<'_>) {
        for (place, attempt) in (0..).zip(input.attempts) {
            self.attempts.entry(attempt.aor).or_default().push(place);
            if attempt.outcome == RegistrationOutcome::Registered {
                self.last_seen.entry(input.node(attempt.registrar)).or_default();
            }
        }
        if self.last_seen.is_empty() {
            return;
        }
        // By the numbers of nodes, which are dense: every message is looked at.
        let mut of_all: Vec<Timestamp> = Vec::new();
        for message in &input.store.messages {
            for endpoint in [message.source, message.destination] {
                let place = input.node(endpoint).place();
                if of_all.len() <= place {
                    of_all.resize(place + 1, Timestamp::default());
                }
                of_all[place] = of_all[place].max(message.time);
            }
        }
        for (registrar, seen) in &mut self.last_seen {
            *seen = of_all.get(registrar.place()).copied().unwrap_or_default();
        }
    }

    fn file_routes(&mut self, input: &DiagnosisInput<'_>) {
        let hops = input.calls.iter().flat_map(|call| call.hops.iter());
        for hop in hops.filter(|hop| matches!(hop.final_code, 0 | 408 | 500..=599)) {
            *self.failed_routes.entry((input.node(hop.source), input.node(hop.destination))).or_default() += 1;
        }
    }

    /// What an address-of-record led to at a moment; `nodes` are those that may be its registrar.
    pub fn binding_at(
        &self,
        input: &DiagnosisInput<'_>,
        aor: &str,
        nodes: &[NodeId],
        time: Timestamp,
    ) -> Option<Binding> {
        self.bindings.binding_at(input.attempts, &input.store.tables, aor, nodes, time)
    }

    /// Indices of the tries to register an address-of-record.
    pub fn attempts_for(&self, aor: TextId) -> &[u32] {
        self.attempts.get(&aor).map_or(&[], Vec::as_slice)
    }

    /// When a registrar last sent or received a SIP message.
    pub fn last_seen(&self, registrar: NodeId) -> Timestamp {
        self.last_seen.get(&registrar).copied().unwrap_or_default()
    }

    /// Another call that a party was in at a moment.
    pub fn talk_of(&self, input: &DiagnosisInput<'_>, party: &str, but: usize, time: Timestamp) -> Option<u32> {
        let own = self.talks.get(user_of(party))?;
        let known = own.partition_point(|call| input.calls[*call as usize].started <= time);
        let recent = own.get(known.saturating_sub(TALKS_MAX)..known)?;
        let is_up = |call: &&u32| {
            let talk = &input.calls[**call as usize];
            let ended = talk.milestones.hung_up.unwrap_or(talk.ended.max(time));
            **call as usize != but && talk.milestones.answered.is_some_and(|since| since <= time) && ended >= time
        };
        recent.iter().rev().find(is_up).copied()
    }

    /// Calls whose INVITE to an endpoint nothing answered there.
    pub fn unheard_at(&self, endpoint: EndpointId) -> &[u32] {
        self.unheard.get(&endpoint).map_or(&[], Vec::as_slice)
    }

    /// In how many calls the second node failed when the first one sent it an INVITE.
    pub fn failures_between(&self, from: NodeId, to: NodeId) -> u32 {
        self.failed_routes.get(&(from, to)).copied().unwrap_or(0)
    }

    /// The call that a refused INVITE wanted to replace, by its Call-ID.
    pub fn replaced(&self, call_id: &str) -> Option<u32> {
        self.replaced.get(call_id).copied()
    }

    /// TCP connections between two endpoints, whoever opened them.
    pub fn connections<'a>(
        &self,
        input: &DiagnosisInput<'a>,
        a: Endpoint,
        b: Endpoint,
    ) -> impl Iterator<Item = &'a Connection> {
        let all = input.connections;
        let places = self.connections.get(&ends(a, b)).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(move |place| all.get(*place as usize))
    }

    /// ICMP errors about datagrams to a node, from one moment to another.
    pub fn errors<'a>(
        &self,
        input: &DiagnosisInput<'a>,
        node: NodeId,
        (from, to): (Timestamp, Timestamp),
    ) -> impl Iterator<Item = &'a IcmpReport> {
        let all = input.errors;
        let places = self.errors.get(&node).map_or(&[][..], Vec::as_slice);
        let at = |place: &u32| all.get(*place as usize).map(|error| error.time);
        let start = places.partition_point(|place| at(place).is_some_and(|time| time < from));
        let within = places.get(start..).unwrap_or_default().iter();
        within.filter_map(move |place| all.get(*place as usize)).take_while(move |error| error.time <= to)
    }
}

/// Two endpoints in an order that does not depend on who opened the connection.
fn ends(a: Endpoint, b: Endpoint) -> (Endpoint, Endpoint) {
    (a.min(b), a.max(b))
}

fn talks(input: &DiagnosisInput<'_>) -> FastMap<Box<str>, Vec<u32>> {
    // Only the busy are asked for, and they are few.
    let busy = input.calls.iter().filter(|call| call.outcome == Outcome::Busy);
    let mut talks: FastMap<Box<str>, Vec<u32>> =
        busy.map(|call| (user_of(input.text(call.callee)).into(), Vec::new())).collect();
    if talks.is_empty() {
        return talks;
    }
    for (index, call) in (0..).zip(input.calls) {
        if call.milestones.answered.is_none() {
            continue;
        }
        for party in [call.caller, call.callee] {
            if let Some(own) = talks.get_mut(user_of(input.text(party))) {
                own.push(index);
            }
        }
    }
    talks
}

fn unheard(input: &DiagnosisInput<'_>) -> FastMap<EndpointId, Vec<u32>> {
    let mut unheard: FastMap<EndpointId, Vec<u32>> = FastMap::default();
    for (index, call) in (0..).zip(input.calls) {
        // Sent once or twice says nothing: the sender may have stopped by itself.
        if call.retransmissions < UNHEARD_REPEATS_MIN {
            continue;
        }
        for hop in &call.hops {
            let is_silent = hop.final_code == 0 && hop.reply_ms.is_none();
            if is_silent && !hop.transport.is_reliable() {
                unheard.entry(hop.destination).or_default().push(index);
            }
        }
    }
    unheard
}

fn replaced(input: &DiagnosisInput<'_>) -> FastMap<Box<str>, u32> {
    let tables = &input.store.tables;
    let refused = input.calls.iter().filter(|call| call.hops.iter().any(|hop| hop.final_code == 481));
    let messages = refused.flat_map(|call| call.legs.iter().flat_map(|leg| input.store.messages_of(leg)));
    let invites = messages.filter(|message| message.is_request(Method::Invite));
    let values = invites.filter_map(|invite| tables.header(invite, HeaderName::Replaces));
    let wanted: FastSet<Box<str>> =
        values.map(|value| String::from_utf8_lossy(DialogReference::parse(value.as_bytes()).call_id).into()).collect();
    let mut replaced = FastMap::default();
    if wanted.is_empty() {
        return replaced;
    }
    for (index, call) in (0..).zip(input.calls) {
        for leg in &call.legs {
            if let Some(call_id) = wanted.get(input.text(leg.call_id)) {
                replaced.insert(call_id.clone(), index);
            }
        }
    }
    replaced
}
