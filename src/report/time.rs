//! Capture times as text: RFC 3339 in UTC for programs, dates and clock times of a chosen zone for people.
//!
//! Source of the calendar: RFC 3339 section 5.6; the proleptic Gregorian calendar counted in eras of 400 years.

use std::fmt;

use crate::capture::Timestamp;

/// Nanoseconds in a second.
const SECOND: i64 = 1_000_000_000;
/// Seconds in a day.
const DAY: i64 = 86_400;

/// A moment on the calendar and the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year, 1677 to 2262: what a [`Timestamp`] can hold.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59; capture clocks have no leap second.
    pub second: i64,
    /// 0 to 999,999,999.
    pub nanosecond: i64,
}

impl Civil {
    /// The moment `time` on a clock that is `offset_seconds` ahead of UTC.
    pub fn at(time: Timestamp, offset_seconds: i64) -> Self {
        let seconds = time.nanoseconds().div_euclid(SECOND) + offset_seconds;
        let (days, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = date(days);
        Self {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            nanosecond: time.nanoseconds().rem_euclid(SECOND),
        }
    }
}

/// The date `days` days after 1970-01-01.
///
/// Years begin in March here, so that the leap day is the last day of a year and months have a regular length.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// Prints a moment as RFC 3339 in UTC: microseconds, or nanoseconds where the capture has them.
#[derive(Debug, Clone, Copy)]
pub struct Rfc3339(pub Timestamp);

impl Rfc3339 {
    /// The longest text and how many bytes of it are meant.
    fn bytes(self) -> ([u8; 30], usize) {
        let at = Civil::at(self.0, 0);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let mut put = |end: usize, digits: usize, value: i64| {
            let mut value = value as u32;
            for slot in text.iter_mut().take(end).rev().take(digits) {
                *slot = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        put(4, 4, at.year);
        put(7, 2, at.month);
        put(10, 2, at.day);
        put(13, 2, at.hour);
        put(16, 2, at.minute);
        put(19, 2, at.second);
        put(29, 9, at.nanosecond);
        if at.nanosecond % 1000 != 0 {
            return (text, 30);
        }
        text[26] = b'Z';
        (text, 27)
    }

    /// Gives the text to `tell`, without memory of its own.
    pub fn told<T>(self, tell: impl FnOnce(&str) -> T) -> T {
        let (bytes, len) = self.bytes();
        let text = bytes.get(..len).unwrap_or_default();
        tell(std::str::from_utf8(text).unwrap_or_default())
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told(|text| f.write_str(text))
    }
}

/// The clock that people read times on.
#[derive(Debug, Clone, Default)]
pub enum Zone {
    /// Universal time.
    #[default]
    Utc,
    /// Another zone, with its summer time.
    Of(jiff::tz::TimeZone),
}

impl Zone {
    /// The moment on the calendar and clock of the zone.
    pub fn civil(&self, time: Timestamp) -> Civil {
        Civil::at(time, self.offset(time))
    }

    /// Seconds that the zone is ahead of UTC at that moment.
    fn offset(&self, time: Timestamp) -> i64 {
        let Self::Of(zone) = self else { return 0 };
        let second = time.nanoseconds().div_euclid(SECOND);
        jiff::Timestamp::from_second(second).map_or(0, |moment| i64::from(zone.to_offset(moment).seconds()))
    }

    /// `2026-11-21`.
    pub fn date(&self, time: Timestamp) -> String {
        let at = self.civil(time);
        format!("{:04}-{:02}-{:02}", at.year, at.month, at.day)
    }

    /// `10:42:07`.
    pub fn clock(&self, time: Timestamp) -> String {
        let at = self.civil(time);
        format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second)
    }

    /// `10:42:07.113`, cut rather than rounded so that it is never later than the frame.
    pub fn clock_ms(&self, time: Timestamp) -> String {
        let at = self.civil(time);
        format!("{:02}:{:02}:{:02}.{:03}", at.hour, at.minute, at.second, at.nanosecond / 1_000_000)
    }

    /// `UTC`, or what the zone is called at that moment, such as `CEST`.
    pub fn name(&self, time: Timestamp) -> String {
        let Self::Of(zone) = self else {
            return "UTC".to_owned();
        };
        let second = time.nanoseconds().div_euclid(SECOND);
        jiff::Timestamp::from_second(second)
            .map_or_else(|_| String::new(), |moment| zone.to_offset_info(moment).abbreviation().to_owned())
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
        assert_eq!("2000-02-29T12:00:00.000000Z", text(951_825_600 * SECOND));
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
        let zone = Zone::Of(jiff::tz::TimeZone::fixed(jiff::tz::offset(2)));
        let time = Timestamp::from_nanoseconds(1_566_926_798_999_999_000);
        assert_eq!("19:26:38.999", zone.clock_ms(time));
        assert_eq!("17:26:38", Zone::Utc.clock(time));
        assert_eq!("2019-08-27", Zone::Utc.date(time));
        assert_eq!("UTC", Zone::Utc.name(time));
    }
}
