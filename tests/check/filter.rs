//! `sipscan --filter`: a report on the calls alone that an expression is true for.

use serde_json::Value;

use crate::program::{Ended, compare, fixture, run, sample};

/// Eight calls, of which two are answered and six get a 503.
const FULL: &str = "503-gateway-full.pcapng";

fn filtered(capture: &str, expression: &str, options: &[&str]) -> Ended {
    let capture = sample(capture);
    let mut arguments = vec![capture.as_str(), "--filter", expression];
    arguments.extend(options);
    run(&arguments)
}

fn report(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn the_screen_says_how_many_calls_match_and_counts_these_alone() {
    let ended = filtered(FULL, "answered", &[]);
    assert_eq!((0, ""), (ended.code, ended.stderr.as_str()));
    assert!(ended.stdout.contains("2 of 8 calls match answered"), "{}", ended.stdout);
    assert!(ended.stdout.contains("2 calls: completed"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("server-failed"), "{}", ended.stdout);
    let whole = run(&[&sample(FULL)]);
    assert!(!whole.stdout.contains(" match "), "{}", whole.stdout);
}

#[test]
fn rows_and_json_tell_the_matching_calls_with_their_own_numbers() {
    let whole = report(&run(&[&sample(FULL), "--json", "-"]));
    assert_eq!(Value::Null, whole["filter"]);
    let ids = |report: &Value| -> Vec<u64> {
        let calls = report["calls"].as_array().expect("calls");
        calls.iter().filter_map(|call| call["id"].as_u64()).collect()
    };
    let failed: Vec<u64> = whole["calls"]
        .as_array()
        .expect("calls")
        .iter()
        .filter(|call| call["final_code"] == 503)
        .filter_map(|call| call["id"].as_u64())
        .collect();
    let ended = filtered(FULL, "final_code == 503", &["--json", "-"]);
    assert_eq!("sipscan: 6 of 8 calls match final_code == 503\n", ended.stderr);
    let narrow = report(&ended);
    assert_eq!(failed, ids(&narrow));
    assert_eq!("final_code == 503", narrow["filter"]["expression"]);
    assert_eq!(6, narrow["filter"]["matching_calls"]);
    assert_eq!(8, narrow["filter"]["all_calls"]);
    assert_eq!(6, narrow["metrics"]["calls"]);
    assert_eq!(0.0, narrow["metrics"]["asr_percent"]);
    for incident in narrow["incidents"].as_array().expect("incidents") {
        let calls = incident["calls"].as_array().expect("a list");
        assert!(!calls.is_empty());
        assert!(calls.iter().all(|id| failed.contains(&id.as_u64().unwrap_or(0))));
    }
    let rows = filtered(FULL, "final_code == 503", &["--csv", "-"]).stdout;
    let first_cells: Vec<&str> = rows.lines().filter_map(|row| row.split(',').next()).collect();
    let wanted: Vec<String> = failed.iter().map(u64::to_string).collect();
    assert_eq!("id", first_cells[0]);
    assert_eq!(wanted, first_cells[1..]);
}

#[test]
fn a_filter_that_no_call_matches_says_so_and_is_no_error() {
    let ended = filtered(FULL, "transport == 'sctp'", &[]);
    assert_eq!(0, ended.code);
    assert!(ended.stdout.contains("0 of 8 calls match transport == 'sctp'"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("There is no call"), "{}", ended.stdout);
    let none = report(&filtered(FULL, "transport == 'sctp'", &["--json", "-"]));
    assert_eq!(Some(0), none["calls"].as_array().map(Vec::len));
    assert_eq!(Some(0), none["incidents"].as_array().map(Vec::len));
}

#[test]
fn a_mistake_in_the_expression_is_one_line_with_its_column() {
    for (expression, said) in [
        ("answered && stauts == 1", "--filter, column 13: uses \"stauts\", which no call has"),
        ("outcom == 'busy'", "--filter, column 1: uses \"outcom\", which no call has; did you mean outcome?"),
        ("answered &&\n  stauts == 1", "--filter, line 2, column 3: uses \"stauts\", which no call has"),
        ("caller ==", "--filter, column 10: ends too early"),
        ("", "--filter, column 1: is empty"),
        ("final_code", "--filter, column 1: is no condition"),
        (
            "codecs_offered[77] == 'PCMA'",
            "--filter: takes an element that a list does not have; ask size(list) first (call ",
        ),
    ] {
        let ended = filtered(FULL, expression, &[]);
        assert_eq!((2, ""), (ended.code, ended.stdout.as_str()), "{expression}");
        assert_eq!(1, ended.stderr.lines().count(), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{expression}: {}", ended.stderr);
    }
    assert_eq!(2, filtered(FULL, "answered", &["--call", "1"]).code);
}

#[test]
fn runs_are_compared_only_where_they_hold_the_same_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("some.json").display().to_string();
    let expression = "callee.startsWith('sip:1')";
    let written = run(&[&fixture("baseline"), "--filter", expression, "--json", &path]);
    assert_eq!(0, written.code, "{}", written.stderr);
    let ended = compare(&path, &fixture("again"), &[]);
    assert_eq!(2, ended.code);
    assert_eq!(
        "sipscan: the baseline holds those that match callee.startsWith('sip:1'), the candidate all calls; compare runs that hold the same\n",
        ended.stderr
    );
    assert_eq!(0, compare(&path, &path, &[]).code);
}

#[test]
fn a_filter_that_all_calls_match_changes_no_call_and_no_metric() {
    for name in [FULL, "488-codec-mismatch.pcap", "registered-phones-call.pcapng", "ring-group-one-answers.pcapng"] {
        let mut whole = report(&run(&[&sample(name), "--json", "-"]));
        let mut narrow = report(&filtered(name, "id > 0", &["--json", "-"]));
        // A report on calls tells of no registration, so it does not measure them either.
        for report in [&mut whole, &mut narrow] {
            for metric in ["registration_attempts", "rrd_ms", "ira_percent"] {
                report["metrics"][metric].take();
            }
        }
        for field in ["captures", "fitness", "metrics", "calls", "header_use"] {
            assert_eq!(whole[field], narrow[field], "{name}: {field}");
        }
        assert_eq!(Some(0), narrow["registrations"].as_array().map(Vec::len));
        assert_eq!(Some(0), narrow["others"].as_array().map(Vec::len));
    }
}

#[test]
fn incidents_of_a_narrow_screen_keep_the_numbers_that_extract_takes() {
    let numbers = |text: &str| -> Vec<String> {
        let heads = text.lines().filter(|line| {
            ["ERROR", "WARN", "NOTE"].iter().any(|word| line.get(3..).is_some_and(|rest| rest.starts_with(word)))
        });
        heads.map(str::trim).map(|head| head.split("   ").next().unwrap_or_default().to_owned()).collect()
    };
    let whole = numbers(&run(&[&sample("488-codec-mismatch.pcap"), "-v"]).stdout);
    let narrow = numbers(&filtered("488-codec-mismatch.pcap", "final_code == 488", &["-v"]).stdout);
    assert!(!narrow.is_empty());
    assert!(narrow.iter().all(|head| whole.contains(head)), "{narrow:?} of {whole:?}");
}
