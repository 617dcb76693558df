//! Policies at work on recorded captures.

use crate::program::{check, sample};

/// Whether a policy holds for a sample, and what is said.
fn verdict(policy: &str, capture: &str) -> (i32, String) {
    let ended = check(policy, &sample(capture), &[]);
    assert_eq!("", ended.stderr, "{policy}");
    (ended.code, ended.stdout)
}

#[test]
fn limits_on_metrics_hold_or_fail_with_the_value_seen() {
    let full = "503-gateway-full.pcapng";
    assert_eq!(0, verdict("[metrics]\nmin_calls = 1\nmin_asr_percent = 100", "answered-through-proxy.pcapng").0);
    let (code, said) =
        verdict("[metrics]\nmin_asr_percent = 95.0\n[forbid]\nseverity = \"none\"\n[allow]\ncodes = [\"5xx\"]", full);
    assert_eq!(1, code);
    assert!(said.starts_with("FAIL min_asr_percent: 25 %, at least 95 % is needed"), "{said}");
    let (code, said) = verdict("[metrics]\nmin_asr_percent = 10\nmin_sample = 20\n[allow]\ncodes = [\"5xx\"]", full);
    assert_eq!(1, code);
    assert!(said.contains("8 calls, min_sample asks for 20"), "{said}");
}

#[test]
fn limits_on_registrations_and_on_the_end_of_calls_hold_or_fail_with_the_value_seen() {
    let phones = "registered-phones-call.pcapng";
    let limits = "min_registration_attempts = 1\nmax_ira_percent = 0\nmax_rrd_p95_ms = 5000\nmax_sdd_p95_ms = 5000";
    assert_eq!((0, String::new()), verdict(&format!("[metrics]\n{limits}"), phones));
    let (code, said) = verdict("[metrics]\nmax_rrd_p50_ms = 0.001", phones);
    assert_eq!(1, code);
    assert!(said.starts_with("FAIL max_rrd_p50_ms: "), "{said}");
    assert!(said.contains("[frames "), "{said}");
    let (_, said) = verdict("[metrics]\nmax_ira_percent = 5\nmin_sample = 50", phones);
    assert!(said.contains("tries to register, min_sample asks for 50"), "{said}");
    let (code, said) = verdict("[metrics]\nmax_rrd_p50_ms = 10", "answered-through-proxy.pcapng");
    assert_eq!(1, code);
    assert!(said.contains("nothing to measure it by"), "{said}");
}

#[test]
fn what_is_allowed_is_fine_and_what_is_forbidden_fails() {
    let full = "503-gateway-full.pcapng";
    assert_eq!(0, verdict("[allow]\noutcomes = [\"server-failed\"]\n[forbid]\nseverity = \"none\"", full).0);
    assert_eq!(0, verdict("[allow]\ncodes = [503]\n[forbid]\nseverity = \"none\"", full).0);
    assert_eq!(0, verdict("", "busy.pcap").0);
    let (code, said) = verdict("[forbid]\noutcomes = [\"busy\"]", "busy.pcap");
    assert_eq!(1, code);
    assert!(said.starts_with("FAIL no call is busy: 1 call"), "{said}");
    let (code, said) = verdict("[forbid]\ncodes = [\"4xx\"]", "busy.pcap");
    assert_eq!(1, code);
    assert!(said.starts_with("FAIL no call ends with 486: 1 call"), "{said}");
}

#[test]
fn a_waiver_counts_through_its_last_day() {
    let policy = "[forbid]\noutcomes = [\"busy\"]\n[[allow.waivers]]\noutcome = \"busy\"\nreason = \"ticket 4711\"\nexpires = 2026-12-31";
    let busy = sample("busy.pcap");
    assert_eq!(0, check(policy, &busy, &["--today=2026-12-31"]).code);
    assert_eq!(1, check(policy, &busy, &["--today=2027-01-01"]).code);
    let told = check(policy, &busy, &["--today=2026-12-31", "--verbose"]).stdout;
    assert!(told.contains("accepted: ticket 4711"), "{told}");
    let elsewhere = "[forbid]\noutcomes = [\"busy\"]\n[[allow.waivers]]\noutcome = \"busy\"\nreason = \"x\"\ncalls = \"transport == 'tls'\"";
    assert_eq!(1, check(elsewhere, &busy, &[]).code);
    let named = "[metrics]\nmin_asr_percent = 50\n[[allow.waivers]]\nexpectation = \"min_asr_percent\"\nreason = \"x\"";
    assert_eq!(0, check(named, &busy, &[]).code);
}

