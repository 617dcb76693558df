//! Family SRV: servers that refuse for load, limits, routes or faults of their own, and servers behind them that are silent.

pub(in crate::diagnose::rules) mod alike;
mod behind;
mod internal;
mod limits;
mod no_route;
mod overload;
pub(in crate::diagnose) mod telling;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family, strongest explanation first.
pub const RULES: &[Rule] = &[
    Rule {
        id: "srv-capacity-ceiling",
        severity: Severity::Error,
        title: "Channel limit reached",
        subject: Subject::Capture(limits::srv_capacity_ceiling),
        gate: Gate::Open,
    },
    Rule {
        id: "srv-cps-limit",
        severity: Severity::Error,
        title: "Call-rate limit reached",
        subject: Subject::Capture(limits::srv_cps_limit),
        gate: Gate::Open,
    },
    Rule {
        id: "srv-overload",
        severity: Severity::Error,
        title: "Server overloaded",
        subject: Subject::Capture(overload::srv_overload),
        gate: Gate::Open,
    },
    Rule {
        id: "srv-no-route",
        severity: Severity::Error,
        title: "No route to this number",
        subject: Subject::Capture(no_route::srv_no_route),
        gate: Gate::Open,
    },
    Rule {
        id: "srv-downstream-dead",
        severity: Severity::Error,
        title: "The server behind does not answer",
        subject: Subject::Call(behind::srv_downstream_dead),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "srv-code-translated",
        severity: Severity::Error,
        title: "The code that the caller saw is not the real one",
        subject: Subject::Call(behind::srv_code_translated),
        gate: Gate::Open,
    },
    Rule {
        id: "srv-internal-error",
        severity: Severity::Error,
        title: "Server fault without a visible cause",
        subject: Subject::Capture(internal::srv_internal_error),
        gate: Gate::Open,
    },
];
