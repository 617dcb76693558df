//! Family XFER: transfers that did not reach their target.

mod failed;
mod replaces;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule::of_call("xfer-failed", Severity::Error, failed::xfer_failed)];
