//! What Wireshark's *Export PDUs* writes: a message under tags that name its protocol, addresses and ports.
//!
//! Source: the page of LINKTYPE_WIRESHARK_UPPER_PDU, and the tag list of Wireshark's exported_pdu.h.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::net::decode::descent::Descent;
use crate::net::decode::field::{u16_at, u32_at};
use crate::net::decode::next::Next;
use crate::net::flow::{Endpoint, Flow, Transport};
use crate::net::packet::{Payload, Trace};
use crate::net::skip::{Layer, Skip};

/// Tags read before one message; Wireshark writes about ten.
const TAGS_MAX: usize = 64;

/// What the tags say.
struct PduTags<'a> {
    dissector: &'a [u8],
    source: IpAddr,
    destination: IpAddr,
    port_type: u32,
    source_port: u16,
    destination_port: u16,
}

impl<'a> PduTags<'a> {
    /// Reads one tag; a value of a wrong length says nothing.
    fn read_tag(&mut self, tag: u16, value: &'a [u8]) {
        let address4 = || value.first_chunk::<4>().map(|bytes| IpAddr::V4(Ipv4Addr::from(*bytes)));
        let address6 = || value.first_chunk::<16>().map(|bytes| IpAddr::V6(Ipv6Addr::from(*bytes)));
        let port = || u32_at(value, 0).and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        match tag {
            12 | 13 => self.dissector = value,
            20 => self.source = address4().unwrap_or(self.source),
            21 => self.destination = address4().unwrap_or(self.destination),
            22 => self.source = address6().unwrap_or(self.source),
            23 => self.destination = address6().unwrap_or(self.destination),
            24 => self.port_type = u32_at(value, 0).unwrap_or(0),
            25 => self.source_port = port(),
            26 => self.destination_port = port(),
            _ => {}
        }
    }

    /// The transport that the port type names.
    fn transport(&self) -> Transport {
        match self.port_type {
            1 => Transport::Sctp,
            2 => Transport::Tcp,
            // Without a port type SIP is taken for UDP, its first transport.
            _ => Transport::Udp,
        }
    }
}

/// Hands over the SIP message, or reads the IP packet, behind the tags.
///
/// # Errors
/// Where the tags are cut or name another protocol.
pub(in crate::net::decode) fn exported<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let cut = Skip::CutShort("exported PDU tags");
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mut tags = PduTags {
        dissector: &[],
        source: nowhere,
        destination: nowhere,
        port_type: 0,
        source_port: 0,
        destination_port: 0,
    };
    let mut rest = bytes;
    for _ in 0..TAGS_MAX {
        let tag = u16_at(rest, 0).ok_or(cut)?;
        let length = usize::from(u16_at(rest, 2).ok_or(cut)?);
        let value = rest.get(4..4 + length).ok_or(cut)?;
        rest = rest.get(4 + length..).ok_or(cut)?;
        if tag == 0 {
            return deliver(descent, &tags, rest);
        }
        tags.read_tag(tag, value);
    }
    Err(Skip::Malformed("exported PDU tags"))
}

/// Hands over what stands behind the tags.
fn deliver<'a>(descent: &mut Descent<'_, 'a>, tags: &PduTags<'_>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let end = tags.dissector.iter().position(|&byte| byte == 0).unwrap_or(tags.dissector.len());
    match tags.dissector.get(..end).unwrap_or_default() {
        b"sip" | b"sip.tcp" | b"sip_udp" | b"sip_tcp" | b"sip_heur" => {
            let flow = Flow {
                source: Endpoint { address: tags.source, port: tags.source_port },
                destination: Endpoint { address: tags.destination, port: tags.destination_port },
            };
            let trace = Trace { ip_id: None, ttl: 0, interface: descent.interface, link: descent.link };
            let payload = Payload::Forwarded { transport: tags.transport(), bytes };
            descent.deliver(flow, trace, descent.missing > 0, payload);
            Ok(Next::Nothing)
        }
        b"ip" | b"ipv6" => Ok(Next::Ip(bytes)),
        _ => Err(Skip::OtherProtocol(Layer::ExportedPdu, tags.port_type)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::decode::bytes_for_tests::{SIP, decoded, hostile_at_every_length};

    /// An exported PDU of these tags.
    fn exported_pdu(tags: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (tag, value) in tags.iter().chain(&[(0, &[][..])]) {
            bytes.extend_from_slice(&tag.to_be_bytes());
            bytes.extend_from_slice(&u16::try_from(value.len()).expect("short").to_be_bytes());
            bytes.extend_from_slice(value);
        }
        bytes.extend_from_slice(SIP);
        bytes
    }

    #[test]
    fn an_exported_message_keeps_its_addresses_and_transport() {
        let bytes = exported_pdu(&[
            (12, b"sip\0"),
            (20, &[192, 0, 2, 1]),
            (21, &[192, 0, 2, 2]),
            (24, &[0, 0, 0, 2]),
            (25, &[0, 0, 0x13, 0xc4]),
            (26, &[0, 0, 0x13, 0xc5]),
        ]);
        let decoded = decoded(252, &bytes);
        let packet = decoded.packets[0];
        assert_eq!("192.0.2.1:5060", packet.flow.source.to_string());
        assert_eq!("192.0.2.2:5061", packet.flow.destination.to_string());
        let Payload::Forwarded { transport: Transport::Tcp, bytes: SIP } = packet.payload else {
            panic!("{:?}", packet.payload);
        };
        hostile_at_every_length(252, &bytes);
    }

    #[test]
    fn an_exported_message_of_another_protocol_is_skipped() {
        let skip = decoded(252, &exported_pdu(&[(12, b"http")])).skip;
        assert_eq!(Some(Skip::OtherProtocol(Layer::ExportedPdu, 0)), skip);
    }
}
