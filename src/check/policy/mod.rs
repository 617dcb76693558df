//! The policy: what a capture must hold to, read from TOML as docs/policy.md describes it.

mod code;
mod document;
mod expect;
mod fields;
mod limit;
mod section;
mod sequence;
mod toml_words;
mod waive;

use std::fmt;

use crate::call::Outcome;
use crate::capture::Timestamp;
use crate::check::filter::Filter;
use crate::diagnose::Severity;

pub use code::CodePattern;
pub use expect::{EXPECT_KEYS, HEADER_KEYS};
pub use limit::{
    About, AboutTries, Bound, CALL_NUMBERS, CallNumber, Counted, Delay, Limit, METRICS, METRICS_KEYS, Metric, Number,
    REGISTRATION_METRICS, RegistrationMetric, group_metrics, metric_names, shown,
};
pub use section::{ALLOW_KEYS, COMPARE_KEYS, FORBID_KEYS, WAIVER_KEYS};
pub use sequence::Sequence;
pub(super) use waive::{Ruling, Waivers, expired_text};

/// What is wrong with a policy, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// A day of the calendar, as waivers expire.
pub type Day = jiff::civil::Date;

/// The day of a moment in UTC.
pub(super) fn day_of(time: Timestamp) -> Option<Day> {
    let moment = jiff::Timestamp::from_nanosecond(i128::from(time.nanoseconds())).ok()?;
    Some(moment.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// A whole policy; the default is what holds without one.
#[derive(Debug, Default)]
pub struct Policy {
    /// Limits on the metrics of all calls.
    pub metrics: Vec<Limit<Metric>>,
    /// Limits on the metrics of all registrations.
    pub registrations: Vec<Limit<RegistrationMetric>>,
    /// Calls of known outcome that metrics need to be judged at all; 0 where nothing is said, since a ratio over nothing fails
    /// anyway.
    pub min_sample: u32,
    /// What is fine although it would fail by default.
    pub allow: Allow,
    /// What fails although it would be fine by default.
    pub forbid: Forbid,
    /// What is known to be wrong for now.
    pub waivers: Vec<Waiver>,
    /// Expectations on groups of calls.
    pub expects: Vec<Expect>,
    /// Tolerances of a comparison.
    pub compare: Compare,
}

/// Entries of `[allow]`.
#[derive(Debug, Default)]
pub struct Allow {
    /// Final codes.
    pub codes: Vec<CodePattern>,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// Rules whose findings are fine.
    pub rules: Vec<String>,
}

/// Entries of `[forbid]`.
#[derive(Debug)]
pub struct Forbid {
    /// Final codes.
    pub codes: Vec<CodePattern>,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// Rules whose findings fail, however mild.
    pub rules: Vec<String>,
    /// Findings at least this severe fail; `None`: no finding fails for its severity.
    pub severity: Option<Severity>,
}

impl Default for Forbid {
    fn default() -> Self {
        Self { codes: Vec::new(), outcomes: Vec::new(), rules: Vec::new(), severity: Some(Severity::Error) }
    }
}

/// One entry of `[[allow.waivers]]`: a failure that is known, for a reason, perhaps until a day.
#[derive(Debug)]
pub struct Waiver {
    /// What is waived: a rule, a code, an outcome, or the name of an expectation or limit.
    pub target: WaiverTarget,
    /// Only for these calls.
    pub calls: Option<Filter>,
    /// Why.
    pub reason: String,
    /// Last day on which it counts.
    pub expires: Option<Day>,
    /// Line of the policy, from 1.
    pub line: u32,
}

/// What a waiver is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaiverTarget {
    /// Findings of a rule.
    Rule(String),
    /// A final code.
    Code(CodePattern),
    /// An outcome.
    Outcome(Outcome),
    /// An expectation by its name, or a limit by its key.
    Expectation(String),
}

/// One entry of `[[expect]]`.
#[derive(Debug)]
pub struct Expect {
    /// What it is called in every report.
    pub name: String,
    /// Line of the policy, from 1.
    pub line: u32,
    /// Which calls it is about; all where nothing is said.
    pub calls: Option<Filter>,
    /// Fewest calls of the group.
    pub min_calls: Option<u32>,
    /// Most calls of the group.
    pub max_calls: Option<u32>,
    /// Whether no call at all is fine.
    pub allow_none: bool,
    /// Share of the group that must hold, 0 to 100.
    pub min_percent: f64,
    /// Outcomes, one of which each call must have; empty: any.
    pub outcomes: Vec<Outcome>,
    /// Final codes, one of which each call must have; empty: any.
    pub codes: Vec<CodePattern>,
    /// Transports, one of which each call must use; empty: any.
    pub transports: Vec<String>,
    /// Who must have ended it; empty: anyone.
    pub ended_by: Vec<String>,
    /// Codecs of the first offer, in order.
    pub codecs_offered: Option<Vec<String>>,
    /// Codecs of the answer, in order.
    pub codecs_answered: Option<Vec<String>>,
    /// First codec of the answer.
    pub codec: Vec<String>,
    /// Limits on metrics over the group.
    pub metrics: Vec<Limit<Metric>>,
    /// Limits on numbers of the call.
    pub numbers: Vec<Limit<CallNumber>>,
    /// Order of the messages next to the caller.
    pub sequence: Option<Sequence>,
    /// Header fields.
    pub headers: Vec<HeaderExpect>,
    /// A condition that each call must meet.
    pub holds: Option<Filter>,
}

/// One entry of `[[expect.headers]]`.
#[derive(Debug)]
pub struct HeaderExpect {
    /// Name of the field.
    pub name: crate::sip::HeaderName,
    /// Method or code of the messages that are looked at, next to the caller.
    pub message: String,
    /// What one of its values must match; `None`: it must be there.
    pub matches: Option<regex::Regex>,
    /// Whether it must not be there, or must not match.
    pub absent: bool,
}

/// What a change in codecs, products or header fields means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The comparison fails.
    Fail,
    /// It is reported and fails nothing.
    Report,
}

