//! Verdicts for pipelines: whether captures hold to a policy, and whether they differ from an earlier run.

mod align;
mod compare;
mod difference;
mod expectation;
mod facts;
mod filter;
mod growth;
mod judge;
mod limit;
mod matching;
mod metric;
mod policy;
mod sequence;
mod shift;
mod tolerance;
mod verdict;
mod view;
mod waive;

pub use compare::{ChangedCall, Comparison, Transition, compare};
pub use difference::SetChange;
pub use facts::{Facts, HeaderUses, word};
pub use filter::{Filter, FilterError, variable_names};
pub use judge::check;
pub use limit::{CALL_NUMBERS, GROUP_METRICS, METRICS, REGISTRATION_METRICS, metric_names};
pub use matching::matching;
pub use policy::{
    ALLOW_KEYS, COMPARE_KEYS, Day, EXPECT_KEYS, FORBID_KEYS, HEADER_KEYS, METRICS_KEYS, Policy, PolicyError,
    WAIVER_KEYS,
};
pub use shift::{Shift, Side};
pub use verdict::{Judgement, Kind, PROOFS_MAX, Proof, Status, Verdict, brief};
pub use view::{CallView, FindingView, HopView, ReportError, View, call_view};
