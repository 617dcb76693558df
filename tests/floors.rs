//! The house holds: which file may import which, how long files and how full folders may be, and that one name is one thing.

#[path = "floors/allowed.rs"]
mod allowed;
#[path = "floors/claims.rs"]
mod claims;
#[path = "floors/graph.rs"]
mod graph;
#[path = "floors/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use allowed::{Names, Siblings};
use graph::{Graph, cycles, siblings};
use source::{Source, made_up, program_sources, sources};

/// From the bottom up.
const FLOORS: [&str; 11] =
    ["reference", "capture", "net", "sip", "media", "call", "diagnose", "analysis", "check", "report", "cli"];
/// Lines of a source file.
const LINES_MAX: usize = 400;
/// Source files of one folder, those of its folders not counted.
const FILES_MAX: usize = 20;
/// Names that say nothing of what lives in them.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "common", "types", "models", "errors", "helpers", "misc"];

/// The files that are not for tests, and what they need of one another.
static HOUSE: LazyLock<(Vec<Source>, Graph)> = LazyLock::new(|| {
    let sources = program_sources();
    let graph = Graph::of(&sources);
    (sources, graph)
});

/// The place of a floor in the house; `None` for the crate's own two files.
fn height(floor: &str) -> Option<usize> {
    FLOORS.iter().position(|known| *known == floor)
}

/// Fails with all complaints at once.
fn accept(complaints: &[String]) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Complaints about imports of one file, its tests included.
fn climbing_imports(source: &Source) -> Vec<String> {
    let Some(own) = height(source.floor()) else {
        return Vec::new();
    };
    let all = Source { code: source::bare(&source.text), name: source.name.clone(), text: String::new() };
    let floors: BTreeSet<String> = graph::crate_paths(&all).filter_map(|path| path.first().cloned()).collect();
    let above = floors.iter().filter(|floor| height(floor).is_some_and(|height| height > own));
    above.map(|floor| format!("src/{} imports {floor}, which lies above it", source.name)).collect()
}

#[test]
fn floors_import_only_what_lies_below() {
    accept(&sources().iter().flat_map(climbing_imports).collect::<Vec<_>>());
}

#[test]
fn a_climbing_import_is_noticed_however_it_is_written() {
    for import in
        ["use crate::report::json;", "use crate::{net::Flow, report::{csv, json}};", "fn f() { crate::cli::run() }"]
    {
        let source = made_up("call/made_up.rs", &format!("//! Made up.\n{import}\n"));
        assert_eq!(1, climbing_imports(&source).len(), "{import}");
    }
    let fine = made_up(
        "call/made_up.rs",
        "//! Made up, crate::cli.\nuse crate::net::Flow;\nfn f() { g(\"crate::cli::run\") }\n",
    );
    assert!(climbing_imports(&fine).is_empty());
}

/// What is wrong with the knots of one folder, or of all files: one that nobody allowed, or one allowed that is gone.
fn knots_against(place: &str, knots: Vec<BTreeSet<String>>, allowed: &[Siblings]) -> Vec<String> {
    let mut complaints = Vec::new();
    let allowed: Vec<BTreeSet<String>> = allowed
        .iter()
        .filter(|entry| entry.place == place)
        .map(|entry| entry.among.iter().map(|name| (*name).to_owned()).collect())
        .collect();
    for knot in knots.iter().filter(|knot| !allowed.iter().any(|entry| knot.is_subset(entry))) {
        complaints.push(format!("{place}: these import one another: {knot:?}"));
    }
    for entry in &allowed {
        let tied: BTreeSet<String> = knots.iter().filter(|knot| knot.is_subset(entry)).flatten().cloned().collect();
        let free: Vec<&String> = entry.difference(&tied).collect();
        if !free.is_empty() {
            complaints
                .push(format!("{place}: {free:?} no longer import one another; take them off tests/floors/allowed.rs"));
        }
    }
    complaints
}

#[test]
fn siblings_do_not_import_one_another_in_a_circle() {
    let graph = &HOUSE.1;
    let mut complaints = Vec::new();
    for (folder, needs) in siblings(graph).iter().filter(|(folder, _)| !folder.is_empty()) {
        complaints.extend(knots_against(&folder.join("/"), cycles(needs), allowed::SIBLINGS));
    }
    accept(&complaints);
}

