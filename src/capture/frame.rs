//! A frame: one captured record, and the moment and place it was captured.

use std::time::Duration;

/// A moment of capture time: nanoseconds since 1970-01-01 UTC, before it where negative.
///
/// Comes from the capture alone, never from a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `nanoseconds` after 1970-01-01 UTC.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since 1970-01-01 UTC.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to this moment; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Milliseconds from `earlier` to this moment, negative where `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1e6
    }

    /// This moment moved later by `duration`.
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)),
        )
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
