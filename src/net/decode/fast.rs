//! The short way for what nearly every frame of a media capture is: Ethernet, IPv4 without options, UDP.

use std::net::{IpAddr, Ipv4Addr};

use crate::capture::Frame;
use crate::net::decode::descent::mix;
use crate::net::decode::link::ethernet::{is_vlan, mark_addresses};
use crate::net::decode::tunnel;
use crate::net::flow::{Endpoint, Flow};
use crate::net::packet::{Packet, Payload, Trace};

/// VLAN tags on the short way: one of the customer, one of the provider (IEEE 802.1ad).
const VLAN_TAGS: usize = 2;

/// Hands the whole UDP datagram in `frame` to `sink`; `None` for everything that needs a closer look: fragments, options, tunnels,
/// lengths that do not agree, and frames that the snap length cut.
#[inline]
pub(super) fn ethernet_udp<'a>(frame: &Frame<'a>, sink: &mut impl FnMut(Packet<'a>)) -> Option<()> {
    let (ethernet, mut rest) = frame.bytes.split_first_chunk::<14>()?;
    let mut link = mark_addresses(0, ethernet);
    let mut ether_type = u16::from_be_bytes([ethernet[12], ethernet[13]]);
    for _ in 0..VLAN_TAGS {
        if !is_vlan(ether_type) {
            break;
        }
        let (&[tag0, tag1, type0, type1], inner) = rest.split_first_chunk::<4>()?;
        link = mix(link, u64::from(u16::from_be_bytes([tag0, tag1])));
        ether_type = u16::from_be_bytes([type0, type1]);
        rest = inner;
    }
    let (ip, _) = rest.split_first_chunk::<20>()?;
    let fragment = u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff;
    if ether_type != 0x0800 || ip[0] != 0x45 || ip[9] != 17 || fragment != 0 {
        return None;
    }
    let datagram = rest.get(20..usize::from(u16::from_be_bytes([ip[2], ip[3]])))?;
    let (udp, payload) = datagram.split_first_chunk::<8>()?;
    let length = usize::from(u16::from_be_bytes([udp[4], udp[5]]));
    let bytes = payload.get(..length.checked_sub(8)?)?;
    let (source_port, destination_port) = (u16::from_be_bytes([udp[0], udp[1]]), u16::from_be_bytes([udp[2], udp[3]]));
    if tunnel::could_be_tunnel(source_port, destination_port, bytes) {
        return None;
    }
    // Handed on rather than given back: moving a packet about costs as much as reading it.
    sink(Packet {
        at: frame.at,
        time: frame.time,
        flow: Flow {
            source: endpoint([ip[12], ip[13], ip[14], ip[15]], source_port),
            destination: endpoint([ip[16], ip[17], ip[18], ip[19]], destination_port),
        },
        trace: Trace { ip_id: Some(u16::from_be_bytes([ip[4], ip[5]])), ttl: ip[8], interface: frame.interface, link },
        is_cut: false,
        payload: Payload::Datagram(bytes),
    });
    Some(())
}

/// An IPv4 address and a port.
#[inline]
fn endpoint(address: [u8; 4], port: u16) -> Endpoint {
    Endpoint { address: IpAddr::V4(Ipv4Addr::from(address)), port }
}
