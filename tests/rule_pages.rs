//! docs/rules holds one page for each rule, an index that is made of them, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use sipscan::diagnose::rule_ids;
use sipscan::reference::{rule_page, rule_summary};

/// Set, it lets the test write the index anew.
const BLESS: &str = "BLESS";

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules")
}

fn family(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// The row of a rule, in the words of its page.
fn row(id: &str) -> String {
    let title = rule_summary(id).expect("every page has a summary");
    let page = rule_page(id).expect("every id has a page");
    let severity =
        page.lines().find_map(|line| line.strip_prefix("Severity: ")).expect("every page tells how severe the rule is");
    let title = title.trim_end_matches('.');
    format!("| [{id}]({id}.md) | {severity} | {title} |")
}

/// The index with the rows that the pages give; a rule that it lacks comes last in its family.
fn index_of_the_pages(index: &str) -> String {
    let listed = |line: &str| -> Option<String> {
        let (id, _) = line.strip_prefix("| [")?.split_once("](")?;
        Some(id.to_owned())
    };
    let known: BTreeSet<String> = index.lines().filter_map(listed).collect();
    let mut new: Vec<&str> = rule_ids().iter().copied().filter(|id| !known.contains(*id)).collect();
    let mut lines: Vec<String> = Vec::new();
    let mut rest = index.lines().peekable();
    while let Some(line) = rest.next() {
        let Some(id) = listed(line) else {
            lines.push(line.to_owned());
            continue;
        };
        if rule_page(&id).is_some() {
            lines.push(row(&id));
        }
        let next = rest.peek().and_then(|line| listed(line));
        if next.is_none_or(|next| family(&next) != family(&id)) {
            let of_family = |new: &&str| family(new) == family(&id);
            lines.extend(new.iter().filter(|new| of_family(new)).map(|id| row(id)));
            new.retain(|new| !of_family(new));
        }
    }
    assert!(
        new.is_empty(),
        "the index needs a section with one row for the family of {new:?}; others follow by themselves"
    );
    lines.join("\n") + "\n"
}

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let entries = std::fs::read_dir(folder()).expect("docs/rules is a folder");
    let files: BTreeSet<String> = entries
        .map(|entry| entry.expect("its entries can be read").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let mut expected: BTreeSet<String> = rule_ids().iter().map(|id| format!("{id}.md")).collect();
    expected.insert("README.md".to_owned());
    assert_eq!(expected, files);
}

#[test]
fn the_index_is_made_of_the_pages() {
    let path = folder().join("README.md");
    let index = std::fs::read_to_string(&path).expect("the index can be read");
    let wanted = index_of_the_pages(&index);
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, &wanted).expect("the index can be written");
        return;
    }
    assert!(
        wanted == index,
        "docs/rules/README.md is older than the pages; `{BLESS}=1 cargo test --test rule_pages` writes it anew"
    );
}

#[test]
fn a_page_that_the_index_lacks_becomes_the_last_row_of_its_family() {
    let path = folder().join("README.md");
    let index = std::fs::read_to_string(&path).expect("the index can be read");
    let index = index_of_the_pages(&index);
    let without: Vec<&str> = index.lines().filter(|line| !line.starts_with("| [net-retransmit]")).collect();
    assert_eq!(index, index_of_the_pages(&(without.join("\n") + "\n")));
    let stale = index.replace("The TCP connection fails", "Something else");
    assert_ne!(index, stale);
    assert_eq!(index, index_of_the_pages(&stale));
}
