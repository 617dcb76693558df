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
            IpAddr::V4(address) => f.write_str(Dotted::of(address.octets(), self.port).text()),
            IpAddr::V6(address) => write!(f, "[{address}]:{}", self.port),
        }
    }
}

/// `255.255.255.255:65535` on the stack: reports print endpoints by the hundred thousand.
struct Dotted {
    bytes: [u8; 21],
    len: usize,
}

impl Dotted {
    fn of(octets: [u8; 4], port: u16) -> Self {
        let mut dotted = Self {
            bytes: [0; 21],
            len: 0,
        };
        for (place, octet) in octets.into_iter().enumerate() {
            if place > 0 {
                dotted.push(b'.');
            }
            dotted.push_digits([100, 10, 1].map(|unit| (u16::from(octet) / unit % 10) as u8));
        }
        dotted.push(b':');
        dotted.push_digits([10_000, 1000, 100, 10, 1].map(|unit| (port / unit % 10) as u8));
        dotted
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// A number by its digits, without the zeros before it.
    fn push_digits<const COUNT: usize>(&mut self, digits: [u8; COUNT]) {
        let mut is_begun = false;
        for (place, digit) in digits.into_iter().enumerate() {
            is_begun |= digit > 0 || place + 1 == COUNT;
            if is_begun {
                self.push(b'0' + digit);
            }
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_prints_as_wireshark_writes_it() {
        for text in [
            "0.0.0.0:0",
            "10.0.0.5:5060",
            "255.255.255.255:65535",
            "192.0.2.100:80",
            "[2001:db8::5]:5060",
        ] {
            let socket: std::net::SocketAddr = text.parse().expect("an address and port");
            let endpoint = Endpoint {
                address: socket.ip(),
                port: socket.port(),
            };
            assert_eq!(text, endpoint.to_string());
        }
    }
}
