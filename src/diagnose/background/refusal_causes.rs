//! Refusal causes: which of a node's refusals has which cause; each has one at most.

use std::borrow::Cow;
use std::time::Duration;

use rayon::prelude::*;

use crate::call::survey::load::{Attempt, CAPACITY_CODES, Destination, Fate, Loads, NodeOutage, outages};
use crate::call::{FastMap, FastSet, NodeId, TextId};
use crate::capture::Timestamp;
use crate::diagnose::background::call_features::number_of;
use crate::diagnose::background::refused_numbers::{self, PREFIX_MIN};
use crate::diagnose::finding::Confidence;
use crate::diagnose::input::DiagnosisInput;

/// Why a node refused.
#[derive(Debug, Clone, PartialEq)]
pub enum RefusalCause {
    /// All channels are taken ([`Destination::ceiling`]).
    Ceiling,
    /// New calls come too fast ([`Destination::pace`]).
    Pace,
    /// It knows no way to these numbers.
    NoRoute(Blocked),
    /// It refuses everything for a time.
    Outage(NodeOutage),
    /// It says that it is overloaded, or its answers slowed before it refused.
    Overload(Slowing),
}

/// Numbers that are always refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// What they begin with, or the only one.
    pub prefix: String,
    /// How sure it is that these numbers are refused and others are not.
    pub confidence: Confidence,
    /// The refusals say so themselves.
    pub is_stated: bool,
    /// Calls to other numbers that were taken in the same time.
    pub others_taken: u32,
    /// Calls to the same numbers that were taken at another time: there is a route, and nothing at its end.
    pub same_taken: u32,
}

/// How answers slowed down, in milliseconds; zero where the node says itself that it is overloaded.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Slowing {
    /// Median before.
    pub before_ms: f32,
    /// Median just before the first refusal.
    pub after_ms: f32,
}

/// Refusals with one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedRefusals {
    /// The cause.
    pub cause: RefusalCause,
    /// Places in [`Destination::attempts`], rising.
    pub places: Vec<u32>,
}

/// Prefixes looked for at one node.
const PREFIXES_MAX: usize = 8;
/// What "around the same time" is, before the first and after the last refusal, in seconds.
const AROUND_SECONDS: u64 = 600;
/// Refusals needed to look for slow answers before them, and answers that make a median.
const SLOW_MIN: (usize, usize) = (5, 20);

/// The failures at each node by their cause; what no cause explains is left out.
#[derive(Debug, Default)]
pub struct RefusalCauses {
    /// For each of [`Loads::destinations`].
    by_destination: Vec<Vec<ExplainedRefusals>>,
}

impl RefusalCauses {
    /// Sorts the failures at every node that calls were sent to.
    pub(super) fn of(input: &DiagnosisInput<'_>) -> Self {
        let destinations = input.loads.destinations.par_iter().with_max_len(1);
        Self { by_destination: destinations.map(|destination| sort_out(input, destination)).collect() }
    }

    /// Every node that calls were sent to, with its failures by their cause.
    pub fn each<'s, 'a>(
        &'s self,
        loads: &'a Loads,
    ) -> impl Iterator<Item = (&'a Destination, &'s [ExplainedRefusals])> {
        loads.destinations.iter().zip(self.by_destination.iter().map(Vec::as_slice))
    }

    /// Calls that failed at a node for one of these causes, rising.
    pub fn explained_calls(&self, loads: &Loads, node: NodeId) -> Vec<u32> {
        let Some((destination, explained)) = self.each(loads).find(|(destination, _)| destination.node == node) else {
            return Vec::new();
        };
        let places = explained.iter().flat_map(|explained| &explained.places);
        let attempts = places.filter_map(|place| destination.attempts.get(*place as usize));
        let mut calls: Vec<u32> = attempts.map(|attempt| attempt.call.0).collect();
        calls.sort_unstable();
        calls
    }
}

fn sort_out(input: &DiagnosisInput<'_>, destination: &Destination) -> Vec<ExplainedRefusals> {
    let fails = |attempt: &Attempt| matches!(attempt.fate, Fate::Refused | Fate::Silent);
    if !destination.attempts.iter().any(fails) {
        return Vec::new();
    }
    let mut sorter =
        Sorter { input, destination, used: vec![false; destination.attempts.len()], explained: Vec::new() };
    sorter.stated_no_route();
    if let Some(ceiling) = &destination.ceiling {
        sorter.take(RefusalCause::Ceiling, ceiling.attempts.iter().copied());
    }
    if let Some(pace) = &destination.pace
        && !sorter.is_one_prefix(&pace.attempts)
    {
        sorter.take(RefusalCause::Pace, pace.attempts.iter().copied());
    }
    for _ in 0..PREFIXES_MAX {
        if !sorter.blocked_prefix() {
            break;
        }
    }
    sorter.outages();
    sorter.stated_overload();
    sorter.slowed();
    sorter.explained
}

