//! Family FLEET: what only many calls together show: dead destinations, shared features, numbers, slow set-up.

mod cluster;
mod down;
mod metrics;
mod slow;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_capture(
        "fleet-destination-down",
        Severity::Error,
        "Everything to a destination fails",
        down::fleet_destination_down,
    ),
    Rule::of_capture("fleet-cluster", Severity::Error, "Failures share one feature", cluster::fleet_cluster),
    Rule::of_capture("fleet-metrics", Severity::Info, "Call statistics", metrics::fleet_metrics),
    Rule::of_capture("fleet-slow-setup", Severity::Warn, "Calls take long to set up", slow::fleet_slow_setup),
];
