//! Token buckets: whether a node's refusals are those of a limiter that saves up calls it was not sent, to a burst of so many.
//!
//! Pure over lists of attempts, so that it can be measured on simulated traffic (docs/statistics.md). Source: RFC 6357 (overload design).

use std::ops::RangeInclusive;

use crate::call::survey::chance::{Table, share};
use crate::capture::Timestamp;

/// A limiter that gains so many tokens a second up to a burst, and takes a call for each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Tokens gained in a second.
    pub per_second: f64,
    /// Calls that it takes at once after a pause.
    pub burst: u32,
    /// No pause was long enough to show whether it would have taken more at once.
    pub is_burst_least: bool,
    /// Refused attempts.
    pub refused: u32,
    /// Of these, the ones that came while a token was left.
    pub refused_with_token: u32,
    /// Taken attempts.
    pub taken: u32,
    /// Of these, the ones that came while no token was left.
    pub taken_without: u32,
    /// How likely refusals that do not heed the bucket would part like this.
    pub chance: f64,
}

/// Refusals needed to speak of a bucket.
const REFUSALS_MIN: usize = 20;
/// Attempts that are fitted; the rest only has to agree.
const FITTED_MAX: usize = 2_000;
/// How many attempts away a refusal before and one after make a time of refusals.
const NEAR: usize = 10;
/// Bursts that are tried first.
const BURSTS: [u32; 10] = [1, 2, 3, 5, 8, 12, 20, 35, 60, 100];
/// Rates that are tried first, in steps of 4 % from the rate between refusals on. A bucket that fills up meanwhile gains more.
const ROUGH_STEPS: RangeInclusive<i32> = -2..=25;
const ROUGH_STEP: f64 = 1.04;
/// Rates that are tried next, in steps of 1 % around the best.
const CLOSE_STEPS: RangeInclusive<i32> = -4..=4;
const CLOSE_STEP: f64 = 1.01;
/// Rates that are tried last, in steps of 0.2 % around the best.
const FINE_STEPS: RangeInclusive<i32> = -5..=5;
const FINE_STEP: f64 = 1.002;
/// Rates among which a round one is looked for: 5 % below the best to 5 % above.
const ROUND_STEPS: RangeInclusive<i32> = -20..=20;
const ROUND_STEP: f64 = 1.0025;
/// Share of refusals that may misfit the best of the first rates, which is not yet the right one.
const ROUGH_MISFIT_MAX: f64 = 0.3;
/// Tokens by which the moments of the capture may differ from those at the node.
const SLACK: f64 = 0.05;
/// Share of refusals with a token left, and of calls taken without one.
const MISFIT_MAX: f64 = 0.1;
/// Share of refusals of which the bucket says for sure that it was empty.
const SURE_MIN: f64 = 0.5;
/// Chance at most, after correction for every rate and burst that was tried.
const CHANCE_MAX: f64 = 1e-5;
/// Misfits of a bucket without an end that show where the end is.
const END_SHOWN_MIN: u32 = 2;

/// The bucket that refusals keep to, where one does; `attempts` are moments in order, with whether each was refused.
pub(in crate::call) fn bucket(attempts: &[(Timestamp, bool)]) -> Option<Bucket> {
    let refused = attempts.iter().filter(|(_, refused)| *refused).count();
    if refused < REFUSALS_MIN || refused == attempts.len() {
        return None;
    }
    let first = attempts.iter().position(|(_, refused)| *refused)?;
    let fitted = attempts.get(first..)?;
    let fitted = fitted.get(..FITTED_MAX).unwrap_or(fitted);
    let mut fit = Fit::new(fitted, rate_between_refusals(fitted)?);
    let refused = fitted.iter().filter(|(_, refused)| *refused).count();
    fit.misfits = (ROUGH_MISFIT_MAX * refused as f64) as u32;
    fit.try_around(ROUGH_STEPS, ROUGH_STEP, &BURSTS);
    if fit.burst == u32::MAX {
        return None;
    }
    let slack = fit.burst / 2 + 1;
    let near: Vec<u32> = (fit.burst.saturating_sub(slack).max(1)..=fit.burst + slack).collect();
    fit.try_around(CLOSE_STEPS, CLOSE_STEP, &near);
    fit.try_around(FINE_STEPS, FINE_STEP, &near);
    judge(attempts, &fit)
}

