//! One frame becomes its packets: link layers, tunnels and IP headers come off, nothing is kept between frames.
//!
//! Link types: <https://www.tcpdump.org/linktypes.html>.

mod carried;
mod descent;
mod fast;
mod field;
mod ip;
mod link;
mod next;
mod transport;
mod tunnel;

#[cfg(test)]
mod bytes_for_tests;
#[cfg(test)]
mod hostile_tests;

use crate::capture::{Frame, LinkType};
use crate::net::packet::Packet;
use crate::net::skip::Skip;

use carried::Carried;
pub(in crate::net) use carried::IpDatagram;
use descent::Descent;
use link::{cooked, ethernet, exported, mpls, ppp, radio, wireless};
use next::{Next, Padding};
use tunnel::gre;

/// LINKTYPE_ETHERNET, by far the most common, which has a short way of its own.
const ETHERNET: LinkType = LinkType(1);

/// Hands every packet that `frame` carries to `sink`: mostly one, several for an aggregated 802.11 frame, none for a `Skip`.
///
/// Decodes as far as the captured bytes go; what the snap length cut is marked on the packet. Fragments and TCP segments
/// are handed over as they are, since putting them together needs memory of earlier frames.
///
/// # Errors
/// Says in which layer and why nothing (more) could be read; never because of anything but the frame's bytes.
#[inline]
pub fn decode<'a>(frame: &Frame<'a>, sink: &mut impl FnMut(Packet<'a>)) -> Result<(), Skip> {
    if frame.link_type == ETHERNET && fast::ethernet_udp(frame, sink).is_some() {
        return Ok(());
    }
    decode_layers(frame, sink)
}

/// The long way through a frame, one layer at a time.
#[inline(never)]
fn decode_layers<'a>(frame: &Frame<'a>, sink: &mut dyn FnMut(Packet<'a>)) -> Result<(), Skip> {
    let mut descent = Descent::new(frame, sink);
    follow(&mut descent, Next::Link(frame.link_type, frame.bytes))
}

/// Hands every packet that a reassembled datagram carries to `sink`.
///
/// It may hold a tunnel, and in that a fragment again: who puts those together must bound how often.
///
/// # Errors
/// As [`decode`].
pub(in crate::net) fn decode_transport<'a>(
    datagram: &IpDatagram<'a>,
    sink: &mut dyn FnMut(Packet<'a>),
) -> Result<(), Skip> {
    let mut descent = Descent::resumed(datagram, sink);
    let whole = Carried {
        trace: datagram.trace,
        source: datagram.flow.source.address,
        destination: datagram.flow.destination.address,
        protocol: datagram.protocol,
        bytes: datagram.bytes,
        missing: u32::from(datagram.is_cut),
    };
    follow(&mut descent, Next::Carried(whole))
}

/// Reads one header after the other; each says what stands behind it.
///
/// Ends: a header that can stand in itself is counted ([`Descent::enter`]), and every other one leads to one of these.
fn follow<'a>(descent: &mut Descent<'_, 'a>, first: Next<'a>) -> Result<(), Skip> {
    let mut next = first;
    loop {
        next = match next {
            Next::Nothing => return Ok(()),
            Next::Link(link_type, bytes) => link_layer(descent, link_type, bytes)?,
            Next::Ethernet(bytes) => ethernet::ethernet(descent, bytes)?,
            Next::EtherType(number, bytes) => ethernet::ether_type(descent, number, bytes)?,
            Next::Llc(bytes) => ethernet::llc(bytes)?,
            Next::Wireless(bytes, padding) => wireless::frame(descent, bytes, padding)?,
            Next::WirelessAggregate(bytes) => return wireless::aggregate(descent, bytes, follow),
            Next::Mpls(bytes) => mpls::mpls(descent, bytes)?,
            Next::Ppp(bytes) => ppp::ppp(descent, bytes)?,
            Next::PppoeSession(bytes) => ppp::pppoe_session(descent, bytes)?,
            Next::Gre(bytes) => gre::gre(descent, bytes)?,
            Next::Ip(bytes) => ip::ip(descent, bytes)?,
            Next::Carried(carried) => transport::carried(descent, &carried)?,
        };
    }
}

/// Reads a frame's first header, whose kind is `link_type`.
fn link_layer<'a>(descent: &mut Descent<'_, 'a>, link_type: LinkType, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    match link_type.0 {
        1 => Ok(Next::Ethernet(bytes)),
        // DLT_RAW differs between systems: 12 and 14 reached files written by old programs.
        12 | 14 | 101 | 228 | 229 => Ok(Next::Ip(bytes)),
        0 | 108 => cooked::loopback(bytes),
        9 => Ok(Next::Ppp(bytes)),
        50 => ppp::ppp_hdlc(descent, bytes),
        51 => Ok(Next::PppoeSession(bytes)),
        104 => ppp::cisco_hdlc(descent, bytes),
        105 => Ok(Next::Wireless(bytes, Padding::None)),
        113 => cooked::cooked(descent, bytes),
        119 => radio::prism(bytes),
        127 => radio::radiotap(bytes),
        163 => radio::avs(bytes),
        219 => Ok(Next::Mpls(bytes)),
        239 => cooked::nflog(bytes),
        252 => exported::exported(descent, bytes),
        258 => cooked::pktap(descent, bytes),
        276 => cooked::cooked_v2(descent, bytes),
        other => Err(Skip::UnknownLinkType(other)),
    }
}
