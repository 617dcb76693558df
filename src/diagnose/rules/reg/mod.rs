//! Family REG: devices that cannot register, and bindings that do not last.

mod binding;
mod contacts;
mod failed;
mod failure;
mod refused;
mod silent;
mod unbound;
mod unheard;
mod unsteady;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_registration("reg-failed", Severity::Error, failed::reg_failed),
    Rule::of_registration("reg-binding", Severity::Error, binding::reg_binding),
];
