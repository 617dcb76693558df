//! HEP: SIP that a capture agent forwards to a Homer collector, with the addresses and the time that the agent saw.
//!
//! Sources: the HEP/EEP specification of the SIPCAPTURE project, revision 36 (version 3), and its versions 1 and 2.
//! HEP over TCP is a stream and not read here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::capture::Timestamp;
use crate::net::decode::carried::Carried;
use crate::net::decode::descent::Descent;
use crate::net::decode::field::{u8_at, u16_at, u32_at, u32_le_at};
use crate::net::decode::next::Next;
use crate::net::flow::{Endpoint, Flow, Transport};
use crate::net::packet::Payload;
use crate::net::skip::{Layer, Skip};

/// Chunks read of one message; agents send about fifteen.
const CHUNKS_MAX: usize = 64;
/// Version 3 begins with this.
const MAGIC: &[u8] = b"HEP3";
/// Seconds between 1970 and 2100: a version 2 time beyond is in the other byte order.
const SECONDS_MAX: u32 = 4_102_444_800;

/// Whether a datagram begins like HEP of any version; cheap, since every datagram is asked.
#[inline]
pub(in crate::net::decode) fn could_be_hep(bytes: &[u8]) -> bool {
    matches!(bytes, [b'H', b'E', b'P', b'3', ..] | [1 | 2, 16 | 28 | 40 | 52, 2 | 10 | 28 | 30, ..])
}

/// Hands over the SIP message in a HEP datagram; `None` where the datagram is not HEP.
pub(in crate::net::decode) fn hep<'a>(
    descent: &mut Descent<'_, 'a>,
    datagram: &Carried<'a>,
) -> Option<Result<Next<'a>, Skip>> {
    match datagram.bytes {
        [1 | 2, ..] => earlier_version(descent, datagram),
        bytes if bytes.starts_with(MAGIC) => {
            let length = usize::from(u16_at(bytes, 4)?);
            let is_cut = datagram.missing > 0 && length > bytes.len();
            let chunks = bytes.get(6..length).or_else(|| bytes.get(6..))?;
            Some(version_3(descent, datagram, chunks, is_cut))
        }
        _ => None,
    }
}

/// What the chunks of one message say so far.
#[derive(Default)]
struct HepMessage<'a> {
    protocol: Option<u8>,
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    source_port: u16,
    destination_port: u16,
    seconds: Option<u32>,
    microseconds: u32,
    kind: Option<u8>,
    payload: Option<&'a [u8]>,
    compressed: bool,
}

/// Reads the chunks of version 3.
fn version_3<'a>(
    descent: &mut Descent<'_, 'a>,
    datagram: &Carried<'a>,
    chunks: &'a [u8],
    is_cut: bool,
) -> Result<Next<'a>, Skip> {
    let mut message = HepMessage::default();
    let mut rest = chunks;
    for _ in 0..CHUNKS_MAX {
        let Some((&[vendor0, vendor1, kind0, kind1, length0, length1], behind)) = rest.split_first_chunk::<6>() else {
            break;
        };
        let length = usize::from(u16::from_be_bytes([length0, length1]));
        let body_length = length.checked_sub(6).ok_or(Skip::Malformed("HEP chunk"))?;
        let body = behind.get(..body_length).unwrap_or(behind);
        // Only vendor 0 has numbers that mean the same everywhere.
        if [vendor0, vendor1] == [0, 0] {
            message.read_chunk(u16::from_be_bytes([kind0, kind1]), body);
        }
        rest = behind.get(body_length..).unwrap_or_default();
    }
    match (message.kind, message.payload) {
        (Some(kind), _) if kind != 1 => Err(Skip::OtherProtocol(Layer::Hep, u32::from(kind))),
        (_, None) if message.compressed => Err(Skip::OtherProtocol(Layer::CompressedHep, 1)),
        (_, None) => Err(Skip::CutShort("HEP")),
        (_, Some(bytes)) => {
            message.deliver(descent, datagram, bytes, is_cut);
            Ok(Next::Nothing)
        }
    }
}

impl<'a> HepMessage<'a> {
    /// Reads one chunk; a chunk of a wrong length says nothing.
    fn read_chunk(&mut self, kind: u16, body: &'a [u8]) {
        match kind {
            2 => self.protocol = u8_at(body, 0),
            3 => self.source = address4(body).or(self.source),
            4 => self.destination = address4(body).or(self.destination),
            5 => self.source = address6(body).or(self.source),
            6 => self.destination = address6(body).or(self.destination),
            7 => self.source_port = u16_at(body, 0).unwrap_or(0),
            8 => self.destination_port = u16_at(body, 0).unwrap_or(0),
            9 => self.seconds = u32_at(body, 0),
            10 => self.microseconds = u32_at(body, 0).unwrap_or(0),
            11 => self.kind = u8_at(body, 0),
            15 => self.payload = Some(body),
            16 => self.compressed = true,
            _ => {}
        }
    }

