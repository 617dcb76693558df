//! A REGISTER that nothing answered.
//!
//! Sources: RFC 3261 sections 17.1.2.2 (timers E and F) and 18.4 (ICMP errors), RFC 9293 section 3.6 (closing).

use std::time::Duration;

use crate::call::Message;
use crate::call::beside::registration::{RegisterAttempt, Registration, RegistrationOutcome};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::finding::{Confidence, Evidence, Proof, Steps};
use crate::diagnose::rules::net::icmp;
use crate::diagnose::rules::reg::failure::{RegisterFailure, failure, others, who};

/// Sends over UDP after which a REGISTER counts as unanswered.
const SENDS_MIN: u32 = 3;
/// How long after a REGISTER its connection may break to have taken it along.
const BREAK_WAIT: Duration = Duration::from_secs(32);

/// The registrar answered none of the REGISTERs of a try, although the device went on asking.
pub(super) fn unanswered(
    capture: &CaptureContext<'_>,
    registration: &Registration,
    attempt: &RegisterAttempt,
    request: &Message,
) -> Option<RegisterFailure> {
    let (device, registrar) = (capture.node(attempt.source), capture.node(attempt.registrar));
    if let Some(failure) = reported(capture, attempt, request).or_else(|| broken(capture, attempt, request)) {
        return Some(failure);
    }
    if capture.is_one_directional(device, registrar) || !was_waited_for(capture, registration, attempt) {
        return None;
    }
    let name = capture.name(attempt.registrar);
    let what = if attempt.challenges > 0 {
        format!(
            "{name} asked for a login and did not answer the REGISTER that carried it, sent {}",
            counted(attempt.last_sends, "time")
        )
    } else {
        format!("{name} answered none of {} REGISTERs", attempt.sends)
    };
    Some(failure(
        (Confidence::Likely, Proof::Timing),
        "The registrar does not answer",
        format!("{} could not register: {what}.{}", who(capture, attempt), others(capture, attempt)),
        Steps::from([
            format!("Check that {name} is up and is the right address and port."),
            "Check that its answers get back to the device: firewall, NAT, routing.".to_owned(),
        ]),
    ))
}

/// Whether the device itself got no answer: it went on sending, as over UDP only a client does that waits
/// (RFC 3261 section 17.1.2.2). One REGISTER without an answer may as well be an answer that the capture lost.
fn was_waited_for(capture: &CaptureContext<'_>, registration: &Registration, last: &RegisterAttempt) -> bool {
    let is_reliable =
        capture.store.messages_of(&last.leg).first().is_some_and(|message| message.transport.is_reliable());
    let tries = || {
        let tries = registration.attempts.iter().rev();
        tries
            .filter_map(|index| capture.attempts.get(*index as usize))
            .take_while(|attempt| attempt.outcome == RegistrationOutcome::TimedOut)
            .take(SENDS_MIN as usize)
    };
    // What a stream lacks may be the answer; one of which the other side was never captured lacks every answer.
    let is_whole = capture.sight.cut_messages == 0 && capture.sight.missing_bytes == 0 && is_heard(capture, last);
    let sends: u32 = tries().map(|attempt| attempt.last_sends).sum();
    is_reliable && is_whole || sends >= SENDS_MIN && tries().any(|attempt| attempt.last_sends > 1)
}

/// Whether anything that the registrar sent over the connection of a try was captured.
fn is_heard(capture: &CaptureContext<'_>, attempt: &RegisterAttempt) -> bool {
    let tables = &capture.store.tables;
    let (device, registrar) = (tables.endpoint(attempt.source), tables.endpoint(attempt.registrar));
    let mut connections = capture.connections_between(device, registrar);
    connections.any(|connection| {
        let (sent, unacknowledged) = match connection.flow.source == device {
            true => (connection.server_payload, connection.client_unacknowledged_bytes),
            false => (connection.client_payload, connection.server_unacknowledged_bytes),
        };
        sent.is_some() || unacknowledged.is_some()
    })
}

/// An ICMP error says that the REGISTER could not be delivered.
fn reported(capture: &CaptureContext<'_>, attempt: &RegisterAttempt, request: &Message) -> Option<RegisterFailure> {
    let tables = &capture.store.tables;
    let (here, there) = (tables.endpoint(attempt.source), tables.endpoint(attempt.registrar));
    let ends = (attempt.source, attempt.registrar);
    let span = (attempt.started, attempt.ended.max(request.time));
    let report = icmp::between(capture, ends, span)?;
    let failure = failure(
        (Confidence::Certain, Proof::Protocol),
        format!("The registrar was reported unreachable: {}", report.meaning()),
        format!(
            "{} could not register. {} reported `{}` for its REGISTER: {}.",
            who(capture, attempt),
            icmp::reporter(report, there),
            report.meaning(),
            icmp::consequence(report)
        ),
        icmp::remedy(report, here, there, request.transport),
    );
    Some(RegisterFailure { shown: Some(icmp::evidence(&[report])), ..failure })
}

/// The connection broke while the REGISTER waited for its answer.
fn broken(capture: &CaptureContext<'_>, attempt: &RegisterAttempt, request: &Message) -> Option<RegisterFailure> {
    if !request.transport.is_reliable() {
        return None;
    }
    let tables = &capture.store.tables;
    let (here, there) = (tables.endpoint(attempt.source), tables.endpoint(attempt.registrar));
    let connections = capture.connections_between(here, there);
    let connection = connections
        .filter(|connection| connection.first_seen.time <= request.time)
        .last()
        .filter(|connection| connection.missing_bytes == 0)?;
    let mut ends = [connection.reset, connection.fin].into_iter().flatten();
    let end = ends.find(|end| end.sighting.time >= request.time)?;
    let is_by_device = end.by_client == (connection.flow.source == here);
    // The device itself may give up waiting.
    if is_by_device || end.sighting.time.since(request.time) > BREAK_WAIT {
        return None;
    }
    let way = if connection.reset.is_some() { "reset" } else { "closed" };
    let failure = failure(
        (Confidence::Certain, Proof::Protocol),
        format!("The registrar {way} the connection"),
        format!(
            "{} could not register: {there} {way} the TCP connection {} after the REGISTER and never answered it.",
            who(capture, attempt),
            duration(end.sighting.time.since(request.time))
        ),
        Steps::from([
            format!(
                "{}: why it ends the connection (its log at that time, a restart, a limit, a list of allowed addresses).",
                there.address
            ),
            format!("Firewall between them: it may have reset it in the name of {}.", there.address),
        ]),
    );
    Some(RegisterFailure {
        shown: Some(Evidence::seen(
            end.sighting.at,
            format!("{there} {way}s the connection"),
            "the end of the connection",
        )),
        ..failure
    })
}
