//! Capture interfaces: their names, their clocks, and what they lost.
//!
//! Source: draft-ietf-opsawg-pcapng sections 4.2 (interface description) and 4.6 (interface statistics).

use crate::capture::{LinkType, Timestamp};

/// One interface that packets were captured on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// What each of its frames begins with.
    pub link_type: LinkType,
    /// The system's name for it, such as `eth0`; `None` where the capture does not say.
    pub name: Option<String>,
    /// What its user calls it.
    pub description: Option<String>,
    /// Packets that the interface or its driver dropped for want of room; `None` where unknown.
    pub dropped_by_interface: Option<u64>,
    /// Packets that the operating system dropped for want of room; `None` where unknown.
    pub dropped_by_system: Option<u64>,
}

impl Interface {
    /// Packets lost on the capturing machine, as far as it says so.
    pub fn dropped(&self) -> u64 {
        let system = self.dropped_by_system.unwrap_or(0);
        self.dropped_by_interface.unwrap_or(0).saturating_add(system)
    }
}

/// What a worker needs of an interface to make frames of its records.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Port {
    pub(in crate::capture) link_type: LinkType,
    /// Bytes kept of each packet; `u32::MAX` for no limit.
    pub(in crate::capture) snap_length: u32,
    pub(in crate::capture) clock: Clock,
}

/// How the time stamps of one interface are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) struct Clock {
    /// Where a tick is a whole number of nanoseconds, that number; else 0.
    nanoseconds_per_tick: u64,
    /// `None` where a tick is shorter than any time that 64 bits can count up to one nanosecond.
    ticks_per_second: Option<u128>,
    offset_nanoseconds: i128,
}

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

impl Clock {
    /// The clock of if_tsresol `resolution` and if_tsoffset `offset_seconds`.
    ///
    /// The highest bit of `resolution` says whether the rest is a negative power of 2 or of 10.
    pub(in crate::capture) fn new(resolution: u8, offset_seconds: i64) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        let base = if resolution & 0x80 == 0 { 10 } else { 2 };
        let ticks_per_second = 1u128.checked_mul(base).and_then(|base| base.checked_pow(exponent));
        let nanoseconds_per_tick = ticks_per_second
            .and_then(|ticks| u64::try_from(ticks).ok())
            .filter(|&ticks| NANOSECONDS_PER_SECOND.is_multiple_of(ticks))
            .map_or(0, |ticks| NANOSECONDS_PER_SECOND / ticks);
        Self {
            nanoseconds_per_tick,
            ticks_per_second,
            offset_nanoseconds: i128::from(offset_seconds) * i128::from(NANOSECONDS_PER_SECOND),
        }
    }

    /// The moment of a time stamp; clamped to the years 1677 to 2262.
    pub(in crate::capture) fn time(self, ticks: u64) -> Timestamp {
        if self.nanoseconds_per_tick > 0 && self.offset_nanoseconds == 0 {
            let nanoseconds = ticks.checked_mul(self.nanoseconds_per_tick).and_then(|n| i64::try_from(n).ok());
            return Timestamp::from_nanoseconds(nanoseconds.unwrap_or(i64::MAX));
        }
        let since_start = self
            .ticks_per_second
            .map_or(0, |per_second| u128::from(ticks) * u128::from(NANOSECONDS_PER_SECOND) / per_second);
        // 2^64 seconds in nanoseconds need 94 bits.
        let nanoseconds = i128::try_from(since_start).unwrap_or(i128::MAX).saturating_add(self.offset_nanoseconds);
        let clamped = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Timestamp::from_nanoseconds(i64::try_from(clamped).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn clocks_count_in_powers_of_ten_and_of_two() {
        let cases = [
            (6, 0, 1_500_000, 1_500_000_000),
            (9, 0, 1_500_000_000, 1_500_000_000),
            (3, 0, 1_500, 1_500_000_000),
            (0, 0, 7, 7_000_000_000),
            (12, 0, 1_500_000_000_999, 1_500_000_000),
            (0x80 | 10, 0, 1536, 1_500_000_000),
            (0x80 | 32, 0, (3 << 32) | (1 << 31), 3_500_000_000),
            (0x80, 0, 7, 7_000_000_000),
            (6, 3600, 1_500_000, 3_601_500_000_000),
            (6, -3600, 1_500_000, -3_598_500_000_000),
            (127, 0, u64::MAX, 0),
            (0xff, 0, u64::MAX, 0),
            (0, 0, u64::MAX, i64::MAX),
            // The earliest moment that there is.
            (6, i64::MIN, 0, -i64::MAX),
            (6, i64::MAX, u64::MAX, i64::MAX),
        ];
        for (resolution, offset, ticks, nanoseconds) in cases {
            let time = Clock::new(resolution, offset).time(ticks);
            assert_eq!(nanoseconds, time.nanoseconds(), "if_tsresol {resolution}, if_tsoffset {offset}");
        }
    }
}
