//! The whole policy: its sections in their order.

use toml::de::DeTable;

use crate::check::policy::fields::{Fields, Page};
use crate::check::policy::{Policy, PolicyError, expect, section, toml_words};

/// Sections of a policy.
const SECTIONS: [&str; 5] = ["metrics", "allow", "forbid", "expect", "compare"];

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// Every mistake, in the order of lines.
    pub fn parse(text: &str) -> Result<Self, Vec<PolicyError>> {
        let page = Page::new(text);
        let document = match DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                page.blame(at, toml_words::syntax(error.message(), text.get(at..).unwrap_or_default()));
                return Err(page.into_errors());
            }
        };
        let fields = Fields::of_document(document.get_ref(), &page);
        fields.known(&SECTIONS);
        let mut policy = Policy::default();
        if let Some(metrics) = fields.table("metrics") {
            section::metrics(&metrics, &mut policy);
        }
        if let Some(allow) = fields.table("allow") {
            section::allow(&allow, &mut policy);
        }
        if let Some(forbid) = fields.table("forbid") {
            section::forbid(&forbid, &mut policy);
        }
        if let Some(compare) = fields.table("compare") {
            policy.compare = section::compare(&compare);
        }
        for entry in fields.tables("expect") {
            expect::read(&entry, &mut policy);
        }
        section::contradictions(&fields, &policy);
        let mut errors = page.into_errors();
        if errors.is_empty() {
            return Ok(policy);
        }
        errors.sort_by_key(|error| (error.line, error.column));
        Err(errors)
    }
}
