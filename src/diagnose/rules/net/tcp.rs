//! TCP connections that are refused, never answered, or never completed.
//!
//! Sources: RFC 9293 section 3.5, RFC 3261 section 18, RFC 5923 (connection reuse).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::call::{Call, NodeId, Outcome};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::times;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rule::Claim;
use crate::net::{Connection, Endpoint};

/// SYNs that must have been left unanswered.
const SYNS_MIN: u32 = 3;
/// Whoever fails to connect to so many hosts is looking for servers.
const SWEEP_MIN: usize = 4;
/// A client that gets through so soon after it was refused lost nothing.
const RECONNECT_WAIT: Duration = Duration::from_secs(1);
/// Frames that evidence names.
const FRAMES_MAX: usize = 8;

/// What decides whether a failed connection matters.
struct Around {
    /// Endpoints that took a connection with SIP in it.
    speaking: BTreeSet<Endpoint>,
    /// Endpoints that opened a connection with SIP in it: ports that listen to nobody.
    dialling: BTreeSet<Endpoint>,
    /// When connections of a client to a server came about.
    opened: BTreeMap<(IpAddr, Endpoint), Vec<Timestamp>>,
    /// Failed calls that went no further than a node.
    stuck: BTreeMap<NodeId, Vec<u32>>,
}

/// Servers to which no connection could be opened, one statement for each client and server.
pub(super) fn net_tcp_of_capture(capture: &CaptureContext<'_>) -> Vec<Claim> {
    if !capture.connections.iter().any(never_opened) {
        return Vec::new();
    }
    let around = around(capture);
    let mut failed: BTreeMap<(IpAddr, Endpoint), Vec<&Connection>> = BTreeMap::new();
    for connection in capture.connections.iter().filter(|c| matters(&around, c)) {
        let flow = connection.flow;
        failed.entry((flow.source.address, flow.destination)).or_default().push(connection);
    }
    let mut targets: BTreeMap<IpAddr, BTreeSet<IpAddr>> = BTreeMap::new();
    for (client, server) in failed.keys() {
        targets.entry(*client).or_default().insert(server.address);
    }
    failed
        .iter()
        .filter(|((client, _), _)| targets.get(client).is_some_and(|all| all.len() < SWEEP_MIN))
        .filter_map(|((client, server), tries)| claim(capture, &around, *client, *server, tries))
        .collect()
}

fn around(capture: &CaptureContext<'_>) -> Around {
    let carrying = || capture.connections.iter().filter(|c| c.carries.is_some());
    let speaking: BTreeSet<Endpoint> = carrying().map(|c| c.flow.destination).collect();
    let dialling = carrying()
        .filter(|c| c.is_opening_seen)
        .map(|c| c.flow.source)
        .filter(|client| !speaking.contains(client))
        .collect();
    let mut opened: BTreeMap<(IpAddr, Endpoint), Vec<Timestamp>> = BTreeMap::new();
    for connection in capture.connections.iter().filter(|c| !never_opened(c)) {
        opened
            .entry((connection.flow.source.address, connection.flow.destination))
            .or_default()
            .push(connection.first_seen.time);
    }
    let mut stuck: BTreeMap<NodeId, Vec<u32>> = BTreeMap::new();
    for (index, call) in capture.calls.iter().enumerate() {
        if let Some(node) = stuck_at(capture, call) {
            stuck.entry(node).or_default().push(index as u32);
        }
    }
    Around { speaking, dialling, opened, stuck }
}

/// The node that refused a call with a code of "no way further", without having sent it on.
fn stuck_at(capture: &CaptureContext<'_>, call: &Call) -> Option<NodeId> {
    let is_stuck = matches!(call.outcome, Outcome::Unreachable | Outcome::ServerFailed | Outcome::TimedOut)
        && call.final_code.is_none_or(|code| matches!(code.0, 408 | 477 | 480 | 500 | 502 | 503 | 504));
    let node = capture.node(call.origin.filter(|_| is_stuck)?.endpoint);
    let went_on = call.hops.iter().any(|hop| capture.node(hop.source) == node);
    (!went_on).then_some(node)
}

/// A connection for signalling that was asked for and never came about, and that no later one replaced at once.
fn matters(around: &Around, connection: &Connection) -> bool {
    let is_unanswered = connection.refused.is_none() && connection.syns >= SYNS_MIN;
    let failed = never_opened(connection) && (connection.refused.is_some() || is_unanswered);
    let server = connection.flow.destination;
    let is_signalling =
        matches!(server.port, 5060..=5090) || around.speaking.contains(&server) || around.dialling.contains(&server);
    failed && is_signalling && !came_through(around, connection)
}

/// Whether a client got no connection: nothing answered its SYN, or the answers never reached it.
fn never_opened(connection: &Connection) -> bool {
    connection.has_failed() || is_half_open(connection)
}

/// Both sides repeat the opening: the server answers every time, and the client asks again as if nobody had.
fn is_half_open(connection: &Connection) -> bool {
    connection.syns >= SYNS_MIN
        && connection.syn_acks >= SYNS_MIN
        && connection.client_payload.is_none()
        && connection.server_payload.is_none()
        && connection.refused.is_none()
        && connection.reset.is_none()
}

/// Whether the same client got through to the same server soon after.
fn came_through(around: &Around, connection: &Connection) -> bool {
    let tried = connection.refused.or(connection.last_syn).map_or(connection.first_seen.time, |sighting| sighting.time);
    let key = (connection.flow.source.address, connection.flow.destination);
    let opened = around.opened.get(&key).map_or(&[][..], Vec::as_slice);
    let next = opened.partition_point(|time| *time < connection.first_seen.time);
    opened.get(next).is_some_and(|time| time.since(tried) <= RECONNECT_WAIT)
}

