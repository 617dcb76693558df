//! Explanations of the reference as text for a terminal and as JSON.

use crate::reference::Explanation;

/// Narrower than this, lines are no longer wrapped: words would stand alone.
const WIDTH_MIN_COLUMNS: usize = 30;
/// How far the text of a section stands in.
const INDENT: &str = "  ";

/// The explanation as plain text, wrapped at `width` columns and ending with a line break.
pub fn explanation_text(explanation: &Explanation, width: usize) -> String {
    let mut text = String::new();
    wrap(&mut text, &explanation.title, "", INDENT, width);
    if !explanation.summary.is_empty() {
        wrap(&mut text, &explanation.summary, "", "", width);
    }
    let names = explanation.facts.iter().map(|fact| fact.name.chars().count());
    let column = names.max().unwrap_or(0) + INDENT.len();
    if column > INDENT.len() {
        text.push('\n');
    }
    for fact in &explanation.facts {
        let first = format!("{:column$}", fact.name);
        wrap(&mut text, &fact.value, &first, &" ".repeat(column), width);
    }
    for section in &explanation.sections {
        text.push_str(&format!("\n{}\n", section.name));
        for line in section.text.lines() {
            match line.strip_prefix("- ") {
                Some(item) => wrap(&mut text, item, "  - ", "    ", width),
                None => wrap(&mut text, line, INDENT, INDENT, width),
            }
        }
    }
    if !explanation.see_also.is_empty() {
        text.push_str("\nSee also\n");
        wrap(&mut text, &explanation.see_also.join(", "), INDENT, INDENT, width);
    }
    text
}

/// The explanation as one JSON document, ending with a line break.
pub fn explanation_json(explanation: &Explanation) -> String {
    let json = serde_json::to_string_pretty(explanation);
    json.expect("an explanation has string keys only") + "\n"
}

/// The answer to a query that nothing is known about: names that are near, or how to list all.
///
/// Control characters of the query are escaped.
pub fn suggestions_text(query: &str, suggestions: &[&str], width: usize) -> String {
    let mut text = String::new();
    let shown: String = query.chars().take(width).collect();
    let nothing = format!("Nothing is known under \"{}\".", shown.escape_debug());
    wrap(&mut text, &nothing, "", "", width);
    if suggestions.is_empty() {
        let overviews = "Overviews: rules, codes, classes, methods, headers, terms, q850, warnings.";
        wrap(&mut text, overviews, "", "", width);
    } else {
        wrap(&mut text, &format!("Near to it: {}.", suggestions.join(", ")), "", "", width);
    }
    text
}

/// Adds `words` in lines of at most `width` columns; a word that is longer stands alone in its line.
fn wrap(text: &mut String, words: &str, first: &str, rest: &str, width: usize) {
    let width = if width < WIDTH_MIN_COLUMNS { usize::MAX } else { width };
    text.push_str(first);
    let mut column = first.chars().count();
    let mut is_line_start = true;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if !is_line_start && column.saturating_add(1 + length) > width {
            text.push('\n');
            text.push_str(rest);
            column = rest.chars().count();
            is_line_start = true;
        }
        if !is_line_start {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
        is_line_start = false;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{explain, rule_pages, suggestions};

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
    fn json_holds_the_same_texts() {
        let said = explain("glare").expect("glare is known");
        let json: serde_json::Value = serde_json::from_str(&explanation_json(&said)).expect("the document is JSON");
        assert_eq!("term", json["topic"]);
        assert_eq!("glare", json["title"]);
        assert_eq!(said.summary, json["summary"]);
        assert_eq!("Source", json["facts"][0]["name"]);
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
}
