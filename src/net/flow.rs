//! Endpoints and flows: who sends to whom.

use std::fmt;
use std::net::IpAddr;

/// An address and port as seen on the wire; prints as `10.0.0.5:5060` or `[2001:db8::5]:5060`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// IPv4 or IPv6 address.
    pub address: IpAddr,
    /// UDP, TCP or SCTP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(address) => write!(f, "{address}:{}", self.port),
            IpAddr::V6(address) => write!(f, "[{address}]:{}", self.port),
        }
    }
}

/// One direction between two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Sender.
    pub source: Endpoint,
    /// Receiver.
    pub destination: Endpoint,
}

impl Flow {
    /// The opposite direction.
    pub fn reversed(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
        }
    }
}

/// What carried a SIP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// UDP datagram.
    Udp,
    /// TCP stream.
    Tcp,
    /// WebSocket message, RFC 7118.
    Ws,
    /// SCTP DATA chunk, RFC 4168.
    Sctp,
    /// TLS over TCP, decrypted.
    Tls,
    /// Homer encapsulation, where the inner transport is not told.
    Hep,
}

impl Transport {
    /// The lower-case word used in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Ws => "ws",
            Self::Sctp => "sctp",
            Self::Tls => "tls",
            Self::Hep => "hep",
        }
    }

    /// Whether the transport repeats lost bytes itself, so that SIP requests are not repeated (RFC 3261 section 17).
    pub fn is_reliable(self) -> bool {
        self != Self::Udp && self != Self::Hep
    }
}
