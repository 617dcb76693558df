//! `sipscan check` and `sipscan compare` as a pipeline runs them: exit codes, lines, reports, on recorded captures.

#[path = "check/documented.rs"]
mod documented;
#[path = "check/fields.rs"]
mod fields;
#[path = "check/filter.rs"]
mod filter;
#[path = "check/hostile.rs"]
mod hostile;
#[path = "check/junit.rs"]
mod junit;
#[path = "check/mistakes.rs"]
mod mistakes;
#[path = "check/policies.rs"]
mod policies;
#[path = "check/program.rs"]
mod program;
#[path = "check/reports.rs"]
mod reports;
#[path = "check/runs.rs"]
mod runs;

use program::{compare, fixture, run, sample, saved};

const POLICY: &str = "tests/lab/policy.toml";

#[test]
fn the_lab_baseline_holds_and_nothing_is_said() {
    let ended = run(&["check", "--policy", POLICY, &fixture("baseline")]);
    assert_eq!((0, ""), (ended.code, ended.stdout.as_str()));
}

#[test]
fn the_lab_candidate_fails_by_its_three_faults_and_no_other() {
    let ended = run(&["check", "--policy", POLICY, &fixture("candidate")]);
    assert_eq!(1, ended.code);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(3, lines.len(), "{lines:#?}");
    assert!(lines[0].starts_with("FAIL gateway 2 answers: 6 of 6 calls:"), "{}", lines[0]);
    assert!(lines[0].contains("408") && lines[0].contains("[frames "), "{}", lines[0]);
    assert!(lines[1].contains("offers PCMA GSM telephone-event, not PCMU PCMA telephone-event"), "{}", lines[1]);
    assert!(lines[2].starts_with("FAIL gateway 1 rings within a second: 6 of 6 calls: pdd_ms is 2"), "{}", lines[2]);
}

#[test]
fn the_lab_run_again_is_no_difference() {
    let ended = compare(&fixture("baseline"), &fixture("again"), &["--policy", POLICY]);
    assert_eq!((0, ""), (ended.code, ended.stdout.as_str()));
}

#[test]
fn the_lab_candidate_differs_by_its_three_faults_and_no_other() {
    let ended = compare(&fixture("baseline"), &fixture("candidate"), &["--policy", POLICY]);
    assert_eq!(1, ended.code);
    let fails: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(3, fails.len(), "{fails:#?}");
    assert!(fails[0].contains("6 of 12 end otherwise: unreachable 408 instead of completed 200 (6)"), "{}", fails[0]);
    assert!(fails[1].starts_with("FAIL pdd_ms does not grow: at 198.51.100.20: median 20"), "{}", fails[1]);
    assert!(
        fails[2].contains("offered PCMA GSM telephone-event instead of PCMU PCMA telephone-event (12 calls)"),
        "{}",
        fails[2]
    );
}

#[test]
fn a_saved_report_stands_in_for_its_capture() {
    let (baseline, candidate) = (saved("baseline"), saved("candidate"));
    let from_captures = compare(&fixture("baseline"), &fixture("candidate"), &["--format", "json=-"]);
    for (left, right) in [
        (baseline.as_str(), candidate.as_str()),
        (baseline.as_str(), fixture("candidate").as_str()),
        (fixture("baseline").as_str(), candidate.as_str()),
    ] {
        let ended = compare(left, right, &["--format", "json=-"]);
        assert_eq!(1, ended.code);
        let told = |text: &str| {
            let document: serde_json::Value = serde_json::from_str(text).expect("JSON");
            let comparison = document["comparison"].clone();
            (comparison["transitions"].clone(), comparison["differences"].clone(), comparison["missing"].clone())
        };
        assert_eq!(told(&from_captures.stdout), told(&ended.stdout));
    }
    assert_eq!(0, compare(&baseline, &fixture("again"), &[]).code);
}

#[test]
fn without_a_policy_failed_calls_fail_the_check() {
    assert_eq!(0, run(&["check", &sample("answered-through-proxy.pcapng")]).code);
    let ended = run(&["check", &sample("503-gateway-full.pcapng")]);
    assert_eq!(1, ended.code);
    assert!(ended.stdout.starts_with("FAIL "), "{}", ended.stdout);
    assert!(ended.stdout.contains("[frame"), "{}", ended.stdout);
}

#[test]
fn what_cannot_run_is_told_apart_from_what_fails() {
    let missing = run(&["check", "no-such.pcap"]);
    assert_eq!(2, missing.code);
    assert!(missing.stderr.contains("no-such.pcap"), "{}", missing.stderr);
    let capture = fixture("baseline");
    assert_eq!(2, run(&["check", "--policy", "no-such.toml", &capture]).code);
    assert_eq!(2, run(&["check"]).code);
    assert_eq!(2, run(&["check", "--format", "junit", &capture]).code);
    assert_eq!(2, run(&["check", "--format", "nunit=-", &capture]).code);
    assert_eq!(2, run(&["check", "--format", "tap=-", "--format", "json=-", &capture]).code);
    assert_eq!(2, run(&["check", "--format", "tap=/no-such-folder/x.tap", &capture]).code);
    assert_eq!(2, run(&["check", "--today=31.12.2026", &capture]).code);
    assert_eq!(2, compare(&capture, "no-such.pcap", &[]).code);
    assert_eq!(2, compare("Cargo.toml", &capture, &[]).code);
    assert_eq!(2, run(&["compare", &capture]).code);
}

