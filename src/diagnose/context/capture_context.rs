//! The scene: everything that happened in the capture, as the rules see it.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use crate::call::beside::dns::Lookup;
use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::other_request::OtherRequest;
use crate::call::beside::registration::{RegisterAttempt, Registration};
use crate::call::survey::fixed_timers::FixedTimers;
use crate::call::survey::load::Loads;
use crate::call::survey::missing_messages::MissingMessages;
use crate::call::survey::number_acceptance::NumberAcceptances;
use crate::call::{Call, EndpointId, GroupId, Message, MessageStore, NodeId, OneDirection, TextId};
use crate::capture::{FrameRef, Pause, Timestamp, watched_since};
use crate::diagnose::background::contrast::Contrast;
use crate::diagnose::background::cross_call_index::CrossCallIndex;
use crate::diagnose::background::device::ClientIndex;
use crate::diagnose::background::losses::CallLosses;
use crate::diagnose::background::media_capabilities::MediaCapabilities;
use crate::diagnose::background::node_activity::NodeActivity;
use crate::diagnose::rules::sorting::Explained;
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
    /// How long calls rang and talked at each node, to tell timers by.
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

/// Everything that happened in the capture, as the rules see it. Nothing in it changes while rules run.
///
/// The fields of what happened are read as its own: `capture.calls`.
pub struct CaptureContext<'a> {
    happened: DiagnosisInput<'a>,
    /// The failures at each of [`Loads::destinations`] by their reason, once a rule has asked for them.
    pub(in crate::diagnose) sorted: OnceLock<Vec<Vec<Explained>>>,
    /// What the nodes that refused media are known to take.
    pub known: MediaCapabilities,
    /// What the nodes that refused numbers accepted.
    pub(in crate::diagnose) receptions: NumberAcceptances,
    /// ICMP errors by the Call-ID that they quote.
    pub(in crate::diagnose) errors_by_group: HashMap<GroupId, Vec<u32>, foldhash::fast::FixedState>,
    /// ICMP errors by the node that could not be reached.
    pub(in crate::diagnose) errors_by_node: HashMap<NodeId, Vec<u32>, foldhash::fast::FixedState>,
    /// Made when the first rule asks for it.
    history: OnceLock<NodeActivity>,
    /// When each message came and of which Call-ID it is, in the order of time; made when a rule asks whether the capture was blind.
    moments: OnceLock<Vec<(Timestamp, GroupId)>>,
    /// Made when the first finding rests on something missing.
    missing_messages: OnceLock<MissingMessages>,
    /// When each node lost calls; made when the first rule asks for it.
    pub(in crate::diagnose) losses: OnceLock<CallLosses>,
    /// Registrations by where they came from; made when the first rule asks who stands behind a silent address.
    pub(in crate::diagnose) doors: OnceLock<ClientIndex>,
    /// TCP connections by their two ends, the smaller one first; made when the first rule asks for it.
    by_ends: OnceLock<HashMap<(Endpoint, Endpoint), Vec<u32>, foldhash::fast::FixedState>>,
    /// What rules compare calls with.
    pub(in crate::diagnose) memory: CrossCallIndex,
    /// What the other calls and senders show.
    pub(in crate::diagnose) contrast: Contrast,
}

/// What the input cannot show: read by the gates and by the rules about the capture.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Pairs of which one direction is missing.
    pub one_direction: Vec<OneDirection>,
    /// Frames of SIP messages that the snap length cut.
    pub cut_messages: u64,
    /// Bytes that TCP streams lack.
    pub missing_bytes: u64,
    /// Packets that the capturing machine says it dropped.
    pub dropped: u64,
    /// Captured copies of messages.
    pub copies: u64,
    /// Places of the messages that came in fragments, rising.
    pub fragmented: Vec<u32>,
    /// Times in which a capture holds nothing although it was busy before and behind.
    pub pauses: Vec<Pause>,
    /// What was added to the times of capture points so that they agree, in nanoseconds; 0 where nothing.
    pub shifts: Vec<i64>,
    /// Names of the captures' weaknesses with the frame that shows each, where one does.
    pub weaknesses: Vec<(&'static str, Option<FrameRef>, String)>,
    /// TLS connections on signalling ports that could not be read.
    pub encrypted: Vec<(Endpoint, FrameRef)>,
}

impl<'a> CaptureContext<'a> {
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

    /// Who spoke when, and what was answered.
    pub fn history(&self) -> &NodeActivity {
        self.history.get_or_init(|| NodeActivity::of(self.store))
    }

    /// How long the captures ran on from a moment without a break.
    pub fn watched_since(&self, time: Timestamp) -> Duration {
        watched_since(time, self.end, &self.sight.pauses)
    }

    /// Whether the capture holds messages of other Call-IDs within some time behind a message, so that it was not blind meanwhile.
    pub fn is_alive_after(&self, message: &Message, within: Duration) -> bool {
        /// Messages looked at: those of the same Call-ID come soon or not at all.
        const LOOK_MAX: usize = 64;
        let moments = self.moments.get_or_init(|| {
            let messages = self.store.messages.iter();
            let mut moments: Vec<(Timestamp, GroupId)> =
                messages.map(|message| (message.time, message.group)).collect();
            moments.sort_unstable();
            moments
        });
        let first = moments.partition_point(|(time, _)| *time <= message.time);
        let until = message.time.plus(within);
        let mut next = moments[first..].iter().take(LOOK_MAX);
        next.any(|(time, group)| *time <= until && *group != message.group)
    }

