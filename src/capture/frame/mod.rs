//! A frame: one captured record, and the moment and place it was captured.

pub(in crate::capture) mod damage_log;
pub(in crate::capture) mod interface;
pub(in crate::capture) mod link_type;
pub(in crate::capture) mod pause;
pub(in crate::capture) mod summary;
pub(in crate::capture) mod times;
pub(in crate::capture) mod weakness;

use std::num::NonZeroU64;
use std::time::Duration;

/// A moment of capture time: nanoseconds since 1970-01-01 UTC, before it where negative.
///
/// Comes from the capture alone, never from a clock. The earliest moment of all, 292 years before 1970, is the one behind it: so
/// a moment that may be missing takes no more room than one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(NonZeroU64);

/// Turns the order of signed numbers into that of unsigned ones.
const SIGN: u64 = 1 << 63;

impl Default for Timestamp {
    fn default() -> Self {
        Self::from_nanoseconds(0)
    }
}

impl Timestamp {
    /// The moment `nanoseconds` after 1970-01-01 UTC.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        match NonZeroU64::new(nanoseconds as u64 ^ SIGN) {
            Some(moment) => Self(moment),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Nanoseconds since 1970-01-01 UTC.
    pub const fn nanoseconds(self) -> i64 {
        (self.0.get() ^ SIGN) as i64
    }

    /// Time from `earlier` to this moment; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.after(earlier)).unwrap_or(0))
    }

    /// Milliseconds from `earlier` to this moment, negative where `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> f64 {
        self.after(earlier) as f64 / 1e6
    }

    /// This moment moved later by `duration`.
    pub fn plus(self, duration: Duration) -> Self {
        let more = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self::from_nanoseconds(self.nanoseconds().saturating_add(more))
    }

    fn after(self, earlier: Self) -> i64 {
        self.nanoseconds().saturating_sub(earlier.nanoseconds())
    }
}

/// The link-layer header type of a frame: the LINKTYPE_ number of <https://www.tcpdump.org/linktypes.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

/// Where a frame stands: which capture of the run, and Wireshark's frame number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FrameRef {
    /// Index into the run's captures, which are ordered by their first packet.
    pub file: u16,
    /// Counts from 1 in each file, as Wireshark does.
    pub frame: u32,
}

/// One captured record; its bytes borrow the window that was read.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// File and frame number.
    pub at: FrameRef,
    /// When it was captured.
    pub time: Timestamp,
    /// What its first header is.
    pub link_type: LinkType,
    /// Capture interface within its file, 0 for classic pcap.
    pub interface: u16,
    /// What was captured, perhaps less than was on the wire.
    pub bytes: &'a [u8],
    /// Length on the wire in bytes; more than `bytes.len()` where the snap length cut the frame.
    pub wire_length: u32,
}
