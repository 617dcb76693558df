//! Family MSG: what is wrong with the request itself.

mod contrast;
mod info;
mod malformed;
mod size;
mod unsupported;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("msg-malformed", Severity::Error, malformed::msg_malformed),
    Rule::of_call("msg-unsupported", Severity::Error, unsupported::msg_unsupported),
    Rule::of_call("msg-too-large", Severity::Error, size::msg_too_large_of_call)
        .and_capture(contrast::msg_too_large_of_capture),
];
