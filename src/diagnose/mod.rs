//! Calls become findings, findings become incidents: why.

mod apart;
mod case;
mod contrast;
mod device;
mod doubt;
mod engine;
mod features;
mod finding;
mod history;
mod hostile;
mod incident;
mod knowledge;
mod logins;
mod losses;
mod memory;
mod problem;
mod rule;
mod rules;
mod scene;
mod spoken;
mod suppression;
mod words;

pub use case::{Case, start_line};
pub use engine::{Diagnosis, Verdict, diagnose};
pub use finding::{Confidence, Evidence, Finding, Incident, Proof, RuledOut, Severity};
pub use history::{Asked, History};
pub use knowledge::{Fact, FactKind, Knowledge, Try};
pub use rule::{Claim, Gate, Rule, Subject};
pub use rules::all as rules;
pub use scene::{Happened, Scene, Sight};
