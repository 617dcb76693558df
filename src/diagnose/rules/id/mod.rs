//! Family ID: who calls, who vouches for it, and who refuses callers for what they are.

mod anonymous;
mod blocked;
mod passport;
mod signature;
mod verify;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("id-verify-failed", Severity::Error, verify::id_verify_failed),
    Rule::of_call("id-passport", Severity::Warn, passport::id_passport),
    Rule::of_call("id-anonymous", Severity::Info, anonymous::id_anonymous),
    Rule::of_call("id-blocked", Severity::Error, blocked::id_blocked),
];
