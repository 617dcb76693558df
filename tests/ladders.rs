//! Every ladder in tests/ladders says of itself what the analysis must find.

mod ladder;

use std::fs;
use std::path::Path;

#[test]
fn every_ladder_finds_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ladders");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("tests/ladders exists")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "ladder")
    });
    files.sort();
    assert!(!files.is_empty(), "tests/ladders holds ladders");
    let mut failures = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("a ladder is text");
        let parsed = ladder::parse::parse(&text);
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        assert!(!parsed.expectations.is_empty(), "{name} expects nothing");
        let analysis = ladder::analyze(&parsed);
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
