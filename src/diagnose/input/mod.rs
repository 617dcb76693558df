//! What the analysis hands over to be explained, and how its parts are looked up; nothing in it changes any more.

mod sight;

use std::time::Duration;

pub use sight::{SeenWeakness, Sight};

use crate::call::beside::dns::Lookup;
use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::other_request::OtherRequest;
use crate::call::beside::registration::{RegisterAttempt, Registration};
use crate::call::survey::fixed_timers::FixedTimers;
use crate::call::survey::load::Loads;
use crate::call::{Call, EndpointId, Leg, Message, MessageStore, NodeId, RequestDefect, TextId};
use crate::capture::{Timestamp, watched_since};
use crate::net::{Connection, Endpoint, IncompleteDatagram, TlsHandshake};

/// What the analysis hands over to be explained.
pub struct DiagnosisInput<'a> {
    /// Messages and what they refer to.
    pub store: &'a MessageStore,
    /// In the order of time.
    pub calls: &'a [Call],
    /// Tries to register, in the order of time.
    pub attempts: &'a [RegisterAttempt],
    /// By address-of-record, device and registrar.
    pub registrations: &'a [Registration],
    /// Requests outside calls, in the order of time.
    pub requests: &'a [OtherRequest],
    /// ICMP errors, in the order of time.
    pub errors: &'a [IcmpReport],
    /// TCP connections that carried signalling or were never opened.
    pub connections: &'a [Connection],
    /// TLS connections, in the order of their first record.
    pub handshakes: &'a [TlsHandshake],
    /// Datagrams of which fragments never came.
    pub incomplete: &'a [IncompleteDatagram],
    /// The load of the nodes that calls were sent to, and the limits that it shows.
    pub loads: &'a Loads,
    /// How long calls rang and talked at each node, which shows timers.
    pub timers: &'a FixedTimers,
    /// What nodes asked DNS for, in the order of time.
    pub lookups: &'a [Lookup],
    /// What the input cannot show.
    pub sight: Sight,
    /// First frame.
    pub start: Timestamp,
    /// Last frame.
    pub end: Timestamp,
}

impl<'a> DiagnosisInput<'a> {
    /// The text of an id.
    pub fn text(&self, id: TextId) -> &'a str {
        self.store.tables.text(id)
    }

    /// The node of an endpoint.
    pub fn node(&self, endpoint: EndpointId) -> NodeId {
        self.store.tables.node(endpoint)
    }

    /// How a reader knows an endpoint: `10.0.0.5:5060`.
    pub fn name(&self, endpoint: EndpointId) -> String {
        self.store.tables.endpoint(endpoint).to_string()
    }

    /// The id of an endpoint, where it sent or received SIP.
    pub fn endpoint_of(&self, endpoint: Endpoint) -> Option<EndpointId> {
        self.store.tables.endpoints.find(endpoint)
    }

    /// How long the captures ran on from a moment without a break.
    pub fn watched_since(&self, time: Timestamp) -> Duration {
        watched_since(time, self.end, &self.sight.pauses)
    }

    /// Whether the capture lacks what one of the two nodes says to the other.
    pub fn is_one_directional(&self, a: NodeId, b: NodeId) -> bool {
        let pairs = &self.sight.one_direction;
        pairs
            .iter()
            .map(|pair| (self.node(pair.speaker), self.node(pair.silent)))
            .any(|pair| pair == (a, b) || pair == (b, a))
    }

    /// Messages of a leg in a span of time, both ends included: one Call-ID may hold thousands of tries to register.
    pub fn between(&self, leg: &Leg, (since, until): (Timestamp, Timestamp)) -> &'a [Message] {
        let all = self.store.messages_of(leg);
        let start = all.partition_point(|message| message.time < since);
        let end = all.partition_point(|message| message.time <= until);
        all.get(start..end).unwrap_or_default()
    }

    /// Messages that came in fragments.
    pub fn fragmented(&self) -> impl Iterator<Item = &'a Message> {
        let (places, store) = (self.sight.fragmented.iter(), self.store);
        places.filter_map(|place| store.messages.get(*place))
    }

    /// What is wrong with a message.
    pub fn defects(&self, message: &Message) -> &'a [RequestDefect] {
        self.store.defects.get(&message.digest).map_or(&[], Vec::as_slice)
    }
}
