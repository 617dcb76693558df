//! `--filter EXPR`: the calls that an expression is true for.

use crate::analysis::Analysis;
use crate::check::{Filter, matching};
use crate::cli::Stop;

/// Reads the expression before any capture is.
pub(crate) fn condition(expression: &str) -> Result<Filter, Stop> {
    Filter::condition(expression).map_err(|error| {
        let column = error.at.1 + 1;
        let place = match error.at.0 {
            0 => format!("column {column}"),
            line => format!("line {}, column {column}", line + 1),
        };
        because(&format!("--filter, {place}: {}", error.message))
    })
}

/// By the place of each call, whether the filter takes it.
pub(crate) fn matches(analysis: &Analysis, filter: &Filter) -> Result<Vec<bool>, Stop> {
    matching(analysis, filter).map_err(|why| because(&format!("--filter: {why}")))
}

fn because(line: &str) -> Stop {
    Stop::Because(vec![line.to_owned()])
}
