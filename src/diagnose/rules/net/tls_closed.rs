//! TLS handshakes that one side breaks off without a word, again and again.
//!
//! Sources: RFC 8446 sections 4.4.4 (a client that finishes speaks under its keys) and 6.1; RFC 5246 section 7.3.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::times;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rule::Claim;
use crate::net::{Close, Endpoint, TlsHandshake};

/// Handshakes of one client that must have been broken off, and none of which may have gone further.
const BROKEN_MIN: usize = 2;
/// Examples that evidence names.
const EXAMPLES_MAX: usize = 3;

/// The handshakes of one client with one server, in the order of time.
type Group<'a> = Vec<&'a TlsHandshake>;

/// Clients none of whose handshakes with a server came to application data although the server answered, and who closed them.
pub(super) fn broken_off<'a>(
    capture: &CaptureContext<'_>,
    handshakes: impl Iterator<Item = &'a TlsHandshake>,
) -> Vec<Claim> {
    let mut groups: BTreeMap<(IpAddr, Endpoint), Group<'a>> = BTreeMap::new();
    for handshake in handshakes {
        let (client, server) = (handshake.flow.source, handshake.flow.destination);
        let group = groups.entry((client.address, server)).or_default();
        group.push(handshake);
    }
    let enough = groups.into_values().filter(|group| group.len() >= BROKEN_MIN);
    enough.filter_map(|group| claim(capture, &group)).collect()
}

/// The end of a handshake that the server answered and the client never went on with; an alert has its own finding.
fn break_of(capture: &CaptureContext<'_>, handshake: &TlsHandshake) -> Option<Close> {
    let hello = handshake.server_hello?;
    if handshake.client_data.is_some() || !handshake.alerts.is_empty() {
        return None;
    }
    let (client, server) = (handshake.flow.source, handshake.flow.destination);
    let connection = capture
        .connections_between(client, server)
        .filter(|connection| connection.first_seen.time <= hello.time)
        .last()?;
    let mut ends = [connection.reset, connection.fin].into_iter().flatten();
    ends.find(|close| connection.missing_bytes == 0 && close.sighting.time >= hello.time)
}

fn claim(capture: &CaptureContext<'_>, group: &[&TlsHandshake]) -> Option<Claim> {
    let (first, last) = (*group.first()?, *group.last()?);
    let breaks: Vec<Close> = group.iter().map(|handshake| break_of(capture, handshake)).collect::<Option<_>>()?;
    let by_client = breaks.first()?.by_client;
    if breaks.iter().any(|close| close.by_client != by_client) {
        return None;
    }
    let (client, server) = (first.flow.source, first.flow.destination);
    let (by, other) = match by_client {
        true => (client.address, server.address),
        false => (server.address, client.address),
    };
    let why = match by_client {
        true => {
            "possibly it does not accept the certificate; also consider a monitor that only looks whether the port is open"
        }
        false => "possibly it wants another protocol version or a certificate of the client",
    };
    let mut observation = Observation::new(Confidence::Possible, Proof::Timing)
        .warn()
        .titled(format!("TLS handshakes with {server} are broken off"))
        .happened(format!(
            "{} began TLS with {server} {}, the server answered each time, and {by} closed the connection before the client sent anything under its keys, without an alert: {why}.",
            client.address,
            times(group.len())
        ))
        .remedy(format!("{by}: look into its TLS log at that time."))
        .remedy(format!(
            "Compare the trusted authorities, TLS versions and names of {by} with the certificate of {other}, or the reverse."
        ));
    for close in breaks.iter().take(EXAMPLES_MAX) {
        observation = observation.shown_by(Evidence::seen(
            close.sighting.at,
            "the connection is closed",
            format!("by {by}, in the middle of the handshake"),
        ));
    }
    observation.origin = capture.endpoint_of(if by_client { client } else { server });
    observation.signature = "broken off".to_owned();
    Some(Claim {
        said: observation,
        calls: Vec::new(),
        count: group.len() as u32,
        first_at: first.first_seen.time,
        last_at: last.first_seen.time,
        scope: String::new(),
    })
}
