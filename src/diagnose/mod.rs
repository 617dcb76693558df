//! Calls become findings, findings become incidents: why.

mod background;
mod context;
mod doubt;
mod engine;
mod finding;
mod hostile;
mod incident;
mod input;
mod rule;
mod rules;
mod suppression;

pub use background::media_capabilities::{Fact, FactKind, MediaCapabilities, Try};
pub use background::node_activity::{NodeActivity, RequestCounts};
pub use context::call_context::{CallContext, start_line};
pub use context::capture_context::CaptureContext;
pub use engine::{Diagnosis, diagnose};
pub use finding::words;
pub use finding::{
    Confidence, Evidence, Finding, Incident, Observation, Proof, RuledOut, Severity, Steps, Variety, Verdict,
};
pub use input::{DiagnosisInput, SeenWeakness, Sight};
pub use rule::{Claim, Gate, Rule};
pub use rules::{all as rules, ids as rule_ids};
