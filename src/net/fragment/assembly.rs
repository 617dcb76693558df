//! One datagram under assembly: which bytes are there, and whether fragments agree about them.

use crate::capture::{FrameRef, Timestamp};
use crate::net::flow::Flow;
use crate::net::packet::Trace;

/// Largest IP datagram payload: its length field has 16 bits (RFC 791 section 3.1).
pub(super) const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Fragments of one datagram; 64 KiB in pieces of the smallest IPv4 MTU, 576 bytes, are 119.
const FRAGMENTS_MAX: usize = 256;

/// One piece of a fragmented datagram, as the IP headers say.
#[derive(Debug, Clone, Copy)]
pub(in crate::net) struct Fragment<'a> {
    pub(in crate::net) at: FrameRef,
    pub(in crate::net) time: Timestamp,
    pub(in crate::net) flow: Flow,
    pub(in crate::net) trace: Trace,
    pub(in crate::net) is_cut: bool,
    pub(in crate::net) id: u32,
    pub(in crate::net) protocol: u8,
    pub(in crate::net) offset: u32,
    pub(in crate::net) more: bool,
    pub(in crate::net) bytes: &'a [u8],
}

/// The payload of an IP datagram that came in fragments; its transport header is still on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassembled {
    /// The frame that completed it; of an incomplete one, the frame of its first fragment.
    pub at: FrameRef,
    /// That frame's time.
    pub time: Timestamp,
    /// Addresses; both ports are 0.
    pub flow: Flow,
    /// That frame's marks.
    pub trace: Trace,
    /// IP protocol number.
    pub protocol: u8,
    /// Fragments that came, repeated ones not counted.
    pub fragments: u16,
    /// Whether bytes are missing at its end.
    pub is_cut: bool,
    /// Whether they are missing because fragments never came.
    pub lacks_fragments: bool,
    /// From the transport header on.
    pub bytes: Vec<u8>,
}

/// What a fragment did to its datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FragmentFit {
    Waits,
    Completes,
    Repeats,
    Conflicts,
}

/// Where and when a fragment was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeenFragment {
    pub(super) at: FrameRef,
    pub(super) time: Timestamp,
    pub(super) flow: Flow,
    trace: Trace,
}

#[derive(Debug, Clone, Copy)]
struct Range {
    start: usize,
    end: usize,
    // The snap length took bytes behind `end`; nothing can be said about them.
    is_cut: bool,
}

/// The bytes of one datagram that are there.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    bytes: Vec<u8>,
    ranges: Vec<Range>,
    hashes: Vec<u64>,
    total: Option<usize>,
    first: Option<SeenFragment>,
    pub(super) earliest: Option<SeenFragment>,
    pub(super) fragments: u16,
}

impl Assembly {
    pub(super) fn held_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn take_hashes(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.hashes)
    }

    pub(super) fn add(&mut self, fragment: &Fragment<'_>, hash: u64) -> FragmentFit {
        if self.hashes.contains(&hash) {
            return FragmentFit::Repeats;
        }
        let start = fragment.offset as usize;
        let end = start + fragment.bytes.len();
        if self.hashes.len() >= FRAGMENTS_MAX || !self.accepts_end(end, fragment.more) {
            return FragmentFit::Conflicts;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if !self.agrees(start, fragment.bytes) {
            return FragmentFit::Conflicts;
        }
        if let Some(target) = self.bytes.get_mut(start..end) {
            target.copy_from_slice(fragment.bytes);
        }
        self.hashes.push(hash);
        self.fragments = self.fragments.saturating_add(1);
        let sighting =
            SeenFragment { at: fragment.at, time: fragment.time, flow: fragment.flow, trace: fragment.trace };
        self.earliest.get_or_insert(sighting);
        if start == 0 {
            self.first.get_or_insert(sighting);
        }
        let position = self.ranges.partition_point(|range| range.start < start);
        self.ranges.insert(position, Range { start, end, is_cut: fragment.is_cut });
        if self.is_complete() { FragmentFit::Completes } else { FragmentFit::Waits }
    }

    // Two last fragments, or bytes behind the last one, contradict each other.
    fn accepts_end(&mut self, end: usize, more: bool) -> bool {
        match (self.total, more) {
            (Some(total), true) => end <= total,
            (Some(total), false) => end == total,
            (None, true) => true,
            (None, false) => {
                self.total = Some(end);
                self.bytes.len() <= end
            }
        }
    }

    fn agrees(&self, start: usize, bytes: &[u8]) -> bool {
        let end = start + bytes.len();
        self.ranges.iter().all(|range| {
            let (from, to) = (range.start.max(start), range.end.min(end));
            from >= to || self.bytes.get(from..to) == bytes.get(from - start..to - start)
        })
    }

    fn is_complete(&self) -> bool {
        let Some(total) = self.total else {
            return false;
        };
        let mut position = 0;
        let mut is_cut = false;
        for range in &self.ranges {
            if range.start > position && !is_cut {
                return false;
            }
            position = position.max(range.end);
            is_cut = range.is_cut;
        }
        position >= total || is_cut
    }

    /// Bytes from the start of the datagram to the first hole.
    fn take_contiguous(&mut self) -> Vec<u8> {
        let mut position = 0;
        for range in &self.ranges {
            if range.start > position {
                break;
            }
            position = position.max(range.end);
            if range.is_cut {
                break;
            }
        }
        self.bytes.truncate(position);
        std::mem::take(&mut self.bytes)
    }

    pub(super) fn whole(&mut self, last: &Fragment<'_>) -> Reassembled {
        Reassembled {
            at: last.at,
            time: last.time,
            flow: last.flow,
            trace: last.trace,
            protocol: last.protocol,
            fragments: self.fragments,
            is_cut: self.ranges.iter().any(|range| range.is_cut),
            lacks_fragments: false,
            bytes: self.take_contiguous(),
        }
    }

    /// The readable start of a datagram that was given up; `None` where the first fragment never came.
    pub(super) fn start(&mut self, protocol: u8) -> Option<Reassembled> {
        let first = self.first?;
        Some(Reassembled {
            at: first.at,
            time: first.time,
            flow: first.flow,
            trace: first.trace,
            protocol,
            fragments: self.fragments,
            is_cut: true,
            lacks_fragments: true,
            bytes: self.take_contiguous(),
        })
    }
}
