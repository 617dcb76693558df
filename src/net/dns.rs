//! DNS messages, as far as they tell where SIP is sent: addresses, SRV and NAPTR.
//!
//! Sources: RFC 1035 section 4 (messages), RFC 3596 (AAAA), RFC 2782 (SRV), RFC 3403 section 4.1 (NAPTR), RFC 3263.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::net::flow::Flow;

/// The port of DNS over UDP.
const DNS_PORT: u16 = 53;
/// Records read of one message; a zone with more servers than this is known by its first.
const RECORDS_MAX: u16 = 64;
/// Compression pointers followed for one name: each must point backwards, so more are forged.
const POINTERS_MAX: usize = 16;
/// Bytes of a name, RFC 1035 section 2.3.4.
const NAME_BYTES_MAX: usize = 255;
const CLASS_IN: u16 = 1;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DnsKind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Servers and their ports.
    Srv,
    /// Transports in the order that the domain prefers.
    Naptr,
}

impl DnsKind {
    fn of(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::A),
            28 => Some(Self::Aaaa),
            33 => Some(Self::Srv),
            35 => Some(Self::Naptr),
            _ => None,
        }
    }

    /// Its name in zone files, such as `SRV`.
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Srv => "SRV",
            Self::Naptr => "NAPTR",
        }
    }
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsRecord {
    /// A or AAAA.
    Address(IpAddr),
    /// SRV; lower priorities first.
    Server {
        /// Lower is tried first.
        priority: u16,
        /// Share among those of the same priority.
        weight: u16,
        /// Port of the service.
        port: u16,
        /// Host, without the last dot; empty where the service is plainly not there.
        target: Box<str>,
    },
    /// NAPTR.
    Service {
        /// Lower is tried first.
        order: u16,
        /// Likewise among those of the same order.
        preference: u16,
        /// `S` leads to SRV, `A` to addresses, `U` to a URI.
        flags: Box<str>,
        /// Such as `SIP+D2U`.
        service: Box<str>,
        /// The domain to ask next.
        replacement: Box<str>,
    },
    /// CNAME: the name is another one's.
    Alias(Box<str>),
}

/// A question about addresses or services of one name, or the answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsMessage {
    /// Pairs a question and its answer.
    pub id: u16,
    /// The answer rather than the question.
    pub is_response: bool,
    /// 0 no error, 2 server failure, 3 no such name, 5 refused (RFC 1035 section 4.1.1).
    pub rcode: u8,
    /// Whether the answer did not fit and is asked for again over TCP.
    pub is_truncated: bool,
    /// In lower case, without the last dot.
    pub name: Box<str>,
    /// What is asked for.
    pub kind: DnsKind,
    /// Records of the answer section, without those of other kinds; at most 64.
    pub answers: Vec<DnsRecord>,
}

/// Whether a datagram of `flow` is looked at as DNS.
#[inline]
pub fn is_dns(flow: Flow) -> bool {
    flow.source.port == DNS_PORT || flow.destination.port == DNS_PORT
}