#[test]
fn an_expectation_judges_the_calls_that_it_is_about() {
    let expect = |rest: &str| format!("[[expect]]\nname = \"x\"\n{rest}");
    for (rest, capture, holds) in [
        ("outcome = \"busy\"\ncodes = 486", "busy.pcap", true),
        ("outcome = [\"rejected\", \"completed\"]", "488-codec-mismatch.pcap", true),
        ("codes = [486, \"2xx\"]", "488-codec-mismatch.pcap", false),
        ("calls = \"answered\"\noutcome = \"completed\"", "busy.pcap", false),
        ("calls = \"answered\"\noutcome = \"completed\"\nallow_none = true", "busy.pcap", true),
        ("min_calls = 2", "busy.pcap", false),
        ("max_calls = 0\ncalls = \"answered\"", "busy.pcap", true),
        ("max_calls = 0", "busy.pcap", false),
        ("transport = \"tcp\"", "tcp-calls.pcap", true),
        ("transport = [\"udp\", \"tls\"]", "tcp-calls.pcap", false),
        ("ended_by = \"caller\"", "tcp-calls.pcap", true),
        ("ended_by = \"callee\"", "tcp-calls.pcap", false),
        ("max_setup_ms = 10", "tcp-calls.pcap", false),
        ("min_setup_ms = 10\nmax_setup_ms = 5000", "tcp-calls.pcap", true),
        ("max_setup_ms = 5000", "busy.pcap", false),
        ("sequence = \"INVITE 1xx+ 200 ACK BYE 200\"", "tcp-calls.pcap", true),
        ("sequence = \"INVITE 200 ACK BYE 200\"", "tcp-calls.pcap", false),
        ("holds = \"messages > 5 && retransmissions == 0\"", "tcp-calls.pcap", true),
        ("holds = \"messages < 5\"", "tcp-calls.pcap", false),
        ("holds = \"codecs_offered[40] == 'PCMA'\"", "tcp-calls.pcap", false),
        ("calls = \"codecs_offered[40] == 'PCMA'\"\nmin_calls = 1", "tcp-calls.pcap", false),
        ("headers = [{ name = \"Contact\" }]", "tcp-calls.pcap", true),
        ("headers = [{ name = \"Contact\", matches = \"^<sip:\" }]", "tcp-calls.pcap", true),
        ("headers = [{ name = \"Contact\", matches = \"nobody\" }]", "tcp-calls.pcap", false),
        ("headers = [{ name = \"P-Asserted-Identity\", absent = true }]", "tcp-calls.pcap", true),
        ("headers = [{ name = \"Contact\", absent = true }]", "tcp-calls.pcap", false),
        ("headers = [{ name = \"Retry-After\", message = \"503\" }]", "tcp-calls.pcap", false),
    ] {
        let (code, said) = verdict(&expect(rest), capture);
        assert_eq!(i32::from(!holds), code, "{rest} on {capture}: {said}");
        assert!(holds || said.starts_with("FAIL x: "), "{rest}: {said}");
    }
}

#[test]
fn repeats_fail_no_expected_sequence() {
    let expect = "[allow]\noutcomes = [\"dropped\"]\n[forbid]\nseverity = \"none\"\n[[expect]]\nname = \"x\"\nsequence = \"INVITE 180 200 ACK BYE 200\"";
    let (code, said) = verdict(expect, "ack-lost.pcap");
    assert_eq!(0, code, "{said}");
}

