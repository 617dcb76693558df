//! The other reports of `check` in the forms of pipelines: what their readers accept, whatever a capture holds.
//!
//! Reports of check and compare in SARIF, hostile ones too, were validated against sarif-schema-2.1.0.json of OASIS.

use serde_json::Value;
use sipscan::report::verdict::{github, json, markdown, sarif, tap, text};

use crate::hostile::{HOSTILE, written};
use crate::program::{check, fixture, run, sample};

#[test]
fn lines_for_people_and_json_hold_nothing_that_acts_on_a_terminal() {
    let plain = written(|judgement, out| text::write(judgement, false, out));
    assert_eq!(1, plain.lines().count(), "{plain}");
    let whole = written(|judgement, out| text::write(judgement, true, out));
    let json = written(json::write);
    for text in [&plain, &whole, &json] {
        let hostile = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(hostile), "{text:?}");
    }
    let document: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(HOSTILE, document["verdicts"][1]["said"], "nothing is lost");
}

#[test]
fn github_annotations_stay_one_line_each() {
    let text = written(github::write);
    assert_eq!(2, text.lines().count(), "{text}");
    assert!(text.starts_with("::error file=a b%2Cc%3Ad.toml,line=3,title=sipscan check%3A "), "{text}");
    assert!(text.lines().all(|line| line.matches("::error::").count() <= 4 && !line.contains('\u{1b}')));
    assert!(text.contains("%250A") && !text.contains("x%0A%0D"));
    assert!(text.lines().all(|line| line.starts_with("::error ") || line.starts_with("::notice ")));
}

#[test]
fn tap_counts_its_tests_and_marks_what_is_accepted() {
    let text = written(tap::write);
    assert!(text.starts_with("TAP version 13\n1..3\nok 1 - min_calls\nnot ok 2 - "), "{text}");
    assert_eq!(1, text.lines().filter(|line| line.contains(" # TODO ")).count(), "{text}");
    assert!(
        text.lines()
            .skip(2)
            .all(|line| line.starts_with("ok ") || line.starts_with("not ok ") || line.starts_with("# "))
    );
}

#[test]
fn markdown_keeps_its_tables_whatever_a_capture_holds() {
    let text = written(markdown::write);
    assert!(!text.contains("<a") && !text.contains('\u{1b}'), "{text}");
    let rows = text.lines().filter(|line| line.starts_with('|')).collect::<Vec<_>>();
    // Five of the verdicts, three of the endings, three of the delays, three of the calls.
    assert_eq!(14, rows.len(), "{text}");
    let unescaped = |row: &&&str| row.replace("\\|", "").matches('|').count();
    assert!(rows.iter().all(|row| [4, 5, 9].contains(&unescaped(&row))), "{text}");
}

#[test]
fn sarif_has_what_its_schema_demands() {
    for text in [
        written(sarif::write),
        run(&["check", &sample("503-gateway-full.pcapng"), "--format", "sarif=-"]).stdout,
        run(&["check", &sample("answered-through-proxy.pcapng"), "--format", "sarif=-"]).stdout,
    ] {
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!("2.1.0", document["version"]);
        let run = &document["runs"][0];
        let rules: Vec<&Value> =
            run["tool"]["driver"]["rules"].as_array().expect("rules").iter().map(|rule| &rule["id"]).collect();
        for result in run["results"].as_array().expect("results") {
            assert!(rules.contains(&&result["ruleId"]));
            assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("uri");
            assert!(uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'), "{uri}");
            assert!(place["region"]["startLine"].as_u64() >= Some(1));
        }
    }
    let suppressed = written(sarif::write).matches("\"suppressions\"").count();
    assert_eq!(1, suppressed);
}

#[test]
fn json_tells_every_verdict() {
    let ended = check("[metrics]\nmin_calls = 1", &fixture("candidate"), &["--format", "json=-"]);
    let document: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!("sipscan-check/1", document["schema"]);
    assert_eq!(Value::Bool(false), document["holds"]);
    let verdicts = document["verdicts"].as_array().expect("a list");
    assert_eq!(
        verdicts.len() as u64,
        ["holds", "fails", "waived"].iter().filter_map(|key| document["counts"][key].as_u64()).sum::<u64>()
    );
    assert_eq!("min_calls", verdicts[0]["name"]);
    assert_eq!(2, verdicts[0]["policy_line"]);
}

#[test]
fn repeats_are_left_out_of_the_sequence_and_of_the_counts_of_headers() {
    let ended = run(&[&sample("ack-lost.pcap"), "--json", "-"]);
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!("INVITE 180 200 ACK BYE 200", report["calls"][0]["sequence"]);
    let uses = report["header_use"].as_array().expect("a list");
    let contact = uses.iter().find(|of| of["message"] == "200" && of["header"] == "Contact");
    assert_eq!(Some(1), contact.and_then(|of| of["messages"].as_u64()), "the 2xx was sent eleven times");
}
