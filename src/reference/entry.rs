//! Short articles about classes, methods, headers and terms, kept as text files of `# name` and `key: text` lines.

use std::sync::LazyLock;

use crate::reference::plain;

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    [
        (EntryKind::Class, include_str!("data/classes.txt")),
        (EntryKind::Method, include_str!("data/methods.txt")),
        (EntryKind::Header, include_str!("data/headers.txt")),
        (EntryKind::Term, include_str!("data/terms.txt")),
    ]
    .into_iter()
    .flat_map(|(kind, text)| parse(kind, text))
    .collect()
});

/// What an article is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A class of response codes, named `4xx`.
    Class,
    /// A SIP method.
    Method,
    /// A header field.
    Header,
    /// A word of the field.
    Term,
}

/// One short article.
#[derive(Debug)]
pub struct Entry {
    /// What it is about.
    pub kind: EntryKind,
    /// Its name as the RFCs write it.
    pub name: &'static str,
    /// Keys and texts in reading order; keys are lower case with underscores.
    pub fields: Vec<(&'static str, &'static str)>,
}

impl Entry {
    /// All articles of one kind, in the order of their file.
    pub fn all(kind: EntryKind) -> impl Iterator<Item = &'static Self> {
        ENTRIES.iter().filter(move |entry| entry.kind == kind)
    }

    /// The article of a name, an alias or a compact header form; case and punctuation do not matter.
    pub fn find(kind: EntryKind, name: &str) -> Option<&'static Self> {
        let wanted = plain(name);
        Self::all(kind).find(|entry| entry.names().any(|known| plain(known) == wanted))
    }

    /// The name, then its aliases and its compact form.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let aliases = self.field("aliases").into_iter();
        let compact = self.field("compact");
        std::iter::once(self.name).chain(aliases.flat_map(|list| list.split(", "))).chain(compact)
    }

    /// The text under a key; `None` where the article has none.
    pub fn field(&self, key: &str) -> Option<&'static str> {
        let (_, text) = self.fields.iter().find(|(known, _)| *known == key)?;
        Some(text)
    }
}

/// Splits a file into articles; lines that are neither a name nor `key: text` are left out.
fn parse(kind: EntryKind, text: &'static str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# ") {
            entries.push(Entry { kind, name, fields: Vec::new() });
        } else if let (Some(entry), Some(field)) = (entries.last_mut(), line.split_once(": ")) {
            entry.fields.push(field);
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_article_has_a_source_and_each_name_leads_to_one() {
        for kind in [EntryKind::Class, EntryKind::Method, EntryKind::Header, EntryKind::Term] {
            for entry in Entry::all(kind) {
                assert!(entry.field("reference").is_some(), "{}", entry.name);
                assert!(entry.fields.len() > 1, "{}", entry.name);
                for name in entry.names() {
                    let found = Entry::find(kind, name).expect("a name leads to its article");
                    assert_eq!(entry.name, found.name, "{name}");
                }
            }
        }
    }

    #[test]
    fn no_line_of_the_files_is_lost() {
        for text in [
            include_str!("data/classes.txt"),
            include_str!("data/methods.txt"),
            include_str!("data/headers.txt"),
            include_str!("data/terms.txt"),
        ] {
            for line in text.lines() {
                assert!(line.starts_with("# ") || line.contains(": "), "{line}");
            }
        }
    }

    #[test]
    fn a_header_is_found_by_its_compact_form() {
        let via = Entry::find(EntryKind::Header, "v").expect("v is Via");
        assert_eq!("Via", via.name);
    }
}