#[test]
fn an_expectation_limits_metrics_over_the_calls_of_its_group() {
    let full = "503-gateway-full.pcapng";
    let expect =
        |rest: &str| format!("[allow]\ncodes = 503\n[forbid]\nseverity = \"none\"\n[[expect]]\nname = \"x\"\n{rest}");
    for (rest, said) in [
        ("min_asr_percent = 25", ""),
        ("min_asr_percent = 26", "FAIL x: 8 calls; asr_percent is 25 %, min_asr_percent is 26 % [frames "),
        ("calls = \"answered\"\nmin_asr_percent = 100\nmax_pdd_p95_ms = 5000", ""),
        ("calls = \"!answered\"\nmin_asr_percent = 1", "FAIL x: 6 calls; asr_percent is 0 %, min_asr_percent is 1 %"),
        (
            "calls = \"!answered\"\nmax_talk_p50_ms = 1",
            "FAIL x: 6 calls; talk_p50_ms is not known of any call, so max_talk_p50_ms = 1 ms cannot hold",
        ),
        (
            "calls = \"answered\"\nmax_pdd_p95_ms = 1\nmax_setup_max_ms = 2\noutcome = \"completed\"",
            "FAIL x: 2 of 2 calls as expected; pdd_p95_ms is ",
        ),
        ("calls = \"transport == 'tls'\"\nallow_none = true\nmin_asr_percent = 99", ""),
        ("calls = \"transport == 'tls'\"\nmin_asr_percent = 99", "FAIL x: no call matches, so nothing was tested"),
        ("min_asr_percent = 20\nmin_calls = 9", "FAIL x: 8 calls, at least 9 are needed"),
    ] {
        let (code, told) = verdict(&expect(rest), full);
        assert_eq!(i32::from(!said.is_empty()), code, "{rest}: {told}");
        assert!(told.starts_with(said), "{rest}: {told}");
    }
    let told = check(&expect("min_asr_percent = 25"), &sample(full), &["--verbose"]).stdout;
    assert!(told.contains("ok   x: 8 calls; asr_percent 25 %\n"), "{told}");
}

#[test]
fn a_limit_that_fails_names_the_calls_that_count_against_it() {
    let (_, said) = verdict(
        "[metrics]\nmin_asr_percent = 95\n[allow]\ncodes = 503\n[forbid]\nseverity = \"none\"",
        "503-gateway-full.pcapng",
    );
    assert!(said.starts_with("FAIL min_asr_percent: 25 %, at least 95 % is needed [frames "), "{said}");
    let told = check("[metrics]\nmax_setup_max_ms = 1", &sample("tcp-calls.pcap"), &["--verbose"]).stdout;
    assert!(told.contains(": setup_ms is "), "{told}");
}

#[test]
fn a_failure_whose_waiver_expired_says_until_when_it_was_accepted() {
    let policy =
        "[forbid]\noutcomes = [\"busy\"]\n[[allow.waivers]]\noutcome = \"busy\"\nreason = \"x\"\nexpires = 2026-12-31";
    let ended = check(policy, &sample("busy.pcap"), &["--today=2027-01-01"]);
    assert_eq!(1, ended.code);
    assert!(ended.stdout.contains("(was accepted until 2026-12-31)"), "{}", ended.stdout);
}

#[test]
fn a_share_of_the_group_may_be_enough() {
    let full = "503-gateway-full.pcapng";
    let policy = |percent: u32| format!("[[expect]]\nname = \"x\"\noutcome = \"completed\"\nmin_percent = {percent}");
    assert_eq!(0, check(&policy(25), &sample(full), &[]).code);
    let ended = check(&policy(26), &sample(full), &[]);
    assert_eq!(1, ended.code);
    assert!(ended.stdout.contains("6 of 8 calls, 25 % hold and 26 % are needed"), "{}", ended.stdout);
}

#[test]
fn captures_without_calls_test_nothing_and_fail() {
    let none = sample("../tests/fixtures/tls/no-cipher.pcap");
    let ended = check("", &none, &[]);
    assert_eq!(1, ended.code);
    assert!(ended.stdout.contains("nothing was tested"), "{}", ended.stdout);
    let ended = check("[metrics]\nmin_calls = 0", &none, &[]);
    assert!(!ended.stdout.contains("min_calls"), "{}", ended.stdout);
}
