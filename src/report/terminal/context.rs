//! What the parts of the report for people share: the analysis, and how its report is to look.

use crate::analysis::{Analysis, CallEntry};
use crate::call::CallId;
use crate::report::time::Zone;

/// How the report is to look.
#[derive(Debug, Clone)]
pub struct ScreenStyle {
    /// The clock that times are shown on.
    pub zone: Zone,
    /// Columns of a line.
    pub width: usize,
    /// Whether lists and ladders are shown whole.
    pub is_whole: bool,
}

/// What the parts of the report share.
pub(super) struct Context<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) style: &'a ScreenStyle,
}

impl<'a> Context<'a> {
    /// The call with this number.
    pub(super) fn entry(&self, id: u32) -> Option<&'a CallEntry> {
        self.analysis.call(CallId(id))
    }
}
