//! The facts about one TLS connection that its clear parts, or a key log, tell.
//!
//! Sources: RFC 8446 sections 4 and 6, RFC 5246 section 7.

use crate::net::flow::{Endpoint, Flow};
use crate::net::sighting::Sighting;
use crate::net::tls::certificate::Certificate;

/// Alerts of one connection that are kept.
pub(super) const ALERTS_MAX: usize = 4;
/// The port of SIP over TLS, RFC 3261 section 19.1.2.
const SIPS_PORT: u16 = 5061;

/// A TLS alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsAlert {
    /// Whether the client sent it; otherwise the server.
    pub by_client: bool,
    /// 1 warning, 2 fatal.
    pub level: u8,
    /// What is wrong, RFC 8446 section 6; 0 is an orderly close.
    pub description: u8,
    /// Whether a key log was needed to read it.
    pub was_encrypted: bool,
    /// Whether it came after application data of either side.
    pub is_after_data: bool,
    /// Where it was seen.
    pub sighting: Sighting,
}

/// One TLS connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsHandshake {
    /// From the client to the server, as far as a hello shows.
    pub flow: Flow,
    /// The first record of either side.
    pub first_seen: Sighting,
    /// The first ClientHello.
    pub client_hello: Option<Sighting>,
    /// The first ServerHello.
    pub server_hello: Option<Sighting>,
    /// The host that the client asked for (SNI).
    pub server_name: Option<Box<str>>,
    /// Application protocols that the client offered (ALPN); at most 8.
    pub offered_protocols: Vec<Box<str>>,
    /// The one that the server chose, where it said so in the clear.
    pub chosen_protocol: Option<Box<str>>,
    /// Highest version that the client offered, as in 0x0303 for TLS 1.2.
    pub offered_version: Option<u16>,
    /// How many cipher suites the client offered.
    pub offered_ciphers: u16,
    /// The version that the server chose.
    pub chosen_version: Option<u16>,
    /// The cipher suite that the server chose: an IANA number.
    pub chosen_cipher: Option<u16>,
    /// The server's own certificate; in TLS 1.3 only with a key log.
    pub server_certificate: Option<Certificate>,
    /// The client's own certificate, likewise.
    pub client_certificate: Option<Certificate>,
    /// Alerts in order; at most 4.
    pub alerts: Vec<TlsAlert>,
    /// First application data of the client; without keys TLS 1.3 hides the end of the handshake in the same type.
    pub client_data: Option<Sighting>,
    /// First application data of the server, likewise.
    pub server_data: Option<Sighting>,
    /// Whether application data was decrypted.
    pub is_decrypted: bool,
    /// Whether SIP, or WebSocket with SIP, was found in it.
    pub carries_sip: bool,
}

impl TlsHandshake {
    pub(super) fn new(flow: Flow, first_seen: Sighting) -> Self {
        Self {
            flow,
            first_seen,
            client_hello: None,
            server_hello: None,
            server_name: None,
            offered_protocols: Vec::new(),
            chosen_protocol: None,
            offered_version: None,
            offered_ciphers: 0,
            chosen_version: None,
            chosen_cipher: None,
            server_certificate: None,
            client_certificate: None,
            alerts: Vec::new(),
            client_data: None,
            server_data: None,
            is_decrypted: false,
            carries_sip: false,
        }
    }

    /// Whether it carries SIP, or its port, ALPN or server name says that it does.
    pub fn is_signalling(&self) -> bool {
        let is_sips = |endpoint: Endpoint| endpoint.port == SIPS_PORT;
        let mut protocols = self.offered_protocols.iter().chain(&self.chosen_protocol);
        let label = self.server_name.as_deref().and_then(|name| name.split('.').next()).unwrap_or_default();
        self.carries_sip
            || is_sips(self.flow.source)
            || is_sips(self.flow.destination)
            || protocols.any(|protocol| protocol.starts_with("sip"))
            || ["sip", "sips", "_sip", "_sips"].iter().any(|word| label.eq_ignore_ascii_case(word))
    }

    /// Whether it is signalling with application data of which nothing was decrypted.
    pub fn is_unread(&self) -> bool {
        let has_data = self.client_data.is_some() || self.server_data.is_some();
        has_data && !self.is_decrypted && self.is_signalling()
    }
}
