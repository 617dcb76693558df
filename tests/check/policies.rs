//! Policies at work on recorded captures, and what is documented of them.

use std::collections::BTreeSet;

use sipscan::check::{
    ALLOW_KEYS, CALL_NUMBERS, COMPARE_KEYS, EXPECT_KEYS, FORBID_KEYS, GROUP_METRICS, HEADER_KEYS,
    METRICS, METRICS_KEYS, Policy, WAIVER_KEYS, variable_names,
};

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
    assert_eq!(
        0,
        verdict(
            "[metrics]\nmin_calls = 1\nmin_asr_percent = 100",
            "answered-through-proxy.pcapng"
        )
        .0
    );
    let (code, said) = verdict(
        "[metrics]\nmin_asr_percent = 95.0\n[forbid]\nseverity = \"none\"\n[allow]\ncodes = [\"5xx\"]",
        full,
    );
    assert_eq!(1, code);
    assert!(
        said.starts_with("FAIL min_asr_percent: 25 %, at least 95 % is needed"),
        "{said}"
    );
    let (code, said) = verdict(
        "[metrics]\nmin_asr_percent = 10\nmin_sample = 20\n[allow]\ncodes = [\"5xx\"]",
        full,
    );
    assert_eq!(1, code);
    assert!(said.contains("8 calls, min_sample asks for 20"), "{said}");
}

#[test]
fn what_is_allowed_is_fine_and_what_is_forbidden_fails() {
    let full = "503-gateway-full.pcapng";
    assert_eq!(
        0,
        verdict(
            "[allow]\noutcomes = [\"server-failed\"]\n[forbid]\nseverity = \"none\"",
            full
        )
        .0
    );
    assert_eq!(
        0,
        verdict(
            "[allow]\ncodes = [503]\n[forbid]\nseverity = \"none\"",
            full
        )
        .0
    );
    assert_eq!(0, verdict("", "busy.pcap").0);
    let (code, said) = verdict("[forbid]\noutcomes = [\"busy\"]", "busy.pcap");
    assert_eq!(1, code);
    assert!(said.starts_with("FAIL no call is busy: 1 call"), "{said}");
    let (code, said) = verdict("[forbid]\ncodes = [\"4xx\"]", "busy.pcap");
    assert_eq!(1, code);
    assert!(
        said.starts_with("FAIL no call ends with 486: 1 call"),
        "{said}"
    );
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
        (
            "outcome = [\"rejected\", \"completed\"]",
            "488-codec-mismatch.pcap",
            true,
        ),
        ("codes = [486, \"2xx\"]", "488-codec-mismatch.pcap", false),
        (
            "calls = \"answered\"\noutcome = \"completed\"",
            "busy.pcap",
            false,
        ),
        (
            "calls = \"answered\"\noutcome = \"completed\"\nallow_none = true",
            "busy.pcap",
            true,
        ),
        ("min_calls = 2", "busy.pcap", false),
        ("max_calls = 0\ncalls = \"answered\"", "busy.pcap", true),
        ("max_calls = 0", "busy.pcap", false),
        ("transport = \"tcp\"", "tcp-calls.pcap", true),
        ("transport = [\"udp\", \"tls\"]", "tcp-calls.pcap", false),
        ("ended_by = \"caller\"", "tcp-calls.pcap", true),
        ("ended_by = \"callee\"", "tcp-calls.pcap", false),
        ("max_setup_ms = 10", "tcp-calls.pcap", false),
        (
            "min_setup_ms = 10\nmax_setup_ms = 5000",
            "tcp-calls.pcap",
            true,
        ),
        ("max_setup_ms = 5000", "busy.pcap", false),
        (
            "sequence = \"INVITE 1xx+ 200 ACK BYE 200\"",
            "tcp-calls.pcap",
            true,
        ),
        (
            "sequence = \"INVITE 200 ACK BYE 200\"",
            "tcp-calls.pcap",
            false,
        ),
        (
            "holds = \"messages > 5 && retransmissions == 0\"",
            "tcp-calls.pcap",
            true,
        ),
        ("holds = \"messages < 5\"", "tcp-calls.pcap", false),
        (
            "holds = \"codecs_offered[40] == 'PCMA'\"",
            "tcp-calls.pcap",
            false,
        ),
        (
            "calls = \"codecs_offered[40] == 'PCMA'\"\nmin_calls = 1",
            "tcp-calls.pcap",
            false,
        ),
        ("headers = [{ name = \"Contact\" }]", "tcp-calls.pcap", true),
        (
            "headers = [{ name = \"Contact\", matches = \"^<sip:\" }]",
            "tcp-calls.pcap",
            true,
        ),
        (
            "headers = [{ name = \"Contact\", matches = \"nobody\" }]",
            "tcp-calls.pcap",
            false,
        ),
        (
            "headers = [{ name = \"P-Asserted-Identity\", absent = true }]",
            "tcp-calls.pcap",
            true,
        ),
        (
            "headers = [{ name = \"Contact\", absent = true }]",
            "tcp-calls.pcap",
            false,
        ),
        (
            "headers = [{ name = \"Retry-After\", message = \"503\" }]",
            "tcp-calls.pcap",
            false,
        ),
    ] {
        let (code, said) = verdict(&expect(rest), capture);
        assert_eq!(i32::from(!holds), code, "{rest} on {capture}: {said}");
        assert!(holds || said.starts_with("FAIL x: "), "{rest}: {said}");
    }
}