    /// Hands over the message; where the agent names no addresses, its own stand in.
    fn deliver(&self, descent: &mut Descent<'_, 'a>, datagram: &Carried<'a>, bytes: &'a [u8], is_cut: bool) {
        let flow = Flow {
            source: Endpoint { address: self.source.unwrap_or(datagram.source), port: self.source_port },
            destination: Endpoint {
                address: self.destination.unwrap_or(datagram.destination),
                port: self.destination_port,
            },
        };
        if let Some(seconds) = self.seconds {
            let nanoseconds = i64::from(seconds) * 1_000_000_000 + i64::from(self.microseconds) * 1_000;
            descent.time = Timestamp::from_nanoseconds(nanoseconds);
        }
        let transport = match self.protocol {
            Some(17) => Transport::Udp,
            Some(6) => Transport::Tcp,
            Some(132) => Transport::Sctp,
            _ => Transport::Hep,
        };
        descent.deliver(flow, datagram.trace, is_cut, Payload::Forwarded { transport, bytes });
    }
}

/// An IPv4 address at the start of `bytes`.
fn address4(bytes: &[u8]) -> Option<IpAddr> {
    Some(IpAddr::V4(Ipv4Addr::from(*bytes.first_chunk::<4>()?)))
}

/// An IPv6 address at the start of `bytes`.
fn address6(bytes: &[u8]) -> Option<IpAddr> {
    Some(IpAddr::V6(Ipv6Addr::from(*bytes.first_chunk::<16>()?)))
}

/// Reads versions 1 and 2: a fixed header, which in version 2 ends with the time.
fn earlier_version<'a>(descent: &mut Descent<'_, 'a>, datagram: &Carried<'a>) -> Option<Result<Next<'a>, Skip>> {
    let bytes = datagram.bytes;
    let &[version, stated_length, family, protocol, s0, s1, d0, d1] = bytes.first_chunk::<8>()?;
    let (addresses, length) = match family {
        2 => (bytes.get(8..16)?, 16),
        // AF_INET6 differs between the agents' systems.
        10 | 28 | 30 => (bytes.get(8..40)?, 40),
        _ => return None,
    };
    let time_length = if version == 2 { 12 } else { 0 };
    let payload = bytes.get(length + time_length..)?;
    // Agents disagree whether the stated length includes the time. Only text that could be SIP makes up for the missing magic.
    let fits = usize::from(stated_length) == length || usize::from(stated_length) == length + time_length;
    if !fits || !payload.first()?.is_ascii_uppercase() || memchr::memmem::find(payload, b"SIP/2.0").is_none() {
        return None;
    }
    let (source, destination) = addresses.split_at_checked(addresses.len() / 2)?;
    let address = |bytes| {
        if length == 16 { address4(bytes) } else { address6(bytes) }
    };
    let seconds = if version == 2 { u32_at(bytes, length) } else { None };
    // Agents send the time in their own byte order, mostly little-endian; the wrong one is far from the capture's.
    let is_little = u32_le_at(bytes, length).is_some_and(|little| is_nearer(descent.time, little, seconds));
    let number = |at| {
        if is_little { u32_le_at(bytes, at) } else { u32_at(bytes, at) }
    };
    let message = HepMessage {
        protocol: Some(protocol),
        source: address(source),
        destination: address(destination),
        source_port: u16::from_be_bytes([s0, s1]),
        destination_port: u16::from_be_bytes([d0, d1]),
        seconds: if version == 2 { number(length).filter(|&seconds| seconds < SECONDS_MAX) } else { None },
        microseconds: number(length + 4).unwrap_or(0),
        ..HepMessage::default()
    };
    message.deliver(descent, datagram, payload, datagram.missing > 0);
    Some(Ok(Next::Nothing))
}

/// Whether `little` is nearer to the capture time than `big`.
fn is_nearer(time: Timestamp, little: u32, big: Option<u32>) -> bool {
    let now = time.nanoseconds() / 1_000_000_000;
    let distance = |seconds: u32| now.abs_diff(i64::from(seconds));
    big.is_none_or(|big| distance(little) < distance(big))
}

#[cfg(test)]
#[path = "hep_tests.rs"]
mod tests;
