//! A finding: one rule's statement about a call, a registration, a peer or the capture, with what proves it.

pub mod words;

use std::fmt::Display;
use std::time::Duration;

use crate::call::EndpointId;
use crate::capture::{FrameRef, Timestamp};

/// How bad it is for the people on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Normal, or context.
    Info,
    /// Degraded, or will fail.
    Warn,
    /// The call or service failed.
    Error,
}

impl Severity {
    /// The severity that a word of the report contract means.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Info, Self::Warn, Self::Error].into_iter().find(|severity| severity.word() == word)
    }

    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Other causes fit too; the finding names them.
    Possible,
    /// Several observations together, none against it.
    Likely,
    /// A message says so, and what else it could be is refuted.
    Certain,
}

impl Confidence {
    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }

    /// One level less sure; `Possible` stays.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Certain => Self::Likely,
            _ => Self::Possible,
        }
    }

    /// How an explanation joins a cause: `because`, `most likely because`, `possibly because`.
    pub fn because(self) -> &'static str {
        match self {
            Self::Certain => "because",
            Self::Likely => "most likely because",
            Self::Possible => "possibly because",
        }
    }
}

/// What a reader can open in Wireshark.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// Frames that show something.
    Seen {
        /// Decisive one first.
        frames: Vec<FrameRef>,
        /// The line as sent.
        quote: String,
        /// What it shows, in a few words.
        shows: String,
    },
    /// Something that did not come while the capture watched.
    Missing {
        /// What should have come.
        expected: String,
        /// After which frame.
        after: FrameRef,
        /// How long the capture ran on.
        watched: Duration,
    },
}

impl Evidence {
    /// Evidence in one frame.
    pub fn seen(frame: FrameRef, quote: impl Into<String>, shows: impl Into<String>) -> Self {
        Self::Seen { frames: vec![frame], quote: quote.into(), shows: shows.into() }
    }

    /// The frames that it is about.
    pub fn frames(&self) -> &[FrameRef] {
        match self {
            Self::Seen { frames, .. } => frames,
            Self::Missing { after, .. } => std::slice::from_ref(after),
        }
    }

    /// Evidence in several frames.
    pub fn in_frames(frames: Vec<FrameRef>, quote: impl Into<String>, shows: impl Into<String>) -> Self {
        Self::Seen { frames, quote: quote.into(), shows: shows.into() }
    }
}

/// A look-alike that was tested and does not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct RuledOut {
    /// The rule that was considered.
    pub rule: &'static str,
    /// Why it does not hold here.
    pub because: String,
}

/// How good the proof of a finding is: what ranks explanations of one call (better is greater).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The code's usual meaning, and nothing more.
    CodeMeaning,
    /// A pattern in time.
    Timing,
    /// Comparison with other calls.
    Comparison,
    /// A fact of the protocol: a malformed header, missing credentials.
    Protocol,
    /// The refusing node says so itself.
    OwnWords,
}

/// One rule's statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Id of the rule, such as `sdp-codec-mismatch`.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// How good the proof is.
    pub proof: Proof,
    /// Whether the finding can be why the call ended as it did, rather than something seen beside it.
    pub explains: bool,
    /// A few words, for lists and tables.
    pub title: String,
    /// One or two sentences in this call's own values.
    pub explanation: String,
    /// Who changes what.
    pub remedy: String,
    /// Decisive first.
    pub evidence: Vec<Evidence>,
    /// Look-alikes that were refuted.
    pub ruled_out: Vec<RuledOut>,
    /// The node at fault or where it is seen; findings of one incident share it.
    pub origin: Option<EndpointId>,
    /// What makes findings of one rule at one origin the same problem, such as the codecs offered.
    pub signature: String,
    /// Whom or what the title names that differs from one finding of the same problem to the next.
    pub subject: Option<Box<Subject>>,
}

/// What a title names that the next finding of the same problem names otherwise: the number dialled, the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// As the title has it.
    pub name: String,
    /// What it is, for one: `number`, `user`.
    pub noun: &'static str,
}

impl Finding {
    /// A finding without evidence yet; the builder methods add the rest.
    pub fn new(rule: &'static str, severity: Severity, confidence: Confidence, proof: Proof) -> Self {
        Self {
            rule,
            severity,
            confidence,
            proof,
            explains: true,
            title: String::new(),
            explanation: String::new(),
            remedy: String::new(),
            evidence: Vec::new(),
            ruled_out: Vec::new(),
            origin: None,
            signature: String::new(),
            subject: None,
        }
    }

    /// Seen beside the outcome, not its cause.
    #[must_use]
    pub fn beside(mut self) -> Self {
        self.explains = false;
        self
    }

    /// The words for a reader.
    #[must_use]
    pub fn says(mut self, title: impl Into<String>, explanation: impl Into<String>, remedy: impl Into<String>) -> Self {
        self.title = title.into();
        self.explanation = explanation.into();
        self.remedy = remedy.into();
        self
    }

    /// What proves it.
    #[must_use]
    pub fn shown_by(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// Some levels less sure, because of something that the capture lacks.
    pub fn doubt(&mut self, levels: u8, because: &str) {
        let before = self.confidence.because();
        for _ in 0..levels {
            self.confidence = self.confidence.lowered();
        }
        let after = self.confidence.because();
        // The words of a cause say how sure it is.
        self.explanation = self.explanation.replacen(&format!(" {before} "), &format!(" {after} "), 1);
        self.explanation.push(' ');
        self.explanation.push_str(because);
    }

    /// A refuted look-alike.
    #[must_use]
    pub fn not(mut self, rule: &'static str, because: impl Into<String>) -> Self {
        self.ruled_out.push(RuledOut { rule, because: because.into() });
        self
    }

    /// Whom or what the title names, where the same problem has others of them too. The title has to read well with
    /// `and 2 other numbers` behind the name.
    #[must_use]
    pub fn naming(mut self, name: impl Into<String>, noun: &'static str) -> Self {
        self.subject = Some(Box::new(Subject { name: name.into(), noun }));
        self
    }

    /// Where, and what makes it the same problem as another finding.
    #[must_use]
    pub fn at(mut self, origin: EndpointId, signature: impl Display) -> Self {
        self.origin = Some(origin);
        self.signature = signature.to_string();
        self
    }
}

/// Findings with one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The finding that stands for all of them; its evidence names up to three examples.
    pub finding: Finding,
    /// Ids of the calls concerned, rising; empty where no call is.
    pub calls: Vec<u32>,
    /// How many calls, or where no call is concerned how many findings or requests.
    pub count: u32,
    /// First time it was seen.
    pub first_at: Timestamp,
    /// Last time it was seen.
    pub last_at: Timestamp,
    /// Who is concerned and who is not, such as the share of a destination's attempts; empty where nothing is to say.
    pub scope: String,
    /// The attribute that separates failing from successful calls, where one does; empty where none.
    pub apart: String,
}