#[test]
fn an_expectation_limits_metrics_over_the_calls_of_its_group() {
    let full = "503-gateway-full.pcapng";
    let expect = |rest: &str| {
        format!(
            "[allow]\ncodes = 503\n[forbid]\nseverity = \"none\"\n[[expect]]\nname = \"x\"\n{rest}"
        )
    };
    for (rest, said) in [
        ("min_asr_percent = 25", ""),
        (
            "min_asr_percent = 26",
            "FAIL x: 8 calls; asr_percent is 25 %, min_asr_percent is 26 % [frames ",
        ),
        (
            "calls = \"answered\"\nmin_asr_percent = 100\nmax_pdd_p95_ms = 5000",
            "",
        ),
        (
            "calls = \"!answered\"\nmin_asr_percent = 1",
            "FAIL x: 6 calls; asr_percent is 0 %, min_asr_percent is 1 %",
        ),
        (
            "calls = \"!answered\"\nmax_talk_p50_ms = 1",
            "FAIL x: 6 calls; talk_p50_ms is not known of any call, so max_talk_p50_ms = 1 ms cannot hold",
        ),
        (
            "calls = \"answered\"\nmax_pdd_p95_ms = 1\nmax_setup_max_ms = 2\noutcome = \"completed\"",
            "FAIL x: 2 of 2 calls as expected; pdd_p95_ms is ",
        ),
        (
            "calls = \"transport == 'tls'\"\nallow_none = true\nmin_asr_percent = 99",
            "",
        ),
        (
            "calls = \"transport == 'tls'\"\nmin_asr_percent = 99",
            "FAIL x: no call matches, so nothing was tested",
        ),
        (
            "min_asr_percent = 20\nmin_calls = 9",
            "FAIL x: 8 calls, at least 9 are needed",
        ),
    ] {
        let (code, told) = verdict(&expect(rest), full);
        assert_eq!(i32::from(!said.is_empty()), code, "{rest}: {told}");
        assert!(told.starts_with(said), "{rest}: {told}");
    }
    let told = check(
        &expect("min_asr_percent = 25"),
        &sample(full),
        &["--verbose"],
    )
    .stdout;
    assert!(
        told.contains("ok   x: 8 calls; asr_percent 25 %\n"),
        "{told}"
    );
}

#[test]
fn a_limit_that_fails_names_the_calls_that_count_against_it() {
    let (_, said) = verdict(
        "[metrics]\nmin_asr_percent = 95\n[allow]\ncodes = 503\n[forbid]\nseverity = \"none\"",
        "503-gateway-full.pcapng",
    );
    assert!(
        said.starts_with("FAIL min_asr_percent: 25 %, at least 95 % is needed [frames "),
        "{said}"
    );
    let told = check(
        "[metrics]\nmax_setup_max_ms = 1",
        &sample("tcp-calls.pcap"),
        &["--verbose"],
    )
    .stdout;
    assert!(told.contains(": setup_ms is "), "{told}");
}

