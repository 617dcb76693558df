//! The reports of `check` in the forms of pipelines: what their readers accept, whatever a capture holds.
//!
//! The elements below were checked against src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd of
//! the Jenkins xunit plugin (commit 031e285e) and the elements that GitLab's "Unit test reports" page says it reads; reports
//! of check and compare, hostile ones too, were validated against that file with xmllint, and those in SARIF against
//! sarif-schema-2.1.0.json of OASIS.

use std::collections::BTreeMap;

use serde_json::Value;
use sipscan::check::{
    ChangedCall, Comparison, Judgement, Kind, Proof, SetChange, Shift, Side, Status, Transition,
    Verdict,
};
use sipscan::report::{github, junit, markdown_check, sarif, tap, verdict_json, verdict_text};

use crate::program::{check, fixture, run, sample};

/// An element: its name, attributes that the schema knows, those that it demands, children that it knows.
type Element = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

/// Elements of junit-10.xsd (Jenkins xunit plugin).
const ELEMENTS: [Element; 7] = [
    (
        "testsuites",
        &["name", "time", "tests", "failures", "errors"],
        &[],
        &["testsuite"],
    ),
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
        &[
            "testsuite",
            "properties",
            "testcase",
            "system-out",
            "system-err",
        ],
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
    let body = document
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .expect("declaration first");
    assert!(
        !body
            .chars()
            .any(|c| c.is_control() && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}'))
    );
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
        let (_, known, demanded, _) = ELEMENTS
            .iter()
            .find(|element| element.0 == name)
            .expect(name);
        if let Some(parent) = open.last() {
            let parent = ELEMENTS
                .iter()
                .find(|element| element.0 == *parent)
                .expect("known");
            assert!(parent.3.contains(&name), "{name} inside {}", parent.0);
        }
        let mut parts: Vec<&str> = attributes.split('"').collect();
        assert_eq!(Some(""), parts.pop().map(str::trim).or(Some("")));
        let named: Vec<&str> = parts
            .chunks(2)
            .map(|pair| pair[0].trim().trim_end_matches('='))
            .collect();
        assert!(
            parts.chunks(2).all(|pair| well_escaped(pair[1])),
            "{attributes}"
        );
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
    parts.all(|part| {
        ["lt;", "gt;", "amp;", "quot;", "apos;"]
            .iter()
            .any(|entity| part.starts_with(entity))
    })
}

/// Clears a screen, turns the reading direction, ends a CDATA section, begins a command of GitHub, a table cell, a directive.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{202e} <a href=\"x\">&'\u{fffe}\u{ffff}]]>\r\n::error::x%0A%0D::set-output name=x::y # TODO | `x` @all";

/// A judgement whose every text comes from an attacker.
fn hostile() -> Judgement {
    let text = HOSTILE;
    let mut failing = Verdict::new(Kind::Expectation, text, false, text).at_line(3);
    failing.proofs = vec![Proof {
        call: Some(1),
        call_id: text.to_owned(),
        note: text.to_owned(),
        frames: Vec::new(),
    }];
    let mut waived = failing.clone();
    waived.status = Status::Waived(text.to_owned());
    Judgement {
        task: "check",
        policy: "a b,c:d.toml".to_owned(),
        captures: vec![text.to_owned()],
        comparison: Some(Comparison {
            baseline: vec![text.to_owned()],
            candidate: vec![text.to_owned()],
            transitions: vec![Transition {
                before: text.to_owned(),
                after: text.to_owned(),
                calls: 1,
            }],
            changed: vec![ChangedCall {
                baseline: Some(1),
                candidate: Some(1),
                caller: text.to_owned(),
                callee: text.to_owned(),
                before: text.to_owned(),
                after: text.to_owned(),
                before_note: text.to_owned(),
                after_note: text.to_owned(),
            }],
            shifts: vec![Shift {
                measure: "pdd_ms",
                node: text.to_owned(),
                baseline: Side {
                    count: 1,
                    p50: 1.0,
                    p95: 1.0,
                },
                candidate: Side {
                    count: 1,
                    p50: 1.0,
                    p95: 1.0,
                },
                effect_size: 0.0,
                grows: false,
                worst: Vec::new(),
            }],
            differences: vec![SetChange {
                subject: "caller_software",
                before: text.to_owned(),
                after: text.to_owned(),
                count: 1,
                call: Some(1),
            }],
            ..Comparison::default()
        }),
        verdicts: vec![
            Verdict::new(Kind::Metric, "min_calls", true, "5"),
            failing,
            waived,
        ],
        ..Judgement::default()
    }
}

