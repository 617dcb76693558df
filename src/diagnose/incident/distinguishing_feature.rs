//! What sets failing calls apart from good ones through the same node: one feature, with both counts and a bound on chance.
//!
//! Source: R. A. Fisher's exact test, with Bonferroni's correction for the number of features that were tried.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::call::survey::chance::{Table, bound};
use crate::call::{NodeId, OutcomeGroup};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Incident, Severity};
use crate::diagnose::incident::features::{Feature, Kind, features};

/// Calls of each kind that are compared; more prove no more.
const SAMPLE_MAX: usize = 500;
/// Failing calls needed.
const FAILED_MIN: usize = 3;
/// Chance at most after correction.
const CHANCE_MAX: f64 = 0.001;
/// Share of the failing calls that must have the feature.
const RECALL_MIN: f64 = 0.9;
/// How many times as often calls with the feature must fail.
const RATE_TIMES: f64 = 3.0;
/// Share on both sides that makes a feature sharp.
const SHARP_MIN: f64 = 0.9;

/// A feature that parts failing from good calls.
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
    /// How likely some feature would part them as well by chance.
    pub chance: f64,
    /// Other features that part them exactly as well.
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

/// The feature that parts failing from good calls through a node best, where one does beyond chance.
pub fn separates(
    capture: &CaptureContext<'_>,
    node: NodeId,
    failed: &[u32],
    good: &[u32],
) -> Option<DistinguishingFeature> {
    if failed.len() < FAILED_MIN || good.is_empty() {
        return None;
    }
    let (failed, good) = (sample(failed), sample(good));
    let counts = count(capture, node, &failed, &good);
    let all = (failed.len() as u32, good.len() as u32);
    let tried = counts.values().filter(|(failed, _)| *failed > 0).count() as f64;
    let mut found: Vec<DistinguishingFeature> =
        counts.into_iter().filter_map(|(feature, count)| judge(feature, count, all, tried)).collect();
    // The smallest group of calls that holds the failures; of equal ones the kind that is named first.
    found.sort_by(|a, b| {
        let size = |apart: &DistinguishingFeature| apart.failed_in + apart.good_in;
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

type Counts<'a> = HashMap<Feature<'a>, (u32, u32), foldhash::fast::FixedState>;

/// In how many of some good calls each feature is.
type GoodCounts = HashMap<Feature<'static>, u32, foldhash::fast::FixedState>;
type GoodCalls = (NodeId, Vec<u32>);

/// Nodes whose good calls are kept; a capture has few that fail often.
const KEPT_MAX: usize = 16;

/// The good calls of nodes and their features, which every incident of their node is compared with.
#[derive(Debug, Default)]
pub struct KnownGood {
    by_node: Mutex<HashMap<NodeId, Arc<[u32]>, foldhash::fast::FixedState>>,
    by_calls: Mutex<HashMap<GoodCalls, Arc<GoodCounts>, foldhash::fast::FixedState>>,
}

/// Calls through a node that went well: answered, or ended as calls do. Rising.
pub fn good_calls(capture: &CaptureContext<'_>, node: NodeId) -> Arc<[u32]> {
    let known = || {
        let by_node = &capture.known_good().by_node;
        by_node.lock().unwrap_or_else(PoisonError::into_inner)
    };
    if let Some(good) = known().get(&node) {
        return Arc::clone(good);
    }
    let attempts = capture.loads.at(node).map_or(&[][..], |load| &load.attempts);
    let went_well = |call: &u32| {
        let call = capture.calls.get(*call as usize);
        let group = call.map(|call| call.outcome.group());
        matches!(group, Some(OutcomeGroup::Answered | OutcomeGroup::Normal))
    };
    let calls = attempts.iter().map(|attempt| attempt.call.0);
    let mut good: Vec<u32> = calls.filter(went_well).collect();
    good.sort_unstable();
    good.dedup();
    let good: Arc<[u32]> = good.into();
    let mut known = known();
    if known.len() < KEPT_MAX {
        known.insert(node, Arc::clone(&good));
    }
    good
}

impl KnownGood {
    /// In how many of some calls through a node each feature is.
    fn counts(&self, capture: &CaptureContext<'_>, node: NodeId, good: &[u32]) -> Arc<GoodCounts> {
        let key = (node, good.to_vec());
        let known = || self.by_calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = known().get(&key) {
            return Arc::clone(counts);
        }
        // Threads that ask at the same time count twice rather than wait.
        let mut counts: HashMap<Feature<'_>, u32, foldhash::fast::FixedState> = HashMap::default();
        for call in good.iter().filter_map(|call| capture.calls.get(*call as usize)) {
            features(capture, call, node, |feature| {
                *counts.entry(feature).or_default() += 1;
            });
        }
        let own = counts.into_iter();
        let counts: GoodCounts = own.map(|(feature, count)| (feature.into_owned(), count)).collect();
        let counts = Arc::new(counts);
        let mut known = known();
        if known.len() < KEPT_MAX {
            known.insert(key, Arc::clone(&counts));
        }
        counts
    }
}

/// In how many failing and good calls each feature is.
fn count<'a>(capture: &CaptureContext<'a>, node: NodeId, failed: &[u32], good: &[u32]) -> Counts<'a> {
    let mut counts = Counts::default();
    for call in failed.iter().filter_map(|call| capture.calls.get(*call as usize)) {
        features(capture, call, node, |feature| {
            counts.entry(feature).or_default().0 += 1;
        });
    }
    let known = capture.known_good().counts(capture, node, good);
    for (feature, count) in counts.iter_mut() {
        count.1 = known.get(feature).copied().unwrap_or_default();
    }
    // A header that no failing call has may be what they lack.
    for (feature, good) in known.iter().filter(|(feature, _)| feature.kind == Kind::Header) {
        counts.entry(feature.clone()).or_insert((0, *good));
    }
    let all = (failed.len() as u32, good.len() as u32);
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

/// What sets the calls of an incident apart, in words; empty where nothing does or the incident is no error.
pub fn of_incident(capture: &CaptureContext<'_>, incident: &Incident) -> String {
    let Some(origin) = incident.finding.seen.origin else {
        return String::new();
    };
    if incident.finding.severity < Severity::Error || incident.calls.len() < FAILED_MIN {
        return String::new();
    }
    let failed: Vec<u32> = incident.calls.iter().map(|id| id.saturating_sub(1)).collect();
    let node = capture.node(origin);
    let good: Vec<u32> =
        good_calls(capture, node).iter().copied().filter(|call| failed.binary_search(call).is_err()).collect();
    separates(capture, node, &failed, &good).map_or(String::new(), |apart| apart.sentence() + ".")
}
