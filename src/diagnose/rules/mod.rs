//! The rules, one file a family; the order of families and rules breaks ties between explanations of equal strength.

mod auth;
mod calls;
mod cap;
mod dlg;
mod fleet;
mod net;
mod route;
mod sdp;
mod srv;

mod id;
mod msg;
mod opt;
mod reg;
mod sec;
mod sub;
mod xfer;

use std::sync::LazyLock;

use crate::diagnose::rule::Rule;
use crate::reference::rule_pages;
pub(in crate::diagnose) use srv::sorting;

/// Every rule, in the order in which equal explanations are preferred.
pub fn all() -> &'static [Rule] {
    static ALL: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        [
            sec::RULES,
            net::RULES,
            auth::RULES,
            id::RULES,
            route::RULES,
            msg::RULES,
            sdp::RULES,
            srv::RULES,
            dlg::RULES,
            fleet::RULES,
            xfer::RULES,
            sub::RULES,
            opt::RULES,
            reg::RULES,
            calls::RULES,
            cap::RULES,
        ]
        .concat()
    });
    &ALL
}

/// Place of a rule in that order; behind all others where it is unknown.
pub fn priority(id: &str) -> usize {
    all().iter().position(|rule| rule.id == id).unwrap_or(usize::MAX)
}

/// The ids of all rules, in the order in which docs/rules/README.md lists them.
pub fn ids() -> &'static [&'static str] {
    static IDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut ids: Vec<&str> = all().iter().map(|rule| rule.id).collect();
        ids.sort_by_key(|id| rule_pages().position(|page| page == *id));
        ids
    });
    &IDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id_is_one_rule_and_every_rule_has_a_page_and_every_page_a_rule() {
        assert_eq!(ids().to_vec(), rule_pages().collect::<Vec<_>>());
    }
}
