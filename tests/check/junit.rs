//! JUnit as Jenkins and GitLab read it.
//!
//! The elements below were checked against src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd of
//! the Jenkins xunit plugin (commit 031e285e) and the elements that GitLab's "Unit test reports" page says it reads; reports
//! of check and compare, hostile ones too, were validated against that file with xmllint.

use std::collections::BTreeMap;

use sipscan::report::verdict::junit;

use crate::hostile::written;
use crate::program::{check, fixture, run, sample};

/// An element: its name, attributes that the schema knows, those that it demands, children that it knows.
type Element = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// Elements of junit-10.xsd (Jenkins xunit plugin).
const ELEMENTS: [Element; 7] = [
    ("testsuites", &["name", "time", "tests", "failures", "errors"], &[], &["testsuite"]),
    (
        "testsuite",
        &[
            "name",
            "tests",
            "failures",
            "errors",
            "group",
            "time",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
            "file",
            "log",
            "url",
        ],
        &["name", "tests", "failures", "errors"],
        &["testsuite", "properties", "testcase", "system-out", "system-err"],
    ),
    ("properties", &[], &[], &["property"]),
    ("property", &["name", "value"], &["name", "value"], &[]),
    (
        "testcase",
        &["name", "time", "classname", "group"],
        &["name"],
        &[
            "skipped",
            "error",
            "failure",
            "rerunFailure",
            "rerunError",
            "flakyFailure",
            "flakyError",
            "system-out",
            "system-err",
        ],
    ),
    ("failure", &["type", "message"], &[], &[]),
    ("skipped", &["type", "message"], &[], &[]),
];

/// Walks a document and complains of whatever the schema does not know; returns how often each element occurs.
fn validate(document: &str) -> BTreeMap<String, usize> {
    let body = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("declaration first");
    assert!(!body.chars().any(|c| c.is_control() && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}')));
    let mut open: Vec<&str> = Vec::new();
    let mut counts = BTreeMap::new();
    let mut rest = body;
    while let Some((text, after)) = rest.split_once('<') {
        assert!(!text.contains('>') && well_escaped(text), "text: {text}");
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(Some(name), open.pop(), "ends");
            continue;
        }
        let is_empty = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let (_, known, demanded, _) = ELEMENTS.iter().find(|element| element.0 == name).expect(name);
        if let Some(parent) = open.last() {
            let parent = ELEMENTS.iter().find(|element| element.0 == *parent).expect("known");
            assert!(parent.3.contains(&name), "{name} inside {}", parent.0);
        }
        let mut parts: Vec<&str> = attributes.split('"').collect();
        assert_eq!(Some(""), parts.pop().map(str::trim).or(Some("")));
        let named: Vec<&str> = parts.chunks(2).map(|pair| pair[0].trim().trim_end_matches('=')).collect();
        assert!(parts.chunks(2).all(|pair| well_escaped(pair[1])), "{attributes}");
        assert!(named.iter().all(|name| known.contains(name)), "{tag}");
        assert!(demanded.iter().all(|name| named.contains(name)), "{tag}");
        *counts.entry(name.to_owned()).or_default() += 1;
        if !is_empty {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    counts
}

/// Whether every ampersand begins one of the five entities.
fn well_escaped(text: &str) -> bool {
    let mut parts = text.split('&').skip(1);
    parts.all(|part| ["lt;", "gt;", "amp;", "quot;", "apos;"].iter().any(|entity| part.starts_with(entity)))
}

#[test]
fn junit_satisfies_the_schema_of_jenkins() {
    let ended = run(&["check", "--policy", "tests/lab/policy.toml", "--format", "junit=-", &fixture("candidate")]);
    assert_eq!(1, ended.code);
    let counts = validate(&ended.stdout);
    assert_eq!((Some(&7), Some(&3)), (counts.get("testcase"), counts.get("failure")), "{}", ended.stdout);
    let compared = run(&["compare", &fixture("baseline"), &fixture("candidate"), "--format", "junit=-"]);
    assert!(validate(&compared.stdout).contains_key("failure"));
}

#[test]
fn junit_stays_well_formed_whatever_a_capture_holds() {
    let counts = validate(&written(junit::write));
    assert_eq!((Some(&1), Some(&1)), (counts.get("failure"), counts.get("skipped")));
}

#[test]
fn gitlab_which_reads_content_alone_is_told_why_a_case_is_skipped() {
    let policy = "[forbid]\noutcomes = [\"busy\"]\n[[allow.waivers]]\noutcome = \"busy\"\nreason = \"ticket 4711\"";
    let ended = check(policy, &sample("busy.pcap"), &["--format", "junit=-"]);
    assert_eq!(0, ended.code);
    assert!(
        ended.stdout.contains("<skipped message=\"accepted: ticket 4711\">accepted: ticket 4711; 1 call"),
        "{}",
        ended.stdout
    );
}

#[test]
fn several_reports_are_written_in_one_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (junit, tap) = (format!("junit={}", path("a.xml")), format!("tap={}", path("b.tap")));
    let ended = run(&["check", &fixture("candidate"), "--format", &junit, "--format", &tap]);
    assert_eq!(1, ended.code);
    assert!(ended.stdout.starts_with("FAIL "), "lines for people as well");
    validate(&std::fs::read_to_string(path("a.xml")).expect("written"));
    assert!(std::fs::read_to_string(path("b.tap")).expect("written").starts_with("TAP version 13"));
}
