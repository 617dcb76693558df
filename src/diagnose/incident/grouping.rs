//! One problem out of many findings: which belong together, and words that are true of all of them.

use std::collections::{HashMap, HashSet};

use crate::call::EndpointId;
use crate::capture::Timestamp;
use crate::diagnose::finding::{Evidence, Finding, Incident};

/// Calls whose evidence an incident quotes.
const EXAMPLES_MAX: usize = 3;

/// Rule, origin, signature, and whether it is about calls: a call and a registration are not counted together.
type Key = (&'static str, Option<EndpointId>, String, bool);

#[derive(Default)]
pub(super) struct IncidentGroups {
    list: Vec<IncidentGroup>,
    place: HashMap<Key, usize, foldhash::fast::FixedState>,
}

/// One problem on the way, and whether what stands for it holds for all of it.
struct IncidentGroup {
    incident: Incident,
    /// The call that the finding which stands for all was said of; `None` where it was said of a registration.
    example: Option<u32>,
    /// What the titles name, each once.
    subjects: HashSet<Box<str>, foldhash::fast::FixedState>,
    /// Some title says more than the subject differently.
    differs_in_title: bool,
    /// Some explanation differs, if only in a time.
    differs_in_words: bool,
}

impl IncidentGroup {
    fn of(finding: &Finding, call: Option<u32>, first: Timestamp, last: Timestamp) -> Self {
        let finding = Finding { evidence: Vec::new(), ..finding.clone() };
        Self {
            incident: Incident {
                finding,
                calls: Vec::new(),
                count: 0,
                first_at: first,
                last_at: last,
                scope: String::new(),
                apart: String::new(),
            },
            example: call,
            subjects: HashSet::default(),
            differs_in_title: false,
            differs_in_words: false,
        }
    }

    /// What tells this finding from the others of the same problem.
    fn compare(&mut self, finding: &Finding) {
        if let Some(subject) = &finding.subject
            && !self.subjects.contains(subject.name.as_str())
        {
            self.subjects.insert(subject.name.as_str().into());
        }
        let stands = &self.incident.finding;
        self.differs_in_words |= stands.explanation != finding.explanation;
        let is_subject = |stands: &Finding| match (&stands.subject, &finding.subject) {
            (Some(own), Some(other)) => renamed(&stands.title, &own.name, &other.name).as_ref() == Some(&finding.title),
            _ => false,
        };
        self.differs_in_title |= stands.title != finding.title && !is_subject(stands);
    }

    /// The incident, its words true of all of it: one finding names its own number, user and times.
    fn told(self) -> Incident {
        let Self { mut incident, example, subjects, differs_in_title, differs_in_words } = self;
        let finding = &mut incident.finding;
        let others = subjects.len().saturating_sub(1);
        let named = finding.subject.as_deref();
        let instance = match (example, named) {
            (Some(call), _) => format!("Call {call}, for example"),
            (None, Some(subject)) if others > 0 => format!("{}, for example", subject.name),
            (None, _) => "One of them".to_owned(),
        };
        if let Some(subject) = named.filter(|_| others > 0) {
            let all =
                format!("{} and {} other {}{}", subject.name, others, subject.noun, if others == 1 { "" } else { "s" });
            if let Some(title) = renamed(&finding.title, &subject.name, &all) {
                finding.title = title;
            }
        }
        if differs_in_title {
            finding.title.push_str(", and more like it");
        }
        if differs_in_words {
            finding.explanation = format!("{instance}: {}", finding.explanation);
        }
        incident
    }
}

/// A title with another name in place of the one that stands alone in it: the digits of a number may also be part of an address.
fn renamed(title: &str, name: &str, other: &str) -> Option<String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | ':' | '@' | '-' | '_' | '+');
    let stands_alone = |place: &usize| {
        let (before, rest) = title.split_at(*place);
        let behind = rest.get(name.len()..).unwrap_or_default();
        !before.ends_with(is_part) && !behind.starts_with(is_part)
    };
    let mut places = title.match_indices(name).map(|(place, _)| place);
    let place = places.find(stands_alone).filter(|_| !name.is_empty())?;
    let (before, rest) = title.split_at(place);
    Some(format!("{before}{other}{}", rest.get(name.len()..)?))
}

