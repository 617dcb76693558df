//! Family ID: who calls, who vouches for it, and who refuses callers for what they are.

mod anonymous;
mod blocked;
mod passport;
mod verify;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        id: "id-verify-failed",
        severity: Severity::Error,
        title: "Rejected for missing or bad call signature",
        subject: Subject::Call(verify::id_verify_failed),
        gate: Gate::Open,
    },
    Rule {
        id: "id-passport",
        severity: Severity::Warn,
        title: "The signature will not verify or is weak",
        subject: Subject::Call(passport::id_passport),
        gate: Gate::Open,
    },
    Rule {
        id: "id-anonymous",
        severity: Severity::Info,
        title: "Anonymous caller not accepted",
        subject: Subject::Call(anonymous::id_anonymous),
        gate: Gate::Open,
    },
    Rule {
        id: "id-blocked",
        severity: Severity::Error,
        title: "Blocked as unwanted or suspected spam",
        subject: Subject::Call(blocked::id_blocked),
        gate: Gate::Open,
    },
];
