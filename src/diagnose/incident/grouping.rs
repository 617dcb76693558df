//! One problem out of many findings: which belong together, and how far they differ.

use std::collections::HashSet;

use crate::call::{CallId, EndpointId, FastMap, FastSet};
use crate::capture::Timestamp;
use crate::diagnose::finding::{Evidence, Finding, Incident, Observation, Variety};

/// Calls whose evidence an incident quotes.
const EXAMPLES_MAX: usize = 3;

/// Rule, origin, signature, and whether it is about calls: a call and a registration are not counted together.
type ProblemKey = (&'static str, Option<EndpointId>, String, bool);

#[derive(Default)]
pub(super) struct IncidentGroups {
    list: Vec<IncidentGroup>,
    place: FastMap<ProblemKey, usize>,
}

/// One problem on the way.
struct IncidentGroup {
    incident: Incident,
    /// What the titles name, each once.
    subjects: FastSet<Box<str>>,
}

impl IncidentGroup {
    fn of(finding: &Finding, call: Option<CallId>, first: Timestamp, last: Timestamp) -> Self {
        let seen = Observation { evidence: Vec::new(), ..finding.seen.clone() };
        Self {
            incident: Incident {
                finding: Finding { seen, ..*finding },
                variety: Variety { example: call, ..Variety::default() },
                calls: Vec::new(),
                count: 0,
                first_at: first,
                last_at: last,
                scope: String::new(),
                distinction: String::new(),
            },
            subjects: HashSet::default(),
        }
    }

    /// How this finding differs from the one that stands for all.
    fn compare(&mut self, finding: &Finding) {
        if let Some(subject) = &finding.seen.title.subject
            && !self.subjects.contains(subject.name.as_str())
        {
            self.subjects.insert(subject.name.as_str().into());
        }
        let (stands, seen) = (&self.incident.finding.seen, &finding.seen);
        let is_as_sure = stands.cause.reason.is_none() || stands.confidence == seen.confidence;
        let variety = &mut self.incident.variety;
        variety.explanations_differ |= stands.cause != seen.cause || !is_as_sure;
        variety.titles_differ |= !stands.title.is_alike(&seen.title);
        variety.other_subjects = self.subjects.len().saturating_sub(1);
    }
}

impl IncidentGroups {
    /// The incidents, in the order in which they were first seen.
    pub(super) fn incidents(self) -> impl Iterator<Item = Incident> {
        self.list.into_iter().map(|group| group.incident)
    }

    /// Adds what was said of a call, or with `None` of a registration, that lasted from `first` to `last`.
    pub(super) fn add(&mut self, finding: &Finding, call: Option<CallId>, first: Timestamp, last: Timestamp) {
        let key = (finding.rule, finding.seen.origin, finding.seen.signature.clone(), call.is_some());
        let place = *self.place.entry(key).or_insert(self.list.len());
        if place == self.list.len() {
            self.list.push(IncidentGroup::of(finding, call, first, last));
        }
        let group = &mut self.list[place];
        group.compare(finding);
        let incident = &mut group.incident;
        let evidence = &mut incident.finding.seen.evidence;
        if incident.count < EXAMPLES_MAX as u32 {
            let pieces = if incident.count == 0 { usize::MAX } else { 1 };
            evidence.extend(finding.seen.evidence.iter().take(pieces).cloned());
        }
        let rank = |finding: &Finding| (finding.severity, finding.seen.confidence);
        if rank(finding) > rank(&incident.finding) {
            let evidence: Vec<Evidence> = std::mem::take(&mut incident.finding.seen.evidence);
            incident.finding = Finding { seen: Observation { evidence, ..finding.seen.clone() }, ..*finding };
            incident.variety.example = call;
        }
        incident.count += 1;
        incident.calls.extend(call);
        incident.first_at = incident.first_at.min(first);
        incident.last_at = incident.last_at.max(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::finding::{Confidence, Proof, Severity};

    fn grouped(findings: &[Finding]) -> Vec<Incident> {
        let mut groups = IncidentGroups::default();
        for (place, finding) in findings.iter().enumerate() {
            let at = Timestamp::from_nanoseconds(0);
            groups.add(finding, Some(CallId(place as u32 + 4)), at, at);
        }
        groups.incidents().collect()
    }

    fn unknown(number: &str) -> Finding {
        let seen = Observation::new(Confidence::Certain, Proof::OwnWords)
            .titled("B does not know ")
            .naming(number, "number", "")
            .happened(format!("B does not know the number {number}."))
            .remedy("Create it.");
        Finding { rule: "route-number-unknown", severity: Severity::Error, seen }
    }

    #[test]
    fn a_problem_of_several_numbers_names_no_single_one_as_its_cause() {
        let all = grouped(&[unknown("100"), unknown("200"), unknown("100"), unknown("3")]);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].title(), "B does not know 100 and 2 other numbers");
        assert_eq!(all[0].explanation(), "Call 4, for example: B does not know the number 100.");
    }

    #[test]
    fn a_problem_of_one_number_is_told_as_its_findings_are() {
        let all = grouped(&[unknown("100"), unknown("100")]);
        assert_eq!(all[0].title(), "B does not know 100");
        assert_eq!(all[0].explanation(), "B does not know the number 100.");
    }

    #[test]
    fn the_finding_that_is_surest_stands_for_all() {
        let mut doubtful = unknown("100");
        doubtful.seen.confidence = Confidence::Possible;
        let all = grouped(&[doubtful, unknown("200")]);
        assert_eq!(all[0].finding.seen.confidence, Confidence::Certain);
        assert_eq!(all[0].title(), "B does not know 200 and 1 other number");
        assert!(all[0].explanation().starts_with("Call 5, for example: "));
    }

    #[test]
    fn titles_that_differ_in_more_than_a_name_are_said_to_be_several() {
        let mut other = unknown("100");
        other.seen = other.seen.titled("B is full");
        other.seen.title.subject = None;
        let all = grouped(&[unknown("100"), other]);
        assert_eq!(all[0].title(), "B does not know 100, and more like it");
    }
}
