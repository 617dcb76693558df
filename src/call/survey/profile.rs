//! The profile of a capture: the metrics of its calls by destination, by source, by the caller's product and over time.
//!
//! Formulas are those of [`crate::call::survey::metrics`]; docs/metrics.md has them with their populations.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::call::outcome::call::Call;
use crate::call::store::endpoint::EndpointId;
use crate::call::store::fast_map::FastMap;
use crate::call::store::message_store::MessageStore;
use crate::call::survey::metrics::{Measured, Metrics};
use crate::capture::Timestamp;
use crate::sip::Method;

/// Keys listed one by one of each dimension; a scan may call any number of destinations.
pub const GROUPS_MAX: usize = 50;
/// Spans of time that a capture is divided into at most.
pub(in crate::call) const SPANS_MAX: i64 = 60;
/// Lengths of a span, in seconds: those that a clock shows.
const SPAN_SECONDS: [i64; 17] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];
/// Longer spans are whole days.
const DAY_SECONDS: i64 = 86_400;
/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// Calls that have something in common, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct CallGroup {
    /// What they have in common: an address, or the name of a product, empty where the caller names none.
    pub key: String,
    /// Their metrics.
    pub metrics: Metrics,
}

/// The calls of a run, divided by something that each has one of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dimension {
    /// The busiest first, at most [`GROUPS_MAX`].
    pub groups: Vec<CallGroup>,
    /// How many more keys there are.
    pub others: u32,
    /// The calls of those together; `None` where there are none.
    pub others_metrics: Option<Metrics>,
}

/// A span of time: the calls that began in it, and how many were up at the same time.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSpan {
    /// Its begin; it ends where the next one begins.
    pub from: Timestamp,
    /// Calls whose first message came in it.
    pub metrics: Metrics,
    /// The most calls that were answered and not yet ended at one moment of it.
    pub peak_calls: u32,
}

/// Metrics by destination, source, product and time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// By the node that received the first INVITE.
    pub destinations: Dimension,
    /// By the node that sent the first INVITE.
    pub sources: Dimension,
    /// By the product that the first INVITE names in User-Agent.
    pub software: Dimension,
    /// From the first call to the end of the last, without gaps.
    pub spans: Vec<TimeSpan>,
    /// How long each span lasts.
    pub span: Duration,
    /// The most calls that were answered and not yet ended at one moment.
    pub peak_calls: u32,
}

impl Profile {
    /// Measures calls.
    pub fn of(calls: &[&Call], store: &MessageStore) -> Self {
        let tables = &store.tables;
        let measured: Vec<Measured> = calls.iter().map(|call| Measured::from(*call)).collect();
        let by_node = |of: fn(&Call) -> EndpointId| {
            let keys = calls.iter().map(|call| tables.node(of(call)));
            dimension(&measured, keys, |node| tables.endpoints.node_name(*node))
        };
        let by_software = || {
            let keys = calls.iter().map(|call| software(call, store));
            dimension(&measured, keys, |name| (*name).to_owned())
        };
        let ((destinations, sources), (software, (span, spans))) = rayon::join(
            || rayon::join(|| by_node(|call| call.destination), || by_node(|call| call.source)),
            || rayon::join(by_software, || spans(calls, &measured)),
        );
        Self {
            destinations,
            sources,
            software,
            peak_calls: spans.iter().map(|span| span.peak_calls).max().unwrap_or(0),
            spans,
            span,
        }
    }
}

/// The product that the first INVITE of a call names, empty where it names none.
fn software<'a>(call: &Call, store: &'a MessageStore) -> &'a str {
    let messages = call.legs.first().map_or(&[][..], |leg| store.messages_of(leg));
    let invite = messages.iter().find(|message| message.is_request(Method::Invite));
    invite.and_then(|invite| store.tables.software(invite)).unwrap_or_default()
}

/// Divides calls, in the order of which `keys` are.
fn dimension<K: Eq + Hash>(
    calls: &[Measured],
    keys: impl Iterator<Item = K>,
    name: impl Fn(&K) -> String,
) -> Dimension {
    let mut places: FastMap<K, u32> = HashMap::default();
    let mut sizes: Vec<u32> = Vec::new();
    let place_of = |key: K| {
        let place = *places.entry(key).or_insert_with(|| {
            sizes.push(0);
            sizes.len() as u32 - 1
        });
        sizes[place as usize] += 1;
        place
    };
    let of_calls: Vec<u32> = keys.map(place_of).collect();
    let keys = places.iter().map(|(key, place)| (*place, name(key)));
    let mut keys: Vec<(u32, String)> = keys.collect();
    let size = |place: u32| sizes[place as usize];
    keys.sort_unstable_by(|a, b| size(b.0).cmp(&size(a.0)).then_with(|| a.1.cmp(&b.1)));
    let members = Members::of(&keys, &sizes, &of_calls);
    let measured = |ranks: std::ops::Range<usize>| {
        let of = members.of_ranks(ranks).iter();
        Metrics::of_measured(of.filter_map(|index| calls.get(*index as usize).copied()))
    };
    let count = keys.len();
    let others = count.saturating_sub(GROUPS_MAX);
    let shown = keys.into_iter().take(GROUPS_MAX).enumerate();
    Dimension {
        groups: shown.map(|(rank, (_, key))| CallGroup { key, metrics: measured(rank..rank + 1) }).collect(),
        others: others as u32,
        others_metrics: (others > 0).then(|| measured(GROUPS_MAX..count)),
    }
}

/// The calls of each key, keys in the order of their rank, calls in the order of time.
struct Members {
    calls: Vec<u32>,
    /// Where the calls of each key end.
    ends: Vec<u32>,
}

