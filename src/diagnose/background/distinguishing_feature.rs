//! What sets failing calls apart from good ones through the same node: one feature, with both counts and a bound on chance.
//!
//! Source: R. A. Fisher's exact test, with Bonferroni's correction for the number of features that were tried.

use crate::call::survey::chance::{Table, bound};
use crate::call::{FastMap, NodeId};
use crate::diagnose::background::call_features::{Feature, Kind, features};
use crate::diagnose::input::DiagnosisInput;

/// Calls of each kind that are compared; more prove no more.
const SAMPLE_MAX: usize = 500;
/// Failing calls needed.
pub const FAILED_MIN: usize = 3;
/// Chance at most after correction.
const CHANCE_MAX: f64 = 0.001;
/// Share of the failing calls that must have the feature.
const RECALL_MIN: f64 = 0.9;
/// How many times as often calls with the feature must fail.
const RATE_TIMES: f64 = 3.0;
/// Share on both sides that makes a feature sharp.
const SHARP_MIN: f64 = 0.9;

/// A feature that most failing calls have and few good ones.
#[derive(Debug, Clone, PartialEq)]
pub struct DistinguishingFeature {
    /// The feature.
    pub feature: Feature<'static>,
    /// Failing calls with it.
    pub failed_in: u32,
    /// Failing calls.
    pub failed: u32,
    /// Good calls with it.
    pub good_in: u32,
    /// Good calls without it.
    pub good_out: u32,
    /// How likely some feature would fit as well by chance.
    pub chance: f64,
    /// Other features that fit exactly as well.
    pub equals: Vec<Feature<'static>>,
}

impl DistinguishingFeature {
    /// Whether nearly all calls with the feature fail and nearly all failing calls have it.
    pub fn is_sharp(&self) -> bool {
        let with = f64::from(self.failed_in + self.good_in);
        f64::from(self.failed_in) >= SHARP_MIN * with && f64::from(self.failed_in) >= SHARP_MIN * f64::from(self.failed)
    }

    /// Both counts and the bound in words: `6 of 6 failing and none of 40 good calls come from 10.0.0.9 (chance: …)`.
    pub fn sentence(&self) -> String {
        let mut text = format!(
            "{} of {} failing and {} of {} good calls {} (chance {})",
            self.failed_in,
            self.failed,
            if self.good_in == 0 { "none".to_owned() } else { self.good_in.to_string() },
            self.good_in + self.good_out,
            self.feature,
            bound(self.chance)
        );
        if let Some(equal) = self.equals.first() {
            text += &format!("; the same calls {equal}");
        }
        text
    }
}

type Counts<'a> = FastMap<Feature<'a>, (u32, u32)>;

/// Good calls through a node that failing ones are compared with, and in how many of them each feature is.
#[derive(Debug)]
pub(super) struct GoodSample<'a> {
    node: NodeId,
    calls: Vec<u32>,
    counts: FastMap<Feature<'a>, u32>,
}

impl<'a> GoodSample<'a> {
    /// Counts the features of a sample of some good calls.
    pub(super) fn of(input: &DiagnosisInput<'a>, node: NodeId, good: &[u32]) -> Self {
        let calls = sample(good);
        let mut counts: FastMap<Feature<'a>, u32> = FastMap::default();
        for call in calls.iter().filter_map(|call| input.calls.get(*call as usize)) {
            features(input, call, node, |feature| {
                *counts.entry(feature).or_default() += 1;
            });
        }
        Self { node, calls, counts }
    }

    /// Whether it is the sample of these good calls.
    pub(super) fn is_of(&self, good: &[u32]) -> bool {
        self.calls == sample(good)
    }

    /// The feature that best sets failing calls apart from these good ones, where one does beyond chance.
    pub(super) fn separates(&self, input: &DiagnosisInput<'a>, failed: &[u32]) -> Option<DistinguishingFeature> {
        let failed = sample(failed);
        let counts = self.count(input, &failed);
        let all = (failed.len() as u32, self.calls.len() as u32);
        let tried = counts.values().filter(|(failed, _)| *failed > 0).count() as f64;
        let mut found: Vec<DistinguishingFeature> =
            counts.into_iter().filter_map(|(feature, count)| judge(feature, count, all, tried)).collect();
        // The smallest group of calls that holds the failures; of equal ones the kind that is named first.
        found.sort_by(|a, b| {
            let size = |found: &DistinguishingFeature| found.failed_in + found.good_in;
            a.good_in
                .cmp(&b.good_in)
                .then(b.failed_in.cmp(&a.failed_in))
                .then(size(a).cmp(&size(b)))
                .then(a.feature.kind.cmp(&b.feature.kind))
                .then(b.feature.value.len().cmp(&a.feature.value.len()))
                .then(a.feature.value.cmp(&b.feature.value))
        });
        let mut found = found.into_iter();
        let mut best = found.next()?;
        best.equals = found
            .take_while(|other| (other.failed_in, other.good_in) == (best.failed_in, best.good_in))
            .map(|other| other.feature)
            .filter(|other| other.kind != best.feature.kind)
            .collect();
        Some(best)
    }

    /// In how many failing and good calls each feature is.
    fn count(&self, input: &DiagnosisInput<'a>, failed: &[u32]) -> Counts<'a> {
        let mut counts = Counts::default();
        for call in failed.iter().filter_map(|call| input.calls.get(*call as usize)) {
            features(input, call, self.node, |feature| {
                counts.entry(feature).or_default().0 += 1;
            });
        }
        for (feature, count) in counts.iter_mut() {
            count.1 = self.counts.get(feature).copied().unwrap_or_default();
        }
        // A header that no failing call has may be what they lack.
        for (feature, good) in self.counts.iter().filter(|(feature, _)| feature.kind == Kind::Header) {
            counts.entry(feature.clone()).or_insert((0, *good));
        }
        let all = (failed.len() as u32, self.calls.len() as u32);
        let headers = counts.iter().filter(|(feature, _)| feature.kind == Kind::Header);
        let lacking: Vec<(Feature<'_>, (u32, u32))> = headers
            .map(|(feature, (f, g))| {
                let lack = Feature { kind: Kind::NoHeader, value: feature.value.clone() };
                (lack, (all.0 - f.min(&all.0), all.1 - g.min(&all.1)))
            })
            .collect();
        counts.extend(lacking);
        counts
    }
}

fn judge(feature: Feature<'_>, count: (u32, u32), all: (u32, u32), tried: f64) -> Option<DistinguishingFeature> {
    let table = Table {
        failed_in: u64::from(count.0),
        good_in: u64::from(count.1),
        failed_out: u64::from(all.0.checked_sub(count.0)?),
        good_out: u64::from(all.1.checked_sub(count.1)?),
    };
    let fits = table.recall() >= RECALL_MIN && table.rate_in() >= RATE_TIMES * table.rate_out();
    if !fits {
        return None;
    }
    let chance = table.chance() * tried;
    (chance < CHANCE_MAX).then(|| DistinguishingFeature {
        feature: feature.into_owned(),
        failed_in: count.0,
        failed: all.0,
        good_in: count.1,
        good_out: all.1 - count.1,
        chance,
        equals: Vec::new(),
    })
}

/// At most so many calls, evenly from all.
fn sample(calls: &[u32]) -> Vec<u32> {
    let step = calls.len().div_ceil(SAMPLE_MAX).max(1);
    calls.iter().step_by(step).copied().collect()
}
