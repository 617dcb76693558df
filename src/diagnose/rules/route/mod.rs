//! Family ROUTE: numbers, addresses and paths.

mod circle;
mod incomplete;
mod lookup;
mod number;
mod resolution;
mod targets;

use crate::diagnose::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("route-dns", Severity::Error, resolution::route_dns),
    Rule::of_call("route-loop", Severity::Error, circle::route_loop),
    Rule::of_call("route-number-format", Severity::Error, number::route_number_format),
    Rule::of_call("route-number-unknown", Severity::Error, number::route_number_unknown),
];
