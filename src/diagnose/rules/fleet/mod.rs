//! Family FLEET: what only many calls together show: dead destinations, shared features, numbers, slow set-up.

mod cluster;
mod down;
mod metrics;
mod slow;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_capture("fleet-destination-down", Severity::Error, down::fleet_destination_down),
    Rule::of_capture("fleet-cluster", Severity::Error, cluster::fleet_cluster),
    Rule::of_capture("fleet-metrics", Severity::Info, metrics::fleet_metrics),
    Rule::of_capture("fleet-slow-setup", Severity::Warn, slow::fleet_slow_setup),
];
