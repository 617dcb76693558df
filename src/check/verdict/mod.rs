//! A verdict: one expectation, whether it holds, and what shows it.

mod comparison;
mod judgement;

use crate::capture::FrameRef;

pub use comparison::{ChangedCall, Comparison, SetChange, Shift, Side, Subject, Transition, VERDICT_NAMES};
pub use judgement::Judgement;

/// What an expectation is about; reports group by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A limit of `[metrics]`.
    Metric,
    /// How calls ended.
    Outcome,
    /// Final codes.
    Code,
    /// What was found.
    Finding,
    /// An entry of `[[expect]]`.
    Expectation,
    /// A difference between two runs.
    Comparison,
}

impl Kind {
    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Metric => "metrics",
            Self::Outcome => "outcomes",
            Self::Code => "codes",
            Self::Finding => "findings",
            Self::Expectation => "expectations",
            Self::Comparison => "comparison",
        }
    }
}

/// Whether an expectation holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It does not, and the policy accepts that for this reason.
    Waived(String),
}

impl Status {
    /// Its word in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Waived(_) => "waived",
        }
    }
}

/// What shows a verdict: one call, or frames without a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proof {
    /// Number of the call in the report; `None` where no call is concerned.
    pub call: Option<u32>,
    /// Call-ID of it, empty where none.
    pub call_id: String,
    /// What is wrong there, in one sentence.
    pub note: String,
    /// Frames to open, decisive one first.
    pub frames: Vec<FrameRef>,
}

/// One expectation and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What it is about.
    pub kind: Kind,
    /// Its name, unique within a run: a key of the policy, or the name of an expectation.
    pub name: String,
    /// Whether it holds.
    pub status: Status,
    /// What was seen, in one line.
    pub said: String,
    /// Examples, at most [`PROOFS_MAX`].
    pub proofs: Vec<Proof>,
    /// Line of the policy that asks for it, from 1; `None` for what is asked without a policy.
    pub line: Option<u32>,
}

/// Examples kept for one verdict; a thousand calls that fail alike show no more than a few.
pub const PROOFS_MAX: usize = 5;

impl Verdict {
    /// A verdict without proofs.
    pub fn new(kind: Kind, name: impl Into<String>, holds: bool, said: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            status: if holds { Status::Holds } else { Status::Fails },
            said: said.into(),
            proofs: Vec::new(),
            line: None,
        }
    }

    /// The same with the line of the policy that asks for it.
    #[must_use]
    pub fn at_line(mut self, line: u32) -> Self {
        self.line = Some(line);
        self
    }

    /// The same with examples.
    #[must_use]
    pub fn shown_by(mut self, proofs: Vec<Proof>) -> Self {
        self.proofs = proofs;
        self
    }

    /// Whether it fails.
    pub fn fails(&self) -> bool {
        self.status == Status::Fails
    }

    /// The sentence that a failing line ends with: what was seen, or why it is accepted.
    pub fn sentence(&self) -> String {
        match &self.status {
            Status::Waived(reason) => format!("{}; accepted: {reason}", self.said),
            _ => self.said.clone(),
        }
    }
}

/// The first sentence of a note; the rest stands once, with the example that it is about.
pub fn brief(note: &str) -> &str {
    let ends = note.match_indices(". ");
    let mut sentences = ends.filter_map(|(place, _)| {
        let (first, rest) = note.split_at_checked(place + 1)?;
        let begins_another = rest.trim_start().starts_with(|c: char| c.is_uppercase());
        begins_another.then_some(first)
    });
    sentences.next().unwrap_or(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_sentence_ends_where_another_begins() {
        assert_eq!("It was refused.", brief("It was refused. Nothing else is known."));
        assert_eq!("10.0.0.1:5060 took 1.4 s, i.e. too long.", brief("10.0.0.1:5060 took 1.4 s, i.e. too long."));
        assert_eq!("", brief(""));
    }
}
