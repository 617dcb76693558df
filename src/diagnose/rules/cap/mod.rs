//! Family CAP: what the capture cannot show.

mod capture;
mod clock;
mod incomplete;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call(
        "cap-incomplete",
        Severity::Info,
        "The capture does not contain the whole call",
        incomplete::cap_incomplete,
    ),
    Rule::of_capture(
        "cap-one-direction",
        Severity::Warn,
        "Only one direction was captured",
        capture::cap_one_direction,
    ),
    Rule::of_capture("cap-duplicates", Severity::Info, "Packets were captured several times", capture::cap_duplicates),
    Rule::of_capture("cap-damaged", Severity::Warn, "Packets are missing or cut", capture::cap_damaged),
    Rule::of_capture("cap-clock", Severity::Warn, "Clocks of the merged captures differ", clock::cap_clock),
    Rule::of_capture("cap-encrypted", Severity::Info, "Signalling is encrypted", capture::cap_encrypted),
];
