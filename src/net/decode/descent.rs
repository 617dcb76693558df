//! A descent: what is known on the way down one frame, and where its packets go.

use std::net::IpAddr;

use crate::capture::{Frame, FrameRef, Timestamp};
use crate::net::decode::carried::{Carried, IpDatagram};
use crate::net::flow::Flow;
use crate::net::packet::{Packet, Payload, Trace};
use crate::net::skip::Skip;

/// Headers inside one another that can hold a whole packet again (Ethernet payload, IP, PPP, ESP) and are followed.
///
/// ERSPAN around VXLAN around GTP-U around IP has 8; twice that is a frame made to exhaust the reader.
pub(super) const TUNNEL_DEPTH_MAX: u8 = 16;

/// What a reassembled datagram has behind it at the least: a link header and an IP header.
const RESUMED_DEPTH: u8 = 2;

/// One frame's way down to its packets.
pub(super) struct Descent<'s, 'a> {
    /// File and frame number.
    pub(super) at: FrameRef,
    /// Capture time; a tunnel that tells the time of what it carries sets it.
    pub(super) time: Timestamp,
    /// Capture interface within its file.
    pub(super) interface: u16,
    /// Hash so far, see [`Trace::link`].
    pub(super) link: u32,
    /// Bytes that the snap length cut from the frame's end.
    pub(super) missing: u32,
    depth: u8,
    sink: &'s mut (dyn FnMut(Packet<'a>) + 's),
}

impl<'s, 'a> Descent<'s, 'a> {
    /// The way down from the first byte of `frame`.
    pub(super) fn new(frame: &Frame<'a>, sink: &'s mut (dyn FnMut(Packet<'a>) + 's)) -> Self {
        Self {
            at: frame.at,
            time: frame.time,
            interface: frame.interface,
            link: 0,
            missing: missing_bytes(frame),
            depth: 0,
            sink,
        }
    }

    /// The way down from the transport header of `datagram`, which came together from fragments.
    pub(super) fn resumed(datagram: &IpDatagram<'a>, sink: &'s mut (dyn FnMut(Packet<'a>) + 's)) -> Self {
        Self {
            at: datagram.at,
            time: datagram.time,
            interface: datagram.trace.interface,
            link: datagram.trace.link,
            missing: u32::from(datagram.is_cut),
            depth: RESUMED_DEPTH,
            sink,
        }
    }

    /// Counts one more header that can hold a whole packet.
    ///
    /// # Errors
    /// [`Skip::TooDeep`] beyond [`TUNNEL_DEPTH_MAX`].
    pub(super) fn enter(&mut self) -> Result<(), Skip> {
        if self.depth >= TUNNEL_DEPTH_MAX {
            return Err(Skip::TooDeep);
        }
        self.depth += 1;
        Ok(())
    }

    /// Makes the outer addresses of a tunnel, which `carried` has, part of the link, and counts what is missing of it alone.
    pub(super) fn enter_tunnel(&mut self, carried: &Carried<'a>) {
        self.mark(u64::from(carried.protocol));
        for address in [carried.source, carried.destination] {
            match address {
                IpAddr::V4(address) => self.mark(u64::from(address.to_bits())),
                IpAddr::V6(address) => {
                    let bits = address.to_bits();
                    self.mark((bits >> 64) as u64);
                    self.mark(bits as u64);
                }
            }
        }
        self.missing = carried.missing;
    }

    /// Makes `word` part of the hash that differs between copies from different taps.
    pub(super) fn mark(&mut self, word: u64) {
        self.link = mix(self.link, word);
    }

    /// Makes `bytes` part of that hash; for short fields of headers that are not on the fast way.
    pub(super) fn mark_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.mark(u64::from(byte));
        }
    }

    /// Runs `step` and forgets what it found out, so that the next part of the same frame starts from here.
    pub(super) fn aside(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Skip>) -> Result<(), Skip> {
        let (time, link, missing, depth) = (self.time, self.link, self.missing, self.depth);
        let result = step(self);
        (self.time, self.link, self.missing, self.depth) = (time, link, missing, depth);
        result
    }

    /// Hands over a packet.
    pub(super) fn deliver(&mut self, flow: Flow, trace: Trace, is_cut: bool, payload: Payload<'a>) {
        (self.sink)(Packet { at: self.at, time: self.time, flow, trace, is_cut, payload });
    }
}

/// How many bytes of `frame` the snap length cut.
#[inline]
pub(super) fn missing_bytes(frame: &Frame<'_>) -> u32 {
    frame.wire_length.saturating_sub(u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX))
}

/// One step of the link hash: an odd multiplier of high weight spreads every bit of `word` over the upper half.
#[inline]
pub(super) fn mix(hash: u32, word: u64) -> u32 {
    let product = (u64::from(hash).rotate_left(32) ^ word ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((product ^ (product >> 32)) >> 8) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_hash_tells_one_bit_of_a_mac_address() {
        let hashes: std::collections::HashSet<u32> =
            (0..48).map(|bit| mix(mix(0, 1 << bit), 7)).chain([mix(mix(0, 0), 7)]).collect();
        assert_eq!(49, hashes.len());
    }

    #[test]
    fn the_link_hash_tells_the_order_of_tags() {
        assert_ne!(mix(mix(0, 100), 200), mix(mix(0, 200), 100));
    }
}
