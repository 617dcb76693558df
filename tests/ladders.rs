//! Every ladder in tests/ladders says of itself what the analysis must find.

mod ladder;
#[path = "ladder/notes.rs"]
mod notes;
#[path = "ladder/wording.rs"]
mod wording;

use std::fs;
use std::path::{Path, PathBuf};

use sipscan::analysis::Analysis;

/// Every ladder with its name and the analysis of its capture, in the order of names.
fn each_ladder() -> impl Iterator<Item = (String, ladder::parse::Ladder, Analysis)> {
    files("tests/ladders", &["ladder"]).into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("a ladder is text");
        let parsed = ladder::parse::parse(&text);
        let analysis = ladder::analyze(&parsed);
        (name_of(&path), parsed, analysis)
    })
}

/// The files of a folder of this project with one of these extensions, in the order of names.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder exists");
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    files.retain(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    });
    files.sort();
    assert!(!files.is_empty(), "the folder is not empty");
    files
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[test]
fn every_ladder_finds_what_it_says() {
    let mut failures = Vec::new();
    for (name, parsed, analysis) in each_ladder() {
        assert!(!parsed.expectations.is_empty(), "{name} expects nothing");
        failures.extend(
            ladder::expect::failures(&analysis, &parsed.expectations)
                .into_iter()
                .map(|why| format!("{name}, {why}")),
        );
    }
    assert!(
        failures.is_empty(),
        "{} of the expectations fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
