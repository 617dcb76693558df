//! A report on some of the calls: what of the analysis is about them.
//!
//! Calls keep their place, and so their number: what a narrow report calls 14 is call 14 of the whole one.

use std::collections::BTreeSet;

use crate::analysis::narrowing::Narrowing;
use crate::analysis::result::{Analysis, CallEntry};
use crate::call::CallId;
use crate::call::survey::metrics::Metrics;
use crate::diagnose::Incident;

/// The rule whose incident holds the numbers of the whole run.
const STATISTICS_RULE: &str = "fleet-metrics";

impl Analysis {
    /// Narrows reports to the calls whose place is true in `matching`: metrics are those of these calls,
    /// incidents those that concern one of them. Registrations and other requests are no calls, so none is reported.
    pub fn narrow(&mut self, expression: &str, matching: Vec<bool>) {
        let mut narrowing = Narrowing {
            expression: expression.to_owned(),
            calls: matching.iter().filter(|is| **is).count() as u32,
            of: self.calls.len() as u32,
            matching,
            foreign: BTreeSet::new(),
        };
        for (place, incident) in self.incidents.iter_mut().enumerate() {
            incident.calls.retain(|id| narrowing.has_call(*id));
            if incident.calls.is_empty() || incident.finding.rule == STATISTICS_RULE {
                narrowing.foreign.insert(place);
            }
        }
        self.registrations.clear();
        self.others.clear();
        self.narrowing = Some(narrowing);
        self.metrics = self.metrics_of(self.reported_calls().map(|(id, _)| id));
    }

    /// The metrics of calls by their numbers; those that scanners and guessers made count in none.
    pub fn metrics_of(&self, ids: impl Iterator<Item = CallId>) -> Metrics {
        let honest = ids.filter(|id| !self.is_hostile(*id));
        Metrics::of(honest.filter_map(|id| Some(&self.call(id)?.call)))
    }

    /// The calls that reports are about, each with its number: all of them unless the report is narrow.
    pub fn reported_calls(&self) -> impl Iterator<Item = (CallId, &CallEntry)> {
        let numbered = (1..).map(CallId).zip(&self.calls);
        numbered.filter(|(id, _)| self.reports_call(*id))
    }

    /// How many calls reports are about.
    pub fn reported_call_count(&self) -> usize {
        let narrowed = self.narrowing.as_ref();
        narrowed.map_or(self.calls.len(), |narrowing| narrowing.calls as usize)
    }

    /// Whether reports are about the call with this number.
    pub fn reports_call(&self, id: CallId) -> bool {
        let narrowed = self.narrowing.as_ref();
        narrowed.is_none_or(|narrowing| narrowing.has_call(id))
    }

    /// The incidents that reports are about, each with its number.
    pub fn reported_incidents(&self) -> impl Iterator<Item = (usize, &Incident)> {
        let narrowed = self.narrowing.as_ref();
        let numbered = self.incidents.iter().enumerate();
        numbered
            .filter(move |(place, _)| narrowed.is_none_or(|narrowing| narrowing.has_incident(*place)))
            .map(|(place, incident)| (place + 1, incident))
    }
}
