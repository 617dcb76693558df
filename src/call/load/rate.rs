//! Rate limits: whether a node refuses what comes faster than so many calls in a second.
//!
//! Pure over lists of attempts, so that it can be measured on simulated traffic (docs/statistics.md). Source: RFC 6357 (overload design).

use std::time::Duration;

use crate::call::load::threshold::{Sample, Threshold, threshold};
use crate::capture::Timestamp;

/// A limit of calls in a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Calls in a second that the node takes.
    pub per_second: f64,
    /// Calls that it takes in `window`.
    pub limit: u32,
    /// The time over which it counts.
    pub window: Duration,
    /// The threshold of recently taken calls, where it counts the last seconds at each moment;
    /// `None` where it counts by fixed seconds or by tokens.
    pub threshold: Option<Threshold>,
}

/// Refusals needed to speak of a rate.
const REFUSALS_MIN: usize = 20;
/// Times over which limiters count.
const WINDOWS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(10),
];
/// Moments of a second at which a count may begin anew.
const PHASES: i64 = 50;
/// Length of the windows in which saturation is looked for.
const SLOT: Duration = Duration::from_secs(5);
/// Saturated windows needed.
const SATURATED_MIN: usize = 6;
/// Windows looked at; a capture of months is not one of rates.
const SLOTS_MAX: usize = 1_000_000;

/// The rate limit of a node, where its refusals show one; `attempts` are moments in order, with whether each was refused.
pub fn rate_limit(attempts: &[(Timestamp, bool)]) -> Option<RateLimit> {
    let refused = attempts.iter().filter(|(_, refused)| *refused).count();
    if refused < REFUSALS_MIN || refused == attempts.len() {
        return None;
    }
    sliding(attempts)
        .or_else(|| fixed(attempts))
        .or_else(|| saturated(attempts))
}

/// A limiter that looks back over the last seconds at each moment.
fn sliding(attempts: &[(Timestamp, bool)]) -> Option<RateLimit> {
    let counted = [true, false];
    let found = WINDOWS.iter().flat_map(|window| {
        counted.iter().filter_map(move |only_taken| {
            let samples = recent(attempts, *window, *only_taken);
            let threshold = threshold(&samples)?;
            Some(RateLimit {
                per_second: f64::from(threshold.limit) / window.as_secs_f64(),
                limit: threshold.limit,
                window: *window,
                threshold: Some(threshold),
            })
        })
    });
    let chance = |limit: &RateLimit| limit.threshold.map_or(1.0, |threshold| threshold.chance);
    found
        .filter(|limit| limit.limit >= 2)
        .min_by(|a, b| chance(a).total_cmp(&chance(b)))
}

/// A limiter that begins to count anew each second, at a moment of the second that the capture does not tell.
fn fixed(attempts: &[(Timestamp, bool)]) -> Option<RateLimit> {
    let window = WINDOWS[0];
    let found = (0..PHASES).filter_map(|phase| {
        let shift = window.as_nanos() as i64 / PHASES * phase;
        threshold(&since_tick(attempts, window, shift))
    });
    let best = found.min_by(|a, b| a.chance.total_cmp(&b.chance))?;
    (best.limit >= 2).then(|| RateLimit {
        per_second: f64::from(best.limit) / window.as_secs_f64(),
        limit: best.limit,
        window,
        threshold: Some(best),
    })
}

/// For each attempt how many were taken since the count began anew.
fn since_tick(attempts: &[(Timestamp, bool)], window: Duration, shift: i64) -> Vec<Sample> {
    let tick = |at: Timestamp| {
        at.nanoseconds()
            .saturating_sub(shift)
            .div_euclid(window.as_nanos() as i64)
    };
    let (mut current, mut level) = (i64::MIN, 0);
    let mut samples = Vec::with_capacity(attempts.len());
    for (at, is_refused) in attempts {
        if tick(*at) != current {
            (current, level) = (tick(*at), 0);
        }
        samples.push(Sample {
            at: *at,
            level,
            is_refused: *is_refused,
        });
        level += u32::from(!is_refused);
    }
    samples
}

/// For each attempt how many came, or were taken, in the time before it.
fn recent(attempts: &[(Timestamp, bool)], window: Duration, only_taken: bool) -> Vec<Sample> {
    let counts = |attempt: &(Timestamp, bool)| !(only_taken && attempt.1);
    let (mut oldest, mut level) = (0, 0_u32);
    let mut samples = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        while attempts[oldest].0 < attempt.0 && attempt.0.since(attempts[oldest].0) >= window {
            level -= u32::from(counts(&attempts[oldest]));
            oldest += 1;
        }
        samples.push(Sample {
            at: attempt.0,
            level,
            is_refused: attempt.1,
        });
        level += u32::from(counts(attempt));
    }
    samples
}

#[derive(Clone, Copy, Default)]
struct Slot {
    attempts: u32,
    refused: u32,
}

impl Slot {
    fn taken(self) -> f64 {
        f64::from(self.attempts - self.refused)
    }

    fn is_saturated(self) -> bool {
        self.refused >= 2 && self.refused * 10 >= self.attempts
    }
}

/// A limiter that counts by fixed seconds or by tokens: what it takes while saturated hardly varies, however much is offered.
fn saturated(attempts: &[(Timestamp, bool)]) -> Option<RateLimit> {
    /// Variance of a count over its mean: 1 for arrivals by chance.
    const SPREAD_MAX: f64 = 0.3;
    /// Correlation of what is taken with what is offered.
    const CORRELATION_MAX: f64 = 0.5;
    let start = attempts.first()?.0;
    let mut slots: Vec<Slot> = Vec::new();
    for (at, refused) in attempts {
        let place = usize::try_from(at.since(start).as_nanos() / SLOT.as_nanos()).ok()?;
        if place >= SLOTS_MAX {
            return None;
        }
        if place >= slots.len() {
            slots.resize(place + 1, Slot::default());
        }
        slots[place].attempts += 1;
        slots[place].refused += u32::from(*refused);
    }
    let full: Vec<Slot> = slots
        .iter()
        .copied()
        .filter(|slot| slot.is_saturated())
        .collect();
    if full.len() < SATURATED_MIN {
        return None;
    }
    let n = full.len() as f64;
    let mean = full.iter().map(|slot| slot.taken()).sum::<f64>() / n;
    let offered = full
        .iter()
        .map(|slot| f64::from(slot.attempts))
        .sum::<f64>()
        / n;
    let (mut variance, mut spread, mut shared) = (0.0, 0.0, 0.0);
    for slot in &full {
        let (taken, all) = (slot.taken() - mean, f64::from(slot.attempts) - offered);
        variance += taken * taken / n;
        spread += all * all / n;
        shared += taken * all / n;
    }
    let correlation = if variance > 0.0 && spread > 0.0 {
        shared / (variance * spread).sqrt()
    } else {
        0.0
    };
    let most_unrefused = slots
        .iter()
        .filter(|slot| slot.refused == 0)
        .map(|slot| f64::from(slot.attempts))
        .fold(0.0, f64::max);
    // Taking nothing at all is an outage, not a rate.
    let is_limit = mean >= 2.0
        && variance / mean <= SPREAD_MAX
        && correlation < CORRELATION_MAX
        && most_unrefused <= 1.25 * mean + 2.0;
    is_limit.then(|| RateLimit {
        per_second: mean / SLOT.as_secs_f64(),
        limit: mean.round() as u32,
        window: SLOT,
        threshold: None,
    })
}
