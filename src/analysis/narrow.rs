//! A report on some of the calls: which ones are told, and what of the analysis is about them.
//!
//! Calls keep their place, and so their number: what a narrow report calls 14 is call 14 of the whole one.

use std::collections::BTreeSet;

use crate::analysis::result::{Analysis, CallEntry};
use crate::call::survey::metrics::Metrics;
use crate::diagnose::Incident;
use crate::diagnose::words::counted;

/// The rule whose incident holds the numbers of the whole run.
const STATISTICS_RULE: &str = "fleet-metrics";

/// Which calls a report tells of, and by what they were chosen.
#[derive(Debug)]
pub struct Narrowing {
    /// The expression that they match, as it was written.
    pub expression: String,
    /// How many match.
    pub calls: u32,
    /// How many there are.
    pub of: u32,
    /// By the place of each call, whether it matches.
    matching: Vec<bool>,
    /// Places of incidents that concern none of them.
    foreign: BTreeSet<usize>,
}

impl Narrowing {
    /// `3 of 12 calls match final_code == 488`.
    pub fn told(&self) -> String {
        let Self { expression, calls, of, .. } = self;
        let verb = if *calls == 1 { "matches" } else { "match" };
        let expression = expression.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{calls} of {} {verb} {expression}", counted(*of, "call"))
    }
}

impl Analysis {
    /// Narrows what reports tell to the calls whose place is true in `matching`: metrics are those of these calls,
    /// incidents those that concern one of them. Registrations and other requests are no calls, so none is told.
    pub fn narrow(&mut self, expression: &str, matching: Vec<bool>) {
        let is_told = |id: u32| told(&matching, id);
        let mut foreign = BTreeSet::new();
        for (place, incident) in self.incidents.iter_mut().enumerate() {
            incident.calls.retain(|id| is_told(*id));
            if incident.calls.is_empty() || incident.finding.rule == STATISTICS_RULE {
                foreign.insert(place);
            }
        }
        self.registrations.clear();
        self.others.clear();
        self.narrowing = Some(Narrowing {
            expression: expression.to_owned(),
            calls: matching.iter().filter(|is| **is).count() as u32,
            of: self.calls.len() as u32,
            matching,
            foreign,
        });
        self.metrics = self.metrics_of(self.told_calls().map(|(id, _)| id));
    }

    /// The metrics of calls by their numbers; those that scanners and guessers made count in none.
    pub fn metrics_of(&self, ids: impl Iterator<Item = u32>) -> Metrics {
        let places = ids.filter_map(|id| id.checked_sub(1));
        let honest = places.filter(|place| self.hostile_calls.binary_search(place).is_err());
        Metrics::of(honest.filter_map(|place| Some(&self.calls.get(place as usize)?.call)))
    }

    /// The calls that reports tell of, each with its number: all of them unless the report is narrow.
    pub fn told_calls(&self) -> impl Iterator<Item = (u32, &CallEntry)> {
        let numbered = (1_u32..).zip(&self.calls);
        numbered.filter(|(id, _)| self.tells_call(*id))
    }

    /// How many calls reports tell of.
    pub fn told_call_count(&self) -> usize {
        let narrowed = self.narrowing.as_ref();
        narrowed.map_or(self.calls.len(), |narrowing| narrowing.calls as usize)
    }

    /// Whether reports tell of the call with this number.
    pub fn tells_call(&self, id: u32) -> bool {
        let narrowed = self.narrowing.as_ref();
        narrowed.is_none_or(|narrowing| told(&narrowing.matching, id))
    }

    /// The incidents that reports tell of, each with its number.
    pub fn told_incidents(&self) -> impl Iterator<Item = (usize, &Incident)> {
        let narrowed = self.narrowing.as_ref();
        let numbered = self.incidents.iter().enumerate();
        numbered
            .filter(move |(place, _)| narrowed.is_none_or(|narrowing| !narrowing.foreign.contains(place)))
            .map(|(place, incident)| (place + 1, incident))
    }
}

fn told(matching: &[bool], id: u32) -> bool {
    let place = (id as usize).checked_sub(1);
    place.and_then(|place| matching.get(place)) == Some(&true)
}
