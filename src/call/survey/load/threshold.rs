//! Thresholds: whether a node refuses exactly what comes while a level (calls up, calls taken lately) is at its limit.
//!
//! Pure over lists of attempts, so that it can be measured on simulated traffic (docs/statistics.md).

use std::time::Duration;

use crate::call::survey::chance::{Table, share};
use crate::capture::Timestamp;

/// One attempt, and the level when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When the INVITE came.
    pub at: Timestamp,
    /// Calls up, or taken lately, at that moment, this one not counted.
    pub level: u32,
    /// Whether the node refused it.
    pub is_refused: bool,
}

/// A level above which a node refuses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The level at which it refuses.
    pub limit: u32,
    /// By how much the level that the capture shows may differ from the one that the node counts.
    pub tolerance: u32,
    /// Refused attempts.
    pub refused: u32,
    /// Of these, at the limit.
    pub refused_at_limit: u32,
    /// Attempts below the limit.
    pub below: u32,
    /// Of these, taken.
    pub taken_below: u32,
    /// Times at which refusals began anew after the level had fallen.
    pub episodes: u32,
    /// How likely refusals that do not heed the level would part like this.
    pub chance: f64,
}

/// Refusals needed to speak of a limit.
const REFUSALS_MIN: usize = 5;
/// Attempts below the limit needed to say that all of them are taken.
const BELOW_MIN: u32 = 20;
/// Share of refusals that must come at the limit, and of attempts at the limit that must be refused.
const AT_LIMIT_MIN: f64 = 0.9;
/// Share of attempts below the limit that must be taken.
const BELOW_TAKEN_MIN: f64 = 0.95;
/// Chance at most over the whole capture.
const CHANCE_MAX: f64 = 1e-5;
/// Chance at most while refusals go on: parts a limit from a time in which all is refused.
const CHANCE_DURING_MAX: f64 = 1e-3;
/// Episodes that show a limit even where each is short.
const EPISODES_MIN: u32 = 3;
/// Refusals in a row that count as much as several episodes.
const LONG_EPISODE: u32 = 20;
/// How far the level must fall to part two episodes.
const EPISODE_FALL: u32 = 2;
/// How soon after the end of a call a newcomer takes its place.
const REUSE_WAIT: Duration = Duration::from_secs(2);
/// Limits that are tried; more only cost time.
const CANDIDATES_MAX: u32 = 64;

impl Threshold {
    /// Whether an attempt at this level was at the limit.
    pub(in crate::call) fn reaches(&self, level: u32) -> bool {
        level + self.tolerance >= self.limit
    }
}

/// The threshold that parts refused from taken attempts, where one does; `samples` are in the order of time.
pub(in crate::call) fn threshold(samples: &[Sample]) -> Option<Threshold> {
    let mut refused: Vec<u32> = samples.iter().filter(|sample| sample.is_refused).map(|sample| sample.level).collect();
    if refused.len() < REFUSALS_MIN {
        return None;
    }
    refused.sort_unstable();
    let taken = samples.iter().filter(|sample| !sample.is_refused);
    let highest = taken.map(|sample| sample.level + 1).max()?;
    // One in ten refusals may have another cause, so the limit lies no lower than the level of the next one.
    let low = refused[refused.len() / 10].clamp(1, highest);
    let low = low.max(highest.saturating_sub(CANDIDATES_MAX));
    let first = samples.iter().position(|sample| sample.is_refused)?;
    let last = samples.iter().rposition(|sample| sample.is_refused)?;
    let all = Levels::of(samples);
    let during = Levels::of(samples.get(first..=last)?);
    let fits = (low..=highest).filter_map(|limit| fit(&all, &during, limit));
    fits.min_by(|a, b| a.chance.total_cmp(&b.chance))
}

/// How many attempts came at each level or above it: refused and taken.
struct Levels(Vec<(u32, u32)>);

impl Levels {
    fn of(samples: &[Sample]) -> Self {
        let highest = samples.iter().map(|sample| sample.level).max();
        // No level is higher than the calls of the capture are many, so this stays as small as they are.
        let mut counts = vec![(0_u32, 0_u32); highest.unwrap_or_default() as usize + 1];
        for sample in samples {
            let count = &mut counts[sample.level as usize];
            count.0 += u32::from(sample.is_refused);
            count.1 += u32::from(!sample.is_refused);
        }
        for level in (1..counts.len()).rev() {
            let above = counts[level];
            counts[level - 1].0 += above.0;
            counts[level - 1].1 += above.1;
        }
        Self(counts)
    }

    /// Refused and taken attempts at a level or above it.
    fn from(&self, level: u32) -> (u32, u32) {
        self.0.get(level as usize).copied().unwrap_or_default()
    }

    fn table(&self, limit: u32) -> Table {
        let (all, at) = (self.from(0), self.from(limit));
        Table {
            failed_in: u64::from(at.0),
            good_in: u64::from(at.1),
            failed_out: u64::from(all.0 - at.0),
            good_out: u64::from(all.1 - at.1),
        }
    }
}

fn fit(all: &Levels, during: &Levels, limit: u32) -> Option<Threshold> {
    let tolerance = (limit / 50).max(1);
    let (whole, at) = (all.from(0), all.from(limit));
    let near = all.from(limit.saturating_sub(tolerance));
    let (below_refused, below_taken) = (whole.0 - near.0, whole.1 - near.1);
    let below = below_refused + below_taken;
    let parts = share(near.0, whole.0) >= AT_LIMIT_MIN
        && below >= BELOW_MIN
        && share(below_taken, below) >= BELOW_TAKEN_MIN
        && at.0 > 0
        && share(at.0, at.0 + at.1) >= AT_LIMIT_MIN;
    if !parts {
        return None;
    }
    let chance = all.table(limit).chance();
    let is_no_chance = chance <= CHANCE_MAX && during.table(limit).chance() <= CHANCE_DURING_MAX;
    is_no_chance.then_some(Threshold {
        limit,
        tolerance,
        refused: whole.0,
        refused_at_limit: near.0,
        below,
        taken_below: below_taken,
        episodes: 0,
        chance,
    })
}

/// A limit of calls at the same time: a threshold that was reached again and again, and at which a place was taken as soon as it was free.
///
/// `ends` are the moments at which calls ended, in order.
pub fn ceiling(samples: &[Sample], ends: &[Timestamp]) -> Option<Threshold> {
    let mut found = threshold(samples)?;
    let (mut longest, mut run) = (0_u32, 0_u32);
    let mut has_fallen = true;
    for sample in samples {
        if sample.is_refused {
            found.episodes += u32::from(has_fallen);
            run = if has_fallen { 1 } else { run + 1 };
            longest = longest.max(run);
            has_fallen = false;
        } else if sample.level + EPISODE_FALL <= found.limit {
            has_fallen = true;
        }
    }
    let was_reused = samples.iter().any(|sample| {
        let is_last_place = found.reaches(sample.level + 1) && sample.level < found.limit;
        let end = ends[..ends.partition_point(|end| *end <= sample.at)].last();
        !sample.is_refused && is_last_place && end.is_some_and(|end| sample.at.since(*end) <= REUSE_WAIT)
    });
    let is_steady = found.episodes >= EPISODES_MIN || longest >= LONG_EPISODE;
    (is_steady && was_reused).then_some(found)
}
