//! The rules, one file a family; the order of families and rules breaks ties between explanations of equal strength.

mod calls;
mod id;
mod msg;
mod opt;
mod reg;
mod sec;
mod sub;
mod xfer;

use crate::diagnose::rule::Rule;

/// Every rule, in the order in which equal explanations are preferred.
pub fn all() -> &'static [Rule] {
    static ALL: std::sync::LazyLock<Vec<Rule>> = std::sync::LazyLock::new(|| {
        [
            calls::RULES,
            sec::RULES,
            id::RULES,
            reg::RULES,
            xfer::RULES,
            sub::RULES,
            opt::RULES,
            msg::RULES,
        ]
        .concat()
    });
    &ALL
}

/// Place of a rule in that order; behind all others where it is unknown.
pub fn priority(id: &str) -> usize {
    all()
        .iter()
        .position(|rule| rule.id == id)
        .unwrap_or(usize::MAX)
}
