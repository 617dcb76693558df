//! TCP connections that are refused, never answered, or broken while a request waits.
//!
//! Sources: RFC 9293 section 3.5, RFC 3261 section 18, RFC 5923 (connection reuse), RFC 5626 (keep-alive).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::call::{Call, Message, NodeId, Outcome};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Evidence, Finding, Proof, Severity};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::net::times;
use crate::diagnose::scene::Scene;
use crate::diagnose::words::duration;
use crate::net::{Connection, Endpoint, Transport};

/// SYNs that must have been left unanswered.
const SYNS_MIN: u32 = 3;
/// Whoever fails to connect to so many hosts is looking for servers.
const SWEEP_MIN: usize = 4;
/// A client that gets through so soon after it was refused lost nothing.
const RECONNECT_WAIT: Duration = Duration::from_secs(1);
/// Silence after which firewalls commonly forget a connection.
const IDLE_LONG: Duration = Duration::from_secs(300);
/// How long after its request a connection may break to have taken it along.
const BREAK_WAIT: Duration = Duration::from_secs(32);
/// Frames that evidence names.
const FRAMES_MAX: usize = 8;

/// What decides whether a failed connection matters.
struct Around {
    /// Endpoints that took a connection with SIP in it.
    speaking: BTreeSet<Endpoint>,
    /// When connections of a client to a server came about.
    opened: BTreeMap<(IpAddr, Endpoint), Vec<Timestamp>>,
    /// Failed calls that went no further than a node.
    stuck: BTreeMap<NodeId, Vec<u32>>,
}

/// Servers to which no connection could be opened, one statement for each client and server.
pub(super) fn net_tcp(scene: &Scene<'_>) -> Vec<Claim> {
    if !scene.connections.iter().any(Connection::has_failed) {
        return Vec::new();
    }
    let around = around(scene);
    let mut failed: BTreeMap<(IpAddr, Endpoint), Vec<&Connection>> = BTreeMap::new();
    for connection in scene.connections.iter().filter(|c| matters(&around, c)) {
        let flow = connection.flow;
        failed
            .entry((flow.source.address, flow.destination))
            .or_default()
            .push(connection);
    }
    let mut targets: BTreeMap<IpAddr, BTreeSet<IpAddr>> = BTreeMap::new();
    for (client, server) in failed.keys() {
        targets.entry(*client).or_default().insert(server.address);
    }
    failed
        .iter()
        .filter(|((client, _), _)| targets.get(client).is_some_and(|all| all.len() < SWEEP_MIN))
        .filter_map(|((client, server), tries)| claim(scene, &around, *client, *server, tries))
        .collect()
}

fn around(scene: &Scene<'_>) -> Around {
    let carrying = scene.connections.iter().filter(|c| c.carries.is_some());
    let speaking = carrying.map(|c| c.flow.destination).collect();
    let mut opened: BTreeMap<(IpAddr, Endpoint), Vec<Timestamp>> = BTreeMap::new();
    for connection in scene.connections.iter().filter(|c| !c.has_failed()) {
        opened
            .entry((connection.flow.source.address, connection.flow.destination))
            .or_default()
            .push(connection.first_seen.time);
    }
    let mut stuck: BTreeMap<NodeId, Vec<u32>> = BTreeMap::new();
    for (index, call) in scene.calls.iter().enumerate() {
        if let Some(node) = stuck_at(scene, call) {
            stuck.entry(node).or_default().push(index as u32);
        }
    }
    Around {
        speaking,
        opened,
        stuck,
    }
}

/// The node that refused a call with a code of "no way further", without having sent it on.
fn stuck_at(scene: &Scene<'_>, call: &Call) -> Option<NodeId> {
    let is_stuck = matches!(
        call.outcome,
        Outcome::Unreachable | Outcome::ServerFailed | Outcome::TimedOut
    ) && call
        .final_code
        .is_none_or(|code| matches!(code.0, 408 | 477 | 480 | 500 | 502 | 503 | 504));
    let node = scene.node(call.origin.filter(|_| is_stuck)?.endpoint);
    let went_on = call.hops.iter().any(|hop| scene.node(hop.source) == node);
    (!went_on).then_some(node)
}

