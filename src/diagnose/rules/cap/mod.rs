//! Family CAP: what the capture cannot show.

mod capture;
mod clock;
mod incomplete;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        id: "cap-incomplete",
        severity: Severity::Info,
        title: "The capture does not contain the whole call",
        subject: Subject::Call(incomplete::cap_incomplete),
        gate: Gate::Open,
    },
    Rule {
        id: "cap-one-direction",
        severity: Severity::Warn,
        title: "Only one direction was captured",
        subject: Subject::Capture(capture::cap_one_direction),
        gate: Gate::Open,
    },
    Rule {
        id: "cap-duplicates",
        severity: Severity::Info,
        title: "Packets were captured several times",
        subject: Subject::Capture(capture::cap_duplicates),
        gate: Gate::Open,
    },
    Rule {
        id: "cap-damaged",
        severity: Severity::Warn,
        title: "Packets are missing or cut",
        subject: Subject::Capture(capture::cap_damaged),
        gate: Gate::Open,
    },
    Rule {
        id: "cap-clock",
        severity: Severity::Warn,
        title: "Clocks of the merged captures differ",
        subject: Subject::Capture(clock::cap_clock),
        gate: Gate::Open,
    },
    Rule {
        id: "cap-encrypted",
        severity: Severity::Info,
        title: "Signalling is encrypted",
        subject: Subject::Capture(capture::cap_encrypted),
        gate: Gate::Open,
    },
];
