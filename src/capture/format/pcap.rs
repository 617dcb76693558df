//! Classic pcap: the file header, the walk from record head to record head, and one record's packet.
//!
//! Source: draft-ietf-opsawg-pcap; the 24-byte record head with magic a1b2cd34 is that of Kuznetzov's patched libpcap.

use pcap_parser::{parse_pcap_frame, parse_pcap_frame_be};

use crate::capture::format::byte_order::ByteOrder;
use crate::capture::format::walk::{Damage, Stop};
use crate::capture::{LinkType, Timestamp};

/// Bytes of the file header.
pub(in crate::capture) const FILE_HEADER_BYTES: usize = 24;
/// Largest packet in a classic file, what tcpdump and Wireshark write at most (MAXIMUM_SNAPLEN).
const PACKET_BYTES_MAX: u32 = 256 << 10;
/// Record heads in a row that must make sense before reading goes on behind damage.
const HEADS_IN_A_ROW: usize = 4;
/// Seconds between a record before the damage and one behind it, at most: longer pauses are taken for garbage.
const PAUSE_SECONDS_MAX: u32 = 86_400;

/// What the file header says about every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) struct Layout {
    pub(in crate::capture) order: ByteOrder,
    pub(in crate::capture) link_type: LinkType,
    has_nanoseconds: bool,
    /// Bytes of a record head.
    head_bytes: usize,
}

/// One record's packet.
pub(in crate::capture) struct Packet<'a> {
    pub(in crate::capture) time: Timestamp,
    pub(in crate::capture) bytes: &'a [u8],
    pub(in crate::capture) wire_length: u32,
}

impl Layout {
    /// Reads the file header; `None` where it is cut or has another magic number.
    pub(in crate::capture) fn parse(header: &[u8]) -> Option<Self> {
        let magic = ByteOrder::Little.u32(header, 0)?;
        let order = match magic {
            0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34 => ByteOrder::Little,
            _ => ByteOrder::Big,
        };
        let (has_nanoseconds, head_bytes) = match order.u32(header, 0)? {
            0xa1b2_c3d4 => (false, 16),
            0xa1b2_3c4d => (true, 16),
            0xa1b2_cd34 => (false, 24),
            _ => return None,
        };
        // The upper half holds the length of a frame check sequence, not a link type.
        let [_, _, high, low] = order.u32(header, 20)?.to_be_bytes();
        let link_type = LinkType(u16::from_be_bytes([high, low]));
        Some(Self { order, link_type, has_nanoseconds, head_bytes })
    }

    /// Collects the starts of whole records in `bytes` from `at` on, and moves `at` behind them.
    pub(in crate::capture) fn walk(&self, bytes: &[u8], at: &mut usize, starts: &mut Vec<u32>) -> Stop {
        loop {
            let Some(captured) = self.captured_length(bytes, *at) else {
                return Stop::Incomplete { needs: self.head_bytes };
            };
            if captured > PACKET_BYTES_MAX {
                return Stop::Damaged(Damage::PacketLength(captured));
            }
            if captured == 0 && bytes.get(*at..*at + 16).is_some_and(|head| head == [0; 16]) {
                return Stop::Damaged(Damage::Zeros);
            }
            let record_bytes = self.head_bytes + captured as usize;
            if bytes.len() - *at < record_bytes {
                return Stop::Incomplete { needs: record_bytes };
            }
            // Windows are far shorter than 4 GiB.
            starts.push(*at as u32);
            *at += record_bytes;
        }
    }

    /// The record that starts at `start`.
    #[inline]
    pub(in crate::capture) fn packet<'a>(&self, bytes: &'a [u8], start: usize) -> Option<Packet<'a>> {
        let captured = self.captured_length(bytes, start)? as usize;
        let record = bytes.get(start..start + self.head_bytes + captured)?;
        let parsed = match self.order {
            ByteOrder::Little => parse_pcap_frame(record),
            ByteOrder::Big => parse_pcap_frame_be(record),
        };
        let (_, head) = parsed.ok()?;
        let fraction = if self.has_nanoseconds { 1 } else { 1_000 };
        let nanoseconds = i64::from(head.ts_sec) * 1_000_000_000 + i64::from(head.ts_usec) * fraction;
        Some(Packet {
            time: Timestamp::from_nanoseconds(nanoseconds),
            bytes: record.get(self.head_bytes..)?,
            // Some writers before libpcap 0.4 had the two lengths the other way round.
            wire_length: head.origlen.max(head.caplen),
        })
    }

    /// Second of the record at `start`.
    pub(in crate::capture) fn second(&self, bytes: &[u8], start: usize) -> Option<u32> {
        self.order.u32(bytes, start)
    }

    fn captured_length(&self, bytes: &[u8], start: usize) -> Option<u32> {
        let head = bytes.get(start..)?.get(..self.head_bytes)?;
        self.order.u32(head, 8)
    }

    /// Whether reading can go on at `at`: heads in a row that make sense, or records that end exactly with the file.
    ///
    /// `near` holds seconds of records before the damage, where there were any. `Err` says how many bytes the answer needs.
    pub(in crate::capture) fn is_record_at(
        &self,
        bytes: &[u8],
        at: usize,
        near: &[u32],
        at_end: bool,
    ) -> Result<bool, usize> {
        let mut next = at;
        for _ in 0..HEADS_IN_A_ROW {
            if at_end && next == bytes.len() && next > at {
                return Ok(true);
            }
            let head = bytes.get(next..).and_then(|rest| rest.get(..self.head_bytes));
            let Some(head) = head else {
                return if at_end { Ok(false) } else { Err(next + self.head_bytes - at) };
            };
            let Some(captured) = self.plausible_length(head, near) else {
                return Ok(false);
            };
            next += self.head_bytes + captured as usize;
        }
        Ok(true)
    }

    fn plausible_length(&self, head: &[u8], near: &[u32]) -> Option<u32> {
        let second = self.order.u32(head, 0)?;
        let fraction = self.order.u32(head, 4)?;
        let captured = self.order.u32(head, 8)?;
        let wire = self.order.u32(head, 12)?;
        let fraction_max = if self.has_nanoseconds { 1_000_000_000 } else { 1_000_000 };
        let is_near = match near {
            [] => second > 0,
            _ => near.iter().any(|near| near.abs_diff(second) <= PAUSE_SECONDS_MAX),
        };
        let is_plausible = fraction < fraction_max
            && (1..=PACKET_BYTES_MAX).contains(&captured)
            && (captured..=PACKET_BYTES_MAX).contains(&wire)
            && is_near;
        is_plausible.then_some(captured)
    }
}
