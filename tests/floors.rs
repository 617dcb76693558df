//! The house holds: floors import only themselves and floors below, every file has a first line and a bearable length.

use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom up.
const FLOORS: [&str; 11] =
    ["reference", "capture", "net", "sip", "media", "call", "diagnose", "analysis", "check", "report", "cli"];
/// Lines of a source file.
const LINES_MAX: usize = 400;
/// Names that say nothing of what lives in them.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "common", "types", "models", "errors", "helpers", "misc"];

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 50, "the tree was found");
    files
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            files.push((path, text));
        }
    }
}

/// The floor that a file lies on; `None` for the crate's own two files.
fn floor(path: &Path) -> Option<usize> {
    let inner = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).ok()?;
    let first = inner.components().next()?.as_os_str().to_str()?;
    FLOORS.iter().position(|floor| *floor == first)
}

/// Complaints about one file's imports.
fn climbing_imports(path: &Path, text: &str) -> Vec<String> {
    let Some(own) = floor(path) else {
        return Vec::new();
    };
    let mentions = text.lines().enumerate().flat_map(|(number, line)| {
        let code = line.split("//").next().unwrap_or_default();
        code.match_indices("crate::")
            .map(|(place, _)| {
                (
                    number + 1,
                    code[place + 7..]
                        .split(|c: char| !c.is_alphanumeric() && c != '_')
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                )
            })
            .collect::<Vec<_>>()
    });
    let climbs = mentions.filter_map(|(number, name)| {
        let other = FLOORS.iter().position(|floor| *floor == name)?;
        (other > own)
            .then(|| format!("{}:{number}: {} imports {name}, which lies above it", path.display(), FLOORS[own]))
    });
    climbs.collect()
}

#[test]
fn floors_import_only_what_lies_below() {
    let complaints: Vec<String> = sources().iter().flat_map(|(path, text)| climbing_imports(path, text)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_climbing_import_is_noticed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/call/made_up.rs");
    let text = "//! Made up.\nuse crate::net::Flow;\nuse crate::report::json;\n";
    assert_eq!(1, climbing_imports(&path, text).len());
}

#[test]
fn every_file_says_what_it_is_for_and_stays_short() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//! ") {
            complaints.push(format!("{} does not open with what it is for", path.display()));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!("{} has {lines} lines", path.display()));
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if EMPTY_NAMES.contains(&stem) {
            complaints.push(format!("{}: a thing lives on the floor whose subject it is", path.display()));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn only_the_top_floors_print_and_only_capture_opens_input() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        let own = floor(&path).unwrap_or(FLOORS.len());
        // Tests at the end of a file may do what they need.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_test_file = path.components().any(|part| part.as_os_str().to_string_lossy().contains("test"));
        let mut forbid = |what: &str, from: usize, except: &str| {
            let found = code.lines().any(|line| line.split("//").next().unwrap_or_default().contains(what));
            if !is_test_file && found && own < from && (except.is_empty() || FLOORS[own] != except) {
                complaints.push(format!("{} uses {what}", path.display()));
            }
        };
        for what in ["println!", "eprintln!", "std::process::exit", "SystemTime::now", "Instant::now", "std::env::"] {
            forbid(what, FLOORS.len() - 1, "");
        }
        for what in ["File::open", "fs::read(", "fs::read_to_string"] {
            forbid(what, FLOORS.len() - 1, "capture");
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
