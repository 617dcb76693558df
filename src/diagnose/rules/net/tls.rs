//! TLS handshakes that fail, as far as their clear parts tell.
//!
//! Sources: RFC 8446 section 6 (alerts), RFC 5246 section 7.2, RFC 5922 (certificates of SIP domains).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::net::tls_closed::broken_off;
use crate::net::{Certificate, Endpoint, TlsAlert, TlsHandshake, Transport};

/// How long a client waits for a ServerHello.
const HELLO_WAIT: Duration = Duration::from_secs(5);
/// Alerts that end nothing: close_notify, user_canceled, no_renegotiation.
const HARMLESS: [u8; 3] = [0, 90, 100];
/// The version number of TLS 1.3, in which every alert but the harmless ones is fatal.
const TLS13: u16 = 0x0304;
/// Examples that evidence names.
const EXAMPLES_MAX: usize = 3;

/// A way in which a handshake fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TlsFailure {
    /// The server aborts it with this alert.
    ServerAlert(u8),
    /// The client aborts it with this alert.
    ClientAlert(u8),
    /// Nothing answers the ClientHello.
    Unanswered,
}

/// What is said of handshakes that fail in one way.
struct TlsStory {
    /// Where the fault is.
    at: Endpoint,
    what: String,
    remedy: Steps,
    /// What makes it the same problem as in another handshake.
    signature: String,
}

/// One statement for each server and each way in which handshakes with it fail.
pub(super) fn net_tls_of_capture(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut failed: BTreeMap<(Endpoint, TlsFailure), Vec<&TlsHandshake>> = BTreeMap::new();
    for handshake in capture.handshakes.iter().filter(|h| concerns_sip(capture, h)) {
        let kind = match fatal_alert(handshake) {
            Some(alert) if alert.by_client => TlsFailure::ClientAlert(alert.description),
            Some(alert) => TlsFailure::ServerAlert(alert.description),
            None if is_unanswered(capture, handshake) => TlsFailure::Unanswered,
            None => continue,
        };
        failed.entry((handshake.flow.destination, kind)).or_default().push(handshake);
    }
    let aborted = failed.values().filter_map(|handshakes| claim(capture, handshakes));
    let concerned = capture.handshakes.iter().filter(|h| concerns_sip(capture, h));
    aborted.chain(broken_off(capture, concerned)).collect()
}

/// Signs of SIP in the handshake, or a server that speaks SIP elsewhere in the capture on a port that is no web server's.
fn concerns_sip(capture: &CaptureContext<'_>, handshake: &TlsHandshake) -> bool {
    let server = handshake.flow.destination;
    handshake.is_signalling()
        || matches!(server.port, 5060..=5090)
        || server.port != 443
            && capture.store.tables.endpoints.find_node(server).is_some_and(|node| capture.history().has_spoken(node))
}

fn fatal_alert(handshake: &TlsHandshake) -> Option<&TlsAlert> {
    handshake.alerts.iter().find(|alert| {
        let is_fatal = alert.level == 2 || handshake.chosen_version == Some(TLS13);
        is_fatal && !alert.is_after_data && !HARMLESS.contains(&alert.description)
    })
}

fn is_unanswered(capture: &CaptureContext<'_>, handshake: &TlsHandshake) -> bool {
    let nothing_back =
        handshake.server_hello.is_none() && handshake.server_data.is_none() && handshake.alerts.is_empty();
    handshake.client_hello.is_some_and(|hello| nothing_back && capture.watched_since(hello.time) >= HELLO_WAIT)
}

