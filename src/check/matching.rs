//! Which calls of an analysis a condition is true for.

use rayon::prelude::*;

use crate::analysis::{Analysis, CallRow};
use crate::call::CallIndex;
use crate::check::filter::Filter;

/// By the place of each call, whether it meets the condition.
///
/// # Errors
/// Where the expression cannot be worked out for a call; the first one that a thread meets is named.
pub fn matching(analysis: &Analysis, filter: &Filter) -> Result<Vec<bool>, String> {
    let calls = analysis.calls.par_iter().enumerate();
    calls.map(|(place, entry)| filter.matches(&CallRow::new(analysis, CallIndex(place as u32).id(), entry))).collect()
}
