//! The joint of the floor's two halves: a datagram put together from fragments is decoded like one that came whole.

use crate::net::decode::{self, decode_transport};
use crate::net::fragment::Reassembled;
use crate::net::network::Network;
use crate::net::packet::Packet;

/// An empty [`Network`] whose reassembled datagrams are decoded as [`crate::net::decode`] decodes whole ones.
pub fn network() -> Network {
    Network::new(decode_reassembled)
}

fn decode_reassembled(whole: &Reassembled, sink: &mut dyn FnMut(&Packet<'_>)) {
    let datagram = decode::Reassembled {
        at: whole.at,
        time: whole.time,
        trace: whole.trace,
        source: whole.flow.source.address,
        destination: whole.flow.destination.address,
        protocol: whole.protocol,
        bytes: &whole.bytes,
        depth: 0,
    };
    // What a reassembled datagram carries besides packets was counted when its fragments were.
    let _ = decode_transport(&datagram, &mut |packet| sink(&packet));
}
