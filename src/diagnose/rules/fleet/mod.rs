//! Family FLEET: what only many calls together show: dead destinations, shared features, numbers, slow set-up.

mod cluster;
mod down;
mod metrics;
mod slow;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        id: "fleet-destination-down",
        severity: Severity::Error,
        title: "Everything to a destination fails",
        subject: Subject::Capture(down::fleet_destination_down),
        gate: Gate::Open,
    },
    Rule {
        id: "fleet-cluster",
        severity: Severity::Error,
        title: "Failures share one feature",
        subject: Subject::Capture(cluster::fleet_cluster),
        gate: Gate::Open,
    },
    Rule {
        id: "fleet-metrics",
        severity: Severity::Info,
        title: "Call statistics",
        subject: Subject::Capture(metrics::fleet_metrics),
        gate: Gate::Open,
    },
    Rule {
        id: "fleet-slow-setup",
        severity: Severity::Warn,
        title: "Calls take long to set up",
        subject: Subject::Capture(slow::fleet_slow_setup),
        gate: Gate::Open,
    },
];
