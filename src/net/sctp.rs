//! SCTP packets become user messages: DATA chunks, bundled, in pieces, repeated.
//!
//! Sources: RFC 9260 section 3 (chunks) and section 6.9 (fragmentation), RFC 4168 (SIP over SCTP).

use std::collections::BTreeMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::capture::Timestamp;
use crate::net::delivery::{Delivery, Moment, Piece};
use crate::net::flow::{Flow, Transport};
use crate::net::sign::starts_with_sip;

/// Directions of SCTP associations followed at a time.
pub(in crate::net) const SCTP_FLOWS_MAX: usize = 1024;
/// Message pieces held for one direction; a SIP message has a handful.
pub(in crate::net) const SCTP_PIECES_MAX: usize = 256;
/// Bytes of message pieces held for one direction.
pub(in crate::net) const SCTP_BYTES_MAX: usize = 1 << 20;
/// Bytes of message pieces held in all directions together.
pub(in crate::net) const SCTP_HELD_BYTES_MAX: usize = 32 << 20;
/// Transmission sequence numbers remembered of one direction, to tell repeated chunks: about a window's worth.
const REMEMBERED_TSNS: usize = 512;
/// How long a number is remembered; a sender gives an association up well before (RFC 9260 section 8.1).
const TSN_WAIT: Duration = Duration::from_secs(120);
/// Chunks read of one packet; 64 KiB hold no more than 4096 of the smallest DATA chunks.
const CHUNKS_MAX: usize = 4096;

/// What SCTP packets carried, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SctpCounters {
    /// DATA chunks read.
    pub data_chunks: u64,
    /// DATA chunks that came again.
    pub duplicates: u64,
    /// Messages that begin like SIP and were delivered.
    pub sip_messages: u64,
    /// Messages that do not.
    pub other_messages: u64,
    /// Chunks whose length contradicts the packet.
    pub malformed: u64,
    /// Packets that end inside a chunk because of the snap length.
    pub cut: u64,
    /// Pieces let go to stay within a limit.
    pub dropped_pieces: u64,
    /// Directions left behind to stay within `SCTP_FLOWS_MAX`.
    pub evicted: u64,
}

#[derive(Debug, Clone, Copy)]
struct Data<'a> {
    tsn: u32,
    is_first: bool,
    is_last: bool,
    bytes: &'a [u8],
    is_cut: bool,
}

#[derive(Debug)]
struct SctpPiece {
    is_first: bool,
    is_last: bool,
    is_cut: bool,
    bytes: Box<[u8]>,
}

#[derive(Debug, Default)]
struct SctpDirection {
    parts: BTreeMap<u32, SctpPiece>,
    held_bytes: usize,
    // Newest last: the oldest is forgotten first.
    seen: BTreeMap<u32, Timestamp>,
    tag: u32,
    used: u64,
}

/// All SCTP associations.
#[derive(Debug, Default)]
pub(super) struct Associations {
    directions: HashMap<Flow, SctpDirection, RandomState>,
    held_bytes: usize,
    uses: u64,
    pub(super) counters: SctpCounters,
}

