//! The rules, one file a family; the order of families and rules breaks ties between explanations of equal strength.

mod calls;
mod fleet;
mod srv;

pub(in crate::diagnose) use srv::sorting;

use crate::diagnose::rule::Rule;

/// Every rule, in the order in which equal explanations are preferred.
pub fn all() -> &'static [Rule] {
    static ALL: std::sync::LazyLock<Vec<Rule>> =
        std::sync::LazyLock::new(|| [calls::RULES, srv::RULES, fleet::RULES].concat());
    &ALL
}

/// Place of a rule in that order; behind all others where it is unknown.
pub fn priority(id: &str) -> usize {
    all()
        .iter()
        .position(|rule| rule.id == id)
        .unwrap_or(usize::MAX)
}
