//! Findings with one cause in the report: `incidents`.

use serde::{Serialize, Serializer};

use crate::call::CallId;
use crate::call::Tables;
use crate::diagnose::Incident;
use crate::report::json::finding::{EvidenceLine, ruled_out};
use crate::report::json::value::{Each, EndpointText, moment, non_empty};

/// One element of `incidents`.
pub(super) struct IncidentLine<'a> {
    incident: &'a Incident,
    tables: &'a Tables,
}

impl<'a> IncidentLine<'a> {
    pub(super) fn of(incident: &'a Incident, tables: &'a Tables) -> Self {
        Self { incident, tables }
    }
}

#[derive(Serialize)]
struct IncidentFields<'a, O, T, E, N> {
    rule: &'a str,
    severity: &'a str,
    confidence: &'a str,
    title: &'a str,
    explanation: &'a str,
    remedy: &'a str,
    origin: Option<O>,
    calls: &'a [CallId],
    count: u32,
    first_at: T,
    last_at: T,
    scope: Option<&'a str>,
    apart: Option<&'a str>,
    evidence: E,
    ruled_out: N,
}

impl Serialize for IncidentLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let incident = self.incident;
        let finding = &incident.finding;
        IncidentFields {
            rule: finding.rule,
            severity: finding.severity.word(),
            confidence: finding.seen.confidence.word(),
            title: &incident.title(),
            explanation: &incident.explanation(),
            remedy: &incident.remedy(),
            origin: finding.seen.origin.map(|origin| EndpointText(self.tables.endpoint(origin))),
            calls: &incident.calls,
            count: incident.count,
            first_at: moment(incident.first_at),
            last_at: moment(incident.last_at),
            scope: non_empty(&incident.scope),
            apart: non_empty(&incident.distinction),
            evidence: Each(|| finding.seen.evidence.iter().map(EvidenceLine)),
            ruled_out: Each(|| finding.seen.ruled_out.iter().map(ruled_out)),
        }
        .serialize(serializer)
    }
}