/// Says what was fitted where all attempts keep to it.
fn judge(attempts: &[(Timestamp, bool)], fit: &Fit) -> Option<Bucket> {
    let per_second = fit.roundest_rate();
    let found = replay(attempts, per_second, f64::from(fit.burst), u32::MAX);
    let endless = replay(attempts, per_second, f64::INFINITY, u32::MAX);
    let chance = (found.near.chance() * f64::from(fit.tried)).min(1.0);
    let is_limit = share(found.refused_with_token, found.refused) <= MISFIT_MAX
        && share(found.taken_without, found.taken) <= MISFIT_MAX
        && share(found.refused_empty, found.refused) > SURE_MIN
        && chance <= CHANCE_MAX;
    is_limit.then_some(Bucket {
        per_second,
        burst: fit.burst,
        is_burst_least: endless.misfits() < found.misfits() + END_SHOWN_MIN,
        refused: found.refused,
        refused_with_token: found.refused_with_token,
        taken: found.taken,
        taken_without: found.taken_without,
        chance,
    })
}

/// The search for the bucket with the fewest misfits.
struct Fit<'a> {
    attempts: &'a [(Timestamp, bool)],
    per_second: f64,
    burst: u32,
    misfits: u32,
    tried: u32,
}

impl<'a> Fit<'a> {
    fn new(attempts: &'a [(Timestamp, bool)], per_second: f64) -> Self {
        Self { attempts, per_second, burst: u32::MAX, misfits: u32::MAX, tried: 0 }
    }

    /// Tries rates in steps around the best one so far, with each of these bursts; of equals the smallest burst is kept.
    fn try_around(&mut self, steps: RangeInclusive<i32>, step: f64, bursts: &[u32]) {
        let around = self.per_second;
        for power in steps {
            let per_second = around * step.powi(power);
            for burst in bursts {
                let most = self.misfits;
                let misfits = replay(self.attempts, per_second, f64::from(*burst), most).misfits();
                self.tried += 1;
                if (misfits, *burst) < (self.misfits, self.burst) {
                    (self.misfits, self.per_second, self.burst) = (misfits, per_second, *burst);
                }
            }
        }
    }

    /// Of the rates that fit as well, give or take one misfit, the one that somebody would have configured.
    fn roundest_rate(&self) -> f64 {
        let fits = |rate: &f64| {
            let most = self.misfits + 1;
            replay(self.attempts, *rate, f64::from(self.burst), most).misfits() <= most
        };
        let near = ROUND_STEPS.map(|step| self.per_second * ROUND_STEP.powi(step));
        let fitting: Vec<f64> = near.filter(fits).collect();
        let (Some(low), Some(high)) = (fitting.first(), fitting.last()) else {
            return self.per_second;
        };
        let round = [1.0, 2.0, 10.0, 20.0]
            .into_iter()
            .map(|parts| (high * parts).floor() / parts)
            .find(|rate| rate >= low && fits(rate));
        round.unwrap_or(f64::midpoint(*low, *high))
    }
}

/// How well attempts keep to a bucket.
#[derive(Debug, Clone, Copy, Default)]
struct Replay {
    refused: u32,
    /// Refused although a token was left for sure.
    refused_with_token: u32,
    /// Refused while none was left for sure.
    refused_empty: u32,
    taken: u32,
    /// Taken although none was left for sure.
    taken_without: u32,
    /// Where the bucket says what comes, between refusals that are near: refused and taken, with the bucket empty (in) or not (out).
    near: Table,
}

impl Replay {
    fn misfits(&self) -> u32 {
        self.refused_with_token + self.taken_without
    }
}

