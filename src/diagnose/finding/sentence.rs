//! Sentences: what a finding or an incident says, made of its parts where it is printed, and nowhere else.

use std::borrow::Cow;

use crate::diagnose::finding::parts::{Subject, Title};
use crate::diagnose::finding::{Finding, Incident};

impl Finding {
    /// A few words, for lists and tables.
    pub fn title(&self) -> Cow<'_, str> {
        titled(&self.seen.title, 0)
    }

    /// One or two sentences in this call's own values, and what makes them less sure.
    pub fn explanation(&self) -> Cow<'_, str> {
        let cause = &self.seen.cause;
        if cause.reason.is_none() && cause.doubts.is_empty() {
            return cause.what.as_str().into();
        }
        let mut text = cause.what.clone();
        if let Some(reason) = &cause.reason {
            text.extend([" ", self.seen.confidence.because(), " ", reason]);
        }
        for doubt in &cause.doubts {
            text.extend([" ", doubt]);
        }
        text.into()
    }

    /// Who changes what, in one text.
    pub fn remedy(&self) -> Cow<'_, str> {
        match self.seen.remedy.as_slice() {
            [step] => step.as_str().into(),
            _ => self.steps().collect::<Vec<_>>().join(" ").into(),
        }
    }

    /// Who changes what, one step after the other, numbered where there are several.
    pub fn steps(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let is_one = self.seen.remedy.len() == 1;
        let steps = self.seen.remedy.iter().enumerate();
        steps.map(move |(place, step)| match is_one {
            true => step.as_str().into(),
            false => format!("{}. {step}", place + 1).into(),
        })
    }
}

impl Incident {
    /// The title of its finding, true of all: it says how many others there are.
    pub fn title(&self) -> Cow<'_, str> {
        let title = titled(&self.finding.seen.title, self.variety.other_subjects);
        if self.variety.titles_differ { format!("{title}, and more like it").into() } else { title }
    }

    /// The explanation of its finding, as an example where others differ: one finding names its own number, user and times.
    pub fn explanation(&self) -> Cow<'_, str> {
        let explanation = self.finding.explanation();
        if !self.variety.explanations_differ {
            return explanation;
        }
        match (self.variety.example, &self.finding.seen.title.subject) {
            (Some(call), _) => format!("Call {call}, for example: {explanation}"),
            (None, Some(subject)) if self.variety.other_subjects > 0 => {
                format!("{}, for example: {explanation}", subject.name)
            }
            (None, _) => format!("One of them: {explanation}"),
        }
        .into()
    }

    /// Who changes what, in one text.
    pub fn remedy(&self) -> Cow<'_, str> {
        self.finding.remedy()
    }
}

/// A title that names its subject, and so many others.
fn titled(title: &Title, others: usize) -> Cow<'_, str> {
    let before = &title.before;
    match title.subject.as_deref() {
        None => before.as_str().into(),
        Some(Subject { name, noun, after }) if others > 0 && !name.is_empty() => {
            let plural = if others == 1 { "" } else { "s" };
            format!("{before}{name} and {others} other {noun}{plural}{after}").into()
        }
        Some(Subject { name, after, .. }) => format!("{before}{name}{after}").into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnose::finding::{Confidence, Finding, Observation, Proof, Severity};

    fn signed(seen: Observation) -> Finding {
        Finding { rule: "route-number-unknown", severity: Severity::Error, seen }
    }

    #[test]
    fn the_word_before_a_reason_says_how_sure_it_is() {
        let mut seen = Observation::new(Confidence::Certain, Proof::OwnWords)
            .happened("It refused the call \"because of load\"")
            .because("the line is busy.");
        assert_eq!(
            signed(seen.clone()).explanation(),
            "It refused the call \"because of load\" because the line is busy."
        );
        seen.doubt(2, "Messages are missing.");
        assert_eq!(
            signed(seen).explanation(),
            "It refused the call \"because of load\" possibly because the line is busy. Messages are missing."
        );
    }

    #[test]
    fn steps_are_numbered_where_there_are_several() {
        let one = Observation::new(Confidence::Certain, Proof::OwnWords).remedy("").remedy("Wait 5 s and retry.");
        assert_eq!(signed(one.clone()).remedy(), "Wait 5 s and retry.");
        let two = signed(one.remedy("Re-test with version 2. 3 of it."));
        assert_eq!(two.remedy(), "1. Wait 5 s and retry. 2. Re-test with version 2. 3 of it.");
        assert_eq!(two.steps().collect::<Vec<_>>(), ["1. Wait 5 s and retry.", "2. Re-test with version 2. 3 of it."]);
        assert_eq!(signed(Observation::new(Confidence::Certain, Proof::OwnWords)).remedy(), "");
    }

    #[test]
    fn a_title_goes_on_behind_the_name() {
        let seen = Observation::new(Confidence::Certain, Proof::OwnWords).titled("").naming("200", "user", " is away");
        assert_eq!(signed(seen).title(), "200 is away");
    }
}
