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
    use std::path::PathBuf;

    use regex::Regex;

    use super::*;
    use crate::diagnose::finding::Severity;
    use crate::reference::rule_page;

    /// The sources of this floor, each with its path.
    fn sources() -> Vec<(PathBuf, String)> {
        let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnose"))];
        let mut sources = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().expect("a folder of sources") {
                let path = entry.expect("an entry").path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => sources.push((path.clone(), std::fs::read_to_string(path).expect("a source"))),
                }
            }
        }
        sources
    }

    #[test]
    fn each_function_in_the_tables_is_named_as_its_rule() {
        let row = Regex::new(r#"(?:Rule::of_\w+|of_logins!)\(\s*"([a-z0-9-]+)""#).expect("an expression");
        let text = Regex::new(r#""[^"]*""#).expect("an expression");
        let function = Regex::new(r"[(,]\s*(?:[a-z]\w*::)*([a-z]\w*)").expect("an expression");
        let mut rows = 0;
        for (path, source) in sources() {
            let Some((_, table)) = source.split_once(concat!("pub const RULES", ": &[Rule] = &[")) else {
                continue;
            };
            let (table, _) = table.split_once("];\n").expect("a table has an end");
            let starts: Vec<_> = row.captures_iter(table).collect();
            rows += starts.len();
            for (place, start) in starts.iter().enumerate() {
                let begin = start.get(0).expect("a match").start();
                let end = starts.get(place + 1).map_or(table.len(), |next| next.get(0).expect("a match").start());
                let name = start[1].replace('-', "_");
                let named = [
                    name.clone(),
                    format!("{name}_of_call"),
                    format!("{name}_of_registration"),
                    format!("{name}_of_capture"),
                ];
                let entry = text.replace_all(&table[begin..end], "");
                let functions: Vec<String> = function.captures_iter(&entry).map(|found| found[1].to_owned()).collect();
                assert!(!functions.is_empty(), "{}: {name} asks nothing", path.display());
                let others: Vec<&String> = functions.iter().filter(|function| !named.contains(function)).collect();
                assert!(others.is_empty(), "{}: {name} has {others:?}", path.display());
            }
        }
        assert_eq!(rows, all().len());
    }

    #[test]
    fn each_look_alike_that_is_ruled_out_is_a_rule() {
        let look_alike = Regex::new(r#"\.not\(\s*"([^"]+)""#).expect("an expression");
        for (path, source) in sources() {
            for found in look_alike.captures_iter(&source) {
                assert!(ids().contains(&&found[1]), "{}: {}", path.display(), &found[1]);
            }
        }
    }

    #[test]
    fn the_worst_severity_on_a_page_is_that_of_its_rule() {
        for rule in all() {
            let page = rule_page(rule.id).expect("every rule has a page");
            let line = page.lines().find_map(|line| line.strip_prefix("Severity: ")).expect("every page names it");
            let words: Vec<&str> = line.split([' ', ',', ';']).collect();
            let mut named = [Severity::Error, Severity::Warn, Severity::Info].into_iter();
            let worst = named.find(|severity| words.contains(&severity.word()));
            assert_eq!(worst, Some(rule.severity), "{}", rule.id);
        }
    }

    #[test]
    fn one_id_is_one_rule_and_every_rule_has_a_page_and_every_page_a_rule() {
        assert_eq!(ids().to_vec(), rule_pages().collect::<Vec<_>>());
    }
}