#[test]
fn a_failure_whose_waiver_expired_says_until_when_it_was_accepted() {
    let policy = "[forbid]\noutcomes = [\"busy\"]\n[[allow.waivers]]\noutcome = \"busy\"\nreason = \"x\"\nexpires = 2026-12-31";
    let ended = check(policy, &sample("busy.pcap"), &["--today=2027-01-01"]);
    assert_eq!(1, ended.code);
    assert!(
        ended.stdout.contains("(was accepted until 2026-12-31)"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_share_of_the_group_may_be_enough() {
    let full = "503-gateway-full.pcapng";
    let policy = |percent: u32| {
        format!("[[expect]]\nname = \"x\"\noutcome = \"completed\"\nmin_percent = {percent}")
    };
    assert_eq!(0, check(&policy(25), &sample(full), &[]).code);
    let ended = check(&policy(26), &sample(full), &[]);
    assert_eq!(1, ended.code);
    assert!(
        ended
            .stdout
            .contains("6 of 8 calls, 25 % hold and 26 % are needed"),
        "{}",
        ended.stdout
    );
}

#[test]
fn captures_without_calls_test_nothing_and_fail() {
    let none = sample("../tests/fixtures/tls/no-cipher.pcap");
    let ended = check("", &none, &[]);
    assert_eq!(1, ended.code);
    assert!(
        ended.stdout.contains("nothing was tested"),
        "{}",
        ended.stdout
    );
    let ended = check("[metrics]\nmin_calls = 0", &none, &[]);
    assert!(!ended.stdout.contains("min_calls"), "{}", ended.stdout);
}

#[test]
fn every_key_is_in_the_schema_and_in_the_documentation() {
    let read = |path: &str| {
        std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect(path)
    };
    let (schema, page) = (read("docs/policy.schema.json"), read("docs/policy.md"));
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let limits = |names: Vec<&str>| -> Vec<String> {
        names
            .iter()
            .flat_map(|name| [format!("min_{name}"), format!("max_{name}")])
            .collect()
    };
    let owned = |keys: &[&str]| -> Vec<String> { keys.iter().map(ToString::to_string).collect() };
    let metrics: Vec<&str> = METRICS.iter().map(|(name, _)| *name).collect();
    let numbers: Vec<&str> = CALL_NUMBERS.iter().map(|(name, _)| *name).collect();
    let of_group = GROUP_METRICS.iter().map(|(name, _)| *name);
    let of_expect: Vec<&str> = numbers.iter().copied().chain(of_group).collect();
    for (place, keys) in [
        (
            "/properties/metrics",
            [owned(&METRICS_KEYS), limits(metrics.clone())].concat(),
        ),
        ("/properties/allow", owned(&ALLOW_KEYS)),
        (
            "/properties/allow/properties/waivers/items",
            owned(&WAIVER_KEYS),
        ),
        ("/properties/forbid", owned(&FORBID_KEYS)),
        (
            "/properties/expect/items",
            [owned(&EXPECT_KEYS), limits(of_expect)].concat(),
        ),
        (
            "/properties/expect/items/properties/headers/items",
            owned(&HEADER_KEYS),
        ),
        ("/properties/compare", owned(&COMPARE_KEYS)),
    ] {
        let known = schema
            .pointer(&format!("{place}/properties"))
            .and_then(|found| found.as_object())
            .expect(place);
        let in_schema: BTreeSet<&str> = known.keys().map(String::as_str).collect();
        let in_program: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        assert_eq!(in_program, in_schema, "{place}");
    }
    let lists: [&[&str]; 9] = [
        &METRICS_KEYS,
        &ALLOW_KEYS,
        &WAIVER_KEYS,
        &FORBID_KEYS,
        &EXPECT_KEYS,
        &HEADER_KEYS,
        &COMPARE_KEYS,
        &metrics,
        &numbers,
    ];
    for key in lists.into_iter().flatten().copied().chain(variable_names()) {
        assert!(
            page.contains(&format!("`{key}`")) || page.contains(&format!("_{key}`")),
            "docs/policy.md lacks {key}"
        );
    }
}

#[test]
fn the_documented_examples_are_policies() {
    let page = std::fs::read_to_string(format!("{}/docs/policy.md", env!("CARGO_MANIFEST_DIR")))
        .expect("docs/policy.md");
    let examples = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    for example in examples {
        let text = if example.starts_with("sequence") {
            format!("[[expect]]\nname = \"x\"\n{example}")
        } else {
            example.to_owned()
        };
        if let Err(errors) = Policy::parse(&text) {
            panic!("{example}: {errors:?}");
        }
    }
}

#[test]
fn the_schema_takes_the_policy_of_the_lab_and_refuses_a_ratio_for_percent() {
    let schema = std::fs::read_to_string(format!(
        "{}/docs/policy.schema.json",
        env!("CARGO_MANIFEST_DIR")
    ))
    .expect("docs/policy.schema.json");
    let mut compiler = boon::Compiler::new();
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    compiler
        .add_resource("policy.schema.json", schema)
        .expect("the schema has a name");
    let mut schemas = boon::Schemas::new();
    let index = compiler
        .compile("policy.schema.json", &mut schemas)
        .expect("the schema is a schema");
    let accepts = |text: &str| {
        let policy: serde_json::Value = toml::from_str(text).expect("TOML");
        schemas.validate(&policy, index).is_ok()
    };
    let lab = std::fs::read_to_string(format!(
        "{}/tests/lab/policy.toml",
        env!("CARGO_MANIFEST_DIR")
    ))
    .expect("the policy of the lab");
    assert!(accepts(&lab));
    assert!(accepts(
        "[metrics]\nmin_asr_percent = 95.0\n[compare]\ncodecs = \"report\""
    ));
    assert!(!accepts("[metrics]\nmin_asr_percent = 0.95"));
    assert!(!accepts("[metrics]\nmin_asr = 95"));
    assert!(!accepts("[[allow.waivers]]\ncode = 503"));
}
