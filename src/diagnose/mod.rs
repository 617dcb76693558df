//! Calls become findings, findings become incidents: why.

mod case;
mod contrast;
mod engine;
mod finding;
mod hostile;
mod incident;
mod rule;
mod rules;
mod scene;
mod suppression;

pub use case::{Case, start_line};
pub use engine::{Diagnosis, Verdict, diagnose};
pub use finding::{Confidence, Evidence, Finding, Incident, Proof, RuledOut, Severity};
pub use rule::{Claim, Gate, Rule, Subject};
pub use rules::all as rules;
pub use scene::{Happened, Scene, Sight};