/// A connection for signalling that was asked for and never came about, and that no later one replaced at once.
fn matters(around: &Around, connection: &Connection) -> bool {
    let is_unanswered = connection.refused.is_none() && connection.syns >= SYNS_MIN;
    let failed = connection.has_failed() && (connection.refused.is_some() || is_unanswered);
    let server = connection.flow.destination;
    let is_signalling = matches!(server.port, 5060..=5090) || around.speaking.contains(&server);
    failed && is_signalling && !came_through(around, connection)
}

/// Whether the same client got through to the same server soon after.
fn came_through(around: &Around, connection: &Connection) -> bool {
    let tried = connection
        .refused
        .or(connection.last_syn)
        .map_or(connection.first_seen.time, |sighting| sighting.time);
    let key = (connection.flow.source.address, connection.flow.destination);
    let opened = around.opened.get(&key).map_or(&[][..], Vec::as_slice);
    let next = opened.partition_point(|time| *time < connection.first_seen.time);
    opened
        .get(next)
        .is_some_and(|time| time.since(tried) <= RECONNECT_WAIT)
}

fn claim(
    scene: &Scene<'_>,
    around: &Around,
    client: IpAddr,
    server: Endpoint,
    tries: &[&Connection],
) -> Option<Claim> {
    let first = *tries.first()?;
    let refused: Vec<FrameRef> = tries
        .iter()
        .filter_map(|connection| connection.refused.map(|refused| refused.at))
        .take(FRAMES_MAX)
        .collect();
    let syns: u32 = tries.iter().map(|connection| connection.syns).sum();
    let asked: Vec<FrameRef> = tries
        .iter()
        .filter_map(|connection| connection.first_syn.map(|syn| syn.at))
        .take(FRAMES_MAX)
        .collect();
    let calls = calls_of(scene, around, client, tries);
    let (what, remedy) = if refused.is_empty() {
        (
            format!(
                "{server} answered none of {syns} connection requests (SYN) of {client}: the host is down, or a firewall drops them."
            ),
            format!(
                "1. Is {} up? 2. Firewalls between {client} and {}: allow TCP to port {}.",
                server.address, server.address, server.port
            ),
        )
    } else {
        (
            format!(
                "{server} refused the TCP connection of {client} {} (RST in answer to SYN): nothing listens there, or a firewall rejects it. No SIP could be sent over it.",
                times(refused.len())
            ),
            format!(
                "1. {}: let the SIP service listen on TCP port {}. 2. Firewall at {}: allow TCP to it. 3. {client}: or use the transport on which {} does listen.",
                server.address, server.port, server.address, server.address
            ),
        )
    };
    let mut finding = Finding::new(
        "net-tcp",
        Severity::Error,
        Confidence::Certain,
        Proof::Protocol,
    )
    .says(format!("TCP connections to {server} fail"), what, remedy)
    .shown_by(Evidence::in_frames(
        asked,
        format!("{client} -> {server} SYN"),
        "asks for a connection",
    ));
    if !refused.is_empty() {
        finding = finding.shown_by(Evidence::in_frames(
            refused,
            format!("{server} -> {client} RST"),
            "refuses it",
        ));
    }
    finding.signature = format!("{client} {server}");
    finding.origin = scene.endpoint_of(server);
    let last = tries.last().unwrap_or(&first);
    Some(Claim {
        finding,
        calls,
        count: tries.len() as u32,
        first_at: first.first_seen.time,
        last_at: last.last_syn.map_or(last.first_seen.time, |syn| syn.time),
        scope: String::new(),
    })
}

