//! A finding: what one rule saw of a call, a registration, a peer or the capture, signed with the rule's id and severity.

mod degree;
mod evidence;
mod observation;
mod parts;
mod sentence;
pub mod words;

pub use degree::{Confidence, Proof, Severity};
pub use evidence::{Evidence, RuledOut};
pub use observation::Observation;
pub use parts::Steps;

use crate::call::CallId;
use crate::capture::Timestamp;

/// What one rule saw, signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Id of the rule, such as `sdp-codec-mismatch`.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What the rule saw.
    pub seen: Observation,
}

/// What is said about a call: findings, best explanation first.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// The explanation first where there is one, then by severity.
    pub findings: Vec<Finding>,
    /// Whether the first finding explains the outcome.
    pub has_primary: bool,
}

/// Findings with one cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// The finding that stands for all of them; its evidence names up to three examples.
    pub finding: Finding,
    /// How far the others differ from it.
    pub variety: Variety,
    /// The calls concerned, rising; empty where no call is.
    pub calls: Vec<CallId>,
    /// How many calls, or where no call is concerned how many findings or requests.
    pub count: u32,
    /// First time it was seen.
    pub first_at: Timestamp,
    /// Last time it was seen.
    pub last_at: Timestamp,
    /// Who is concerned and who is not, such as the share of a destination's attempts; empty where nothing is to say.
    pub scope: String,
    /// The attribute that separates failing from successful calls, where one does; empty where none.
    pub distinction: String,
}

/// How far the findings of an incident differ from the one that stands for them all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Variety {
    /// The call that the finding which stands for all was said of; `None` where it was said of no single call.
    pub example: Option<CallId>,
    /// How many numbers or users the titles name beside the one of that finding.
    pub other_subjects: usize,
    /// Some title says more than the subject differently.
    pub titles_differ: bool,
    /// Some explanation differs, if only in a time.
    pub explanations_differ: bool,
}
