//! What differs between two runs of the same calls.

use crate::analysis::CallField;

/// The names of the verdicts on a comparison, in the order of reports; waivers may name them.
pub const VERDICT_NAMES: [&str; 11] = [
    "the runs have calls in common",
    "calls end as before",
    "no call is missing",
    "no call is added",
    "reply_ms does not grow",
    "pdd_ms does not grow",
    "setup_ms does not grow",
    "no new findings",
    "codecs stay",
    "software stays",
    "header fields stay",
];

/// How many calls ended one way in the baseline and another, or the same, in the candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Ending in the baseline: `completed 200`.
    pub before: String,
    /// Ending in the candidate.
    pub after: String,
    /// How many.
    pub calls: u32,
}

/// A call that is in one run alone, or that ends otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedCall {
    /// Its number in the baseline, `None` where it is only in the candidate.
    pub baseline: Option<u32>,
    /// Its number in the candidate, `None` where it is missing there.
    pub candidate: Option<u32>,
    /// URI of the caller.
    pub caller: String,
    /// URI of the callee.
    pub callee: String,
    /// Ending in the baseline, empty where it is not there.
    pub before: String,
    /// Ending in the candidate, empty where it is not there.
    pub after: String,
    /// Why it ended so in the baseline.
    pub before_note: String,
    /// Why it ended so in the candidate.
    pub after_note: String,
}

/// Everything that differs, whether tolerated or not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Captures, or reports, of the baseline.
    pub baseline: Vec<String>,
    /// Those of the candidate.
    pub candidate: Vec<String>,
    /// Calls in the baseline.
    pub baseline_calls: u32,
    /// Calls in the candidate.
    pub candidate_calls: u32,
    /// Endings before and after, of calls that are in both.
    pub transitions: Vec<Transition>,
    /// Calls in both that end otherwise.
    pub changed: Vec<ChangedCall>,
    /// Calls of the baseline alone.
    pub missing: Vec<ChangedCall>,
    /// Calls of the candidate alone.
    pub added: Vec<ChangedCall>,
    /// Delays, over all calls first, then by node.
    pub shifts: Vec<Shift>,
    /// Rules that found something only in the candidate, with how often.
    pub new_findings: Vec<(String, u32)>,
    /// Rules that found something only in the baseline, with how often.
    pub gone_findings: Vec<(String, u32)>,
    /// Codecs, products and header fields.
    pub differences: Vec<SetChange>,
}

/// The values of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side {
    /// How many.
    pub count: u32,
    /// Median in milliseconds.
    pub p50: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
}

/// A delay in both runs, over the calls that are in both and have it in both.
#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    /// What is measured: the time to the first response, to the ringing, or to the answer.
    pub measure: CallField,
    /// Node that took the calls in the baseline; empty for all calls.
    pub node: String,
    /// Before.
    pub baseline: Side,
    /// After.
    pub candidate: Side,
    /// Cliff's delta: 1 where every value of the candidate is above every one of the baseline.
    pub effect_size: f64,
    /// Whether it is more than the tolerance and more than chance.
    pub grows: bool,
    /// Where it grows, the calls of the candidate that grew most, most first, at most `PROOFS_MAX`.
    pub worst: Vec<u32>,
}

impl Shift {
    /// Growth of the median in milliseconds.
    pub fn increase_ms(&self) -> f64 {
        self.candidate.p50 - self.baseline.p50
    }
}

/// What calls may carry differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The codecs of the first offer.
    CodecsOffered,
    /// The codecs of its answer.
    CodecsAnswered,
    /// The product of the caller.
    CallerSoftware,
    /// The product of who answered.
    CalleeSoftware,
    /// A header field.
    Header,
}

impl Subject {
    /// Its word in reports: the name of the field of a call, or `header`.
    pub fn word(self) -> &'static str {
        match self {
            Self::CodecsOffered => CallField::CodecsOffered.name(),
            Self::CodecsAnswered => CallField::CodecsAnswered.name(),
            Self::CallerSoftware => CallField::CallerSoftware.name(),
            Self::CalleeSoftware => CallField::CalleeSoftware.name(),
            Self::Header => "header",
        }
    }
}

/// A value that another one took the place of, or that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetChange {
    /// What it is a value of.
    pub subject: Subject,
    /// Before; empty where it came.
    pub before: String,
    /// After; empty where it went.
    pub after: String,
    /// Calls concerned; for header fields the messages that carry it.
    pub count: u64,
    /// Number of the first such call in the candidate; `None` for header fields.
    pub call: Option<u32>,
}