/// Calls that failed at the client's node while it tried to connect.
fn calls_of(scene: &Scene<'_>, around: &Around, client: IpAddr, tries: &[&Connection]) -> Vec<u32> {
    let any_port = Endpoint {
        address: client,
        port: 0,
    };
    let node = scene.book.tables.endpoints.find_node(any_port);
    let stuck = node.and_then(|node| around.stuck.get(&node));
    let calls = stuck.into_iter().flatten().copied();
    let tried_in = |index: &u32| {
        scene.calls.get(*index as usize).is_some_and(|call| {
            let next = tries.partition_point(|c| c.first_seen.time < call.started);
            tries
                .get(next)
                .is_some_and(|c| c.first_seen.time <= call.ended)
        })
    };
    calls.filter(tried_in).collect()
}

/// The connection broke while the call's request waited for its answer.
pub(super) fn net_tcp_of_call(case: &Case<'_>) -> Option<Finding> {
    if !case.call.transport.is_reliable()
        && case
            .call
            .hops
            .iter()
            .all(|hop| !hop.transport.is_reliable())
    {
        return None;
    }
    let may_be_broken = case.outcome().is_failure() || case.outcome() == Outcome::Partial;
    if !may_be_broken || case.scene.connections.is_empty() {
        return None;
    }
    let (_, t) = case.root()?;
    if t.final_response.is_some() || !matches!(t.transport, Transport::Tcp | Transport::Ws) {
        return None;
    }
    let request = case.message(t.request?)?;
    let tables = case.tables();
    let (source, destination) = (tables.endpoint(t.source), tables.endpoint(t.destination));
    let connection = case
        .scene
        .connections_between(source, destination)
        .filter(|connection| connection.first_seen.time <= request.time)
        .last()?;
    let close = connection.reset.or(connection.fin).filter(|close| {
        close.sighting.time >= request.time && close.sighting.time.since(request.time) <= BREAK_WAIT
    })?;
    let by = if close.by_client {
        connection.flow.source
    } else {
        connection.flow.destination
    };
    // The side that waits for the answer may give up; only the other side's close is the cause.
    if by == source && connection.reset.is_none() {
        return None;
    }
    let idle = idle_before(connection, request);
    let idle_words = match idle {
        Some(idle) if idle >= Duration::from_secs(1) => {
            format!(", after {:.0} s without traffic", idle.as_secs_f64())
        }
        _ => String::new(),
    };
    let way = if connection.reset.is_some() {
        "reset"
    } else {
        "closed"
    };
    let keep_alive = if idle.is_some_and(|idle| idle >= IDLE_LONG) {
        "1. Send a keep-alive (double CRLF) every 30 to 120 s, so that firewalls do not forget the connection. 2. "
    } else {
        ""
    };
    let finding = Finding::new(
        "net-tcp",
        Severity::Error,
        Confidence::Certain,
        Proof::Protocol,
    )
    .says(
        format!("The TCP connection to {destination} broke during the request"),
        format!(
            "The connection between {source} and {destination} was {way} by {by} {} after the {}{idle_words}; the request was never answered.",
            duration(close.sighting.time.since(request.time)),
            t.method.text()
        ),
        format!(
            "{keep_alive}{}: why it ends the connection (its log at that time, a restart, a limit); {}: open a new connection and send the request again.",
            by.address, source.address
        ),
    )
    .shown_by(Evidence::seen(
        close.sighting.at,
        format!("{by} {way}s the connection"),
        "the end of the connection",
    ))
    .shown_by(case.shows(request, "the request that waits"))
    .at(t.destination, way);
    Some(finding)
}

/// How long nothing went over the connection before the request.
fn idle_before(connection: &Connection, request: &Message) -> Option<Duration> {
    let last = [connection.client_payload, connection.server_payload]
        .into_iter()
        .flatten()
        .map(|sighting| sighting.time)
        .filter(|time| *time < request.time)
        .max()?;
    Some(request.time.since(last))
}
