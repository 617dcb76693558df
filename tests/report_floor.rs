//! Reports show what an analysis holds: a number that has to be worked out of calls or messages is worked out in `analysis`,
//! by one definition, and no file of the report floor calls upon the floors below that to do so.

use std::fs;
use std::path::{Path, PathBuf};

/// Functions of `call` and `diagnose` that reports may call: words, which work out no number.
const WORDS: &str = "crate::diagnose::words";
/// Types of `call` that are made of calls or attempts; reports are given them.
const WORKED_OUT: [&str; 5] = ["Metrics", "RegistrationMetrics", "Profile", "Spread", "CallTransactions"];

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// The leaves of a `use` declaration: what stands at the end of each of its paths.
fn leaves(tree: &str) -> Vec<&str> {
    let inner = tree.split_once('{').map_or(tree, |(_, inner)| inner.trim_end_matches('}'));
    let parts = inner.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.rsplit("::").next().unwrap_or(part)).collect()
}

/// What in one file works something out that is not a report's to work out.
fn complaints(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
    let mut complaints = Vec::new();
    for import in code.split("use ").skip(1).filter_map(|rest| rest.split_once(';')).map(|(tree, _)| tree) {
        let is_below = import.starts_with("crate::call") || import.starts_with("crate::diagnose");
        if !is_below || import.starts_with(WORDS) {
            continue;
        }
        for leaf in leaves(import) {
            let is_module = code.contains(&format!("{leaf}::")) || leaf == "self";
            if leaf.starts_with(char::is_lowercase) && !is_module {
                complaints.push(format!("imports the function {leaf}"));
            }
        }
    }
    for name in WORKED_OUT {
        for maker in ["of(", "new("] {
            let call = format!("{name}::{maker}");
            if code.contains(&call) {
                complaints.push(format!("calls {call}...)"));
            }
        }
    }
    for path in code.match_indices("crate::call::").map(|(place, _)| code.get(place..).unwrap_or_default()) {
        let end = path.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(path.len());
        let (path, rest) = path.split_at(end);
        if rest.starts_with('(') && path.rsplit("::").next().is_some_and(|leaf| leaf.starts_with(char::is_lowercase)) {
            complaints.push(format!("calls {path}"));
        }
    }
    complaints
}

#[test]
fn no_report_works_out_what_an_analysis_does_not_hold() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report"), &mut files);
    assert!(files.len() > 30, "the report floor was found");
    let is_test = |path: &Path| path.file_stem().is_some_and(|stem| stem == "tests" || stem == "test_support");
    let found: Vec<String> = files
        .iter()
        .filter(|path| !is_test(path))
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a source reads");
            complaints(&text).into_iter().map(|what| format!("{}: {what}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_report_that_works_something_out_is_noticed() {
    for text in [
        "use crate::call::{Call, transactions_of};\n",
        "use crate::call::detail::delay::stages;\n",
        "fn f() { crate::call::transactions_of(store, legs); }\n",
        "use crate::call::survey::profile::Profile;\nfn f() { Profile::of(&calls, store); }\n",
        "use crate::call::survey::metrics::{self, Metrics};\nfn f() { metrics::Metrics::of(calls); }\n",
    ] {
        assert!(!complaints(text).is_empty(), "{text}");
    }
    for text in [
        "use crate::call::{Call, Hop};\n",
        "use crate::diagnose::words::{counted, plural};\n",
        "use crate::call::survey::profile::{self, Profile};\nfn f(span: &profile::Span) {}\n",
        "fn f() {}\n#[cfg(test)]\nmod tests { use crate::call::transactions_of; }\n",
    ] {
        assert!(complaints(text).is_empty(), "{text}: {:?}", complaints(text));
    }
}
