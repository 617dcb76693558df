//! A verdict: one expectation, whether it holds, and what shows it.

use crate::capture::FrameRef;
use crate::check::compare::Comparison;

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

/// Examples kept for one verdict; a thousand calls that fail alike tell no more than a few.
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

/// The first sentence of a note; the rest is told once, with the example that it is about.
pub fn brief(note: &str) -> &str {
    let ends = note.match_indices(". ");
    let mut sentences = ends.filter_map(|(place, _)| {
        let (first, rest) = note.split_at_checked(place + 1)?;
        let begins_another = rest.trim_start().starts_with(|c: char| c.is_uppercase());
        begins_another.then_some(first)
    });
    sentences.next().unwrap_or(note)
}

/// Everything that a run of `check` or `compare` says.
#[derive(Debug, Default)]
pub struct Judgement {
    /// `check` or `compare`.
    pub task: &'static str,
    /// Path of the policy, empty without one.
    pub policy: String,
    /// Captures that frames refer to; of a comparison those of the candidate.
    pub captures: Vec<String>,
    /// Calls that were judged.
    pub calls: u32,
    /// In the order of the documentation.
    pub verdicts: Vec<Verdict>,
    /// What two runs differ in, for a comparison.
    pub comparison: Option<Comparison>,
}

impl Judgement {
    /// Verdicts that fail.
    pub fn failures(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| verdict.fails())
    }

    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.failures().next().is_none()
    }

    /// How many verdicts hold, fail, and are waived.
    pub fn counts(&self) -> (usize, usize, usize) {
        let of = |word: &str| self.verdicts.iter().filter(|v| v.status.word() == word).count();
        (of("holds"), of("fails"), of("waived"))
    }

    /// A frame as a reader finds it: `frame 12`, with the capture where there are several.
    pub fn frame(&self, at: FrameRef) -> String {
        match self.captures.get(usize::from(at.file)) {
            Some(path) if self.captures.len() > 1 => format!("{path} frame {}", at.frame),
            _ => format!("frame {}", at.frame),
        }
    }

    /// Frames of one capture after another, each once: `frames 12, 14`; empty where there are none.
    pub fn frames(&self, frames: &[FrameRef]) -> String {
        let mut distinct: Vec<FrameRef> = Vec::new();
        for at in frames {
            if !distinct.contains(at) {
                distinct.push(*at);
            }
        }
        let first = distinct.first().map(|first| first.file);
        let has_one_file = distinct.iter().all(|at| Some(at.file) == first);
        if self.captures.len() > 1 || !has_one_file {
            let told: Vec<String> = distinct.iter().map(|at| self.frame(*at)).collect();
            return told.join(", ");
        }
        let numbers: Vec<String> = distinct.iter().map(|at| at.frame.to_string()).collect();
        match numbers.len() {
            0 => String::new(),
            1 => format!("frame {}", numbers.concat()),
            _ => format!("frames {}", numbers.join(", ")),
        }
    }
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

    #[test]
    fn a_frame_is_named_once() {
        let at = |frame| FrameRef { file: 0, frame };
        let judgement = Judgement::default();
        assert_eq!("frames 7, 28", judgement.frames(&[at(7), at(28), at(7), at(28)]));
        assert_eq!("frame 7", judgement.frames(&[at(7), at(7)]));
    }
}