#[test]
fn every_report_has_a_file_of_its_own_and_writes_over_no_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (policy, report) = (path("policy.toml"), path("baseline.json"));
    std::fs::write(&policy, "").expect("a file");
    std::fs::copy(saved("baseline"), &report).expect("a copy");
    let of = |kind: &str, path: &str| format!("{kind}={path}");
    let capture = fixture("baseline");
    for (formats, said) in [
        ([of("junit", &path("a.xml")), of("tap", &path("a.xml"))], "a.xml: two reports cannot share a file"),
        ([of("junit", &path("a.xml")), of("junit", &path("a.xml"))], "a.xml: two reports cannot share a file"),
        ([of("tap", "-"), of("json", "-")], "two reports cannot share standard output"),
        ([of("tap", &path("a.tap")), of("json", &policy)], "policy.toml: is read from, so nothing is written to it"),
        ([of("tap", &path("a.tap")), of("json", &path("b.pcap"))], "b.pcap: is named like a capture"),
        ([of("tap", &path("a.tap")), of("json", &path("none/b.json"))], "cannot be written"),
        ([of("tap", &path("a.tap")), of("json", &folder.path().display().to_string())], "cannot be written"),
    ] {
        let [first, second] = formats;
        let ended = run(&["check", "--policy", &policy, "--format", &first, "--format", &second, &capture]);
        assert_eq!(2, ended.code, "{first} {second}");
        assert_eq!(1, ended.stderr.lines().count(), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    let onto_itself = of("json", &report);
    let ended = compare(&report, &capture, &["--format", &onto_itself]);
    assert_eq!(2, ended.code);
    assert!(ended.stderr.contains("is read from"), "{}", ended.stderr);
    assert_eq!(0, compare(&report, &capture, &[]).code, "the report is whole");
    let (one, other) = (of("junit", &path("one.xml")), of("junit", &path("other.xml")));
    let ended = run(&["check", "--format", &one, "--format", &other, &capture]);
    assert_eq!(0, ended.code, "the same kind twice is fine");
    assert!(folder.path().join("other.xml").exists());
}

#[test]
fn a_disk_that_is_full_is_no_verdict() {
    if std::path::Path::new("/dev/full").exists() {
        let ended = run(&["check", "--format", "tap=/dev/full", &fixture("baseline")]);
        assert_eq!(2, ended.code);
        assert!(ended.stderr.contains("/dev/full: cannot be written"), "{}", ended.stderr);
    }
}

#[test]
fn a_file_that_is_json_and_no_report_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, said) in [
        ("{}", "it names no schema"),
        ("{\"schema\": \"sipscan-report/1\"}", "no report of sipscan"),
        (
            "{\"schema\": \"sipscan-report/1\", \"captures\": [], \"calls\": [], \"incidents\": []}",
            "an older sipscan wrote it",
        ),
        ("{ nonsense", "no report of sipscan"),
        ("{\"schema\": \"sipscan-report/2\"}", "a newer sipscan wrote this report"),
        ("{\"schema\": \"sipscan-report/0\"}", "its schema is \"sipscan-report/0\""),
        ("{\"schema\": \"sipscan-check/1\"}", "is a verdict of check or compare"),
        ("{\"schema\": \"other\"}", "is no report of sipscan: its schema is \"other\""),
        ("{\"schema\": 5}", "is no report of sipscan: invalid type"),
    ] {
        let path = folder.path().join("report.json");
        std::fs::write(&path, text).expect("a file");
        let ended = compare(&path.display().to_string(), &fixture("again"), &[]);
        assert_eq!(2, ended.code, "{text}");
        assert_eq!(1, ended.stderr.lines().count(), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{text}: {}", ended.stderr);
    }
}

#[test]
fn a_report_with_fields_of_a_later_day_is_read() {
    let mut report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(saved("baseline")).expect("a report")).expect("JSON");
    report["of_tomorrow"] = serde_json::json!({"a": 1});
    report["calls"][0]["of_tomorrow"] = serde_json::json!([1, 2]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("later.json");
    std::fs::write(&path, report.to_string()).expect("a file");
    assert_eq!(0, compare(&path.display().to_string(), &fixture("again"), &[]).code);
}

#[test]
fn a_report_of_an_earlier_day_that_has_what_is_compared_is_read() {
    let mut report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(saved("baseline")).expect("a report")).expect("JSON");
    report.as_object_mut().expect("an object").remove("filter");
    for call in report["calls"].as_array_mut().expect("calls") {
        for finding in call["findings"].as_array_mut().expect("findings") {
            finding.as_object_mut().expect("an object").remove("explains");
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("earlier.json");
    std::fs::write(&path, report.to_string()).expect("a file");
    let path = path.display().to_string();
    assert_eq!(0, compare(&path, &fixture("again"), &[]).code);
    assert_eq!(1, compare(&path, &fixture("candidate"), &[]).code);
}

#[test]
fn a_reader_who_goes_away_changes_no_verdict() {
    for (name, code) in [("baseline", 0), ("candidate", 1)] {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sipscan"))
            .args(["check", "--verbose", "--policy", POLICY, &fixture(name)])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the program runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!(Some(code), output.status.code());
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_saved_report_tells_what_explains_an_ending_as_its_capture_does() {
    let names = |baseline: &str, candidate: &str| -> Vec<String> {
        let ended = compare(baseline, candidate, &["--policy", POLICY]);
        let names = ended.stdout.lines().filter_map(|line| line.split(": ").next());
        names.map(str::to_owned).collect()
    };
    assert_eq!(names(&fixture("baseline"), &fixture("candidate")), names(&saved("baseline"), &saved("candidate")));
}

#[test]
fn runs_without_a_call_in_common_are_no_comparison() {
    let ended = compare(&sample("busy.pcap"), &fixture("baseline"), &[]);
    assert_eq!(1, ended.code);
    assert!(ended.stdout.contains("the runs have calls in common: 0 of 1"), "{}", ended.stdout);
}
