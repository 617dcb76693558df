//! Family REG: devices that cannot register, and bindings that do not last.

mod binding;
mod failed;
mod silent;
mod unbound;
mod unheard;
mod unsteady;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        id: "reg-failed",
        severity: Severity::Error,
        title: "Device cannot register",
        subject: Subject::Registration(failed::reg_failed),
        gate: Gate::Open,
    },
    Rule {
        id: "reg-binding",
        severity: Severity::Error,
        title: "Registration expired, flapping or stolen",
        subject: Subject::Registration(binding::reg_binding),
        gate: Gate::Open,
    },
];
