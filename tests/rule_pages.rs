//! docs/rules holds one page for each rule, an index that names them all, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use sipscan::reference::{rule_ids, rule_summary};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules")
}

#[test]
fn every_rule_has_a_page_and_every_page_a_rule() {
    let entries = std::fs::read_dir(folder()).expect("docs/rules is a folder");
    let files: BTreeSet<String> = entries
        .map(|entry| entry.expect("its entries can be read").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let mut expected: BTreeSet<String> = rule_ids().map(|id| format!("{id}.md")).collect();
    expected.insert("README.md".to_owned());
    assert_eq!(expected, files);
}

#[test]
fn the_index_lists_every_rule_with_its_title() {
    let index = std::fs::read_to_string(folder().join("README.md")).expect("the index can be read");
    for id in rule_ids() {
        let title = rule_summary(id).expect("every page has a summary");
        let row = index
            .lines()
            .find(|line| line.starts_with(&format!("| [{id}](")));
        let row = row.expect("the index has a row for every rule");
        assert!(row.contains(title.trim_end_matches('.')), "{id}");
    }
}
