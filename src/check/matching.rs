//! Which calls of an analysis a condition is true for.

use rayon::prelude::*;

use crate::analysis::Analysis;
use crate::check::filter::Filter;
use crate::check::view::call_view;

/// By the place of each call, whether it meets the condition.
///
/// # Errors
/// Where the expression cannot be worked out for a call; the first one that a thread meets is named.
pub fn matching(analysis: &Analysis, filter: &Filter) -> Result<Vec<bool>, String> {
    let places = (0..analysis.calls.len()).into_par_iter();
    places
        .map(|place| match call_view(analysis, place) {
            Some(call) => filter.matches(&call),
            None => Ok(false),
        })
        .collect()
}