fn claim(capture: &CaptureContext<'_>, handshakes: &[&TlsHandshake]) -> Option<Claim> {
    let first = *handshakes.first()?;
    let (client, server) = (first.flow.source, first.flow.destination);
    let story = match fatal_alert(first) {
        Some(alert) => explain(first, alert),
        None => unheard(capture, client, server),
    };
    let mut observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .titled(format!("TLS handshakes with {server} fail: {}", story.signature))
        .happened(story.what)
        .remedy(story.remedy);
    for handshake in handshakes.iter().take(EXAMPLES_MAX) {
        let shown = match (fatal_alert(handshake), handshake.client_hello) {
            (Some(alert), _) => Evidence::seen(
                alert.sighting.at,
                format!("TLS alert {} {}", alert.description, name(alert.description)),
                format!("sent by {}", if alert.by_client { client } else { server }),
            ),
            (None, Some(hello)) => Evidence::Missing {
                expected: "ServerHello".to_owned(),
                after: hello.at,
                watched: capture.watched_since(hello.time),
            },
            (None, None) => continue,
        };
        observation = observation.shown_by(shown);
    }
    observation.origin = capture.endpoint_of(story.at).or(capture.endpoint_of(server));
    observation.signature = story.signature;
    let last = handshakes.last().unwrap_or(&first);
    Some(Claim {
        said: observation,
        calls: Vec::new(),
        count: handshakes.len() as u32,
        first_at: first.first_seen.time,
        last_at: last.first_seen.time,
        scope: String::new(),
    })
}

/// A ClientHello that nothing answered.
fn unheard(capture: &CaptureContext<'_>, client: Endpoint, server: Endpoint) -> TlsStory {
    let plain = capture.connections.iter().find(|connection| {
        connection.flow.destination == server
            && connection.carries == Some(Transport::Tcp)
            && connection.server_payload.is_some()
    });
    match plain {
        Some(plain) => TlsStory {
            at: client,
            what: format!(
                "{client} began TLS with {server} and got no ServerHello: that port speaks plain SIP, as with {} (frame {}).",
                plain.flow.source, plain.first_seen.at.frame
            ),
            remedy: format!(
                "{}: use plain TCP for {} port {}, or its TLS port (5061 unless told otherwise).",
                client.address, server.address, server.port
            )
            .into(),
            signature: "TLS to a plain port".to_owned(),
        },
        None => TlsStory {
            at: server,
            what: format!("{server} never answered the ClientHello of {client}."),
            remedy: format!(
                "{}: does its service speak TLS on port {}, or plain SIP? A firewall on the way may inspect TLS.",
                server.address, server.port
            )
            .into(),
            signature: "no ServerHello".to_owned(),
        },
    }
}

/// Who aborted, why, and what to change.
fn explain(handshake: &TlsHandshake, alert: &TlsAlert) -> TlsStory {
    let (client, server) = (handshake.flow.source, handshake.flow.destination);
    let (sender, other, certificate) = if alert.by_client {
        (client, server, handshake.server_certificate.as_ref())
    } else {
        (server, client, handshake.client_certificate.as_ref())
    };
    let shown = certificate.map_or(String::new(), |certificate| describe(certificate, alert, handshake));
    let offered = match (alert.description, handshake.offered_version) {
        (40 | 70 | 71 | 120, Some(version)) => format!(
            " The client offered up to {} and {} cipher suites{}.",
            version_name(version),
            handshake.offered_ciphers,
            protocols(handshake)
        ),
        _ => String::new(),
    };
    TlsStory {
        at: sender,
        what: format!(
            "{sender} aborted the handshake with the alert {} ({}): {}.{shown}{offered}",
            name(alert.description),
            alert.description,
            meaning(alert.description, alert.by_client)
        ),
        remedy: remedy(alert.description, sender, other, handshake),
        signature: name(alert.description).to_owned(),
    }
}

fn protocols(handshake: &TlsHandshake) -> String {
    if handshake.offered_protocols.is_empty() {
        String::new()
    } else {
        format!(", ALPN {}", handshake.offered_protocols.join(", "))
    }
}

