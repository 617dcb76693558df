//! What the explanations say, and that every name leads to one.

use proptest::prelude::*;

use super::*;
use crate::reference::{Cause, ResponseCode, rule_pages};

fn title(query: &str) -> Option<String> {
    explain(query).map(|said| said.title)
}

#[test]
fn each_way_of_asking_is_understood() {
    for (query, expected) in [
        ("488", "488 Not Acceptable Here"),
        ("SIP/2.0 486 Busy Here", "486 Busy Here"),
        ("busy here", "486 Busy Here"),
        ("rinigng", "180 Ringing"),
        ("4xx", "4xx"),
        ("4XX", "4xx"),
        ("provisional", "1xx"),
        ("client error", "4xx"),
        ("invite", "INVITE"),
        ("q850:34", "Q.850 cause 34 No circuit/channel available"),
        ("Q.850;cause=17;text=\"User busy\"", "Q.850 cause 17 User busy"),
        ("Reason: Q.850;cause=16", "Q.850 cause 16 Normal call clearing"),
        ("header:", "Header fields"),
        ("16", "Q.850 cause 16 Normal call clearing"),
        ("warning:305", "Warning 305 Incompatible media format"),
        ("RELEASE_CAUSE:3", "RELEASE_CAUSE 3 Media bearer loss"),
        ("SIP;cause=200", "200 OK"),
        ("location:LN", "location=LN (public network serving the local user)"),
        ("reason", "Reason"),
        ("header:Via", "Via"),
        ("via", "Via"),
        ("header:v", "Via"),
        ("header", "Header fields"),
        ("NET-ACK-LOST", "net-ack-lost"),
        ("rule:net-ack-lost", "net-ack-lost"),
        ("glare", "glare"),
        ("PDD", "post-dial delay"),
        ("499", "499 (not registered)"),
        ("user busy", "Q.850 cause 17 User busy"),
    ] {
        assert_eq!(Some(expected), title(query).as_deref(), "{query}");
    }
}

#[test]
fn what_is_not_known_has_no_explanation() {
    for query in ["", " ", ":", "xyzzy plugh", "99999", "700", "q850:999", "warning:12"] {
        assert_eq!(None, title(query), "{query}");
    }
}

#[test]
fn a_slip_that_fits_several_names_is_answered_with_suggestions() {
    assert_eq!(None, title("busy"));
    assert_eq!(vec!["Busy Here", "Busy Everywhere"], suggestions("busy"));
    assert!(suggestions("sdp-codec").contains(&"sdp-codec-mismatch"));
    assert!(suggestions("qqqqqqqq").is_empty());
}

#[test]
fn every_code_cause_rule_and_name_is_explained() {
    for code in 100..700 {
        let said = explain(&code.to_string()).expect("every code of the six classes is explained");
        assert!(!said.summary.is_empty(), "{code}");
    }
    for name in names() {
        let said = explain(name).expect("a known name is explained");
        assert!(!said.summary.is_empty(), "{name}");
    }
    for id in rule_pages() {
        let said = explain(id).expect("every rule has a page");
        assert_eq!((Topic::Rule, 6), (said.topic, said.sections.len()), "{id}");
    }
}

#[test]
fn everything_named_under_see_also_is_explained_too() {
    let codes = ResponseCode::all().iter().map(|entry| entry.code.to_string());
    let numbers = Cause::all().iter().map(|cause| cause.name.to_string());
    for query in codes.chain(numbers).chain(names().map(str::to_owned)) {
        for next in explain(&query).map(|said| said.see_also).unwrap_or_default() {
            assert!(explain(&next).is_some(), "{query} leads to {next}");
        }
    }
}

#[test]
fn a_488_says_what_to_check_and_how_it_differs_from_606() {
    let said = explain("488").expect("488 is known");
    let text = |name: &str| {
        let section = said.sections.iter().find(|section| section.name == name);
        section.map(|section| section.text.as_str()).unwrap_or_default()
    };
    assert!(text("What to check").contains("offer"));
    assert!(text("Not to be confused").contains("606"));
    assert!(text("For each method").contains("- INVITE: "));
    assert!(text("Within a call").contains("stays as it was"));
    assert!(said.see_also.contains(&"sdp-codec-mismatch".to_owned()));
}

proptest! {
    #[test]
    fn any_query_is_answered_or_not_but_never_fatal(query in ".{0,60}", prefix in "(header:|q850:|Q.850;cause=|SIP/2.0 |)") {
        let query = format!("{prefix}{query}");
        if explain(&query).is_none() {
            prop_assert!(suggestions(&query).len() <= 5);
        }
    }
}
