//! Two runs of the same calls: what never counts, what counts, and what a policy tolerates.

use std::path::PathBuf;

use sipscan::analysis::{Options, analyze};
use sipscan::call::Outcome;
use sipscan::check::{FindingView, Judgement, Policy, RunView, Verdict, compare};
use sipscan::diagnose::Severity;

/// The baseline of the lab: twelve calls, answered and ended.
fn lab() -> RunView {
    let path = format!("{}/tests/fixtures/lab/baseline.pcap.gz", env!("CARGO_MANIFEST_DIR"));
    let analysis = analyze(&[PathBuf::from(path)], &Options::default(), &mut |_| {});
    RunView::of(&analysis.expect("the recording is there"))
}

fn judged(candidate: &RunView, policy: &str) -> Judgement {
    let policy = Policy::parse(policy).expect("a policy");
    compare(&lab(), candidate, &policy, None).expect("a comparison")
}

/// Names of the verdicts that fail.
fn failing(candidate: &RunView, policy: &str) -> Vec<String> {
    let judgement = judged(candidate, policy);
    judgement.failures().map(|verdict| verdict.name.clone()).collect()
}

#[test]
fn call_ids_ports_and_the_order_of_calls_never_count() {
    let mut candidate = lab();
    candidate.calls.reverse();
    for (place, call) in candidate.calls.iter_mut().enumerate() {
        call.id = place as u32 + 1;
        call.call_ids = vec![format!("{place}@elsewhere")];
        call.source = "10.0.0.11:40000".to_owned();
        call.caller = call.caller.rsplit_once(':').map_or(String::new(), |(uri, _)| format!("{uri}:40000"));
        call.pdd_ms = call.pdd_ms.map(|pdd| pdd + f64::from(place as u32 % 7) * 20.0);
    }
    assert!(failing(&candidate, "").is_empty());
    let pairs = judged(&candidate, "").comparison.expect("a comparison").transitions;
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
    candidate.headers.insert(("INVITE".to_owned(), "P-Asserted-Identity".to_owned()), 12);
    assert!(failing(&candidate, "").is_empty());
    let strict = "[compare]\nsoftware = \"fail\"\nheaders = \"fail\"";
    assert_eq!(vec!["software stays", "header fields stay"], failing(&candidate, strict));
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
    assert_eq!(vec!["reply_ms does not grow", "setup_ms does not grow"], failing(&candidate, ""));
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
        vec!["the runs have calls in common", "no call is missing", "no call is added"],
        failing(&candidate, "[compare]\nkey = \"caller\"")
    );
}

#[test]
fn a_key_that_fails_on_a_call_says_which() {
    let policy = Policy::parse("[compare]\nkey = \"codecs_offered[40]\"").expect("a policy");
    let said = compare(&lab(), &lab(), &policy, None).expect_err("three codecs only");
    assert!(said.starts_with("key takes an element") && said.ends_with("(call 1)"), "{said}");
}

/// The lab with one call that gets a 503, which a rule explains.
fn with_failure() -> RunView {
    let mut candidate = lab();
    let call = &mut candidate.calls[3];
    call.outcome = Outcome::ServerFailed;
    call.final_code = 503;
    call.primary = "srv-overload".to_owned();
    call.findings.insert(
        0,
        FindingView {
            rule: "srv-overload".to_owned(),
            severity: Severity::Error,
            explains: true,
            title: "Overloaded".to_owned(),
            explanation: "It says so. It asks for a pause.".to_owned(),
            frames: Vec::new(),
        },
    );
    candidate
}

#[test]
fn what_explains_a_call_that_ends_otherwise_is_told_once() {
    assert_eq!(vec!["calls end as before"], failing(&with_failure(), ""));
    let mut candidate = with_failure();
    candidate.calls[4].findings = candidate.calls[3].findings.clone();
    assert_eq!(vec!["calls end as before", "no new findings"], failing(&candidate, ""));
}