impl Members {
    fn of(ranked: &[(u32, String)], sizes: &[u32], of_calls: &[u32]) -> Self {
        let mut ranks = vec![0_u32; ranked.len()];
        let mut ends = Vec::with_capacity(ranked.len());
        let mut begin = 0;
        for (rank, (place, _)) in (0..).zip(ranked) {
            ranks[*place as usize] = rank;
            // Where the key begins becomes where it ends as its calls are put there.
            ends.push(begin);
            begin += sizes[*place as usize];
        }
        let mut calls = vec![0; of_calls.len()];
        for (index, place) in (0..).zip(of_calls) {
            let next = &mut ends[ranks[*place as usize] as usize];
            calls[*next as usize] = index;
            *next += 1;
        }
        Self { calls, ends }
    }

    /// The calls of neighbouring keys.
    fn of_ranks(&self, ranks: std::ops::Range<usize>) -> &[u32] {
        let end = |rank: usize| self.ends.get(rank).map_or(0, |end| *end as usize);
        let begin = ranks.start.checked_sub(1).map_or(0, end);
        let end = ranks.end.checked_sub(1).map_or(0, end);
        self.calls.get(begin..end).unwrap_or_default()
    }
}

/// The shortest span of a clock of which at most [`SPANS_MAX`] cover the time between two moments, in seconds.
fn span_seconds(from: i64, to: i64) -> i64 {
    let fits = |seconds: &i64| to.div_euclid(*seconds) - from.div_euclid(*seconds) < SPANS_MAX;
    let known = SPAN_SECONDS.iter().copied().find(|seconds| fits(seconds));
    known.unwrap_or_else(|| {
        let days = (to - from) / DAY_SECONDS / (SPANS_MAX - 1) + 1;
        days * DAY_SECONDS
    })
}

/// How long a span is, and the spans from the first call to the end of the last.
fn spans(calls: &[&Call], measured: &[Measured]) -> (Duration, Vec<TimeSpan>) {
    let seconds = |time: Timestamp| time.nanoseconds().div_euclid(SECOND);
    let first = calls.iter().map(|call| seconds(call.started)).min();
    let last = calls.iter().map(|call| seconds(call.ended)).max();
    let (Some(first), Some(last)) = (first, last) else {
        return (Duration::ZERO, Vec::new());
    };
    let length = span_seconds(first, last);
    let place = |time: Timestamp| seconds(time).div_euclid(length) - first.div_euclid(length);
    let count = place(Timestamp::from_nanoseconds(last * SECOND)) + 1;
    let mut members: Vec<Vec<u32>> = (0..count).map(|_| Vec::new()).collect();
    for (index, call) in (0..).zip(calls) {
        let members = usize::try_from(place(call.started)).ok().and_then(|place| members.get_mut(place));
        if let Some(members) = members {
            members.push(index);
        }
    }
    let begin = |place: i64| {
        let seconds = (first.div_euclid(length) + place) * length;
        Timestamp::from_nanoseconds(seconds.saturating_mul(SECOND))
    };
    let peaks = peaks(calls, count, place);
    let spans = members.into_iter().zip(peaks).zip(0..);
    let metrics = |members: Vec<u32>| {
        let of = members.iter();
        Metrics::of_measured(of.filter_map(|index| measured.get(*index as usize).copied()))
    };
    let spans = spans.map(|((members, peak_calls), number)| TimeSpan {
        from: begin(number),
        metrics: metrics(members),
        peak_calls,
    });
    (Duration::from_secs(length.unsigned_abs()), spans.collect())
}

/// For each span the most calls that were up at one moment of it.
fn peaks(calls: &[&Call], count: i64, place: impl Fn(Timestamp) -> i64) -> Vec<u32> {
    let mut changes: Vec<(Timestamp, i32)> = Vec::new();
    for call in calls {
        let Some(answered) = call.milestones.answered else {
            continue;
        };
        changes.push((answered, 1));
        // Whose BYE was not captured is up until the capture ends.
        if let Some(over) = call.milestones.hung_up {
            changes.push((over.max(answered), -1));
        }
    }
    // A call that ends at the moment at which another one is answered is no second one.
    changes.sort_unstable();
    let mut peaks = vec![0_u32; usize::try_from(count).unwrap_or(0)];
    let (mut up, mut reached) = (0_i32, 0_usize);
    for (time, change) in changes {
        let at = usize::try_from(place(time).clamp(0, count - 1)).unwrap_or(0);
        while reached < at {
            reached += 1;
            if let Some(peak) = peaks.get_mut(reached) {
                *peak = up.unsigned_abs();
            }
        }
        up += change;
        if let Some(peak) = peaks.get_mut(at) {
            *peak = (*peak).max(up.unsigned_abs());
        }
    }
    for peak in peaks.iter_mut().skip(reached + 1) {
        *peak = up.unsigned_abs();
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_of_any_length_has_at_most_sixty_spans() {
        let begin = 1_767_603_600;
        for length in [0, 1, 59, 60, 61, 3_599, 3_600, 86_400, 604_800, 31_536_000, 1 << 33] {
            for from in [begin, begin + 29, begin + 3_599] {
                let seconds = span_seconds(from, from + length);
                let count = (from + length).div_euclid(seconds) - from.div_euclid(seconds) + 1;
                assert!((1..=SPANS_MAX).contains(&count), "{length} s in {count} of {seconds} s");
            }
        }
        assert_eq!(1, span_seconds(begin, begin + 59));
        assert_eq!(60, span_seconds(begin, begin + 3_599));
        assert_eq!(1_800, span_seconds(begin, begin + 86_400));
    }
}
