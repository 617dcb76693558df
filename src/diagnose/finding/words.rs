//! Words that explanations share: durations and counts as a reader says them.

use std::time::Duration;

/// A duration in the unit that a reader would use: `38 ms`, `4.1 s`, `32 s`, `12 min`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        _ if seconds < 0.0005 => "less than 1 ms".to_owned(),
        _ if seconds < 0.9995 => format!("{:.0} ms", seconds * 1000.0),
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        _ if seconds < 119.5 => format!("{seconds:.0} s"),
        _ if seconds < 7170.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// A count with its noun: `1 call`, `3 calls`.
pub fn counted(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
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
        assert_eq!("3 calls", counted(3_u32, "call"));
        assert_eq!("the only call", part_of(1, 1, "call"));
        assert_eq!("all 9 calls", part_of(9, 9, "call"));
        assert_eq!("3 of 9 calls", part_of(3, 9, "call"));
        assert_eq!("PCMU, PCMA or G722", either(&["PCMU", "PCMA", "G722"]));
    }
}
