//! Explanations of the reference as text for a terminal.

use std::io;

use crate::reference::Explanation;
use crate::report::terminal::page::{Page, plain};

/// Narrower than this, lines are no longer wrapped: words would stand alone.
const WIDTH_MIN_COLUMNS: usize = 30;
/// How far the text of a section stands in.
const INDENT: &str = "  ";

/// The explanation as plain text, wrapped at `width` columns and ending with a line break.
pub fn explanation_text(explanation: &Explanation, width: usize) -> String {
    text(width, |page| {
        paragraph(page, "", INDENT, &explanation.title)?;
        if !explanation.summary.is_empty() {
            paragraph(page, "", "", &explanation.summary)?;
        }
        let names = explanation.facts.iter().map(|fact| fact.name.chars().count());
        let column = names.max().unwrap_or(0) + INDENT.len();
        if column > INDENT.len() {
            page.blank()?;
        }
        for fact in &explanation.facts {
            let first = format!("{:column$}", fact.name);
            paragraph(page, &first, &" ".repeat(column), &fact.value)?;
        }
        for section in &explanation.sections {
            page.blank()?;
            paragraph(page, "", "", &section.name)?;
            for line in section.text.lines() {
                match line.strip_prefix("- ") {
                    Some(item) => paragraph(page, "  - ", "    ", item)?,
                    None => paragraph(page, INDENT, INDENT, line)?,
                }
            }
        }
        if !explanation.see_also.is_empty() {
            page.blank()?;
            paragraph(page, "", "", "See also")?;
            paragraph(page, INDENT, INDENT, &explanation.see_also.join(", "))?;
        }
        Ok(())
    })
}

/// The answer to a query that nothing is known about: names that are near, or how to list all.
///
/// Control characters of the query are escaped.
pub fn suggestions_text(query: &str, suggestions: &[&str], width: usize) -> String {
    text(width, |page| {
        let shown: String = query.chars().take(width).collect();
        paragraph(page, "", "", &format!("Nothing is known under \"{}\".", shown.escape_debug()))?;
        if suggestions.is_empty() {
            let overviews = "Overviews: rules, codes, classes, methods, headers, terms, q850, warnings.";
            return paragraph(page, "", "", overviews);
        }
        paragraph(page, "", "", &format!("Near to it: {}.", suggestions.join(", ")))
    })
}

/// What `write` writes to a page.
fn text(width: usize, write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> String {
    let width = if width < WIDTH_MIN_COLUMNS { usize::MAX } else { width };
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = write(&mut Page::new(&mut text, width));
    String::from_utf8_lossy(&text).into_owned()
}

/// Words behind `first`, further lines behind `indent`, which is as wide or wider.
fn paragraph(page: &mut Page<'_>, first: &str, indent: &str, words: &str) -> io::Result<()> {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    page.wrapped(plain(first), indent.len(), [plain(words)])
}
