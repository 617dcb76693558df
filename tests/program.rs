//! The program as a user runs it: exit codes, where output goes, what is said when something is wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn sipscan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sipscan")).args(arguments).stdin(Stdio::null()).output().expect("the program runs")
}

fn sample(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    path.display().to_string()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("output is UTF-8")
}

#[test]
fn a_capture_full_of_failures_was_still_analysed() {
    let output = sipscan(&[&sample("488-codec-mismatch.pcap")]);
    assert_eq!(Some(0), output.status.code());
    assert!(text(&output.stdout).contains("3 rejected"));
    assert!(!text(&output.stdout).contains('\u{1b}'), "a pipe gets no colours");
    assert_eq!("", text(&output.stderr));
}

#[test]
fn what_could_not_be_read_is_said_in_one_line_and_ends_with_2() {
    let output = sipscan(&["no-such-file.pcap"]);
    assert_eq!(Some(2), output.status.code());
    assert_eq!("", text(&output.stdout));
    assert_eq!("sipscan: no-such-file.pcap: there is no such file; check the path\n", text(&output.stderr));
    assert_eq!(Some(2), sipscan(&["--no-such-option"]).status.code());
    assert_eq!(Some(2), sipscan(&[]).status.code());
    assert_eq!(Some(0), sipscan(&["--help"]).status.code());
}

#[test]
fn a_report_on_standard_output_takes_the_place_of_the_screen() {
    let busy = sample("busy.pcap");
    let json = sipscan(&[&busy, "--json", "-"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON alone");
    assert_eq!("busy", report["calls"][0]["outcome"]);
    let csv = sipscan(&[&busy, "--csv", "-"]);
    assert!(text(&csv.stdout).starts_with("id,call_ids,caller,"));
    let both = sipscan(&[&busy, "--csv", "-", "--json", "-"]);
    assert_eq!(Some(2), both.status.code());
}

#[test]
fn a_report_never_goes_into_a_file_that_is_named_like_a_capture() {
    let output = sipscan(&["--json", "other.pcap", &sample("busy.pcap")]);
    assert_eq!(Some(2), output.status.code());
    assert!(!Path::new("other.pcap").exists());
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sipscan"))
        .args([&sample("tcp-calls.pcap"), "--json", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(Some(0), output.status.code());
    assert_eq!("", text(&output.stderr));
}

#[test]
fn one_call_is_shown_by_number_or_call_id() {
    let capture = sample("503-becomes-500.pcap");
    let output = sipscan(&[&capture, "--call", "1"]);
    assert!(text(&output.stdout).starts_with("FAILED    call 1"));
    let unknown = sipscan(&[&capture, "--call", "77"]);
    assert_eq!(Some(2), unknown.status.code());
    assert_eq!("sipscan: --call 77: no such call; there is one, number 1\n", text(&unknown.stderr));
}

#[test]
fn a_code_is_explained_without_a_capture() {
    let output = sipscan(&["explain", "488"]);
    assert_eq!(Some(0), output.status.code());
    assert!(text(&output.stdout).starts_with("488 Not Acceptable Here\n"));
    assert_eq!(Some(2), sipscan(&["explain", "no", "such", "thing"]).status.code());
}

#[test]
fn the_number_of_threads_changes_nothing_however_large_it_is() {
    let json = |jobs: &str| sipscan(&["--jobs", jobs, "--json", "-", &sample("tcp-calls.pcap")]).stdout;
    let alone = json("1");
    assert!(!alone.is_empty());
    for jobs in ["2", "5", "60000"] {
        assert!(alone == json(jobs), "{jobs} threads");
    }
}
