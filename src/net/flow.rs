//! Endpoints and flows: who sends to whom.

use std::fmt::{self, Write};
use std::net::IpAddr;

/// An address and port as seen on the wire; prints as `10.0.0.5:5060` or `[2001:db8::5]:5060`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// IPv4 or IPv6 address.
    pub address: IpAddr,
    /// UDP, TCP or SCTP port.
    pub port: u16,
}

impl Endpoint {
    /// What it prints as, without memory of its own: reports print endpoints by the hundred thousand.
    pub fn text(&self) -> EndpointText {
        let mut text = EndpointText { bytes: [0; ENDPOINT_BYTES_MAX], len: 0 };
        match self.address {
            IpAddr::V4(address) => {
                for (place, octet) in address.octets().into_iter().enumerate() {
                    if place > 0 {
                        text.push(b'.');
                    }
                    text.push_number(u16::from(octet));
                }
                text.push(b':');
                text.push_number(self.port);
            }
            IpAddr::V6(address) => {
                // There is room for every address.
                let _ = write!(text, "[{address}]:{}", self.port);
            }
        }
        text
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// Bytes of the longest endpoint, `[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535`, rounded up.
const ENDPOINT_BYTES_MAX: usize = 56;

/// An [`Endpoint`] as it prints.
#[derive(Debug, Clone, Copy)]
pub struct EndpointText {
    bytes: [u8; ENDPOINT_BYTES_MAX],
    len: usize,
}

impl EndpointText {
    /// `10.0.0.5:5060` or `[2001:db8::5]:5060`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// A number by its digits, without zeros before it.
    fn push_number(&mut self, number: u16) {
        for unit in [10_000, 1000, 100, 10] {
            if number >= unit {
                self.push(b'0' + (number / unit % 10) as u8);
            }
        }
        self.push(b'0' + (number % 10) as u8);
    }
}

impl fmt::Write for EndpointText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.push(byte));
        Ok(())
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
        Self { source: self.destination, destination: self.source }
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
    /// Homer encapsulation, where the inner transport is unknown.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_prints_as_wireshark_writes_it() {
        for text in ["0.0.0.0:0", "10.0.0.5:5060", "255.255.255.255:65535", "192.0.2.100:80", "[2001:db8::5]:5060"] {
            let socket: std::net::SocketAddr = text.parse().expect("an address and port");
            let endpoint = Endpoint { address: socket.ip(), port: socket.port() };
            assert_eq!(text, endpoint.to_string());
        }
    }
}