fn describe(certificate: &Certificate, alert: &TlsAlert, handshake: &TlsHandshake) -> String {
    let at = alert.sighting.time;
    let mut facts = vec![format!("CN {}, issued by {}", certificate.subject, certificate.issuer)];
    if at > certificate.not_after {
        let days = at.since(certificate.not_after).as_secs() / 86_400;
        facts.push(format!("expired {days} days before this capture"));
    }
    if at < certificate.not_before {
        facts.push("not valid yet at the time of this capture".to_owned());
    }
    if certificate.is_self_issued {
        facts.push("signed by itself".to_owned());
    }
    if certificate.has_sha1_signature {
        facts.push("signed with SHA-1".to_owned());
    }
    if let Some(asked) = &handshake.server_name
        && !certificate.names.is_empty()
        && !certificate.names.iter().any(|name| covers(name, asked))
    {
        facts.push(format!("not for {asked}"));
    }
    format!(" The certificate: {}.", facts.join("; "))
}

/// Whether a name of a certificate covers a host name, wildcards included (RFC 6125 section 6.4.3).
fn covers(name: &str, host: &str) -> bool {
    let wild = name
        .strip_prefix("*.")
        .is_some_and(|domain| host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)));
    wild || name.eq_ignore_ascii_case(host)
        || name.split_once(':').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(host))
}

fn version_name(version: u16) -> String {
    match version {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        TLS13 => "TLS 1.3".to_owned(),
        other => format!("version {other:#06x}"),
    }
}

/// The name of an alert, RFC 8446 section 6 and RFC 5246 section 7.2.
fn name(description: u8) -> &'static str {
    match description {
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unnamed alert",
    }
}

fn meaning(description: u8, by_client: bool) -> &'static str {
    match (description, by_client) {
        (40, _) => "the two sides have no cipher suite, key exchange or certificate type in common",
        (42 | 43 | 46, true) => "it does not accept the server's certificate",
        (42 | 43 | 46, false) => "it does not accept the client's certificate",
        (44, _) => "the certificate it was shown is revoked",
        (45, _) => "the certificate it was shown has expired",
        (48, _) => "it does not know who signed the certificate it was shown",
        (49, _) => "the certificate is fine, but its owner may not connect",
        (70, _) => "the two sides have no TLS version in common",
        (71, _) => "what the other side offers is too weak for it",
        (112, _) => "it has no certificate for the name that the client asked for",
        (116, _) => "it wants a certificate of the client, and got none",
        (120, _) => "the two sides have no application protocol (ALPN) in common",
        (80, _) => "a fault inside it",
        _ => "it could not make sense of the handshake",
    }
}

fn remedy(description: u8, sender: Endpoint, other: Endpoint, handshake: &TlsHandshake) -> Steps {
    let (sender, other) = (sender.address, other.address);
    match description {
        40 | 71 => format!(
            "Give {sender} and {other} a cipher suite in common (both need TLS 1.2 or later with ECDHE suites; the certificate's key type has to fit them)."
        ).into(),
        42 | 43 | 46 | 48 => Steps::from([
            format!("{sender}: add the authority that signed the certificate of {other} to its trusted ones."),
            format!("{other}: send the whole certificate chain."),
        ]),
        44 | 45 => {
            format!("{other}: install a certificate that is valid; {sender}: check its clock.").into()
        }
        49 => format!("{sender}: allow {other}.").into(),
        70 => format!("Switch on TLS 1.2 or later at {sender} and {other}.").into(),
        112 => format!(
            "{sender}: install a certificate for {}; or let {other} ask for a name that it has.",
            handshake.server_name.as_deref().unwrap_or("the name that the client asked for")
        ).into(),
        116 => {
            format!("{other}: install a client certificate that {sender} trusts; or let {sender} not ask for one.").into()
        }
        120 => format!("{sender}: allow the ALPN protocols that {other} offers; or let {other} offer none.").into(),
        _ => format!("Look into the TLS log of {sender} at that time; update the TLS library of {other}.").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_covers_its_names_and_one_label_of_a_wildcard() {
        assert!(covers("SIP.example.com", "sip.example.com"));
        assert!(covers("*.example.com", "sip.example.com"));
        assert!(covers("sip:example.com", "example.com"));
        assert!(!covers("*.example.com", "a.sip.example.com"));
        assert!(!covers("example.com", "sip.example.com"));
    }
}
