//! Pauses: times in which a busy capture holds nothing at all, because it was stopped or because its clock was set forward.

use crate::capture::Timestamp;
use std::time::Duration;

/// Silence of the whole capture that is looked at.
const SILENCE_MIN: Duration = Duration::from_secs(5);
/// Silences after which they are no exception: the traffic itself comes in bursts.
const SILENCES_MAX: usize = 3;
/// Frames on either side of a silence that show traffic.
const FRAMES_MIN: u32 = 50;
/// Frames a second on either side of a silence that show busy traffic.
const RATE_MIN: f64 = 10.0;

/// A time in which a capture holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// The last frame before it.
    pub from: Timestamp,
    /// The first frame behind it.
    pub until: Timestamp,
}

/// How long captures that hold nothing in some pauses, which are in the order of time, watched on without a break.
pub fn watched_since(time: Timestamp, end: Timestamp, pauses: &[Pause]) -> Duration {
    let next = pauses.partition_point(|pause| pause.from < time);
    let until = pauses.get(next).map_or(end, |pause| pause.from.min(end));
    until.since(time)
}

/// The silences of a capture, gathered frame by frame in the order of the file.
#[derive(Debug, Clone, Default)]
pub(in crate::capture) struct Silences {
    /// The first and the last frame: number and time.
    ends: Option<((u32, Timestamp), (u32, Timestamp))>,
    /// The frames before and behind each silence; one more than count as exceptions are kept.
    found: Vec<((u32, Timestamp), (u32, Timestamp))>,
}

impl Silences {
    #[inline]
    pub(in crate::capture) fn push(&mut self, frame: u32, time: Timestamp) {
        let here = (frame, time);
        let Some((_, last)) = &mut self.ends else {
            self.ends = Some((here, here));
            return;
        };
        let before = std::mem::replace(last, here);
        // Compared as numbers: this is done for every frame.
        let silence = time.nanoseconds().saturating_sub(before.1.nanoseconds());
        if silence >= SILENCE_MIN.as_nanos() as i64 {
            self.note(before, here);
        }
    }

    pub(in crate::capture) fn append(&mut self, later: &Self) {
        let Some((first, last)) = later.ends else {
            return;
        };
        self.push(first.0, first.1);
        for (before, behind) in &later.found {
            self.note(*before, *behind);
        }
        if let Some((_, end)) = &mut self.ends {
            *end = last;
        }
    }

    fn note(&mut self, before: (u32, Timestamp), behind: (u32, Timestamp)) {
        if self.found.len() <= SILENCES_MAX {
            self.found.push((before, behind));
        }
    }

    /// Silences that busy traffic stands on both sides of, where they are few.
    pub(in crate::capture) fn pauses(&self) -> Vec<Pause> {
        let Some((first, last)) = self.ends else {
            return Vec::new();
        };
        if self.found.len() > SILENCES_MAX {
            return Vec::new();
        }
        let is_busy = |from: (u32, Timestamp), until: (u32, Timestamp)| {
            let frames = until.0.saturating_sub(from.0) + 1;
            let seconds = until.1.since(from.1).as_secs_f64();
            frames >= FRAMES_MIN && f64::from(frames) >= RATE_MIN * seconds
        };
        let busy = self.found.iter().enumerate().filter(|(place, found)| {
            let begin =
                place.checked_sub(1).and_then(|before| self.found.get(before)).map_or(first, |(_, behind)| *behind);
            let end = self.found.get(place + 1).map_or(last, |(before, _)| *before);
            is_busy(begin, found.0) && is_busy(found.1, end)
        });
        busy.map(|(_, (before, behind))| Pause { from: before.1, until: behind.1 }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of frames in milliseconds, split into two windows at a place.
    fn pauses(times: &[i64], split: usize) -> Vec<Pause> {
        let window = |from: usize, until: usize| {
            let mut silences = Silences::default();
            for (place, time) in times[from..until].iter().enumerate() {
                let time = Timestamp::from_nanoseconds(time * 1_000_000);
                silences.push((from + place) as u32 + 1, time);
            }
            silences
        };
        let mut all = window(0, split);
        all.append(&window(split, times.len()));
        all.pauses()
    }

    #[test]
    fn nothing_is_watched_beyond_a_pause() {
        let at = |second: i64| Timestamp::from_nanoseconds(second * 1_000_000_000);
        let pause = Pause { from: at(10), until: at(70) };
        assert_eq!(Duration::from_secs(7), watched_since(at(3), at(90), &[pause]));
        assert_eq!(Duration::from_secs(0), watched_since(at(10), at(90), &[pause]));
        assert_eq!(Duration::from_secs(15), watched_since(at(75), at(90), &[pause]));
        assert_eq!(Duration::from_secs(87), watched_since(at(3), at(90), &[]));
    }

    fn stream(from: i64, count: i64) -> impl Iterator<Item = i64> {
        (0..count).map(move |frame| from + frame * 20)
    }

    #[test]
    fn a_minute_without_anything_in_busy_traffic_is_a_pause() {
        let times: Vec<i64> = stream(0, 200).chain(stream(64_000, 200)).collect();
        let expected = Pause {
            from: Timestamp::from_nanoseconds(3_980_000_000),
            until: Timestamp::from_nanoseconds(64_000_000_000),
        };
        for split in [1, 150, 199, 200, 201, 399] {
            assert_eq!(vec![expected], pauses(&times, split), "{split}");
        }
    }

    #[test]
    fn quiet_traffic_and_many_bursts_have_no_pauses() {
        let sparse: Vec<i64> = (0..100).map(|frame| frame * 4_000).chain([460_000]).collect();
        assert!(pauses(&sparse, 50).is_empty());
        let few: Vec<i64> = stream(0, 10).chain(stream(60_000, 10)).collect();
        assert!(pauses(&few, 5).is_empty());
        let bursts: Vec<i64> = (0..6).flat_map(|burst| stream(burst * 60_000, 100)).collect();
        assert!(pauses(&bursts, 300).is_empty());
    }
}
