//! One frame becomes its packets: link layers, tunnels and IP headers come off, nothing is kept between frames.
//!
//! Link types: <https://www.tcpdump.org/linktypes.html>.

mod cooked;
mod descent;
mod esp;
mod ethernet;
mod exported;
mod fast;
mod field;
mod gre;
mod hep;
mod icmp;
mod ip;
mod mpls;
mod ppp;
mod radio;
mod transport;
mod tunnel;
mod wireless;

#[cfg(test)]
mod bytes_for_tests;
#[cfg(test)]
mod hostile_tests;

use crate::capture::{Frame, LinkType};
use crate::net::packet::{Packet, Skip};

use descent::Descent;
pub use transport::{IpDatagram, decode_transport};

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
    link_layer(&mut descent, frame.link_type, frame.bytes)
}

/// Reads a frame's first header, whose kind is `link_type`.
fn link_layer<'a>(descent: &mut Descent<'_, 'a>, link_type: LinkType, bytes: &'a [u8]) -> Result<(), Skip> {
    match link_type.0 {
        1 => ethernet::ethernet(descent, bytes),
        // DLT_RAW differs between systems: 12 and 14 reached files written by old programs.
        12 | 14 | 101 | 228 | 229 => ip::ip(descent, bytes),
        0 | 108 => cooked::loopback(descent, bytes),
        9 => ppp::ppp(descent, bytes),
        50 => ppp::ppp_hdlc(descent, bytes),
        51 => ppp::pppoe_session(descent, bytes),
        104 => ppp::cisco_hdlc(descent, bytes),
        105 => wireless::wireless(descent, bytes),
        113 => cooked::cooked(descent, bytes),
        119 => radio::prism(descent, bytes),
        127 => radio::radiotap(descent, bytes),
        163 => radio::avs(descent, bytes),
        219 => mpls::mpls(descent, bytes),
        239 => cooked::nflog(descent, bytes),
        252 => exported::exported(descent, bytes),
        258 => cooked::pktap(descent, bytes),
        276 => cooked::cooked_v2(descent, bytes),
        other => Err(Skip::UnknownLinkType(other)),
    }
}