#[test]
fn a_waiver_accepts_what_differs_through_its_last_day() {
    let waived = |rest: &str| format!("[[allow.waivers]]\nreason = \"ticket 4711\"\n{rest}");
    for rest in [
        "code = 503",
        "outcome = \"server-failed\"",
        "code = \"5xx\"\ncalls = \"callee.contains('2002')\"",
        "expectation = \"calls end as before\"",
        "code = 503\nexpires = 2099-12-31",
    ] {
        let judgement = judged(&with_failure(), &waived(rest));
        assert!(judgement.holds(), "{rest}");
        let accepted: Vec<String> = judgement
            .verdicts
            .iter()
            .filter(|verdict| verdict.status.word() == "waived")
            .map(Verdict::sentence)
            .collect();
        assert_eq!(
            vec!["1 of 12 end otherwise: server-failed 503 instead of completed 200 (1); accepted: ticket 4711"],
            accepted,
            "{rest}"
        );
    }
    for rest in ["code = 504", "code = 503\ncalls = \"callee.contains('1001')\"", "expectation = \"codecs stay\""] {
        assert_eq!(vec!["calls end as before"], failing(&with_failure(), &waived(rest)), "{rest}");
    }
    let expired = judged(&with_failure(), &waived("code = 503\nexpires = 2000-01-01"));
    let said: Vec<&str> = expired.failures().map(|verdict| verdict.said.as_str()).collect();
    assert_eq!(
        vec!["1 of 12 end otherwise: server-failed 503 instead of completed 200 (1) (was accepted until 2000-01-01)"],
        said
    );
}

#[test]
fn what_is_left_beside_accepted_calls_still_fails() {
    let mut candidate = with_failure();
    candidate.calls[4].outcome = Outcome::Busy;
    candidate.calls[4].final_code = 486;
    let policy = "[[allow.waivers]]\ncode = 503\nreason = \"ticket 4711\"";
    let judgement = judged(&candidate, policy);
    let said: Vec<&str> = judgement.failures().map(|verdict| verdict.said.as_str()).collect();
    assert_eq!(
        vec!["1 of 12 end otherwise (1 more accepted: ticket 4711): busy 486 instead of completed 200 (1)"],
        said
    );
    assert!(failing(&candidate, &format!("[compare]\nmax_changed_calls = 1\n{policy}")).is_empty());
}

#[test]
fn a_new_finding_of_an_accepted_rule_is_accepted() {
    let mut candidate = lab();
    candidate.calls[0].findings.push(FindingView {
        rule: "net-ack-lost".to_owned(),
        severity: Severity::Warn,
        explains: false,
        title: "ACK lost".to_owned(),
        explanation: "The ACK never arrived.".to_owned(),
        frames: Vec::new(),
    });
    let waived = |rest: &str| format!("[[allow.waivers]]\nrule = \"net-ack-lost\"\nreason = \"x\"\n{rest}");
    assert!(failing(&candidate, &waived("")).is_empty());
    assert!(failing(&candidate, &waived("calls = \"callee.contains('1001')\"")).is_empty());
    assert_eq!(vec!["no new findings"], failing(&candidate, &waived("calls = \"callee.contains('2002')\"")));
    assert_eq!(vec!["no new findings"], failing(&candidate, &waived("expires = 2000-01-01")));
}

#[test]
fn a_growth_names_the_calls_that_grew_most() {
    let mut candidate = lab();
    for call in &mut candidate.calls {
        let more = if call.id == 5 { 3000.0 } else { 900.0 };
        call.pdd_ms = call.pdd_ms.map(|ms| ms + more);
        call.setup_ms = call.setup_ms.map(|ms| ms + more);
    }
    let judgement = judged(&candidate, "");
    let growth = judgement.failures().next().expect("a failure");
    assert_eq!("pdd_ms does not grow", growth.name);
    assert_eq!(Some(5), growth.proofs[0].call);
    assert!(!growth.proofs[0].frames.is_empty());
    assert!(growth.proofs[0].note.starts_with("pdd_ms is 30"), "{}", growth.proofs[0].note);
}
