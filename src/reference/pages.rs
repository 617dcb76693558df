//! The page of every rule, compiled in from docs/rules: texts only. Which rules there are, `diagnose::rules` says.

/// The page of a rule as Markdown: summary, severity, and one section each for what it sees, why, how sure, the remedy,
/// look-alikes and sources; `None` for an id that no rule has.
pub fn rule_page(id: &str) -> Option<&'static str> {
    PAGES.iter().find(|(page_id, _)| page_id.eq_ignore_ascii_case(id)).map(|&(_, page)| page)
}

/// The names of all pages, in the order in which docs/rules/README.md lists them.
pub fn rule_pages() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|&(id, _)| id)
}

/// What a rule finds, in one sentence: the first line of its page below the title.
pub fn rule_summary(id: &str) -> Option<&'static str> {
    rule_page(id)?.lines().skip(1).find(|line| !line.is_empty())
}

/// The id and the text of every page, which the build script takes from docs/rules.
static PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_pages.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [&str; 6] = [
        "## What it sees",
        "## Why calls fail like this",
        "## How sure",
        "## What to change",
        "## Mistaken when",
        "## Read more",
    ];

    #[test]
    fn every_page_has_its_title_its_severity_and_all_sections_in_order() {
        for id in rule_pages() {
            let page = rule_page(id).expect("every id has a page");
            assert!(page.starts_with(&format!("# {id}\n")), "{id}");
            assert!(page.contains("\nSeverity: "), "{id}");
            let found: Vec<_> = page.lines().filter(|l| l.starts_with("## ")).collect();
            assert_eq!(HEADINGS.to_vec(), found, "{id}");
            let summary = rule_summary(id).expect("every page has a summary");
            assert!(summary.ends_with('.') && !summary.starts_with('#'), "{id}");
        }
    }

    #[test]
    fn rules_named_in_a_page_exist() {
        for id in rule_pages() {
            let page = rule_page(id).expect("every id has a page");
            for name in page.split('`').skip(1).step_by(2) {
                let family = name.split('-').next().unwrap_or_default();
                let is_rule = rule_pages().any(|other| other.split('-').next() == Some(family));
                let is_family = name.ends_with('-');
                assert!(
                    !is_rule || is_family || !name.contains('-') || rule_page(name).is_some() || name.contains(' '),
                    "{id} names {name}"
                );
            }
        }
    }

    #[test]
    fn a_rule_is_found_in_any_case_and_an_unknown_one_is_not() {
        assert!(rule_page("NET-ACK-LOST").is_some());
        assert!(rule_page("net-ack").is_none());
    }
}
