//! Verdicts for pipelines: whether captures hold to a policy, and whether they differ from an earlier run.

mod compare;
mod expectation;
mod filter;
mod judge;
mod matching;
mod metric;
mod policy;
mod verdict;
mod view;

pub use compare::compare;
pub use filter::{Filter, FilterError};
pub use judge::check;
pub use matching::matching;
pub use policy::{
    ALLOW_KEYS, CALL_NUMBERS, COMPARE_KEYS, Day, EXPECT_KEYS, FORBID_KEYS, HEADER_KEYS, METRICS, METRICS_KEYS, Policy,
    PolicyError, REGISTRATION_METRICS, WAIVER_KEYS, group_metrics, metric_names,
};
pub use verdict::{
    ChangedCall, Comparison, Judgement, Kind, PROOFS_MAX, Proof, SetChange, Shift, Side, Status, Subject, Transition,
    Verdict, brief,
};
pub use view::{CallView, FindingView, HopView, ReportError, RunView, call_view};
