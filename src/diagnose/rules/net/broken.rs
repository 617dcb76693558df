//! TCP connections that break, or take no more bytes, while a request of a call waits for its answer.
//!
//! Sources: RFC 9293 sections 3.6 and 3.8.6 (closing, windows), RFC 3261 section 18, RFC 5626 (keep-alive).

use std::time::Duration;

use crate::call::{Message, Outcome};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::{duration, times};
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::net::carried::Carried;
use crate::net::{Connection, Transport};
use crate::sip::Method;

/// Silence after which firewalls commonly forget a connection.
const IDLE_LONG: Duration = Duration::from_secs(300);
/// How long after its request a connection may break to have taken it along.
const BREAK_WAIT: Duration = Duration::from_secs(32);
/// How long bytes must have waited for a receiver that takes none.
const CHOKED_WAIT: Duration = Duration::from_secs(5);

/// The connection broke while the call's request waited for its answer.
pub(super) fn net_tcp_of_call(context: &CallContext<'_>) -> Option<Observation> {
    let may_be_broken = context.outcome().is_failure() || context.outcome() == Outcome::Partial;
    if !may_be_broken || context.capture.connections.is_empty() {
        return None;
    }
    let mut hops = context.call.hops.iter();
    if !context.call.transport.is_reliable() && hops.all(|hop| !hop.transport.is_reliable()) {
        return None;
    }
    let (_, t) = context.root()?;
    if t.final_response.is_some() || !matches!(t.transport, Transport::Tcp | Transport::Ws) {
        return None;
    }
    let carried = Carried::of(context, t)?;
    let close = carried.end().filter(|close| close.sighting.time.since(carried.request.time) <= BREAK_WAIT);
    let Some(close) = close else {
        return choked(context, &carried);
    };
    let Carried { request, source, destination, connection } = carried;
    let by = if close.by_client { connection.flow.source } else { connection.flow.destination };
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
    let way = if connection.reset.is_some() { "reset" } else { "closed" };
    let keep_alive = if idle.is_some_and(|idle| idle >= IDLE_LONG) {
        "Send a keep-alive (double CRLF) every 30 to 120 s, so that firewalls do not forget the connection."
    } else {
        ""
    };
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .titled(format!("The TCP connection to {destination} broke during the request"))
            .happened(format!(
                "The connection between {source} and {destination} was {way} by {by} {} after the {}{idle_words}; the request was never answered.",
                duration(close.sighting.time.since(request.time)),
                t.method.text()
            ))
            .remedy(keep_alive)
            .remedy(format!(
                "{}: why it ends the connection (its log at that time, a restart, a limit); {}: open a new connection and send the request again.",
                by.address,
                source.address
            ))
            .shown_by(Evidence::seen(
                close.sighting.at,
                format!("{by} {way}s the connection"),
                "the end of the connection",
            ))
            .shown_by(context.shows(request, "the request that waits"))
            .at(t.destination, way),
    )
}

/// The receiver said that it can take no more bytes, and the request was never answered.
fn choked(context: &CallContext<'_>, carried: &Carried<'_>) -> Option<Observation> {
    let (source, destination) = (carried.source, carried.destination);
    let windows = carried.closed_windows();
    let is_taken = carried.unacknowledged_bytes().is_none_or(|left| left == 0);
    if windows == 0 || is_taken || carried.watched(context) < CHOKED_WAIT {
        return None;
    }
    Some(
        Observation::new(Confidence::Likely, Proof::Protocol)
            .titled(format!("{destination} takes no more bytes"))
            .happened(format!(
                "{destination} said {} that it can take no more bytes (TCP window 0), and never acknowledged the {} from {source}: its SIP application does not read what arrives.",
                times(windows as usize),
                carried.request.method().map_or("request", Method::text)
            ))
            .remedy(format!(
                "On {}: look at the SIP application at that time (hanging, overloaded, waiting for a database); restart it if it does not recover.",
                destination.address
            ))
            .shown_by(context.shows(carried.request, "the request that was not taken"))
            .shown_by(carried.misses(context, format!("a TCP acknowledgement of it from {destination}")))
            .at(carried.request.destination, "zero window"),
    )
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
