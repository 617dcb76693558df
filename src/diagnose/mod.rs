//! Calls become findings, findings become incidents: why.

mod finding;

pub use finding::{Confidence, Evidence, Finding, Incident, Proof, RuledOut, Severity};
