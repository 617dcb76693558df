//! Family SEC: senders that search, guess and steal.

mod fraud;
mod guessing;
mod scanner;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_capture("sec-brute-force", Severity::Error, guessing::sec_brute_force),
    Rule::of_capture("sec-toll-fraud", Severity::Error, fraud::sec_toll_fraud),
    Rule::of_capture("sec-scanner", Severity::Warn, scanner::sec_scanner),
];
