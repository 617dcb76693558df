//! Numbers and silences in words, the same in every report.

use std::time::Duration;

/// What a silence says: `no ACK followed in the 40 s that the capture watched`.
pub fn silence(expected: &str, watched: Duration) -> String {
    let watched = duration(watched.as_secs_f64() * 1000.0);
    if ["the ", "a ", "an ", "any "].iter().any(|article| expected.starts_with(article)) {
        format!("{expected} did not follow in the {watched} that the capture watched")
    } else {
        format!("no {expected} followed in the {watched} that the capture watched")
    }
}

/// A duration in the unit that a reader would choose, with one to three significant digits: `38 ms`, `4.1 s`, `32 s`, `7 min 20 s`.
pub fn duration(milliseconds: f64) -> String {
    let (sign, milliseconds) = if milliseconds < 0.0 { ("-", -milliseconds) } else { ("", milliseconds) };
    let seconds = milliseconds / 1000.0;
    let text = if milliseconds < 9.95 {
        format!("{} ms", trimmed(milliseconds, 1))
    } else if milliseconds < 999.5 {
        format!("{milliseconds:.0} ms")
    } else if seconds < 119.95 {
        format!("{} s", trimmed(seconds, 1))
    } else {
        long(seconds.round() as u64)
    };
    format!("{sign}{text}")
}

fn long(seconds: u64) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    // Two units tell enough: nobody needs the seconds of a day.
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let told = parts.iter().skip(first).take(2);
    let told: Vec<String> =
        told.filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    told.join(" ")
}

/// A number with at most `decimals` decimals and no zeros at the end.
pub fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_that_a_reader_would_choose() {
        for (milliseconds, expected) in [
            (0.0, "0 ms"),
            (0.04, "0 ms"),
            (3.12, "3.1 ms"),
            (38.2, "38 ms"),
            (999.7, "1 s"),
            (4100.0, "4.1 s"),
            (32_004.0, "32 s"),
            (31_960.0, "32 s"),
            (45_300.0, "45.3 s"),
            (440_000.0, "7 min 20 s"),
            (3_600_000.0, "1 h"),
            (90_061_000.0, "1 d 1 h"),
            (-2_000.0, "-2 s"),
        ] {
            assert_eq!(expected, duration(milliseconds), "{milliseconds}");
        }
    }

    #[test]
    fn a_silence_says_how_long_the_capture_watched() {
        assert_eq!("no ACK followed in the 40 s that the capture watched", silence("ACK", Duration::from_secs(40)));
        assert_eq!(
            "the same request with a login did not follow in the 2 s that the capture watched",
            silence("the same request with a login", Duration::from_secs(2))
        );
    }
}
