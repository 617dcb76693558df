//! Family ROUTE: numbers, addresses and paths.

mod circle;
mod incomplete;
mod lookup;
mod number;
mod resolution;
mod targets;

use crate::diagnose::rule::{Gate, Rule, Subject};
use crate::diagnose::{CallContext, Finding, Severity};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    rule("route-dns", "Next hop cannot be found", resolution::dns),
    rule("route-loop", "Routing loop (482/483) or merged request", circle::looped),
    rule("route-number-format", "Number dialled in the wrong format", number::format),
    rule("route-number-unknown", "Number/user does not exist there", number::unknown),
];

const fn rule(id: &'static str, title: &'static str, ask: fn(&CallContext<'_>) -> Option<Finding>) -> Rule {
    Rule { id, severity: Severity::Error, title, subject: Subject::Call(ask), gate: Gate::Open }
}
