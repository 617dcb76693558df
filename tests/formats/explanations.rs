//! What `sipscan explain` prints.

use sipscan::reference::{explain, rule_pages, suggestions};
use sipscan::report::terminal::{explanation_text, suggestions_text};

#[test]
fn a_response_code_reads_from_its_name_to_the_rules_about_it() {
    let said = explain("408").expect("408 is known");
    insta::assert_snapshot!(explanation_text(&said, 100));
}

#[test]
fn a_rule_page_reads_like_its_file() {
    let said = explain("net-ack-lost").expect("the rule has a page");
    insta::assert_snapshot!(explanation_text(&said, 100));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 80, 120] {
        for query in rule_pages().chain(["488", "INVITE", "Reason", "4xx", "q850:34", "codes"]) {
            let said = explain(query).expect("the query is known");
            for line in explanation_text(&said, width).lines() {
                assert!(line.chars().count() <= width, "{query} at {width}: {line}");
                assert_eq!(line.trim_end(), line, "{query}");
            }
        }
    }
}

#[test]
fn a_terminal_without_width_gets_each_paragraph_in_one_line() {
    let said = explain("180").expect("180 is known");
    assert!(explanation_text(&said, 0).lines().any(|line| line.len() > 120));
}

#[test]
fn an_unknown_query_is_answered_with_names_that_are_near() {
    let near = suggestions("busy");
    assert_eq!(
        "Nothing is known under \"busy\".\nNear to it: Busy Here, Busy Everywhere.\n",
        suggestions_text("busy", &near, 80)
    );
    assert!(suggestions_text("\u{1b}[31m", &[], 80).contains("\\u{1b}"));
    assert!(suggestions_text("zz", &[], 80).contains("Overviews"));
}
