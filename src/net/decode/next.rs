//! What a header announces behind itself: each layer names what comes next and goes no further, so that no layer knows another.

use crate::capture::LinkType;
use crate::net::decode::carried::Carried;

/// What stands behind a header that was read; bytes begin at the next header.
pub(super) enum Next<'a> {
    /// Nothing more: the packet was handed over.
    Nothing,
    /// A frame of this link type.
    Link(LinkType, &'a [u8]),
    /// An Ethernet frame.
    Ethernet(&'a [u8]),
    /// What this EtherType says.
    EtherType(u16, &'a [u8]),
    /// An LLC header.
    Llc(&'a [u8]),
    /// An 802.11 frame.
    Wireless(&'a [u8], Padding),
    /// Several 802.11 frames in one.
    WirelessAggregate(&'a [u8]),
    /// An MPLS label stack.
    Mpls(&'a [u8]),
    /// A PPP frame.
    Ppp(&'a [u8]),
    /// A PPPoE session header.
    PppoeSession(&'a [u8]),
    /// A GRE header.
    Gre(&'a [u8]),
    /// An IP packet of either version.
    Ip(&'a [u8]),
    /// What an IP packet carries.
    Carried(Carried<'a>),
}

/// What a driver put between the header of an 802.11 frame and its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// Nothing.
    None,
    /// As many bytes as make the header a multiple of 4.
    ToFourBytes,
}
