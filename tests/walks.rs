//! The documents name real things: each `floor::room::name` that architecture.md quotes stands in the source where it says.

use std::fs;
use std::path::{Path, PathBuf};

/// First words of the names that are looked up.
const FLOORS: [&str; 11] =
    ["reference", "capture", "net", "sip", "media", "call", "diagnose", "analysis", "check", "report", "cli"];
/// What may define a name.
const KEYWORDS: [&str; 7] = ["fn ", "struct ", "enum ", "trait ", "type ", "const ", "mod "];
/// Names that a walk from a frame to a report, and one from a fact to a sentence, cannot do without.
const NAMES_MIN: usize = 40;

/// Names between backticks that begin with a floor, without brackets behind them.
fn quoted_names(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let names = quoted.map(|name| name.trim_end_matches("()")).filter(|name| {
        let is_path = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
        is_path && name.split_once("::").is_some_and(|(floor, _)| FLOORS.contains(&floor))
    });
    names.map(str::to_owned).collect()
}

fn rust_files(place: &Path) -> Vec<PathBuf> {
    if place.with_extension("rs").is_file() {
        return vec![place.with_extension("rs")];
    }
    let entries = fs::read_dir(place).map(|entries| entries.filter_map(Result::ok).collect()).unwrap_or_default();
    let entries: Vec<fs::DirEntry> = entries;
    let of_entry = |path: PathBuf| match path.extension() {
        Some(extension) if extension == "rs" => vec![path],
        _ if path.is_dir() => rust_files(&path),
        _ => Vec::new(),
    };
    entries.into_iter().flat_map(|entry| of_entry(entry.path())).collect()
}

/// Whether a text defines a name, as an item, a method or a variant.
fn defines(text: &str, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let is_item = |keyword: &&str| {
        let definition = format!("{keyword}{name}");
        text.match_indices(&definition).any(|(place, found)| ends(&text[place + found.len()..]))
    };
    let is_variant = || {
        text.lines()
            .any(|line| line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with([',', '(', ' '])))
    };
    KEYWORDS.iter().any(is_item) || is_variant()
}

/// Why a quoted name is no name of the source; `None` where it is one.
fn complaint(name: &str) -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut parts: Vec<&str> = name.split("::").collect();
    let last = parts.pop()?;
    let mut place = source.clone();
    let mut owner = None;
    for part in parts {
        if place.join(part).is_dir() || place.join(part).with_extension("rs").is_file() {
            place.push(part);
        } else {
            owner = Some(part);
        }
    }
    let files = rust_files(&place);
    let holds = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        defines(&text, last) && owner.is_none_or(|owner| text.contains(owner))
    };
    let is_module = place.join(last).is_dir() || place.join(last).with_extension("rs").is_file();
    (!is_module && !files.iter().any(holds)).then(|| format!("`{name}` is nowhere below {}", place.display()))
}

#[test]
fn every_name_in_the_walks_is_one_of_the_source() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let text = fs::read_to_string(document).expect("the document is there");
    let names = quoted_names(&text);
    assert!(names.len() >= NAMES_MIN, "{} names are quoted", names.len());
    let complaints: Vec<String> = names.iter().filter_map(|name| complaint(name)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_name_that_is_gone_is_noticed() {
    assert!(complaint("call::store::no_such_thing").is_some());
    assert!(complaint("call::store").is_none());
    assert_eq!(vec!["net::decode::decode"], quoted_names("see `net::decode::decode()` and `std::fs`"));
}
