//! Capture times as text: RFC 3339 in UTC for programs, dates and clock times of a chosen zone for people.
//!
//! Source: RFC 3339 section 5.6.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::capture::Timestamp;

/// The same moment for the calendar; every capture time is one.
fn moment(time: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(time.nanoseconds())).unwrap_or_default()
}

/// Prints a moment as RFC 3339 in UTC: microseconds, or nanoseconds where the capture has them.
#[derive(Debug, Clone, Copy)]
pub struct Rfc3339(pub Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = if self.0.nanoseconds() % 1000 == 0 { 6 } else { 9 };
        write!(f, "{:.decimals$}", moment(self.0))
    }
}

/// The clock that people read times on, with its summer time; UTC where nothing else is asked for.
#[derive(Debug, Clone)]
pub struct Zone(pub TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The moment on the calendar and clock of the zone.
    fn civil(&self, time: Timestamp) -> DateTime {
        self.0.to_datetime(moment(time))
    }

    /// `2026-11-21`.
    pub fn date(&self, time: Timestamp) -> String {
        self.civil(time).date().to_string()
    }

    /// `10:42:07`.
    pub fn clock(&self, time: Timestamp) -> String {
        let at = self.civil(time);
        format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    }

    /// `10:42:07.113`, cut rather than rounded so that it is never later than the frame.
    pub fn clock_ms(&self, time: Timestamp) -> String {
        format!("{}.{:03}", self.clock(time), self.civil(time).millisecond())
    }

    /// What the zone is called at that moment: `UTC`, `CEST`.
    pub fn name(&self, time: Timestamp) -> String {
        self.0.to_offset_info(moment(time)).abbreviation().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(nanoseconds: i64) -> String {
        Rfc3339(Timestamp::from_nanoseconds(nanoseconds)).to_string()
    }

    #[test]
    fn times_have_microseconds_and_nanoseconds_only_where_the_capture_has_them() {
        assert_eq!("2019-08-27T17:26:38.123456Z", text(1_566_926_798_123_456_000));
        assert_eq!("2019-08-27T17:26:38.000000Z", text(1_566_926_798_000_000_000));
        assert_eq!("2019-08-27T17:26:38.123456789Z", text(1_566_926_798_123_456_789));
        assert_eq!("1970-01-01T00:00:00.000000Z", text(0));
        assert_eq!("1969-12-31T23:59:59.999999999Z", text(-1));
        assert_eq!("2000-02-29T12:00:00.000000Z", text(951_825_600_000_000_000));
    }

    proptest! {
        #[test]
        fn every_moment_reads_as_the_calendar_says(nanoseconds: i64) {
            let expected = jiff::Timestamp::from_nanosecond(i128::from(nanoseconds))
                .expect("every i64 is a moment");
            let read: jiff::Timestamp = text(nanoseconds).parse().expect("RFC 3339");
            prop_assert_eq!(expected, read);
        }
    }

    #[test]
    fn a_zone_moves_the_clock_and_has_a_name() {
        let zone = Zone(TimeZone::fixed(jiff::tz::offset(2)));
        let time = Timestamp::from_nanoseconds(1_566_926_798_999_999_000);
        assert_eq!("19:26:38.999", zone.clock_ms(time));
        assert_eq!("17:26:38", Zone::default().clock(time));
        assert_eq!("2019-08-27", Zone::default().date(time));
        assert_eq!("UTC", Zone::default().name(time));
    }
}
