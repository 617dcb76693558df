//! Bystanders: datagrams that are neither SIP nor media, named so that a report can say what it passed over.
//!
//! Sources: RFC 9000 section 17.2 and RFC 9369 (QUIC), RFC 6347 and RFC 9147 (DTLS), RFC 3948 (ESP within UDP).

use crate::net::flow::Flow;

/// Ports of DNS, of multicast DNS and of LLMNR.
const DNS_PORTS: [u16; 3] = [53, 5353, 5355];
/// Ports on which QUIC is looked for: HTTP/3, and SIP over TLS, whose number QUIC would share.
const QUIC_PORTS: [u16; 2] = [443, 5061];
/// Version numbers of QUIC 1 and 2.
const QUIC_VERSIONS: [[u8; 4]; 2] = [[0, 0, 0, 1], [0x6b, 0x33, 0x43, 0xcf]];
/// The port of IPsec behind a NAT.
const IPSEC_PORT: u16 = 4500;

/// What a datagram of `flow` is that carries neither SIP nor media: `quic`, `dtls`, `esp-encrypted`, `dns` or `udp-other`.
///
/// QUIC is recognised by the long header alone, which only the packets that open a connection have.
pub fn bystander(flow: Flow, bytes: &[u8]) -> &'static str {
    let has_port = |port| flow.source.port == port || flow.destination.port == port;
    match bytes {
        [0xc0..=0xff, version @ ..]
            if QUIC_PORTS.into_iter().any(has_port) && QUIC_VERSIONS.iter().any(|known| version.starts_with(known)) =>
        {
            "quic"
        }
        [20..=26, 0xfe, 0xfd | 0xff, ..] => "dtls",
        // An SPI is never zero: that marks a key exchange; one byte alone keeps the NAT open.
        [spi0, spi1, spi2, spi3, _, _, _, _, _, ..]
            if has_port(IPSEC_PORT) && [*spi0, *spi1, *spi2, *spi3] != [0; 4] =>
        {
            "esp-encrypted"
        }
        _ if DNS_PORTS.into_iter().any(has_port) => "dns",
        _ => "udp-other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::flow::Endpoint;

    fn named(port: u16, bytes: &[u8]) -> &'static str {
        let endpoint = |port| Endpoint { address: [10, 0, 0, 1].into(), port };
        let flow = Flow { source: endpoint(40_000), destination: endpoint(port) };
        assert_eq!(bystander(flow, bytes), bystander(flow.reversed(), bytes));
        bystander(flow, bytes)
    }

    #[test]
    fn datagrams_that_hide_or_lack_sip_have_names() {
        let quic = [0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!("quic", named(443, &quic));
        assert_eq!("quic", named(5061, &quic));
        assert_eq!("udp-other", named(7000, &quic));
        assert_eq!("dtls", named(5061, &[22, 0xfe, 0xfd, 0, 0]));
        assert_eq!("esp-encrypted", named(4500, &[1, 2, 3, 4, 0, 0, 0, 1, 9, 9]));
        assert_eq!("udp-other", named(4500, &[0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 1]));
        assert_eq!("dns", named(53, &[0x12, 0x34, 1, 0]));
        assert_eq!("udp-other", named(4500, &[0xff]));
        assert_eq!("udp-other", named(5060, &[]));
    }
}
