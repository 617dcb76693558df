//! Rate limits: whether a node refuses what comes faster than so many calls in a second.
//!
//! Pure over lists of attempts, so that it can be measured on simulated traffic (docs/statistics.md). Source: RFC 6357 (overload design).

use std::time::Duration;

use crate::call::survey::load::bucket::{Bucket, bucket};
use crate::call::survey::load::threshold::{Sample, Threshold, threshold};
use crate::capture::Timestamp;

/// A limit of calls in a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Calls in a second that the node takes.
    pub per_second: f64,
    /// How it counts them.
    pub counting: Counting,
}

/// How a limiter counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counting {
    /// Calls in a time: the last seconds at each moment, or seconds of a clock.
    Window {
        /// Calls that it takes in `length`.
        limit: u32,
        /// The time over which it counts.
        length: Duration,
        /// How refusals keep to it.
        threshold: Threshold,
    },
    /// Tokens that it saves up while nothing comes.
    Tokens(Bucket),
}

impl Counting {
    /// How likely refusals that do not heed the limit would part like this.
    pub fn chance(&self) -> f64 {
        match self {
            Self::Window { threshold, .. } => threshold.chance,
            Self::Tokens(bucket) => bucket.chance,
        }
    }
}

/// Refusals needed to speak of a rate.
const REFUSALS_MIN: usize = 20;
/// Times over which limiters count.
const WINDOWS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(10)];
/// Moments of a second at which a count may begin anew.
const PHASES: i64 = 50;
/// The rate limit of a node, where its refusals show one; `attempts` are moments in order, with whether each was refused.
pub fn rate_limit(attempts: &[(Timestamp, bool)]) -> Option<RateLimit> {
    let refused = attempts.iter().filter(|(_, refused)| *refused).count();
    if refused < REFUSALS_MIN || refused == attempts.len() {
        return None;
    }
    let tokens =
        bucket(attempts).map(|bucket| RateLimit { per_second: bucket.per_second, counting: Counting::Tokens(bucket) });
    // What counts in windows fits no bucket, but a bucket may nearly fit a window.
    tokens.or_else(|| sliding(attempts)).or_else(|| fixed(attempts))
}

/// A limiter that looks back over the last seconds at each moment.
fn sliding(attempts: &[(Timestamp, bool)]) -> Option<RateLimit> {
    let counted = [true, false];
    let found = WINDOWS.iter().flat_map(|window| {
        counted.iter().filter_map(move |only_taken| {
            let threshold = threshold(&recent(attempts, *window, *only_taken))?;
            (threshold.limit >= 2).then_some((*window, threshold))
        })
    });
    let best = found.min_by(|a, b| a.1.chance.total_cmp(&b.1.chance));
    best.map(|(length, threshold)| in_window(length, threshold))
}

fn in_window(length: Duration, threshold: Threshold) -> RateLimit {
    RateLimit {
        per_second: f64::from(threshold.limit) / length.as_secs_f64(),
        counting: Counting::Window { limit: threshold.limit, length, threshold },
    }
}

/// A limiter that begins to count anew each second, at a moment of the second that the capture does not tell.
fn fixed(attempts: &[(Timestamp, bool)]) -> Option<RateLimit> {
    let window = WINDOWS[0];
    let refused = attempts.iter().filter(|(_, refused)| *refused).count();
    let ends: Vec<(Timestamp, Timestamp)> =
        attempts.windows(2).filter(|pair| pair[0].1 && !pair[1].1).map(|pair| (pair[0].0, pair[1].0)).collect();
    let found = (0..PHASES).filter_map(|phase| {
        let shift = window.as_nanos() as i64 / PHASES * phase;
        // Whoever counts anew at a tick refuses up to it, but for what was late; most refusals have nothing to do with ticks.
        let in_one =
            ends.iter().filter(|(refused, taken)| tick(*refused, window, shift) == tick(*taken, window, shift));
        if in_one.count() * 2 > refused {
            return None;
        }
        threshold(&since_tick(attempts, window, shift))
    });
    let best = found.min_by(|a, b| a.chance.total_cmp(&b.chance))?;
    (best.limit >= 2).then(|| in_window(window, best))
}

/// Which count a moment belongs to.
fn tick(at: Timestamp, window: Duration, shift: i64) -> i64 {
    at.nanoseconds().saturating_sub(shift).div_euclid(window.as_nanos() as i64)
}

/// For each attempt how many were taken since the count began anew.
fn since_tick(attempts: &[(Timestamp, bool)], window: Duration, shift: i64) -> Vec<Sample> {
    let (mut current, mut level) = (i64::MIN, 0);
    let mut samples = Vec::with_capacity(attempts.len());
    for (at, is_refused) in attempts {
        let tick = tick(*at, window, shift);
        if tick != current {
            (current, level) = (tick, 0);
        }
        samples.push(Sample { at: *at, level, is_refused: *is_refused });
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
        samples.push(Sample { at: attempt.0, level, is_refused: attempt.1 });
        level += u32::from(counts(attempt));
    }
    samples
}
