//! One explanation for whatever a user asks about: a rule, a code, a class, a cause, a method, a header or a term.

mod answer;
mod explanation;
mod lists;
mod query;
mod response;

pub use explanation::{Explanation, Fact, Section, Topic};

use crate::reference::nearest;
use query::{Subject, names, subject};

/// Explains `query`: a rule id, `488`, `4xx`, `busy here`, `INVITE`, `q850:34`, `warning:305`, `header:Via`, `glare`,
/// or `rules`, `codes`, `methods`, `headers`, `q850`, `warnings`, `terms` for an overview.
///
/// Case does not matter, and a small slip is forgiven where only one name is near. `None` for what is not known; then
/// [`suggestions`] has names that are near.
pub fn explain(query: &str) -> Option<Explanation> {
    let found = subject(query).or_else(|| only_name_near(query))?;
    Some(match found {
        Subject::Response(code) => response::response(code)?,
        Subject::Cause(cause) => answer::cause(cause),
        Subject::Rule(id) => answer::rule(id)?,
        Subject::Entry(entry) => answer::entry(entry),
        Subject::List(list) => lists::list(list),
    })
}

/// Names near to a query that [`explain`] does not know, best first; empty where none is near.
pub fn suggestions(query: &str) -> Vec<&'static str> {
    /// Names offered at most.
    const SUGGESTIONS_MAX: usize = 5;
    let word = query.rsplit(':').next().unwrap_or(query);
    let mut near = nearest(word, names(), SUGGESTIONS_MAX);
    near.dedup();
    near
}

fn only_name_near(query: &str) -> Option<Subject> {
    match nearest(query, names(), 2)[..] {
        [name] => subject(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
