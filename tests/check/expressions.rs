//! What expressions over a call may say, and what is said of those that are wrong.

use sipscan::analysis::{CallField, CallFields, FieldKind, FieldValue, text, texts};
use sipscan::capture::Timestamp;
use sipscan::check::Filter;

/// What a field holds of which nothing is known.
fn nothing_of(kind: FieldKind) -> FieldValue<'static> {
    match kind {
        FieldKind::Count => FieldValue::Count(0),
        FieldKind::Code => FieldValue::Code(None),
        FieldKind::Milliseconds => FieldValue::Milliseconds(None),
        FieldKind::Text => text(""),
        FieldKind::Texts => texts([""]),
        FieldKind::Flag => FieldValue::Flag(true),
        FieldKind::Moment => FieldValue::Moment(Timestamp::default()),
    }
}

/// A call that was refused for its codec.
struct Rejected;

impl CallFields for Rejected {
    fn id(&self) -> u32 {
        1
    }

    fn value(&self, field: CallField) -> Option<FieldValue<'_>> {
        match field {
            CallField::Outcome => Some(text("rejected")),
            CallField::Group => Some(text("failure")),
            CallField::Answered => Some(FieldValue::Flag(false)),
            CallField::FinalCode => Some(FieldValue::Code(Some(488))),
            CallField::Caller => Some(text("sip:1001@10.0.0.1")),
            CallField::CodecsOffered => Some(texts(["G729", "PCMA"])),
            CallField::PddMs => Some(FieldValue::Milliseconds(Some(41.5))),
            CallField::Sequence => Some(text("INVITE 100 488 ACK")),
            CallField::Findings => Some(texts(["sdp-codec-mismatch"])),
            CallField::OriginEndpoint => Some(text("10.0.0.5:5060")),
            _ => Some(nothing_of(field.kind())),
        }
    }
}

fn message(source: &str) -> String {
    Filter::condition(source).expect_err(source).message
}

#[test]
fn a_condition_reads_what_the_report_says_of_a_call() {
    for source in [
        "final_code >= 480 && final_code < 500",
        "outcome == 'rejected' && !answered && group == 'failure'",
        "caller.contains('1001') || caller.matches('^sip:2')",
        "codecs_offered.exists(codec, codec == 'PCMA')",
        "'G729' in codecs_offered && codecs_offered[0] == 'G729'",
        "codecs_offered.filter(codec, codec != 'G729').size() == 1",
        "pdd_ms > 41 && pdd_ms < 42.0",
        "setup_ms < 0",
        "sequence == 'INVITE 100 488 ACK'",
        "size(findings) == 1 && primary == ''",
    ] {
        let filter = Filter::condition(source).expect(source);
        assert_eq!(Ok(true), filter.matches(&Rejected), "{source}");
    }
}

#[test]
fn a_former_name_means_what_the_name_of_today_means() {
    for source in [
        "rules.exists(rule, rule == 'sdp-codec-mismatch') && rules == findings",
        "origin == '10.0.0.5:5060' && origin == origin_endpoint",
    ] {
        let filter = Filter::condition(source).expect(source);
        assert_eq!(Ok(true), filter.matches(&Rejected), "{source}");
    }
    assert_eq!("uses \"orign\", which no call has; did you mean origin_endpoint?", message("orign == ''"));
}

#[test]
fn a_misspelt_name_is_told_before_any_call_is_read() {
    let error = Filter::condition("answered && stauts == 1 && outcom == 'busy'").expect_err("no such name");
    assert_eq!((0, 12), error.at);
    assert!(error.message.contains("stauts"), "{}", error.message);
    assert_eq!("uses \"outcom\", which no call has; did you mean outcome?", message("outcom == 'busy'"));
    assert!(message("codecs_offered.exists(codec, codek == 'PCMA')").contains("codek"));
}

#[test]
fn what_cannot_be_compared_or_is_no_condition_is_told_before_any_call_is_read() {
    assert_eq!("cannot be worked out: > does not take a whole number and a text", message("final_code > 'x'"));
    assert_eq!(
        "uses \"startswith\", which is no function here; did you mean startsWith?",
        message("caller.startswith('x')")
    );
    assert_eq!("has a regular expression that cannot be read: unclosed group", message("caller.matches('(')"));
    assert_eq!("is no condition: it gives a number, not true or false", message("final_code"));
    assert!(message("shout(caller) == ''").contains("shout"));
    assert!(message("caller ==").contains("ends too early"), "{}", message("caller =="));
    assert!(message("caller = 'x'").contains("cannot be read from"));
    assert!(message(" ").contains("is empty"));
    assert!(message(&"(".repeat(4000)).len() < 200);
    assert!(message(&"x".repeat(5000)).contains("at most 2048"));
}

#[test]
fn a_key_is_a_text_or_a_whole_number() {
    let key = Filter::key("caller + ' ' + destination").expect("a text");
    assert_eq!(Ok("sip:1001@10.0.0.1 ".to_owned()), key.key_of(&Rejected));
    assert_eq!(Ok("488".to_owned()), Filter::key("final_code").expect("a number").key_of(&Rejected));
    assert!(Filter::key("codecs_offered").is_err());
}

#[test]
fn an_expression_that_fails_on_one_call_says_which() {
    let filter = Filter::condition("codecs_offered[5] == 'PCMA'").expect("other calls may offer six");
    let said = filter.matches(&Rejected).expect_err("two codecs only");
    assert!(said.starts_with("takes an element that a list does not have") && said.ends_with("(call 1)"), "{said}");
}

#[test]
fn an_expression_that_would_exhaust_the_stack_is_refused() {
    let long = |part: &str, end: &str| format!("{}{end}", part.repeat(2000 / part.len()));
    for source in [
        long("1+", "1 > 0"),
        long("caller+", "caller == ''"),
        format!("{}{}", "[".repeat(900), "]".repeat(900)),
        format!("caller{} == ''", ".x".repeat(900)),
        format!("{}true{}", "(".repeat(900), ")".repeat(900)),
    ] {
        assert!(message(&source).contains("nested too deeply"), "{source}");
    }
    assert!(Filter::condition(&format!("{}true", "answered || ".repeat(80))).is_ok());
}

#[test]
fn the_place_of_a_wrong_name_is_its_line_and_column() {
    let error = Filter::condition("answered &&\n  stauts == 1").expect_err("no such name");
    assert_eq!((1, 2), error.at);
}
