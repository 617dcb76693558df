//! Words that explanations and reports share: durations and counts as a reader says them.

use std::time::Duration;

/// How much of a duration is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// One unit, as a sentence says it: `4.1 s`, `32 s`, `12 min`, `2.0 h`.
    Rounded,
    /// What was measured, with a second unit where it is long: `3.1 ms`, `45.3 s`, `7 min 20 s`.
    Measured,
}

/// A unit of time, and up to where it is the one that a reader would use.
struct Unit {
    /// Durations below this many milliseconds are said in it.
    below_ms: f64,
    ms: f64,
    decimals: usize,
    name: &'static str,
}

const fn unit(below_ms: f64, ms: f64, decimals: usize, name: &'static str) -> Unit {
    Unit { below_ms, ms, decimals, name }
}

/// Units of [`Precision::Rounded`]; what is below half a millisecond has none.
const ROUNDED: [Unit; 5] = [
    unit(999.5, 1.0, 0, "ms"),
    unit(9_950.0, 1e3, 1, "s"),
    unit(119_500.0, 1e3, 0, "s"),
    unit(7_170_000.0, 6e4, 0, "min"),
    unit(f64::INFINITY, 3.6e6, 1, "h"),
];

/// Units of [`Precision::Measured`]; what is longer is said in two.
const MEASURED: [Unit; 3] = [unit(9.95, 1.0, 1, "ms"), unit(999.5, 1.0, 0, "ms"), unit(119_950.0, 1e3, 1, "s")];

/// A duration in the unit that a reader would use, as a sentence says it: `38 ms`, `4.1 s`, `32 s`, `12 min`.
pub fn duration(duration: Duration) -> String {
    milliseconds(duration.as_secs_f64() * 1000.0, Precision::Rounded)
}

/// Milliseconds in the unit that a reader would use.
pub fn milliseconds(ms: f64, precision: Precision) -> String {
    let (sign, ms) = if ms < 0.0 { ("-", -ms) } else { ("", ms) };
    let units = match precision {
        Precision::Rounded if ms < 0.5 => return "less than 1 ms".to_owned(),
        Precision::Rounded => ROUNDED.as_slice(),
        Precision::Measured => MEASURED.as_slice(),
    };
    let Some(Unit { ms: unit, decimals, name, .. }) = units.iter().find(|unit| ms < unit.below_ms) else {
        return format!("{sign}{}", two_units((ms / 1000.0).round() as u64));
    };
    let value = ms / unit;
    match precision {
        Precision::Rounded => format!("{sign}{value:.decimals$} {name}"),
        Precision::Measured => format!("{sign}{} {name}", trimmed(value, *decimals)),
    }
}

/// The two largest units tell enough: nobody needs the seconds of a day.
fn two_units(seconds: u64) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let largest = parts.iter().skip(first).take(2).filter(|(count, _)| *count > 0);
    largest.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

/// A number with at most `decimals` decimals and no zeros at the end.
pub fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A noun as it follows a count: `call` after 1, `calls` and `tries` after others.
pub fn plural(count: u64, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == 1 => noun.to_owned(),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// A count with its noun: `1 call`, `3 calls`.
pub fn counted(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    format!("{count} {}", plural(count, noun))
}

/// How often: `once`, `twice`, `7 times`.
pub fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

/// A part of a whole: `the only call`, `all 9 calls`, `3 of 9 calls`.
pub fn part_of(part: usize, whole: usize, noun: &str) -> String {
    match (part, whole) {
        (1, 1) => format!("the only {noun}"),
        _ if part == whole => format!("all {whole} {noun}s"),
        _ => format!("{part} of {whole} {noun}s"),
    }
}

/// `was` after one, `were` after several.
pub fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// Words in a row: `a`, `a or b`, `a, b or c`.
pub fn either(words: &[&str]) -> String {
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_in_the_unit_a_reader_would_use() {
        for (millis, text) in [
            (0, "less than 1 ms"),
            (38, "38 ms"),
            (999, "999 ms"),
            (4_100, "4.1 s"),
            (32_040, "32 s"),
            (119_000, "119 s"),
            (720_000, "12 min"),
            (7_200_000, "2.0 h"),
        ] {
            assert_eq!(text, duration(Duration::from_millis(millis)));
        }
        assert_eq!("1 call", counted(1_u32, "call"));
        assert_eq!("2 tries", counted(2_u32, "try"));
        assert_eq!("2 relays", counted(2_u32, "relay"));
        assert_eq!("3 calls", counted(3_u32, "call"));
        assert_eq!("the only call", part_of(1, 1, "call"));
        assert_eq!("all 9 calls", part_of(9, 9, "call"));
        assert_eq!("3 of 9 calls", part_of(3, 9, "call"));
        assert_eq!("PCMU, PCMA or G722", either(&["PCMU", "PCMA", "G722"]));
    }

    #[test]
    fn what_was_measured_reads_with_a_second_unit_where_it_is_long() {
        for (ms, expected) in [
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
            assert_eq!(expected, milliseconds(ms, Precision::Measured), "{ms}");
        }
    }
}
