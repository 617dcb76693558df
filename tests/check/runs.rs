//! Two runs of the same calls: what never counts, what counts, and what a policy tolerates.

use std::path::PathBuf;

use sipscan::analysis::{Options, analyze};
use sipscan::call::Outcome;
use sipscan::check::{FindingView, Judgement, Policy, View, compare};
use sipscan::diagnose::Severity;

/// The baseline of the lab: twelve calls, answered and ended.
fn lab() -> View {
    let path = format!(
        "{}/tests/fixtures/lab/baseline.pcap.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let analysis = analyze(&[PathBuf::from(path)], &Options::default(), &mut |_| {});
    View::of(&analysis.expect("the recording is there"))
}

fn judged(candidate: &View, policy: &str) -> Judgement {
    let policy = Policy::parse(policy).expect("a policy");
    compare(&lab(), candidate, &policy, None).expect("a comparison")
}

/// Names of the verdicts that fail.
fn failing(candidate: &View, policy: &str) -> Vec<String> {
    let judgement = judged(candidate, policy);
    judgement
        .failures()
        .map(|verdict| verdict.name.clone())
        .collect()
}

#[test]
fn call_ids_ports_and_the_order_of_calls_never_count() {
    let mut candidate = lab();
    candidate.calls.reverse();
    for (place, call) in candidate.calls.iter_mut().enumerate() {
        call.id = place as u32 + 1;
        call.call_ids = vec![format!("{place}@elsewhere")];
        call.source = "10.0.0.11:40000".to_owned();
        call.caller = call
            .caller
            .rsplit_once(':')
            .map_or(String::new(), |(uri, _)| format!("{uri}:40000"));
        call.pdd_ms = call
            .pdd_ms
            .map(|pdd| pdd + f64::from(place as u32 % 7) * 20.0);
    }
    assert!(failing(&candidate, "").is_empty());
    let pairs = judged(&candidate, "")
        .comparison
        .expect("a comparison")
        .transitions;
    assert_eq!(1, pairs.len());
    assert_eq!(12, pairs[0].calls);
}

#[test]
fn a_host_that_moved_is_still_the_same_scenario() {
    let mut candidate = lab();
    for call in &mut candidate.calls {
        call.caller = call.caller.replace("10.0.0.11", "192.0.2.7");
        call.callee = call.callee.replace("10.0.0.1", "192.0.2.1");
        call.destination = "192.0.2.1:5060".to_owned();
    }
    assert!(failing(&candidate, "").is_empty());
}

#[test]
fn a_call_that_ends_otherwise_counts_unless_tolerated() {
    let mut candidate = lab();
    candidate.calls[3].outcome = Outcome::ServerFailed;
    candidate.calls[3].final_code = 503;
    assert_eq!(vec!["calls end as before"], failing(&candidate, ""));
    assert!(failing(&candidate, "[compare]\nmax_changed_calls = 1").is_empty());
    let judgement = judged(&candidate, "");
    let comparison = judgement.comparison.expect("a comparison");
    assert_eq!(1, comparison.changed.len());
    assert_eq!("server-failed 503", comparison.changed[0].after);
    assert_eq!("completed 200", comparison.changed[0].before_note);
}

#[test]
fn calls_that_came_or_went_count_unless_tolerated() {
    let mut shorter = lab();
    shorter.calls.pop();
    assert_eq!(vec!["no call is missing"], failing(&shorter, ""));
    assert!(failing(&shorter, "[compare]\nmax_missing_calls = 1").is_empty());
    let mut longer = lab();
    let more = longer.calls[0].clone();
    longer.calls.push(more);
    assert_eq!(vec!["no call is added"], failing(&longer, ""));
    assert!(failing(&longer, "[compare]\nmax_added_calls = 1").is_empty());
}

#[test]
fn a_finding_that_the_baseline_lacks_counts_from_its_severity_on() {
    let mut candidate = lab();
    candidate.calls[0].findings.push(FindingView {
        rule: "net-ack-lost".to_owned(),
        severity: Severity::Warn,
        explains: false,
        title: "ACK lost".to_owned(),
        explanation: "The ACK never arrived.".to_owned(),
        frames: Vec::new(),
    });
    assert_eq!(vec!["no new findings"], failing(&candidate, ""));
    assert!(failing(&candidate, "[compare]\nnew_findings = \"error\"").is_empty());
    assert!(failing(&candidate, "[compare]\nnew_findings = \"none\"").is_empty());
}

#[test]
fn products_and_header_fields_count_only_where_the_policy_says_so() {
    let mut candidate = lab();
    for call in &mut candidate.calls {
        call.caller_software = "Lab phone 2.0".to_owned();
    }
    candidate
        .headers
        .insert(("INVITE".to_owned(), "P-Asserted-Identity".to_owned()), 12);
    assert!(failing(&candidate, "").is_empty());
    let strict = "[compare]\nsoftware = \"fail\"\nheaders = \"fail\"";
    assert_eq!(
        vec!["software stays", "header fields stay"],
        failing(&candidate, strict)
    );
}

#[test]
fn a_delay_of_the_first_response_is_told_once() {
    let mut candidate = lab();
    for call in &mut candidate.calls {
        call.hops[0].reply_ms = call.hops[0].reply_ms.map(|ms| ms + 900.0);
        call.pdd_ms = call.pdd_ms.map(|ms| ms + 900.0);
        call.setup_ms = call.setup_ms.map(|ms| ms + 900.0);
    }
    assert_eq!(vec!["reply_ms does not grow"], failing(&candidate, ""));
    for call in &mut candidate.calls {
        call.setup_ms = call.setup_ms.map(|ms| ms + 4000.0);
    }
    assert_eq!(
        vec!["reply_ms does not grow", "setup_ms does not grow"],
        failing(&candidate, "")
    );
    assert!(failing(&candidate, "[compare]\nmin_sample = 13").is_empty());
}

#[test]
fn a_key_of_the_policy_takes_the_place_of_caller_and_callee() {
    let mut candidate = lab();
    for call in &mut candidate.calls {
        call.caller = "sip:anonymous@anonymous.invalid".to_owned();
    }
    assert!(failing(&candidate, "[compare]\nkey = \"callee\"").is_empty());
    assert_eq!(
        vec![
            "the runs have calls in common",
            "no call is missing",
            "no call is added"
        ],
        failing(&candidate, "[compare]\nkey = \"caller\"")
    );
}

#[test]
fn a_key_that_fails_on_a_call_says_which() {
    let policy = Policy::parse("[compare]\nkey = \"codecs_offered[40]\"").expect("a policy");
    let said = compare(&lab(), &lab(), &policy, None).expect_err("three codecs only");
    assert!(
        said.starts_with("key cannot be worked out for call 1"),
        "{said}"
    );
}