/// Reads a question or answer about addresses or services; `None` for other kinds and for what contradicts itself.
///
/// An answer that is cut gives the records before the cut.
pub fn read_dns(bytes: &[u8]) -> Option<DnsMessage> {
    let &[id0, id1, flags0, flags1, q0, q1, a0, a1, ..] = bytes.first_chunk::<12>()?;
    let is_query = flags0 & 0x78 == 0;
    if !is_query || u16::from_be_bytes([q0, q1]) != 1 {
        return None;
    }
    let (name, mut at) = name_at(bytes, 12)?;
    let kind = DnsKind::of(u16_at(bytes, at)?)?;
    if u16_at(bytes, at + 2)? != CLASS_IN {
        return None;
    }
    at += 4;
    let mut answers = Vec::new();
    for _ in 0..u16::from_be_bytes([a0, a1]).min(RECORDS_MAX) {
        let Some((record, end)) = record_at(bytes, at) else {
            break;
        };
        answers.extend(record);
        at = end;
    }
    Some(DnsMessage {
        id: u16::from_be_bytes([id0, id1]),
        is_response: flags0 & 0x80 != 0,
        rcode: flags1 & 0x0f,
        is_truncated: flags0 & 0x02 != 0,
        name,
        kind,
        answers,
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

/// The record at `at`, none where it is of another kind, and where the next begins.
fn record_at(bytes: &[u8], at: usize) -> Option<(Option<DnsRecord>, usize)> {
    let (_, at) = name_at(bytes, at)?;
    let (kind, class) = (u16_at(bytes, at)?, u16_at(bytes, at + 2)?);
    let start = at + 10;
    let end = start + usize::from(u16_at(bytes, at + 8)?);
    let data = bytes.get(start..end)?;
    let record = match kind {
        _ if class != CLASS_IN => None,
        1 => {
            let octets = data.first_chunk::<4>();
            octets.map(|octets| DnsRecord::Address(Ipv4Addr::from(*octets).into()))
        }
        28 => {
            let octets = data.first_chunk::<16>();
            octets.map(|octets| DnsRecord::Address(Ipv6Addr::from(*octets).into()))
        }
        5 => name_at(bytes, start).map(|(name, _)| DnsRecord::Alias(name)),
        33 => server(bytes, start),
        35 => service(bytes, start),
        _ => None,
    };
    Some((record, end))
}

fn server(bytes: &[u8], at: usize) -> Option<DnsRecord> {
    Some(DnsRecord::Server {
        priority: u16_at(bytes, at)?,
        weight: u16_at(bytes, at + 2)?,
        port: u16_at(bytes, at + 4)?,
        target: name_at(bytes, at + 6)?.0,
    })
}

fn service(bytes: &[u8], at: usize) -> Option<DnsRecord> {
    let (order, preference) = (u16_at(bytes, at)?, u16_at(bytes, at + 2)?);
    let (flags, at) = string_at(bytes, at + 4)?;
    let (service, at) = string_at(bytes, at)?;
    let (_, at) = string_at(bytes, at)?;
    Some(DnsRecord::Service { order, preference, flags, service, replacement: name_at(bytes, at)?.0 })
}

/// A string of RFC 1035 section 3.3 and where it ends.
fn string_at(bytes: &[u8], at: usize) -> Option<(Box<str>, usize)> {
    let end = at + 1 + usize::from(*bytes.get(at)?);
    let text = bytes.get(at + 1..end)?;
    Some((String::from_utf8_lossy(text).into(), end))
}

/// The name at `at` in lower case, and where what follows it begins.
fn name_at(bytes: &[u8], at: usize) -> Option<(Box<str>, usize)> {
    let (mut name, mut here, mut behind) = (Vec::new(), at, None);
    for _ in 0..POINTERS_MAX {
        loop {
            let length = usize::from(*bytes.get(here)?);
            if length >= 0x40 {
                break;
            }
            here += 1;
            if length == 0 {
                let text = String::from_utf8_lossy(&name).to_ascii_lowercase();
                return Some((text.into(), behind.unwrap_or(here)));
            }
            if !name.is_empty() {
                name.push(b'.');
            }
            name.extend_from_slice(bytes.get(here..here + length)?);
            here += length;
            if name.len() > NAME_BYTES_MAX {
                return None;
            }
        }
        let pointer = u16_at(bytes, here)?;
        behind = behind.or(Some(here + 2));
        let target = usize::from(pointer & 0x3fff);
        // 0x40 and 0x80 are no pointers, and one that points forwards could lead in circles.
        if pointer < 0xc000 || target >= here {
            return None;
        }
        here = target;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(question: &[u8], kind: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
        let count = records.len() as u8;
        let mut bytes = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0];
        bytes.extend_from_slice(question);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&[0, 1]);
        for (kind, data) in records {
            bytes.extend_from_slice(&[0xc0, 12]);
            bytes.extend_from_slice(&kind.to_be_bytes());
            bytes.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
            bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
            bytes.extend_from_slice(data);
        }
        bytes
    }

    const DOMAIN: &[u8] = b"\x07Example\x03com\0";

    #[test]
    fn srv_names_hosts_through_compression() {
        let data = [&[0, 10, 0, 60, 0x13, 0xc4][..], b"\x03gw1\xc0\x0c"].concat();
        let bytes = answer(DOMAIN, 33, &[(33, &data)]);
        let message = read_dns(&bytes).expect("an answer");
        assert!(message.is_response);
        assert_eq!("example.com", &*message.name);
        let server = DnsRecord::Server { priority: 10, weight: 60, port: 5060, target: "gw1.example.com".into() };
        assert_eq!([server], message.answers[..]);
    }

    #[test]
    fn addresses_aliases_and_services_are_read() {
        let naptr = b"\0\x32\0\x32\x01S\x07SIP+D2U\0\x04_sip\x04_udp\xc0\x0c";
        let records: [(u16, &[u8]); 5] = [
            (5, b"\x03pbx\xc0\x0c"),
            (1, &[10, 0, 0, 5]),
            (28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]),
            (16, b"\x03txt"),
            (35, naptr),
        ];
        let message = read_dns(&answer(DOMAIN, 1, &records)).expect("an answer");
        assert_eq!(4, message.answers.len());
        assert_eq!(DnsRecord::Alias("pbx.example.com".into()), message.answers[0]);
        assert_eq!(DnsRecord::Address([10, 0, 0, 5].into()), message.answers[1]);
        let service = DnsRecord::Service {
            order: 50,
            preference: 50,
            flags: "S".into(),
            service: "SIP+D2U".into(),
            replacement: "_sip._udp.example.com".into(),
        };
        assert_eq!(service, message.answers[3]);
    }

    #[test]
    fn every_cut_of_an_answer_is_read_as_far_as_it_goes() {
        let bytes = answer(DOMAIN, 1, &[(1, &[10, 0, 0, 5]), (1, &[10, 0, 0, 6])]);
        for length in 0..bytes.len() {
            let cut = read_dns(bytes.get(..length).expect("within"));
            assert!(cut.is_none_or(|message| message.answers.len() < 2));
        }
    }

    #[test]
    fn names_that_lead_in_circles_end() {
        for name in [&b"\xc0\x0c"[..], b"\xc0\x0e\xc0\x0c", b"\x01a\xc0\x0c", b"\x80\0"] {
            assert_eq!(None, read_dns(&answer(name, 1, &[])), "{name:?}");
        }
        let long = b"\x3faaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".repeat(5);
        assert_eq!(None, read_dns(&answer(&[&long[..], b"\0"].concat(), 1, &[])));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_fail(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = read_dns(&bytes);
            let _ = read_dns(&[&[0, 0, 0x80, 0, 0, 1, 0, 9, 0, 0, 0, 0][..], &bytes].concat());
        }
    }
}
