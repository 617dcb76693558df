//! Policies with mistakes: each gives one message with its line and column.

use crate::program::{check, fixture};

#[test]
fn a_mistake_is_one_message_with_its_place() {
    for (policy, said) in [
        (
            "[metrics]\nmin_asr = 95",
            "2:1: [metrics] has no key \"min_asr\"; did you mean min_asr_percent?",
        ),
        (
            "[metrics]\nmin_asr_percent = 100.5",
            "2:19: min_asr_percent = 100.5: percent run from 0 to 100",
        ),
        (
            "[metrics]\nmin_asr_percent = 0.95",
            "2:19: min_asr_percent = 0.95: less than one percent is no demand",
        ),
        (
            "[metrics]\nmax_pdd_p95_s = 2",
            "2:1: [metrics] has no key \"max_pdd_p95_s\"; did you mean max_pdd_p95_ms?",
        ),
        (
            "[metrics]\nmax_pdd_p95_ms = \"2 s\"",
            "2:18: max_pdd_p95_ms takes a number without quotes",
        ),
        (
            "[metrics]\nmax_pdd_p95_ms = -1",
            "2:18: max_pdd_p95_ms = -1: cannot be negative",
        ),
        (
            "[metrics]\nmax_pdd_p95_ms = nan",
            "2:18: max_pdd_p95_ms takes a finite number",
        ),
        (
            "[metrics]\nmin_calls = 5\nmax_calls = 4",
            "3:13: max_calls = 4 is less than min_calls: nothing can hold",
        ),
        (
            "[metric]\nmin_calls = 5",
            "1:2: a policy has no key \"metric\"; did you mean metrics?",
        ),
        ("metrics = 5", "1:11: metrics takes a table: [metrics]"),
        (
            "[allow]\noutcomes = [\"buzy\"]",
            "2:13: outcomes: \"buzy\" is no outcome; did you mean busy?",
        ),
        (
            "[allow]\ncodes = [486, 799]",
            "2:15: codes takes codes from 100 to 699, or classes such as \"5xx\"",
        ),
        (
            "[forbid]\nseverity = \"fatal\"",
            "2:12: severity: \"fatal\" is no severity; it is error, warn, info, or none",
        ),
        (
            "[forbid]\nrules = [\"no-such-rule-at-all\"]",
            "2:10: rules: \"no-such-rule-at-all\" is no rule; sipscan rules lists them",
        ),
        (
            "[allow]\ncodes = 503\n[forbid]\ncodes = 503",
            "3:1: code 503 is both allowed and forbidden; keep one",
        ),
        (
            "[[allow.waivers]]\ncode = 503",
            "1:1: a waiver needs a reason: reason = \"why this is accepted for now\"",
        ),
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
            "1:1: \"y\" is no expectation of this policy and no limit of [metrics]",
        ),
        (
            "[[expect]]\noutcome = \"busy\"",
            "1:1: an expectation needs a name: name = \"what reports call it\"",
        ),
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
        (
            "[[expect]]\nname = \"x\"\nsequence = \"INVITE 2000\"",
            "3:12: sequence has \"2000\", which is no method",
        ),
        (
            "[[expect]]\nname = \"x\"\nheaders = [{ name = \"Contact\", matches = \"(\" }]",
            "3:42: matches is no regular expression",
        ),
        (
            "[[expect]]\nname = \"x\"\nheaders = [{ name = \"Subject\" }]",
            "3:21: name: values of the header field \"Subject\" are not kept",
        ),
        (
            "[[expect]]\nname = \"x\"\ntransport = \"upd\"",
            "3:13: transport: \"upd\" is not known; did you mean udp?",
        ),
        (
            "[[expect]]\nname = \"x\"\nmin_calls = 1.5",
            "3:13: min_calls takes a whole number",
        ),
        (
            "[[expect]]\nname = \"x\"\nmin_calls = 1\n[[expect]]\nname = \"x\"\nmin_calls = 1",
            "5:8: name: \"x\" is the name of another expectation too",
        ),
        (
            "[compare]\ncodecs = \"ignore\"",
            "2:10: codecs: \"ignore\" is neither fail nor report",
        ),
        (
            "[compare]\nmin_effect_size = 1.5",
            "2:19: min_effect_size = 1.5: an effect size runs from 0 to 1",
        ),
        (
            "[compare]\nkey = \"codecs_offered\"",
            "2:8: key is no key: it gives a list, not a text",
        ),
        ("[metrics", "policy.toml:1:"),
        ("[metrics]\nmin_calls = 1\nmin_calls = 2", "3:1: "),
    ] {
        let ended = check(policy, &fixture("baseline"), &[]);
        assert_eq!(2, ended.code, "{policy}");
        assert_eq!(
            1,
            ended.stderr.lines().count(),
            "{policy}: {}",
            ended.stderr
        );
        assert!(
            ended.stderr.starts_with("sipscan: policy.toml:") && ended.stderr.contains(said),
            "{policy}: {}",
            ended.stderr
        );
    }
}