fn claim(
    capture: &CaptureContext<'_>,
    around: &Around,
    client: IpAddr,
    server: Endpoint,
    tries: &[&Connection],
) -> Option<Claim> {
    let first = *tries.first()?;
    let refused: Vec<FrameRef> =
        tries.iter().filter_map(|connection| connection.refused.map(|refused| refused.at)).take(FRAMES_MAX).collect();
    let syns: u32 = tries.iter().map(|connection| connection.syns).sum();
    let asked: Vec<FrameRef> =
        tries.iter().filter_map(|connection| connection.first_syn.map(|syn| syn.at)).take(FRAMES_MAX).collect();
    let calls = calls_of(capture, around, client, tries);
    let fault = fault(around, server, tries, refused.len());
    let mut observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .titled(format!("TCP connections to {server} fail"))
        .happened(fault.words(client, server, syns))
        .remedy(fault.remedy(client, server))
        .shown_by(Evidence::in_frames(asked, format!("{client} -> {server} SYN"), "asks for a connection"));
    if !refused.is_empty() {
        let quote = format!("{server} -> {client} RST");
        observation = observation.shown_by(Evidence::in_frames(refused, quote, "refuses it"));
    }
    observation.signature = format!("{client} {server}");
    observation.origin = capture.endpoint_of(server);
    let last = tries.last().unwrap_or(&first);
    Some(Claim {
        said: observation,
        calls,
        count: tries.len() as u32,
        first_at: first.first_seen.time,
        last_at: last.last_syn.map_or(last.first_seen.time, |syn| syn.time),
        scope: String::new(),
    })
}

/// Why no connection came about.
enum TcpFault {
    /// The server is a port from which a device had connected itself; whether something refused the connection.
    Outgoing { is_refused: bool },
    /// So many connections were refused.
    Refused(usize),
    /// The server answers with so many SYN-ACKs, and the client asks on as if it had not.
    HalfOpen { answers: u32 },
    /// Nothing answers.
    Unanswered,
}

fn fault(around: &Around, server: Endpoint, tries: &[&Connection], refused: usize) -> TcpFault {
    if around.dialling.contains(&server) {
        TcpFault::Outgoing { is_refused: refused > 0 }
    } else if refused > 0 {
        TcpFault::Refused(refused)
    } else if tries.iter().all(|connection| is_half_open(connection)) {
        TcpFault::HalfOpen { answers: tries.iter().map(|connection| connection.syn_acks).sum() }
    } else {
        TcpFault::Unanswered
    }
}

impl TcpFault {
    /// What happened to the tries.
    fn words(&self, client: IpAddr, server: Endpoint, syns: u32) -> String {
        match self {
            Self::Outgoing { is_refused } => {
                let how = if *is_refused { "was refused".to_owned() } else { format!("got no answer to {syns} SYN") };
                format!(
                    "{client} tried to open a connection to {server} and {how}: {server} is a port from which that device had connected itself, and nothing listens on it. Requests to the device can only use the connection that it opened."
                )
            }
            Self::Refused(count) => format!(
                "{server} refused the TCP connection of {client} {} (RST in answer to SYN): nothing listens there, or a firewall rejects it. No SIP could be sent over it.",
                times(*count)
            ),
            Self::HalfOpen { answers } => format!(
                "{server} answered the connection requests of {client} ({syns} SYN, {answers} SYN-ACK), and {client} repeated them as if it had not: the answers do not reach it."
            ),
            Self::Unanswered => format!(
                "{server} answered none of {syns} connection requests (SYN) of {client}: the host is down, or a firewall drops them."
            ),
        }
    }

    /// Who changes what.
    fn remedy(&self, client: IpAddr, server: Endpoint) -> Steps {
        let (there, port) = (server.address, server.port);
        match self {
            Self::Outgoing { .. } => Steps::from([
                format!(
                    "{client}: send requests to {there} over the connection that the device keeps open (RFC 5923, RFC 5626)."
                ),
                format!(
                    "{there}: keep that connection alive (double CRLF every 30 to 120 s) and open it again at once when it breaks."
                ),
            ]),
            Self::Refused(_) => Steps::from([
                format!("{there}: let the SIP service listen on TCP port {port}."),
                format!("Firewall at {there}: allow TCP to it."),
                format!("{client}: or use the transport on which {there} does listen."),
            ]),
            Self::HalfOpen { .. } => format!(
                "The way from {there} back to {client}: routes that differ from the way there, NAT, and firewalls that saw only one half of the handshake."
            )
            .into(),
            Self::Unanswered => Steps::from([
                format!("Is {there} up?"),
                format!("Firewalls between {client} and {there}: allow TCP to port {port}."),
            ]),
        }
    }
}

/// Calls that failed at the client's node while it tried to connect.
fn calls_of(capture: &CaptureContext<'_>, around: &Around, client: IpAddr, tries: &[&Connection]) -> Vec<u32> {
    let any_port = Endpoint { address: client, port: 0 };
    let node = capture.store.tables.endpoints.find_node(any_port);
    let stuck = node.and_then(|node| around.stuck.get(&node));
    let calls = stuck.into_iter().flatten().copied();
    let tried_in = |index: &u32| {
        capture.calls.get(*index as usize).is_some_and(|call| {
            let next = tries.partition_point(|c| c.first_seen.time < call.started);
            tries.get(next).is_some_and(|c| c.first_seen.time <= call.ended)
        })
    };
    calls.filter(tried_in).collect()
}
