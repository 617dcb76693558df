//! The search for limits: the ceiling of calls at the same time and the pace of new calls that explain a node's refusals.

use std::collections::HashSet;

use crate::call::store::endpoint::NodeId;
use crate::call::survey::load::attempt::{Attempt, Fate};
use crate::call::survey::load::destination::Destination;
use crate::call::survey::load::limit::{Ceiling, CountedCalls, Pace};
use crate::call::survey::load::rate::rate_limit;
use crate::call::survey::load::threshold::{Sample, ceiling};
use crate::capture::Timestamp;

/// Codes with which nodes say that they have no room.
pub const CAPACITY_CODES: [u16; 8] = [403, 480, 486, 488, 500, 503, 600, 603];
/// Of these, the ones that speak of a callee unless several callees get them.
const CALLEE_CODES: [u16; 5] = [480, 486, 488, 600, 603];
/// Different numbers that such a code must have been sent for.
const NUMBERS_MIN: usize = 3;
/// Refusals needed to look for a ceiling.
const REFUSALS_MIN: usize = 5;
/// A limiter refuses at once; what it takes longer to refuse was tried.
const REFUSAL_DELAY_MAX_MS: f32 = 100.0;
/// Sources that are looked at one by one.
const SOURCES_MAX: usize = 64;

fn views(destination: &Destination) -> Vec<CountedCalls> {
    let mut views = vec![CountedCalls::To];
    if destination.has_calls_from() {
        views.push(CountedCalls::Both);
    }
    let mut sources: Vec<NodeId> = Vec::new();
    for attempt in destination.attempts.iter().filter(|attempt| attempt.is_refused()) {
        if sources.len() < SOURCES_MAX && !sources.contains(&attempt.source) {
            sources.push(attempt.source);
        }
    }
    let is_shared = destination.attempts.iter().any(|attempt| sources.first() != Some(&attempt.source));
    if is_shared {
        views.extend(sources.into_iter().map(CountedCalls::From));
    }
    views
}

fn is_in(view: CountedCalls, attempt: &Attempt) -> bool {
    !matches!(view, CountedCalls::From(source) if source != attempt.source)
}

/// Sets of codes that may be the answer of one limiter: all of them, and each alone.
fn code_sets(destination: &Destination) -> Vec<Vec<u16>> {
    let refused = |code: u16| {
        let all = destination.attempts.iter();
        all.filter(|attempt| attempt.is_refused() && attempt.code == code).count()
    };
    let used: Vec<u16> = CAPACITY_CODES.into_iter().filter(|code| refused(*code) >= REFUSALS_MIN).collect();
    let mut sets: Vec<Vec<u16>> = Vec::new();
    if used.len() > 1 {
        sets.push(used.clone());
    }
    sets.extend(used.into_iter().map(|code| vec![code]));
    sets
}

/// The ceiling that explains refusals best, where one does.
pub(super) fn ceiling_of(destination: &Destination) -> Option<Ceiling> {
    let sets = code_sets(destination);
    if sets.is_empty() {
        return None;
    }
    let mut best: Option<Ceiling> = None;
    for view in views(destination) {
        let levels = destination.levels(view);
        for codes in &sets {
            let found = ceiling_in(destination, view, codes, &levels);
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.threshold.chance < best.threshold.chance)
            {
                best = Some(found);
            }
        }
    }
    best
}

fn ceiling_in(destination: &Destination, view: CountedCalls, codes: &[u16], levels: &[u32]) -> Option<Ceiling> {
    let mut samples = Vec::new();
    for (attempt, level) in destination.attempts.iter().zip(levels) {
        let is_refused = attempt.is_refused() && codes.contains(&attempt.code);
        if is_in(view, attempt) && (is_refused || attempt.fate == Fate::Taken) {
            samples.push(Sample { at: attempt.sent, level: *level, is_refused });
        }
    }
    let threshold = ceiling(&samples, &destination.ends)?;
    let attempts: Vec<u32> = (0..)
        .zip(destination.attempts.iter().zip(levels))
        .filter(|(_, (attempt, level))| {
            is_in(view, attempt) && attempt.is_refused() && codes.contains(&attempt.code) && threshold.reaches(**level)
        })
        .map(|(place, _)| place)
        .collect();
    (!speaks_of_callees(destination, &attempts)).then(|| Ceiling { threshold, view, attempts, levels: levels.to_vec() })
}

/// Whether refusals are of a kind that callees send, and for too few callees to come from the node.
fn speaks_of_callees(destination: &Destination, attempts: &[u32]) -> bool {
    let refused = || {
        attempts
            .iter()
            .map(|place| &destination.attempts[*place as usize])
            .filter(|attempt| CALLEE_CODES.contains(&attempt.code))
    };
    let numbers: HashSet<_> = refused().map(|attempt| attempt.callee).collect();
    !numbers.is_empty() && numbers.len() < NUMBERS_MIN
}

/// The pace of new calls that explains refusals, where one does.
pub(super) fn pace_of(destination: &Destination) -> Option<Pace> {
    let codes = code_sets(destination).into_iter().next()?;
    let counts = |attempt: &Attempt| attempt.is_refused() && codes.contains(&attempt.code);
    let mut delays: Vec<f32> =
        destination.attempts.iter().filter(|attempt| counts(attempt)).filter_map(|attempt| attempt.final_ms).collect();
    delays.sort_by(f32::total_cmp);
    let fastest = destination.attempts.iter().filter_map(|attempt| attempt.reply_ms);
    let way = fastest.fold(f32::INFINITY, f32::min);
    if delays.get(delays.len() / 2)? - way > REFUSAL_DELAY_MAX_MS {
        return None;
    }
    for view in views(destination).into_iter().filter(|view| *view != CountedCalls::Both) {
        let places: Vec<u32> = (0..)
            .zip(&destination.attempts)
            .filter(|(_, attempt)| is_in(view, attempt) && (counts(attempt) || attempt.fate == Fate::Taken))
            .map(|(place, _)| place)
            .collect();
        let at = |place: &u32| &destination.attempts[*place as usize];
        let attempts: Vec<(Timestamp, bool)> =
            places.iter().map(|place| (at(place).sent, at(place).is_refused())).collect();
        if let Some(rate) = rate_limit(&attempts) {
            let refused: Vec<u32> = places.into_iter().filter(|place| at(place).is_refused()).collect();
            if !speaks_of_callees(destination, &refused) {
                return Some(Pace { rate, view, attempts: refused });
            }
        }
    }
    None
}
