//! Family SRV: servers that refuse for load, limits, routes or faults of their own, and servers behind them that are silent.

pub(in crate::diagnose::rules) mod alike;
mod downstream;
mod internal;
mod limits;
mod no_route;
mod overload;
pub(in crate::diagnose::rules) mod refusals;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule};

/// The rules of this family, strongest explanation first.
pub const RULES: &[Rule] = &[
    Rule::of_capture("srv-capacity-ceiling", Severity::Error, limits::srv_capacity_ceiling),
    Rule::of_capture("srv-cps-limit", Severity::Error, limits::srv_cps_limit),
    Rule::of_capture("srv-overload", Severity::Error, overload::srv_overload),
    Rule::of_capture("srv-no-route", Severity::Error, no_route::srv_no_route),
    Rule::of_call("srv-downstream-dead", Severity::Error, downstream::srv_downstream_dead).gated(Gate::BothDirections),
    Rule::of_call("srv-code-translated", Severity::Error, downstream::srv_code_translated),
    Rule::of_capture("srv-internal-error", Severity::Error, internal::srv_internal_error),
];
