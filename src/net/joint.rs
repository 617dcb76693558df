//! The joint of the floor's two halves: a datagram put together from fragments is decoded like one that came whole.

use crate::net::decode::{IpDatagram, decode_transport};
use crate::net::fragment::Reassembled;
use crate::net::network::Network;
use crate::net::packet::Packet;

/// An empty [`Network`] whose reassembled datagrams are decoded as [`crate::net::decode`] decodes whole ones.
pub fn network() -> Network {
    Network::new(decode_reassembled)
}

fn decode_reassembled(whole: &Reassembled, sink: &mut dyn FnMut(&Packet<'_>)) {
    let datagram = IpDatagram {
        at: whole.at,
        time: whole.time,
        flow: whole.flow,
        trace: whole.trace,
        protocol: whole.protocol,
        is_cut: whole.is_cut,
        bytes: &whole.bytes,
    };
    // What a reassembled datagram carries besides packets was counted when its fragments were.
    let _ = decode_transport(&datagram, &mut |packet| sink(&packet));
}
