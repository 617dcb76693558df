//! Policies with mistakes: each gives one message with its line and column.

use crate::program::{check, fixture, run};

/// Policies, and the message that each gives.
const MISTAKES: &[(&str, &str)] = &[
    ("[metrics]\nmin_asr = 95", "2:1: [metrics] has no key \"min_asr\"; did you mean min_asr_percent?"),
    ("[metrics]\nmin_asr_percent = 100.5", "2:19: min_asr_percent = 100.5: percent run from 0 to 100"),
    ("[metrics]\nmin_asr_percent = 0.95", "2:19: min_asr_percent = 0.95: less than one percent is no demand"),
    ("[metrics]\nmax_pdd_p95_s = 2", "2:1: [metrics] has no key \"max_pdd_p95_s\"; did you mean max_pdd_p95_ms?"),
    ("[metrics]\nmax_pdd_p95_ms = \"2 s\"", "2:18: max_pdd_p95_ms takes a number without quotes"),
    ("[metrics]\nmax_pdd_p95_ms = -1", "2:18: max_pdd_p95_ms = -1: cannot be negative"),
    ("[metrics]\nmax_pdd_p95_ms = nan", "2:18: max_pdd_p95_ms takes a finite number"),
    ("[metrics]\nmin_calls = 5\nmax_calls = 4", "3:13: max_calls = 4 is less than min_calls: nothing can hold"),
    ("[metric]\nmin_calls = 5", "1:2: a policy has no key \"metric\"; did you mean metrics?"),
    ("metrics = 5", "1:11: metrics takes a table: [metrics]"),
    ("[allow]\noutcomes = [\"buzy\"]", "2:13: outcomes: \"buzy\" is no outcome; did you mean busy?"),
    ("[allow]\ncodes = [486, 799]", "2:15: codes takes codes from 100 to 699, or classes such as \"5xx\""),
    ("[forbid]\nseverity = \"fatal\"", "2:12: severity: \"fatal\" is no severity; it is error, warn, info, or none"),
    (
        "[forbid]\nrules = [\"no-such-rule-at-all\"]",
        "2:10: rules: \"no-such-rule-at-all\" is no rule; sipscan rules lists them",
    ),
    (
        "[forbid]\nrules = [\"net-ack-lost\", \"rtp-one-way\"]",
        "2:26: rules: \"rtp-one-way\" is no rule; sipscan rules lists them",
    ),
    ("[allow]\ncodes = 503\n[forbid]\ncodes = 503", "3:1: code 503 is both allowed and forbidden; keep one"),
    ("[[allow.waivers]]\ncode = 503", "1:1: a waiver needs a reason: reason = \"why this is accepted for now\""),
    (
        "[[allow.waivers]]\nreason = \"x\"",
        "1:1: a waiver is about one thing: give one of rule, code, outcome and expectation",
    ),
    (
        "[[allow.waivers]]\ncode = 503\nreason = \"x\"\nexpires = \"2026-12-31\"",
        "4:11: expires takes a day without quotes, such as 2026-12-31",
    ),
    (
        "[[allow.waivers]]\nexpectation = \"y\"\nreason = \"x\"",
        "1:1: \"y\" is no expectation of this policy, no limit of [metrics] and no line of a comparison",
    ),
    ("[[allow.waivers]]\nexpectation = \"codec stay\"\nreason = \"x\"", "did you mean \"codecs stay\"?"),
    ("[[expect]]\noutcome = \"busy\"", "1:1: an expectation needs a name: name = \"what reports call it\""),
    (
        "[[expect]]\nname = \"x\"",
        "1:1: expectation \"x\" asks for nothing; give outcome, codes, min_calls or another key",
    ),
    (
        "[[expect]]\nname = \"x\"\ncalls = \"outcom == 'busy'\"\nmin_calls = 1",
        "3:10: calls uses \"outcom\", which no call has; did you mean outcome?",
    ),
    (
        "[[expect]]\nname = \"x\"\ncalls = \"answered && stauts\"\nmin_calls = 1",
        "3:22: calls uses \"stauts\", which no call has",
    ),
    (
        "[[expect]]\nname = \"x\"\ncalls = \"caller ==\"\nmin_calls = 1",
        "calls ends too early: something is missing at its end",
    ),
    (
        "[[expect]]\nname = \"x\"\nholds = \"final_code\"",
        "3:10: holds is no condition: it gives a number, not true or false",
    ),
    ("[[expect]]\nname = \"x\"\nsequence = \"INVITE 2000\"", "3:12: sequence has \"2000\", which is no method"),
    (
        "[[expect]]\nname = \"x\"\nheaders = [{ name = \"Contact\", matches = \"(\" }]",
        "3:42: matches is no regular expression",
    ),
    (
        "[[expect]]\nname = \"x\"\nheaders = [{ name = \"Subject\" }]",
        "3:21: name: values of the header field \"Subject\" are not kept",
    ),
    ("[[expect]]\nname = \"x\"\ntransport = \"upd\"", "3:13: transport: \"upd\" is not known; did you mean udp?"),
    ("[[expect]]\nname = \"x\"\nmin_calls = 1.5", "3:13: min_calls takes a whole number"),
    (
        "[[expect]]\nname = \"x\"\nmin_calls = 1\n[[expect]]\nname = \"x\"\nmin_calls = 1",
        "5:8: name: \"x\" is the name of another expectation too",
    ),
    ("[compare]\ncodecs = \"ignore\"", "2:10: codecs: \"ignore\" is neither fail nor report"),
    ("[compare]\nmin_effect_size = 1.5", "2:19: min_effect_size = 1.5: an effect size runs from 0 to 1"),
    ("[compare]\nkey = \"codecs_offered\"", "2:8: key is no key: it gives a list, not a text"),
    ("[metrics", "policy.toml:1:9: is no TOML at the end of this line: unclosed table"),
    ("[metrics]\nmin_calls = 1\nmin_calls = 2", "3:1: \"min_calls\" is there a second time; keep one"),
    ("[metrics]\nmin_calls = 1\n[metrics]\nmin_calls = 2", "3:2: \"metrics\" is there a second time; keep one"),
    ("[metrics]\nmin_asr_percent = 95 %", "2:19: is no TOML from \"95 %\" on: string values must be quoted"),
    ("[metrics]\nmin_asr_percent = 0,95", "a number is written alone, as 95.0, a text in quotes, a day as 2026-12-31"),
    ("[metrics]\nmin_asr_percent", "2:16: a key without a value; write key = value"),
    ("min_asr_percent = 95", "1:1: a policy has no key \"min_asr_percent\"; write it below [metrics]"),
    ("[expect]\nname = \"x\"", "1:1: expect takes a list of tables: [[expect]]"),
    (
        "[[expect]]\nname = \"x\"\nmax_pdd_seconds = 2",
        "3:1: [[expect]] has no key \"max_pdd_seconds\"; docs/policy.md lists what [[expect]] takes",
    ),
    ("[[expect]]\nnme = \"x\"\nmin_calls = 2", "2:1: [[expect]] has no key \"nme\"; did you mean name?"),
    (
        "[[expect]]\nname = \"x\"\nheaders = [{ nme = \"Contact\" }]",
        "3:14: [[expect.headers]] has no key \"nme\"; did you mean name?",
    ),
    (
        "[[expect]]\nname = \"x\"\nheaders = [{ name = \"Contact\", message = \"INVTE\" }]",
        "3:42: message: \"INVTE\" is no method and no code",
    ),
    ("[[expect]]\nname = \" \"\nmin_calls = 2", "2:8: name is empty"),
    ("[[expect]]\nname = \"x\"\noutcome = []", "3:11: outcome takes at least one; leave it out to ask for nothing"),
    (
        "[[expect]]\nname = \"x\"\nmin_asr_percent = 0.95",
        "3:19: min_asr_percent = 0.95: less than one percent is no demand; percent run from 0 to 100, so write 95 for a ratio of 0.95",
    ),
    (
        "[[expect]]\nname = \"x\"\nmin_asr_percent = 95\nmax_asr_percent = 90",
        "4:19: max_asr_percent = 90 is less than min_asr_percent: nothing can hold",
    ),
    (
        "[[expect]]\nname = \"x\"\nmin_calls = 1\ncalls = \"\"\"\nanswered &&\n  stauts\"\"\"",
        "6:3: calls uses \"stauts\", which no call has",
    ),
    (
        "[[expect]]\nname = \"x\"\nmin_calls = 1\ncalls = \"final_code > '4'\"",
        "4:10: calls cannot be worked out: > does not take a whole number and a text",
    ),
    (
        "[[expect]]\nname = \"x\"\nmin_calls = 1\ncalls = \"caller.matches('(')\"",
        "4:10: calls has a regular expression that cannot be read: unclosed group",
    ),
    (
        "[[allow.waivers]]\ncode = 503\nreason = \"x\"\nexpires = 2026-02-30",
        "4:11: is no TOML from \"2026-02-30\" on: invalid date, expected day between 01 and 28",
    ),
    (
        "[[allow.waivers]]\ncode = 503\nreason = \"x\"\nuntil = 2026-02-20",
        "4:1: [[allow.waivers]] has no key \"until\"",
    ),
    (
        "[[allow.waivers]]\noutcome = \"buzy\"\nreason = \"x\"",
        "2:11: outcome: \"buzy\" is no outcome; did you mean busy?",
    ),
    (
        "[[allow.waivers]]\nrule = \"sdp-codec-mismach\"\nreason = \"x\"",
        "2:8: rule: \"sdp-codec-mismach\" is no rule; did you mean sdp-codec-mismatch?",
    ),
    ("[compare]\nmax_changed_calls = -1", "2:21: max_changed_calls = -1: cannot be negative"),
    ("[compare]\nmax_changed_calls = \"1\"", "2:21: max_changed_calls takes a number without quotes"),
];