struct Sorter<'a> {
    input: &'a DiagnosisInput<'a>,
    destination: &'a Destination,
    used: Vec<bool>,
    explained: Vec<ExplainedRefusals>,
}

impl<'a> Sorter<'a> {
    fn take(&mut self, cause: RefusalCause, places: impl Iterator<Item = u32>) {
        let free: Vec<u32> = places.filter(|place| !self.used[*place as usize]).collect();
        if free.is_empty() {
            return;
        }
        for place in &free {
            self.used[*place as usize] = true;
        }
        self.explained.push(ExplainedRefusals { cause, places: free });
    }

    fn open(&self) -> impl Iterator<Item = (u32, &'a Attempt)> {
        let attempts = &self.destination.attempts;
        (0..).zip(attempts).zip(&self.used).filter(|(_, used)| !**used).map(|(open, _)| open)
    }

    fn number(&self, callee: TextId) -> Cow<'a, str> {
        number_of(self.input.text(callee))
    }

    fn stated_no_route(&mut self) {
        let states = |attempt: &Attempt| {
            attempt.is_refused()
                && match attempt.code {
                    // 404 with Q.850 cause 3 alone speaks of the number as well as of the route.
                    404 | 604 => attempt.words.says_no_route,
                    480 | 500 | 502 | 503 => attempt.words.is_no_route(),
                    _ => false,
                }
                && !attempt.words.says_overload
        };
        let mut groups: FastMap<String, Vec<u32>> = FastMap::default();
        let mut order: Vec<String> = Vec::new();
        for (place, attempt) in self.open().filter(|(_, attempt)| states(attempt)) {
            let number = self.number(attempt.callee);
            let prefix: String = number.chars().take(PREFIX_MIN + 1).collect();
            let group = groups.entry(prefix.clone()).or_default();
            if group.is_empty() {
                order.push(prefix);
            }
            group.push(place);
        }
        for key in order {
            let places = groups.remove(&key).unwrap_or_default();
            let numbers = places.iter().map(|place| self.number(self.destination.attempts[*place as usize].callee));
            let prefix = refused_numbers::common_beginning(numbers);
            let refused: FastSet<TextId> =
                places.iter().map(|place| self.destination.attempts[*place as usize].callee).collect();
            let taken = self
                .destination
                .attempts
                .iter()
                .filter(|attempt| attempt.fate == Fate::Taken && refused.contains(&attempt.callee));
            let same_taken = taken.count() as u32;
            let cause = RefusalCause::NoRoute(Blocked {
                prefix,
                confidence: Confidence::Certain,
                is_stated: true,
                others_taken: 0,
                same_taken,
            });
            self.take(cause, places.into_iter());
        }
    }

    /// Whether all that was refused begins alike and nothing that begins so was taken: then the number says why, not the pace.
    fn is_one_prefix(&self, places: &[u32]) -> bool {
        let attempts = &self.destination.attempts;
        let taken = attempts.iter().filter(|attempt| attempt.fate == Fate::Taken);
        let taken: Vec<TextId> = taken.map(|attempt| attempt.callee).collect();
        let taken = taken.iter().map(|callee| self.number(*callee));
        let refused = places.iter().map(|place| self.number(attempts[*place as usize].callee));
        let refused: Vec<Cow<'_, str>> = refused.collect();
        let prefix = refused_numbers::always_refused(&refused, taken);
        prefix.is_some_and(|(prefix, _)| refused.iter().all(|number| number.starts_with(&prefix)))
    }

    /// Finds numbers of one prefix that are all refused while others are taken; `false` where there are none.
    fn blocked_prefix(&mut self) -> bool {
        let is_open = |attempt: &Attempt| attempt.is_refused() && matches!(attempt.code, 500 | 502 | 503);
        let refused: Vec<(u32, &Attempt)> = self.open().filter(|(_, attempt)| is_open(attempt)).collect();
        let (Some(first), Some(last)) = (refused.first(), refused.last()) else {
            return false;
        };
        let around = Duration::from_secs(AROUND_SECONDS);
        let (from, to) = (first.1.sent, last.1.sent.plus(around));
        let is_around =
            |attempt: &&Attempt| attempt.fate == Fate::Taken && attempt.sent.plus(around) >= from && attempt.sent <= to;
        let taken: Vec<TextId> =
            self.destination.attempts.iter().filter(is_around).map(|attempt| attempt.callee).collect();
        let taken_numbers = taken.iter().map(|callee| self.number(*callee));
        let numbers: Vec<Cow<'_, str>> = refused.iter().map(|(_, attempt)| self.number(attempt.callee)).collect();
        let Some((prefix, confidence)) = refused_numbers::always_refused(&numbers, taken_numbers) else {
            return false;
        };
        let places: Vec<u32> = refused
            .iter()
            .zip(&numbers)
            .filter(|(_, number)| number.starts_with(&prefix))
            .map(|((place, _), _)| *place)
            .collect();
        let blocked = Blocked { prefix, confidence, is_stated: false, others_taken: taken.len() as u32, same_taken: 0 };
        self.take(RefusalCause::NoRoute(blocked), places.into_iter());
        true
    }

    fn outages(&mut self) {
        let input = self.input;
        let node = self.destination.node;
        let fails = |attempt: &Attempt| match attempt.fate {
            Fate::Taken => Some(false),
            Fate::Refused => matches!(attempt.code, 403 | 408 | 500 | 502 | 503 | 504).then_some(true),
            Fate::Silent if !input.is_one_directional(attempt.source, node) => Some(true),
            _ => None,
        };
        let sequence: Vec<(u32, Timestamp, bool)> =
            self.open().filter_map(|(place, attempt)| Some((place, attempt.sent, fails(attempt)?))).collect();
        let attempts: Vec<(Timestamp, bool)> = sequence.iter().map(|(_, sent, failed)| (*sent, *failed)).collect();
        for outage in outages(&attempts) {
            let places: Vec<u32> = sequence[outage.first..=outage.last].iter().map(|(place, _, _)| *place).collect();
            let at = |place: &u32| &self.destination.attempts[*place as usize];
            let stated = places
                .iter()
                .filter(|place| at(place).words.is_overload() || at(place).words.retry_after_seconds.is_some())
                .count();
            let numbers: FastSet<TextId> = places.iter().map(|place| at(place).callee).collect();
            let sources: FastSet<_> = places.iter().map(|place| at(place).source).collect();
            let is_one_user = numbers.len() < 2;
            let never_worked = outage.last_good.is_none();
            if stated * 2 >= places.len() || is_one_user || never_worked && sources.len() < 2 {
                continue;
            }
            let place = |index: usize| sequence[index].0 as usize;
            let outage = NodeOutage {
                last_good: outage.last_good.map(place),
                first: place(outage.first),
                last: place(outage.last),
                recovered: outage.recovered.map(place),
                ..outage
            };
            self.take(RefusalCause::Outage(outage), places.into_iter());
        }
    }

    fn stated_overload(&mut self) {
        let states = |attempt: &Attempt| {
            let words = &attempt.words;
            attempt.is_refused()
                && match attempt.code {
                    503 => words.is_overload() || words.retry_after_seconds.is_some(),
                    code => CAPACITY_CODES.contains(&code) && words.is_overload(),
                }
        };
        let places: Vec<u32> = self.open().filter(|(_, attempt)| states(attempt)).map(|(place, _)| place).collect();
        self.take(RefusalCause::Overload(Slowing::default()), places.into_iter());
    }

    fn slowed(&mut self) {
        let places: Vec<u32> = self
            .open()
            .filter(|(_, attempt)| attempt.is_refused() && matches!(attempt.code, 500 | 503))
            .map(|(place, _)| place)
            .collect();
        if places.len() < SLOW_MIN.0 {
            return;
        }
        let callee = |place: &u32| self.destination.attempts[*place as usize].callee;
        let numbers: FastSet<TextId> = places.iter().map(callee).collect();
        let before = &self.destination.attempts[..places[0] as usize];
        let answers: Vec<f32> = before.iter().filter_map(|attempt| attempt.progress_ms).collect();
        if numbers.len() < 2 || answers.len() < SLOW_MIN.1 * 2 {
            return;
        }
        let (early, late) = answers.split_at(answers.len() - SLOW_MIN.1);
        let slowing = Slowing { before_ms: median(early), after_ms: median(late) };
        if slowing.after_ms > 4.0 * slowing.before_ms && slowing.after_ms > 500.0 {
            self.take(RefusalCause::Overload(slowing), places.into_iter());
        }
    }
}

/// The middle value; 0 where there is none.
pub fn median(values: &[f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
