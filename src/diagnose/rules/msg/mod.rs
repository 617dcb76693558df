//! Family MSG: what is wrong with the request itself.

mod contrast;
mod info;
mod malformed;
mod size;
mod unsupported;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        id: "msg-malformed",
        severity: Severity::Error,
        title: "Malformed request",
        subject: Subject::Call(malformed::msg_malformed),
        gate: Gate::Open,
    },
    Rule {
        id: "msg-unsupported",
        severity: Severity::Error,
        title: "A required feature or method is not available",
        subject: Subject::Call(unsupported::msg_unsupported),
        gate: Gate::Open,
    },
    Rule {
        id: "msg-too-large",
        severity: Severity::Error,
        title: "Message or body too large",
        subject: Subject::CallAndCapture(size::msg_too_large, contrast::too_large_by_contrast),
        gate: Gate::Open,
    },
];
