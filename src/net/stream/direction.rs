//! One direction of a TCP connection: segments in any order become bytes in order.
//!
//! Source: RFC 9293 section 3.4 (sequence numbers) and section 3.10.7.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::capture::Timestamp;
use crate::net::delivery::Moment;
use crate::net::packet::Segment;

/// Bytes held for one direction of one TCP stream while a hole is open.
pub(in crate::net) const STREAM_BYTES_MAX: usize = 1 << 20;
/// Segments held for one direction while a hole is open, so that one-byte segments cost no more than large ones.
pub(in crate::net) const STREAM_SEGMENTS_MAX: usize = 4096;
/// What holding a segment costs beside its bytes, so that one-byte segments count for the memory that they take.
const HELD_SEGMENT_BYTES: usize = 128;
/// How long a hole may stay open, in capture time; a sender that repeats with doubling timeouts tries four times in it.
pub(in crate::net) const HOLE_WAIT: Duration = Duration::from_secs(30);
/// How long after its acknowledgement a hole stays open: a capture of several queues writes packets late, and a sender that
/// missed the acknowledgement repeats the segment. Waiting costs memory alone, since bytes keep their own times.
pub(in crate::net) const ACKED_HOLE_WAIT: Duration = Duration::from_secs(2);
/// Distance in sequence numbers beyond which a segment belongs to another connection on the same ports.
const JUMP_MAX: u64 = 16 << 20;

/// What a direction yields.
#[derive(Debug, Clone, Copy)]
pub(super) enum Run<'a> {
    Bytes(&'a [u8], Moment),
    Gap(u64, Moment),
    Fin(Moment),
}

/// What segments did, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SegmentCounters {
    /// Segments with payload.
    pub segments: u64,
    /// Segments of which every byte had come before.
    pub retransmitted: u64,
    /// Segments that came before an earlier one.
    pub out_of_order: u64,
    /// Segments that repeat a part of what came before.
    pub overlapping: u64,
    /// Segments that disagree with held bytes that they overlap; the first copy is kept.
    pub conflicting: u64,
    /// TCP keep-alive probes (RFC 9293 section 3.8.4).
    pub keep_alives: u64,
    /// Holes given up because the receiver acknowledged what the capture lacks.
    pub holes_acknowledged: u64,
    /// Holes given up because `HOLE_WAIT` passed.
    pub holes_expired: u64,
    /// Holes given up because too much waited behind them.
    pub holes_over_limit: u64,
    /// Holes that were still open when the stream or the input ended.
    pub holes_at_end: u64,
}

#[derive(Debug)]
struct Held {
    bytes: Box<[u8]>,
    // Bytes that the snap length took from its end.
    missing: u64,
    moment: Moment,
}

impl Held {
    fn length(&self) -> u64 {
        self.bytes.len() as u64 + self.missing
    }
}

/// Whether a segment can belong to this direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentFit {
    Fits,
    Foreign,
}

#[derive(Debug, Default)]
pub(super) struct Direction {
    // Unwrapped sequence number of the next byte to pass on; `None` before the first segment.
    next: Option<u64>,
    initial: Option<u32>,
    held: BTreeMap<u64, Held>,
    held_bytes: usize,
    hole_since: Option<Timestamp>,
    acked: u64,
    acked_since: Option<Timestamp>,
    fin: Option<u64>,
    is_finished: bool,
}

impl Direction {
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Whether a SYN with this sequence number opens the connection that is being followed.
    pub(super) fn is_opened_by(&self, sequence: u32) -> bool {
        self.initial.is_none_or(|initial| initial == sequence.wrapping_add(1))
    }

    pub(super) fn fit(&self, sequence: u32) -> SegmentFit {
        let Some(next) = self.next else {
            return SegmentFit::Fits;
        };
        let distance = unwrap(next, sequence).abs_diff(next);
        if distance > JUMP_MAX { SegmentFit::Foreign } else { SegmentFit::Fits }
    }

    /// Passes over a segment whose content is not wanted; whether it carries bytes that did not come before.
    pub(super) fn skip(&mut self, segment: &Segment<'_>) -> bool {
        let (start, next) = self.place(segment);
        let end = start.saturating_add(wire_bytes(segment));
        self.held.clear();
        self.held_bytes = 0;
        self.hole_since = None;
        self.next = Some(next.max(end));
        start >= next
    }

