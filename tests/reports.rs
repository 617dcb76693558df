//! Every ladder in tests/reports is a public trouble report rebuilt, with what an expert would want to read. Those that sipscan does
//! not tell yet are listed in tests/reports/gaps.txt: the list can only become shorter.
//!
//! `SHOW=FOLDER cargo test --test reports -- --nocapture` prints what the first screen says of each, and writes its capture there.

#[allow(dead_code, reason = "tests/ladders.rs uses the rest")]
#[path = "ladder"]
mod ladder {
    pub mod capture;
    pub mod expect;
    mod packets;
    pub mod parse;
    pub mod run;
    pub mod shown;
    pub mod sip;
}

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sipscan::analysis::Analysis;

/// Set to a folder, it lets the test print what is shown of each report and write its capture into the folder.
const SHOW: &str = "SHOW";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports")
}

/// The names of the files with this extension, in their order.
fn names(extension: &str) -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder exists");
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == extension))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

/// The outcomes of the calls and what the first screen says.
fn shown(analysis: &Analysis) -> String {
    let outcomes =
        analysis.calls.iter().map(|entry| format!("  {} {:?}", entry.call.outcome.word(), entry.call.final_code));
    let findings = ladder::shown::statements(analysis).map(|shown| format!("  [{}] {}", shown.label, shown.text));
    let mut lines: Vec<String> = outcomes.chain(findings).collect();
    lines.dedup();
    lines.into_iter().map(|line| line + "\n").collect()
}

/// What each report lacks, by its name; empty where it is told rightly.
fn failures() -> BTreeMap<String, Vec<String>> {
    let judged = names("ladder").into_iter().map(|name| {
        let text = fs::read_to_string(folder().join(format!("{name}.ladder"))).expect("a ladder is text");
        let parsed = ladder::parse::parse(&text);
        assert!(!parsed.expectations.is_empty(), "{name} expects nothing");
        let analysis = ladder::run::analyze(&parsed);
        let failures = ladder::expect::failures(&analysis, &parsed.expectations);
        if let Some(folder) = std::env::var_os(SHOW) {
            let capture = ladder::capture::write(&ladder::sip::frames(&parsed), parsed.snap);
            fs::write(Path::new(&folder).join(format!("{name}.pcap")), capture).expect("the folder can be written to");
            println!("== {name}\n{}  fails: {failures:#?}", shown(&analysis));
        }
        (name, failures)
    });
    judged.collect()
}

#[test]
fn only_the_listed_reports_are_not_told_rightly() {
    let gaps = fs::read_to_string(folder().join("gaps.txt")).expect("the list exists");
    let listed: Vec<&str> =
        gaps.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_whitespace().next()).collect();
    let failures = failures();
    let mut wrong = Vec::new();
    for (name, why) in &failures {
        match (why.is_empty(), listed.contains(&name.as_str())) {
            (false, false) => wrong.push(format!("{name} is not told rightly any more:\n  {}", why.join("\n  "))),
            (true, true) => wrong.push(format!("{name} is told rightly: take it out of gaps.txt")),
            _ => {}
        }
    }
    wrong.extend(
        listed.iter().filter(|name| !failures.contains_key(**name)).map(|name| format!("there is no report {name}")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_report_has_its_page() {
    let pages: Vec<String> = names("md").into_iter().filter(|name| name != "README").collect();
    assert_eq!(names("ladder"), pages);
}