    /// What the capture lacks of what was sent.
    pub fn missing_messages(&self) -> &MissingMessages {
        self.missing_messages.get_or_init(|| MissingMessages::of(self.store, self.start))
    }

    /// TCP connections between two endpoints, whoever opened them, in the order of time.
    pub fn connections_between(&self, a: Endpoint, b: Endpoint) -> impl Iterator<Item = &'a Connection> {
        let by_ends = self.by_ends.get_or_init(|| {
            let mut by_ends: HashMap<_, Vec<u32>, foldhash::fast::FixedState> = HashMap::default();
            for (index, connection) in self.connections.iter().enumerate() {
                let (x, y) = (connection.flow.source, connection.flow.destination);
                by_ends.entry((x.min(y), x.max(y))).or_default().push(index as u32);
            }
            by_ends
        });
        let connections = self.connections;
        let indices = by_ends.get(&(a.min(b), a.max(b))).map_or(&[][..], Vec::as_slice);
        indices.iter().filter_map(move |index| connections.get(*index as usize))
    }

    /// Whether the capture lacks what one of the two nodes says to the other.
    pub fn is_one_directional(&self, a: NodeId, b: NodeId) -> bool {
        let pairs = &self.sight.one_direction;
        pairs
            .iter()
            .map(|pair| (self.node(pair.speaker), self.node(pair.silent)))
            .any(|pair| pair == (a, b) || pair == (b, a))
    }

    /// ICMP errors about datagrams to a node, from one moment to another.
    pub fn errors_about(&self, node: NodeId, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &'a IcmpReport> {
        let indices = self.errors_by_node.get(&node).map_or(&[][..], Vec::as_slice);
        let errors = self.errors;
        let at = |index: &u32| errors.get(*index as usize).map(|error| error.time);
        let start = indices.partition_point(|index| at(index).is_some_and(|time| time < from));
        let within = indices.get(start..).unwrap_or_default().iter();
        within.filter_map(move |index| errors.get(*index as usize)).take_while(move |error| error.time <= to)
    }

    /// ICMP errors that quote a message of a call, or that name a node in its hops while it was going on.
    pub fn errors_of<'s>(&'s self, call: &'s Call) -> impl Iterator<Item = &'s IcmpReport> {
        let groups: Vec<GroupId> = call
            .legs
            .iter()
            .filter_map(|leg| self.store.messages_of(leg).first())
            .map(|message| message.group)
            .collect();
        let quoted = groups.into_iter().flat_map(|group| self.errors_by_group.get(&group).into_iter().flatten());
        let nodes = call.hops.iter().map(|hop| self.node(hop.destination));
        let named = nodes.flat_map(|node| self.errors_by_node.get(&node).into_iter().flatten());
        let mut indices: Vec<u32> = quoted.chain(named).copied().collect();
        indices.sort_unstable();
        indices.dedup();
        let all = indices.into_iter().filter_map(|index| self.errors.get(index as usize));
        all.filter(|error| {
            error.group.is_some()
                || error.time >= call.started && error.time <= call.ended.plus(std::time::Duration::from_secs(2))
        })
    }
}

impl<'a> std::ops::Deref for CaptureContext<'a> {
    type Target = DiagnosisInput<'a>;

    fn deref(&self) -> &DiagnosisInput<'a> {
        &self.happened
    }
}

impl<'a> From<DiagnosisInput<'a>> for CaptureContext<'a> {
    fn from(happened: DiagnosisInput<'a>) -> Self {
        let mut errors_by_group: HashMap<GroupId, Vec<u32>, foldhash::fast::FixedState> = HashMap::default();
        let mut errors_by_node: HashMap<NodeId, Vec<u32>, foldhash::fast::FixedState> = HashMap::default();
        for (index, error) in happened.errors.iter().enumerate() {
            if let Some(group) = error.group {
                errors_by_group.entry(group).or_default().push(index as u32);
            }
            if let Some(node) = happened.store.tables.endpoints.find_node(error.quoted.destination) {
                errors_by_node.entry(node).or_default().push(index as u32);
            }
        }
        // Each ends in a part that one thread does alone.
        let (known, receptions) = rayon::join(
            || MediaCapabilities::gather(happened.store, happened.calls, happened.requests),
            || NumberAcceptances::of(happened.calls, happened.store),
        );
        Self {
            known,
            receptions,
            happened,
            sorted: OnceLock::new(),
            errors_by_group,
            errors_by_node,
            history: OnceLock::new(),
            missing_messages: OnceLock::new(),
            moments: OnceLock::new(),
            losses: OnceLock::new(),
            doors: OnceLock::new(),
            by_ends: OnceLock::new(),
            memory: CrossCallIndex::default(),
            contrast: Contrast::default(),
        }
    }
}