    pub(super) fn push(
        &mut self,
        segment: &Segment<'_>,
        moment: Moment,
        counters: &mut SegmentCounters,
        out: &mut dyn FnMut(Run<'_>),
    ) {
        if self.is_finished || (segment.wire_length == 0 && !segment.syn && !segment.fin) {
            return;
        }
        let (start, next) = self.place(segment);
        let end = start.saturating_add(wire_bytes(segment));
        if segment.fin {
            self.fin.get_or_insert(end);
        }
        counters.segments += u64::from(segment.wire_length > 0);
        if segment.wire_length == 0 {
        } else if end <= next {
            if segment.wire_length == 1 && end == next {
                counters.keep_alives += 1;
            } else {
                counters.retransmitted += 1;
            }
        } else if start <= next && self.held.is_empty() {
            counters.overlapping += u64::from(start < next);
            let fresh = segment.bytes.get((next - start) as usize..).unwrap_or_default();
            self.pass(fresh, end - next - fresh.len() as u64, moment, out);
        } else {
            counters.out_of_order += u64::from(start > next);
            counters.overlapping += u64::from(start < next);
            self.hold(start, segment, moment, counters);
            self.drain(Some(moment), out);
        }
        self.finish_if_closed(moment, out);
    }

    // Start of the segment's payload and the next byte to pass on; the first segment seen sets both.
    fn place(&mut self, segment: &Segment<'_>) -> (u64, u64) {
        let sequence = segment.sequence.wrapping_add(u32::from(segment.syn));
        // One turn above zero, so that earlier numbers have room below.
        let next = *self.next.get_or_insert((1 << 32) + u64::from(sequence));
        self.initial.get_or_insert(sequence);
        (unwrap(next, sequence), next)
    }

    fn pass(&mut self, bytes: &[u8], missing: u64, moment: Moment, out: &mut dyn FnMut(Run<'_>)) {
        let next = self.next.unwrap_or(0).saturating_add(bytes.len() as u64 + missing);
        self.next = Some(next);
        if next >= self.acked {
            self.acked_since = None;
        }
        if !bytes.is_empty() {
            out(Run::Bytes(bytes, moment));
        }
        if missing > 0 {
            out(Run::Gap(missing, moment));
        }
    }

    // Keeps what no held segment covers yet: the first copy wins.
    fn hold(&mut self, start: u64, segment: &Segment<'_>, moment: Moment, counters: &mut SegmentCounters) {
        let end = start.saturating_add(wire_bytes(segment));
        let slice = |from: u64, to: u64| {
            let length = segment.bytes.len();
            let from = usize::try_from(from - start).unwrap_or(length).min(length);
            let to = usize::try_from(to - start).unwrap_or(length).min(length);
            segment.bytes.get(from..to).unwrap_or_default()
        };
        let mut position = start.max(self.next.unwrap_or(0));
        let mut free = Vec::new();
        let mut is_conflicting = false;
        let before = self.held.range(..=position).next_back().map_or(position, |(at, _)| *at);
        for (&at, held) in self.held.range(before..end) {
            let held_end = at + held.length();
            if held_end <= position {
                continue;
            }
            if at > position {
                free.push((position, at));
            }
            let from = at.max(position);
            let old = held.bytes.get((from - at) as usize..).unwrap_or_default();
            let new = slice(from, held_end.min(end));
            let shared = old.len().min(new.len());
            is_conflicting |= old.get(..shared) != new.get(..shared);
            position = held_end;
        }
        if position < end {
            free.push((position, end));
        }
        if free.is_empty() {
            counters.retransmitted += 1;
        }
        counters.conflicting += u64::from(is_conflicting);
        for (from, to) in free {
            let bytes: Box<[u8]> = slice(from, to).into();
            self.held_bytes += bytes.len() + HELD_SEGMENT_BYTES;
            let missing = to - from - bytes.len() as u64;
            self.held.insert(from, Held { bytes, missing, moment });
        }
        self.hole_since.get_or_insert(moment.time);
    }

    // Passes on what has become in order. `completed_by` is the packet that closed the hole; without it each piece keeps
    // its own moment, the latest so far.
    fn drain(&mut self, completed_by: Option<Moment>, out: &mut dyn FnMut(Run<'_>)) {
        let mut latest = completed_by;
        let mut has_moved = false;
        while let Some(entry) = self.held.first_entry() {
            if Some(*entry.key()) > self.next {
                break;
            }
            let held = entry.remove();
            self.held_bytes -= held.bytes.len() + HELD_SEGMENT_BYTES;
            let moment = match latest {
                Some(latest) if latest.time >= held.moment.time => latest,
                _ => held.moment,
            };
            latest = Some(moment);
            self.pass(&held.bytes, held.missing, moment, out);
            has_moved = true;
        }
        if has_moved {
            self.hole_since = self.held.first_key_value().map(|(_, held)| held.moment.time);
        }
    }

    fn finish_if_closed(&mut self, moment: Moment, out: &mut dyn FnMut(Run<'_>)) {
        if !self.is_finished && self.fin.is_some_and(|fin| self.next.is_some_and(|next| next >= fin)) {
            self.is_finished = true;
            out(Run::Fin(moment));
        }
    }

    /// Takes the receiver's acknowledgement of this direction.
    pub(super) fn acknowledge(&mut self, acknowledgement: u32, now: Timestamp) {
        let Some(next) = self.next else { return };
        let position = unwrap(next, acknowledgement);
        if position.abs_diff(next) > JUMP_MAX || position <= self.acked {
            return;
        }
        self.acked = position;
        if position > next {
            self.acked_since.get_or_insert(now);
        }
    }

    /// Bytes passed on that the receiver has not acknowledged; `None` where no acknowledgement was captured.
    pub(super) fn unacknowledged(&self) -> Option<u64> {
        (self.acked > 0).then(|| self.next.unwrap_or(0).saturating_sub(self.acked))
    }

    /// Gives up holes for which waiting is over.
    pub(super) fn settle(&mut self, moment: Moment, counters: &mut SegmentCounters, out: &mut dyn FnMut(Run<'_>)) {
        while let Some((&start, _)) = self.held.first_key_value() {
            let now = moment.time;
            let is_past = |since: Option<Timestamp>, wait| since.is_some_and(|since| now.since(since) >= wait);
            if self.acked >= start && is_past(self.acked_since, ACKED_HOLE_WAIT) {
                counters.holes_acknowledged += 1;
            } else if is_past(self.hole_since, HOLE_WAIT) {
                counters.holes_expired += 1;
            } else if self.held_bytes > STREAM_BYTES_MAX || self.held.len() > STREAM_SEGMENTS_MAX {
                counters.holes_over_limit += 1;
            } else {
                break;
            }
            self.give_up(out);
        }
        self.finish_if_closed(moment, out);
    }

    fn give_up(&mut self, out: &mut dyn FnMut(Run<'_>)) {
        let (Some(next), Some((&start, held))) = (self.next, self.held.first_key_value()) else {
            return;
        };
        let moment = held.moment;
        self.pass(&[], start.saturating_sub(next), moment, out);
        self.drain(None, out);
    }

    /// Passes on everything that is held, whatever is missing before it.
    pub(super) fn flush(&mut self, moment: Moment, counters: &mut SegmentCounters, out: &mut dyn FnMut(Run<'_>)) {
        while !self.held.is_empty() {
            counters.holes_at_end += 1;
            self.give_up(out);
        }
        // A FIN takes one sequence number that carries no byte (RFC 9293 section 3.4).
        let end = self.acked.saturating_sub(1);
        let next = self.next.unwrap_or(0);
        if !self.is_finished && end > next {
            counters.holes_at_end += 1;
            self.pass(&[], end - next, moment, out);
        }
    }
}

// Payload length on the wire, which is never less than what was captured.
fn wire_bytes(segment: &Segment<'_>) -> u64 {
    u64::from(segment.wire_length).max(segment.bytes.len() as u64)
}

// The 64-bit position next to `near` whose low 32 bits are `sequence`.
fn unwrap(near: u64, sequence: u32) -> u64 {
    let distance = sequence.wrapping_sub(near as u32).cast_signed();
    near.saturating_add_signed(i64::from(distance))
}