impl Associations {
    /// Takes a packet from its common header on.
    pub(super) fn push(
        &mut self,
        flow: Flow,
        bytes: &[u8],
        is_cut: bool,
        moment: Moment,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        let Some((&[_, _, _, _, t0, t1, t2, t3, ..], mut rest)) = bytes.split_first_chunk::<12>() else {
            self.counters.malformed += 1;
            return;
        };
        let tag = u32::from_be_bytes([t0, t1, t2, t3]);
        for _ in 0..CHUNKS_MAX {
            let Some((&[kind, flags, l0, l1], body)) = rest.split_first_chunk::<4>() else {
                return;
            };
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            let Some(body_length) = length.checked_sub(4) else {
                self.counters.malformed += 1;
                return;
            };
            let lacks_bytes = body_length > body.len();
            if lacks_bytes && is_cut {
                self.counters.cut += 1;
            } else if lacks_bytes {
                self.counters.malformed += 1;
                return;
            }
            let chunk = body.get(..body_length).unwrap_or(body);
            // TSN, stream, sequence number in the stream, protocol.
            if let (0, Some((&[a, b, c, d, ..], payload))) = (kind, chunk.split_first_chunk::<12>()) {
                let tsn = u32::from_be_bytes([a, b, c, d]);
                let (is_first, is_last) = (flags & 2 != 0, flags & 1 != 0);
                let data = Data { tsn, is_first, is_last, bytes: payload, is_cut: lacks_bytes };
                self.take(flow, tag, data, moment, sink);
            }
            rest = body.get(body_length.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    fn take(&mut self, flow: Flow, tag: u32, data: Data<'_>, moment: Moment, sink: &mut dyn FnMut(Delivery<'_>)) {
        self.counters.data_chunks += 1;
        self.make_room(flow);
        self.uses += 1;
        let direction = self.directions.entry(flow).or_default();
        direction.used = self.uses;
        if direction.tag != tag {
            self.held_bytes -= direction.held_bytes;
            *direction = SctpDirection { tag, used: self.uses, ..SctpDirection::default() };
        }
        if direction.has_seen(data.tsn, moment.time) {
            self.counters.duplicates += 1;
            return;
        }
        if data.is_first && data.is_last {
            deliver(data.bytes, data.is_cut, flow, moment, &mut self.counters, sink);
            return;
        }
        let before = direction.held_bytes;
        let is_full = direction.parts.len() >= SCTP_PIECES_MAX || before + data.bytes.len() > SCTP_BYTES_MAX;
        if is_full || self.held_bytes > SCTP_HELD_BYTES_MAX {
            self.counters.dropped_pieces += direction.parts.len() as u64;
            direction.parts.clear();
            direction.held_bytes = 0;
        }
        direction.hold(data);
        if let Some((message, is_cut)) = direction.join(data.tsn) {
            deliver(&message, is_cut, flow, moment, &mut self.counters, sink);
        }
        self.held_bytes = (self.held_bytes + direction.held_bytes).saturating_sub(before);
    }

    fn make_room(&mut self, flow: Flow) {
        if self.directions.len() < SCTP_FLOWS_MAX || self.directions.contains_key(&flow) {
            return;
        }
        // A quarter at a time, so that looking for the oldest stays cheap.
        let mut uses: Vec<u64> = self.directions.values().map(|direction| direction.used).collect();
        let (_, border, _) = uses.select_nth_unstable(SCTP_FLOWS_MAX / 4);
        let border = *border;
        let before = self.directions.len();
        self.directions.retain(|_, direction| direction.used > border);
        self.held_bytes = self.directions.values().map(|direction| direction.held_bytes).sum();
        self.counters.evicted += (before - self.directions.len()) as u64;
    }
}

impl SctpDirection {
    fn has_seen(&mut self, tsn: u32, now: Timestamp) -> bool {
        if let Some(seen) = self.seen.insert(tsn, now) {
            return now.since(seen) < TSN_WAIT;
        }
        if self.seen.len() > REMEMBERED_TSNS {
            // The number farthest behind the newest, in the circle of RFC 1982.
            let after = tsn.wrapping_add(1 << 31);
            let oldest = self.seen.range(after..).next().or_else(|| self.seen.first_key_value());
            if let Some(oldest) = oldest.map(|(tsn, _)| *tsn) {
                self.seen.remove(&oldest);
            }
        }
        false
    }

    fn hold(&mut self, data: Data<'_>) {
        let Data { tsn, is_first, is_last, bytes, is_cut } = data;
        self.held_bytes += bytes.len();
        let part = SctpPiece { is_first, is_last, is_cut, bytes: bytes.into() };
        if let Some(old) = self.parts.insert(tsn, part) {
            self.held_bytes -= old.bytes.len();
        }
    }

    // The message that `tsn` is a piece of, once all its pieces from first to last are there.
    fn join(&mut self, tsn: u32) -> Option<(Vec<u8>, bool)> {
        let mut first = tsn;
        for _ in 0..SCTP_PIECES_MAX {
            if self.parts.get(&first)?.is_first {
                break;
            }
            first = first.wrapping_sub(1);
        }
        let mut count = 0;
        loop {
            let part = self.parts.get(&first.wrapping_add(count))?;
            // A piece of another message: one of this one was lost.
            if (part.is_first && count > 0) || count as usize >= SCTP_PIECES_MAX {
                return None;
            }
            count += 1;
            if part.is_last {
                break;
            }
        }
        let mut message = Vec::new();
        let mut is_cut = false;
        for number in 0..count {
            let part = self.parts.remove(&first.wrapping_add(number))?;
            self.held_bytes -= part.bytes.len();
            // Behind a cut piece the next ones would stand in the wrong place.
            if !is_cut {
                message.extend_from_slice(&part.bytes);
            }
            is_cut |= part.is_cut;
        }
        Some((message, is_cut))
    }
}

fn deliver(
    bytes: &[u8],
    is_cut: bool,
    flow: Flow,
    moment: Moment,
    counters: &mut SctpCounters,
    sink: &mut dyn FnMut(Delivery<'_>),
) {
    if starts_with_sip(bytes) {
        counters.sip_messages += 1;
        sink(Delivery { is_cut, ..moment.deliver(flow, Transport::Sctp, Piece::Datagram(bytes)) });
    } else {
        counters.other_messages += 1;
    }
}

#[cfg(test)]
mod tests;