#[test]
fn files_do_not_import_one_another_in_a_circle() {
    let graph = &HOUSE.1;
    let named = |knot: &BTreeSet<graph::Module>| knot.iter().map(|module| graph.files[module].clone()).collect();
    let mut by_floor: BTreeMap<String, Vec<BTreeSet<String>>> = BTreeMap::new();
    for knot in cycles(&graph.needs) {
        let floor = knot.first().and_then(|module| module.first()).cloned().unwrap_or_default();
        by_floor.entry(floor).or_default().push(named(&knot));
    }
    let floors = FLOORS.iter().map(|floor| (*floor, by_floor.remove(*floor).unwrap_or_default()));
    accept(&floors.flat_map(|(floor, knots)| knots_against(floor, knots, allowed::FILES)).collect::<Vec<_>>());
}

#[test]
fn a_circle_is_found_through_a_nested_import_and_a_re_export() {
    let files = [
        made_up("net/mod.rs", "mod a;\nmod b;\nmod c;\npub use a::{One, deep::Two};\n"),
        made_up("net/a/mod.rs", "pub mod deep;\npub struct One(super::c::Three);\n"),
        made_up("net/a/deep.rs", "use super::super::c as other;\npub struct Two(other::Three);\n"),
        made_up("net/b.rs", "use crate::{net::{One, Two}, sip::Via};\n"),
        made_up(
            "net/c.rs",
            "use crate::net::b;\npub struct Three;\nfn f() { b::g() }\n#[cfg(test)]\nmod tests { use crate::net::d; }\n",
        ),
        made_up("net/d.rs", "use crate::net::{b, c};\nfn f() { b::g(); c::h(); }\n"),
    ];
    let graph = Graph::of(&files);
    let net = &siblings(&graph)[&vec!["net".to_owned()]];
    let knots: Vec<Vec<String>> = cycles(net).into_iter().map(|knot| knot.into_iter().collect()).collect();
    assert_eq!(vec![vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]], knots);
}

#[test]
fn every_file_says_what_it_is_for_and_stays_short() {
    let mut complaints = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//! ") {
            complaints.push(format!("src/{} does not open with what it is for", source.name));
        }
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!("src/{} has {lines} lines", source.name));
        }
        let stem = source.name.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        if EMPTY_NAMES.contains(&stem) {
            complaints.push(format!("src/{}: a thing lives on the floor whose subject it is", source.name));
        }
    }
    accept(&complaints);
}

#[test]
fn no_folder_is_too_full_to_be_read_at_a_glance() {
    let sources = sources();
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    for source in &sources {
        *files.entry(source.folder()).or_default() += 1;
    }
    let full = files.iter().filter(|(_, count)| **count > FILES_MAX);
    accept(&full.map(|(folder, count)| format!("src/{folder} has {count} files")).collect::<Vec<_>>());
}

/// Types that a file defines for more than one function.
fn types(source: &Source) -> impl Iterator<Item = &str> {
    source.code.lines().filter_map(|line| {
        let line = match line.strip_prefix("pub") {
            Some(rest) => {
                rest.split_once(')').filter(|_| rest.starts_with('(')).map_or(rest, |(_, rest)| rest).trim_start()
            }
            None => line,
        };
        let (kind, rest) = line.split_once(' ')?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        ["struct", "enum", "union", "trait", "type"].contains(&kind).then(|| &rest[..end])
    })
}

#[test]
fn one_name_is_one_type_on_a_floor() {
    let mut places: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for source in &HOUSE.0 {
        for name in types(source) {
            let key = (source.floor().to_owned(), name.to_owned());
            places.entry(key).or_default().insert(source.name.clone());
        }
    }
    places.retain(|_, files| files.len() > 1);
    let allowed = |floor: &str, name: &str| {
        allowed::TWICE.iter().any(|Names { floor: known, names, .. }| *known == floor && names.contains(&name))
    };
    let mut complaints: Vec<String> = places
        .iter()
        .filter(|((floor, name), _)| !allowed(floor, name))
        .map(|((floor, name), files)| format!("{floor}: {name} is a type in each of {files:?}"))
        .collect();
    for Names { floor, names, .. } in allowed::TWICE {
        let gone = names.iter().filter(|name| !places.contains_key(&((*floor).to_owned(), (**name).to_owned())));
        complaints
            .extend(gone.map(|name| format!("{floor}: {name} is one type now; take it off tests/floors/allowed.rs")));
    }
    accept(&complaints);
}