/// `[compare]`.
#[derive(Debug)]
pub struct Compare {
    /// What makes a call of the candidate the same scenario as one of the baseline.
    pub key: Option<Filter>,
    /// Calls that may end otherwise.
    pub max_changed_calls: u32,
    /// Scenarios of the baseline that the candidate may lack.
    pub max_missing_calls: u32,
    /// Scenarios that only the candidate may have.
    pub max_added_calls: u32,
    /// How much the median of post-dial delay may grow, in milliseconds.
    pub max_pdd_increase_ms: f64,
    /// How much the median of set-up time may grow, in milliseconds.
    pub max_setup_increase_ms: f64,
    /// How much the median time to the first response may grow, in milliseconds.
    pub max_reply_increase_ms: f64,
    /// Effect size (Cliff's delta, 0 to 1) below which a growth is taken for chance.
    pub min_effect_size: f64,
    /// Values on each side that a shift needs to be judged.
    pub min_sample: u32,
    /// New findings at least this severe fail; `None`: none does.
    pub new_findings: Option<Severity>,
    /// A codec list that changed.
    pub codecs: Change,
    /// A product that changed.
    pub software: Change,
    /// A header field that came or went.
    pub headers: Change,
}

impl Default for Compare {
    fn default() -> Self {
        Self {
            key: None,
            max_changed_calls: 0,
            max_missing_calls: 0,
            max_added_calls: 0,
            max_pdd_increase_ms: 200.0,
            max_setup_increase_ms: 500.0,
            max_reply_increase_ms: 200.0,
            min_effect_size: 0.474,
            min_sample: 5,
            new_findings: Some(Severity::Warn),
            codecs: Change::Fail,
            software: Change::Report,
            headers: Change::Report,
        }
    }
}
