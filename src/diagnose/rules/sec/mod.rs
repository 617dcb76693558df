//! Family SEC: senders that search, guess and steal.

mod fraud;
mod guessing;
mod scanner;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        id: "sec-brute-force",
        severity: Severity::Error,
        title: "Password guessing",
        subject: Subject::Capture(guessing::sec_brute_force),
        gate: Gate::Open,
    },
    Rule {
        id: "sec-toll-fraud",
        severity: Severity::Error,
        title: "Pattern of toll fraud",
        subject: Subject::Capture(fraud::sec_toll_fraud),
        gate: Gate::Open,
    },
    Rule {
        id: "sec-scanner",
        severity: Severity::Warn,
        title: "SIP scanner or flood",
        subject: Subject::Capture(scanner::sec_scanner),
        gate: Gate::Open,
    },
];
