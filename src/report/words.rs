//! Numbers and silences in words, the same in every report.

use std::time::Duration;

use crate::diagnose::words::{self, Precision};

/// What a silence says: `no ACK followed in the 40 s that the capture watched`.
pub fn silence(expected: &str, watched: Duration) -> String {
    let watched = duration(watched.as_secs_f64() * 1000.0);
    if ["the ", "a ", "an ", "any "].iter().any(|article| expected.starts_with(article)) {
        format!("{expected} did not follow in the {watched} that the capture watched")
    } else {
        format!("no {expected} followed in the {watched} that the capture watched")
    }
}

/// A duration as it was measured: `38 ms`, `4.1 s`, `32 s`, `7 min 20 s`.
pub fn duration(ms: f64) -> String {
    words::milliseconds(ms, Precision::Measured)
}

/// A number with a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, and commas between thousands: `1 call`, `1,204 calls`.
pub fn count(count: u64, noun: &str) -> String {
    format!("{} {}", grouped(count), words::plural(count, noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_counts_have_commas_between_thousands() {
        assert_eq!("1 call", count(1, "call"));
        assert_eq!("1,234,567 calls", count(1_234_567, "call"));
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
