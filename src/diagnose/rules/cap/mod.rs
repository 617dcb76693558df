//! Family CAP: what the capture cannot show.

mod capture;
mod clock;
mod incomplete;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("cap-incomplete", Severity::Info, incomplete::cap_incomplete),
    Rule::of_capture("cap-one-direction", Severity::Warn, capture::cap_one_direction),
    Rule::of_capture("cap-duplicates", Severity::Info, capture::cap_duplicates),
    Rule::of_capture("cap-damaged", Severity::Warn, capture::cap_damaged),
    Rule::of_capture("cap-clock", Severity::Warn, clock::cap_clock),
    Rule::of_capture("cap-encrypted", Severity::Info, capture::cap_encrypted),
];
