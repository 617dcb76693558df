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

use crate::diagnose::rule::Rule;

/// Every rule, in the order in which equal explanations are preferred.
pub fn all() -> &'static [Rule] {
    static ALL: std::sync::LazyLock<Vec<Rule>> = std::sync::LazyLock::new(|| {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::reference::rule_ids;

    #[test]
    fn one_id_is_one_rule_and_every_rule_has_a_page() {
        let ids: BTreeSet<&str> = all().iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), all().len());
        let pages: BTreeSet<&str> = rule_ids().collect();
        let without: Vec<&&str> = ids.difference(&pages).collect();
        assert!(without.is_empty(), "{without:?}");
    }

    #[test]
    fn a_page_without_a_rule_is_about_media() {
        let orphans = rule_ids().filter(|id| all().iter().all(|rule| rule.id != *id));
        let others: Vec<&str> = orphans.filter(|id| !id.starts_with("rtp-")).collect();
        assert!(others.is_empty(), "{others:?}");
    }
}
