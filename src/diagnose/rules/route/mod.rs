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
    Rule::of_call("route-dns", Severity::Error, "Next hop cannot be found", resolution::route_dns),
    Rule::of_call("route-loop", Severity::Error, "Routing loop (482/483) or merged request", circle::route_loop),
    Rule::of_call(
        "route-number-format",
        Severity::Error,
        "Number dialled in the wrong format",
        format::route_number_format,
    ),
    Rule::of_call(
        "route-number-unknown",
        Severity::Error,
        "Number/user does not exist there",
        unknown::route_number_unknown,
    ),
];
