//! Family SUB: subscriptions that bring no news: busy lamps, presence, voicemail lamps.

mod failed;
mod trouble;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule::of_capture("sub-failed", Severity::Warn, failed::sub_failed)];
