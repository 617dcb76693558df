//! Text from the wire made harmless: one function for each place that it is shown in.
//!
//! A SIP header can hold anything: commands to a terminal, line breaks, letters that turn the reading direction, formulas.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character acts on its surroundings, or hides, instead of showing.
///
/// Control characters (C0, DEL, C1), marks that turn the reading direction, joiners and other characters without
/// width, line and paragraph separators, and the tag characters.
pub fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Text for a terminal: hostile characters appear as `\x1b` or `\u{202e}`, all others as they are.
pub fn terminal(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_hostile) else {
        return Cow::Borrowed(text);
    };
    let (clean, rest) = text.split_at(first);
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(clean);
    for character in rest.chars() {
        push(&mut escaped, character);
    }
    Cow::Owned(escaped)
}

fn push(escaped: &mut String, character: char) {
    if !is_hostile(character) {
        escaped.push(character);
        return;
    }
    let number = u32::from(character);
    // Writing into a String cannot fail.
    let _ = if number < 0x100 { write!(escaped, "\\x{number:02x}") } else { write!(escaped, "\\u{{{number:x}}}") };
}

/// Text for a cell of a spreadsheet: as for a terminal, and with an apostrophe before what would begin a formula.
///
/// Spreadsheets take a cell that begins with `=`, `+`, `-` or `@` for a formula, or for a number whose plus sign and
/// leading zeros they drop. The apostrophe makes it text and is not shown; a program takes one off where there is one.
pub fn cell(text: &str) -> Cow<'_, str> {
    let escaped = terminal(text);
    let is_formula = escaped.starts_with(['=', '+', '-', '@', '\'', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if is_formula { Cow::Owned(format!("'{escaped}")) } else { escaped }
}

/// Text for a line of Markdown: as for a terminal, and with everything that Markdown or HTML acts on escaped.
pub fn markdown(text: &str) -> Cow<'_, str> {
    let escaped = terminal(text);
    let acts = |character: char| {
        matches!(character, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '&' | '#' | '|' | '~' | '@')
    };
    if !escaped.contains(acts) {
        return escaped;
    }
    let mut safe = String::with_capacity(escaped.len() + 16);
    for character in escaped.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // A mention would notify a stranger; an entity shows the same and does not.
            '@' => safe.push_str("&#64;"),
            other => {
                if acts(other) {
                    safe.push('\\');
                }
                safe.push(other);
            }
        }
    }
    Cow::Owned(safe)
}

/// Text for XML, attributes included: as for a terminal, with what XML acts on as entities and nothing that it forbids.
pub fn xml(text: &str) -> Cow<'_, str> {
    let escaped = terminal(text);
    let acts = |character: char| matches!(character, '<' | '>' | '&' | '"' | '\'' | '\u{fffe}' | '\u{ffff}');
    if !escaped.contains(acts) {
        return escaped;
    }
    let mut safe = String::with_capacity(escaped.len() + 16);
    for character in escaped.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            // XML 1.0 section 2.2 leaves these two out of its characters.
            '\u{fffe}' => safe.push_str("\\u{fffe}"),
            '\u{ffff}' => safe.push_str("\\u{ffff}"),
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_cannot_command_the_terminal() {
        assert_eq!(r"\x1b[2J\x1b]0;owned\x07 evil\x9b2J", terminal("\u{1b}[2J\u{1b}]0;owned\u{7} evil\u{9b}2J"));
        assert_eq!(r"a\x0d\x0ab\x09c\x00", terminal("a\r\nb\tc\0"));
    }

    #[test]
    fn a_header_cannot_turn_or_hide_letters() {
        assert_eq!(r"sip:\u{202e}100@b\u{200b}c", terminal("sip:\u{202e}100@b\u{200b}c"));
        assert_eq!("Jürgen 張 😀", terminal("Jürgen 張 😀"));
        assert!(matches!(terminal("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_cell_is_never_a_formula_and_keeps_its_plus_sign() {
        assert_eq!("'=cmd|' /C calc'!A0", cell("=cmd|' /C calc'!A0"));
        assert_eq!("'+4930123456", cell("+4930123456"));
        assert_eq!("'-1", cell("-1"));
        assert_eq!("'@SUM(A1)", cell("@SUM(A1)"));
        assert_eq!("''x", cell("'x"));
        assert_eq!(r"\x09=1+1", cell("\t=1+1"));
        assert_eq!("sip:+4930123456@10.0.0.1", cell("sip:+4930123456@10.0.0.1"));
    }

    #[test]
    fn markdown_shows_what_was_sent() {
        assert_eq!(r"\[x\](javascript:1) &lt;b&gt; a\|b", markdown("[x](javascript:1) <b> a|b"));
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text: String) {
            prop_assert!(!terminal(&text).contains(is_hostile));
            prop_assert!(!cell(&text).starts_with(['=', '+', '-', '@']));
        }
    }
}