fn written(write: impl Fn(&Judgement, &mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&hostile(), &mut out).expect("memory takes it");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn junit_satisfies_the_schema_of_jenkins() {
    let ended = run(&[
        "check",
        "--policy",
        "tests/lab/policy.toml",
        "--format",
        "junit=-",
        &fixture("candidate"),
    ]);
    assert_eq!(1, ended.code);
    let counts = validate(&ended.stdout);
    assert_eq!(
        (Some(&7), Some(&3)),
        (counts.get("testcase"), counts.get("failure")),
        "{}",
        ended.stdout
    );
    let compared = run(&[
        "compare",
        &fixture("baseline"),
        &fixture("candidate"),
        "--format",
        "junit=-",
    ]);
    assert!(validate(&compared.stdout).contains_key("failure"));
}

#[test]
fn junit_stays_well_formed_whatever_a_capture_holds() {
    let counts = validate(&written(junit::write));
    assert_eq!(
        (Some(&1), Some(&1)),
        (counts.get("failure"), counts.get("skipped"))
    );
}

#[test]
fn gitlab_which_reads_content_alone_is_told_why_a_case_is_skipped() {
    let policy = "[forbid]\noutcomes = [\"busy\"]\n[[allow.waivers]]\noutcome = \"busy\"\nreason = \"ticket 4711\"";
    let ended = check(policy, &sample("busy.pcap"), &["--format", "junit=-"]);
    assert_eq!(0, ended.code);
    assert!(
        ended
            .stdout
            .contains("<skipped message=\"accepted: ticket 4711\">accepted: ticket 4711; 1 call"),
        "{}",
        ended.stdout
    );
}

#[test]
fn lines_for_people_and_json_hold_nothing_that_acts_on_a_terminal() {
    let plain = written(|judgement, out| verdict_text::write(judgement, false, out));
    assert_eq!(1, plain.lines().count(), "{plain}");
    let whole = written(|judgement, out| verdict_text::write(judgement, true, out));
    let json = written(verdict_json::write);
    for text in [&plain, &whole, &json] {
        let hostile =
            |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(hostile), "{text:?}");
    }
    let document: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(HOSTILE, document["verdicts"][1]["said"], "nothing is lost");
}

#[test]
fn github_annotations_stay_one_line_each() {
    let text = written(github::write);
    assert_eq!(2, text.lines().count(), "{text}");
    assert!(
        text.starts_with("::error file=a b%2Cc%3Ad.toml,line=3,title=sipscan check%3A "),
        "{text}"
    );
    assert!(
        text.lines()
            .all(|line| line.matches("::error::").count() <= 4 && !line.contains('\u{1b}'))
    );
    assert!(text.contains("%250A") && !text.contains("x%0A%0D"));
    assert!(
        text.lines()
            .all(|line| line.starts_with("::error ") || line.starts_with("::notice "))
    );
}

#[test]
fn tap_counts_its_tests_and_marks_what_is_accepted() {
    let text = written(tap::write);
    assert!(
        text.starts_with("TAP version 13\n1..3\nok 1 - min_calls\nnot ok 2 - "),
        "{text}"
    );
    assert_eq!(
        1,
        text.lines()
            .filter(|line| line.contains(" # TODO "))
            .count(),
        "{text}"
    );
    assert!(text.lines().skip(2).all(|line| line.starts_with("ok ")
        || line.starts_with("not ok ")
        || line.starts_with("# ")));
}

#[test]
fn markdown_keeps_its_tables_whatever_a_capture_holds() {
    let text = written(markdown_check::write);
    assert!(!text.contains("<a") && !text.contains('\u{1b}'), "{text}");
    let rows = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect::<Vec<_>>();
    // Five of the verdicts, three of the endings, three of the delays, three of the calls.
    assert_eq!(14, rows.len(), "{text}");
    let unescaped = |row: &&&str| row.replace("\\|", "").matches('|').count();
    assert!(
        rows.iter().all(|row| [4, 5, 9].contains(&unescaped(&row))),
        "{text}"
    );
}

#[test]
fn sarif_has_what_its_schema_demands() {
    for text in [
        written(sarif::write),
        run(&[
            "check",
            &sample("503-gateway-full.pcapng"),
            "--format",
            "sarif=-",
        ])
        .stdout,
        run(&[
            "check",
            &sample("answered-through-proxy.pcapng"),
            "--format",
            "sarif=-",
        ])
        .stdout,
    ] {
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!("2.1.0", document["version"]);
        let run = &document["runs"][0];
        let rules: Vec<&Value> = run["tool"]["driver"]["rules"]
            .as_array()
            .expect("rules")
            .iter()
            .map(|rule| &rule["id"])
            .collect();
        for result in run["results"].as_array().expect("results") {
            assert!(rules.contains(&&result["ruleId"]));
            assert!(
                result["message"]["text"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("uri");
            assert!(
                uri.bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'"'),
                "{uri}"
            );
            assert!(place["region"]["startLine"].as_u64() >= Some(1));
        }
    }
    let suppressed = written(sarif::write).matches("\"suppressions\"").count();
    assert_eq!(1, suppressed);
}

#[test]
fn json_tells_every_verdict() {
    let ended = check(
        "[metrics]\nmin_calls = 1",
        &fixture("candidate"),
        &["--format", "json=-"],
    );
    let document: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!("sipscan-check/1", document["schema"]);
    assert_eq!(Value::Bool(false), document["holds"]);
    let verdicts = document["verdicts"].as_array().expect("a list");
    assert_eq!(
        verdicts.len() as u64,
        ["holds", "fails", "waived"]
            .iter()
            .filter_map(|key| document["counts"][key].as_u64())
            .sum::<u64>()
    );
    assert_eq!("min_calls", verdicts[0]["name"]);
    assert_eq!(2, verdicts[0]["policy_line"]);
}

#[test]
fn several_reports_are_written_in_one_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (junit, tap) = (
        format!("junit={}", path("a.xml")),
        format!("tap={}", path("b.tap")),
    );
    let ended = run(&[
        "check",
        &fixture("candidate"),
        "--format",
        &junit,
        "--format",
        &tap,
    ]);
    assert_eq!(1, ended.code);
    assert!(
        ended.stdout.starts_with("FAIL "),
        "lines for people as well"
    );
    validate(&std::fs::read_to_string(path("a.xml")).expect("written"));
    assert!(
        std::fs::read_to_string(path("b.tap"))
            .expect("written")
            .starts_with("TAP version 13")
    );
}
