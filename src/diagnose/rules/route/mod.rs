//! Family ROUTE: numbers, addresses and paths.

mod circle;
mod format;
mod incomplete;
mod lookup;
mod resolution;
mod ringing;
mod spelling;
mod targets;
mod unknown;

use crate::diagnose::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("route-dns", Severity::Error, resolution::route_dns),
    Rule::of_call("route-loop", Severity::Error, circle::route_loop),
    Rule::of_call("route-number-format", Severity::Error, format::route_number_format),
    Rule::of_call("route-number-unknown", Severity::Error, unknown::route_number_unknown),
];