impl IncidentGroups {
    /// The incidents, in the order in which they were first seen.
    pub(super) fn told(self) -> impl Iterator<Item = Incident> {
        self.list.into_iter().map(IncidentGroup::told)
    }

    /// Adds what was said of a call, or with `None` of a registration, that lasted from `first` to `last`.
    pub(super) fn add(&mut self, finding: &Finding, call: Option<u32>, first: Timestamp, last: Timestamp) {
        let key = (finding.rule, finding.origin, finding.signature.clone(), call.is_some());
        let place = *self.place.entry(key).or_insert(self.list.len());
        if place == self.list.len() {
            self.list.push(IncidentGroup::of(finding, call, first, last));
        }
        let problem = &mut self.list[place];
        problem.compare(finding);
        let incident = &mut problem.incident;
        if incident.count < EXAMPLES_MAX as u32 {
            incident
                .finding
                .evidence
                .extend(finding.evidence.iter().take(if incident.count == 0 { usize::MAX } else { 1 }).cloned());
        }
        if (finding.severity, finding.confidence) > (incident.finding.severity, incident.finding.confidence) {
            let evidence: Vec<Evidence> = std::mem::take(&mut incident.finding.evidence);
            incident.finding = Finding { evidence, ..finding.clone() };
            problem.example = call;
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

    fn told(findings: &[Finding]) -> Vec<Incident> {
        let mut problems = IncidentGroups::default();
        for (place, finding) in findings.iter().enumerate() {
            let at = Timestamp::from_nanoseconds(0);
            problems.add(finding, Some(place as u32 + 4), at, at);
        }
        problems.told().collect()
    }

    fn unknown(number: &str) -> Finding {
        Finding::new("route-number-unknown", Severity::Error, Confidence::Certain, Proof::OwnWords)
            .says(format!("B does not know {number}"), format!("B does not know the number {number}."), "Create it.")
            .naming(number, "number")
    }

    #[test]
    fn a_problem_of_several_numbers_names_no_single_one_as_its_cause() {
        let all = told(&[unknown("100"), unknown("200"), unknown("100"), unknown("3")]);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].finding.title, "B does not know 100 and 2 other numbers");
        assert_eq!(all[0].finding.explanation, "Call 4, for example: B does not know the number 100.");
    }

    #[test]
    fn a_problem_of_one_number_is_told_as_its_findings_are() {
        let all = told(&[unknown("100"), unknown("100")]);
        assert_eq!(all[0].finding.title, "B does not know 100");
        assert_eq!(all[0].finding.explanation, "B does not know the number 100.");
    }

    #[test]
    fn the_finding_that_is_surest_stands_for_all() {
        let mut doubtful = unknown("100");
        doubtful.confidence = Confidence::Possible;
        let all = told(&[doubtful, unknown("200")]);
        assert_eq!(all[0].finding.confidence, Confidence::Certain);
        assert_eq!(all[0].finding.title, "B does not know 200 and 1 other number");
        assert!(all[0].finding.explanation.starts_with("Call 5, for example: "));
    }

    #[test]
    fn digits_of_an_address_are_not_the_number_that_a_title_names() {
        let at_node = |number: &str| {
            let mut finding = unknown(number);
            finding.title = format!("10.0.100.2:5060 does not know {number}");
            finding
        };
        let all = told(&[at_node("100"), at_node("200")]);
        assert_eq!(all[0].finding.title, "10.0.100.2:5060 does not know 100 and 1 other number");
    }

    #[test]
    fn titles_that_differ_in_more_than_a_name_are_said_to_be_several() {
        let mut other = unknown("100");
        other.title = "B is full".to_owned();
        let all = told(&[unknown("100"), other]);
        assert_eq!(all[0].finding.title, "B does not know 100, and more like it");
    }
}
