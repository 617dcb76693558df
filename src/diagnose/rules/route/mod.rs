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
    Rule::of_call("route-dns", Severity::Error, "Next hop cannot be found", resolution::dns),
    Rule::of_call("route-loop", Severity::Error, "Routing loop (482/483) or merged request", circle::looped),
    Rule::of_call("route-number-format", Severity::Error, "Number dialled in the wrong format", number::format),
    Rule::of_call("route-number-unknown", Severity::Error, "Number/user does not exist there", number::unknown),
];