/// Follows the fewest and the most tokens that the bucket may hold, as what it took and refused so far shows. It stops where
/// more than `misfits_max` attempts misfit, because nobody asks how many more there are.
fn replay(attempts: &[(Timestamp, bool)], per_second: f64, burst: f64, misfits_max: u32) -> Replay {
    let mut found = Replay::default();
    let Some((mut last, _)) = attempts.first().copied() else {
        return found;
    };
    let (mut low, mut high) = (0.0_f64, burst);
    let mut last_refusal = None::<usize>;
    // Taken since the last refusal: only a refusal soon after shows that they came in a time of refusals.
    let mut since_refusal = Table::default();
    for (place, (at, is_refused)) in attempts.iter().enumerate() {
        if found.misfits() > misfits_max {
            break;
        }
        let gained = per_second * at.millis_since(last) / 1000.0;
        last = *at;
        (low, high) = ((low + gained).min(burst), (high + gained).min(burst));
        let (is_empty, has_token) = (high < 1.0 - SLACK, low >= (1.0 + SLACK).min(burst));
        if *is_refused {
            found.refused += 1;
            found.refused_with_token += u32::from(has_token);
            found.refused_empty += u32::from(is_empty);
            if last_refusal.is_some_and(|last| place - last <= NEAR) {
                found.near.good_in += since_refusal.good_in;
                found.near.good_out += since_refusal.good_out;
                found.near.failed_in += u64::from(is_empty);
                found.near.failed_out += u64::from(has_token);
            }
            since_refusal = Table::default();
            last_refusal = Some(place);
            let fewest = if has_token { 0.0 } else { low.min(1.0) };
            (low, high) = (fewest, high.min(1.0));
        } else {
            found.taken += 1;
            found.taken_without += u32::from(is_empty);
            since_refusal.good_in += u64::from(is_empty);
            since_refusal.good_out += u64::from(has_token);
            let most = if is_empty { 1.0 } else { (high - 1.0).max(0.0) };
            (low, high) = ((low - 1.0).max(0.0), most);
        }
    }
    found
}

/// Calls taken in a second while refusals go on.
fn rate_between_refusals(attempts: &[(Timestamp, bool)]) -> Option<f64> {
    let (mut last, mut taken, mut seconds) = (None::<usize>, 0_usize, 0.0);
    for (place, (at, refused)) in attempts.iter().enumerate() {
        if !refused {
            continue;
        }
        if let Some(last) = last
            && place - last <= NEAR
        {
            taken += place - last - 1;
            seconds += at.millis_since(attempts[last].0) / 1000.0;
        }
        last = Some(place);
    }
    (taken > 0 && seconds > 0.0).then(|| taken as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls about every 85 ms, but for a pause in milliseconds after every 100th, at a node with a bucket.
    fn calls(pause: i64, per_second: f64, burst: f64) -> Vec<(Timestamp, bool)> {
        let (mut now, mut tokens) = (0_i64, burst);
        let each = (0..600_i64).map(|number| {
            // Uneven gaps, so that no window of time counts the same calls.
            let pause = if number % 100 == 99 { pause } else { 0 };
            let passed = 10 + number * number * 37 % 150 + pause;
            now += passed;
            tokens = (tokens + passed as f64 * per_second / 1000.0).min(burst);
            let is_refused = tokens < 1.0;
            tokens -= if is_refused { 0.0 } else { 1.0 };
            (Timestamp::from_nanoseconds(now * 1_000_000), is_refused)
        });
        each.collect()
    }

    #[test]
    fn a_bucket_of_five_a_second_and_eight_at_once_is_read_from_its_refusals() {
        let found = bucket(&calls(4_000, 5.0, 8.0)).expect("a bucket");
        assert_eq!((5.0, 8, false), (found.per_second, found.burst, found.is_burst_least));
        assert_eq!((0, 0), (found.refused_with_token, found.taken_without));
    }

    #[test]
    fn without_a_pause_the_burst_is_only_known_to_be_at_least_so_many() {
        let found = bucket(&calls(0, 5.0, 8.0)).expect("a bucket");
        assert!(found.is_burst_least && found.burst <= 8);
        assert!((found.per_second - 5.0).abs() < 0.05);
    }

    #[test]
    fn refusing_every_other_call_is_no_bucket() {
        let mut all = calls(4_000, 5.0, 8.0);
        for (place, call) in all.iter_mut().enumerate() {
            call.1 = place % 2 == 0 || place % 7 == 3;
        }
        assert_eq!(None, bucket(&all));
    }
}