#[test]
fn a_mistake_is_one_message_with_its_place() {
    for (policy, said) in MISTAKES {
        let ended = check(policy, &fixture("baseline"), &[]);
        assert_eq!(2, ended.code, "{policy}");
        assert_eq!(1, ended.stderr.lines().count(), "{policy}: {}", ended.stderr);
        assert!(
            ended.stderr.starts_with("sipscan: policy.toml:") && ended.stderr.contains(said),
            "{policy}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_file_that_is_no_policy_is_told_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = format!("a = {}", "[".repeat(5000));
    let cases: [(&[u8], &str); 5] = [
        (
            b"[metrics]\n# caf\xe9\nmin_calls = 1",
            "policy.toml:2:6: this is not UTF-8; a policy is a text file in TOML, saved as UTF-8",
        ),
        (b"\xff\xfe[\0m\0", "policy.toml:1:1: this is not UTF-8"),
        (&[b'#'; 1_100_000], "policy.toml: is longer than 1048576 bytes, so it is no policy"),
        (deep.as_bytes(), "is nested too deeply for a policy"),
        (b"{\"metrics\": {}}", "policy.toml:1:1: is no TOML from \"{\"metrics\": {}}\" on"),
    ];
    for (bytes, said) in cases {
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, bytes).expect("a file");
        let path = path.display().to_string();
        let ended = run(&["check", "--policy", &path, &fixture("baseline")]);
        assert_eq!((2, ""), (ended.code, ended.stdout.as_str()), "{said}");
        assert_eq!(1, ended.stderr.lines().count(), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    let folder = folder.path().display().to_string();
    let ended = run(&["check", "--policy", &folder, &fixture("baseline")]);
    assert_eq!(2, ended.code);
    assert!(ended.stderr.contains(": cannot be read: "), "{}", ended.stderr);
}

#[test]
fn an_empty_policy_asks_what_holds_without_one() {
    for text in ["", "\n\n", "# nothing yet\n", "\u{feff}[metrics]\nmin_calls = 1"] {
        assert_eq!(0, check(text, &fixture("baseline"), &[]).code, "{text:?}");
    }
}
