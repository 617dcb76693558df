//! Source files as the house tests read them: without comments, strings and tests, and with the items that each defines.

use std::fs;
use std::path::Path;

/// One file below src.
pub struct Source {
    /// Its path below src, with slashes: `net/decode/ip.rs`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The same with blanks in place of comments, of what stands in quotes and of items for tests alone; lines stay where they are.
    pub code: String,
}

impl Source {
    /// The floor or file at the root of src that it belongs to.
    pub fn floor(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// The folder that holds it, below src; empty at the root.
    pub fn folder(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Whether all of it is for tests.
    pub fn is_for_tests(&self) -> bool {
        let for_tests = |part: &str| part.starts_with("test") || part.ends_with("tests.rs") || part.ends_with("tests");
        self.name.split('/').any(for_tests)
    }
}

/// Every file below src, in the order of names.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(found.len() > 50, "the tree was found");
    found
}

/// The files that are not for tests.
pub fn program_sources() -> Vec<Source> {
    sources().into_iter().filter(|source| !source.is_for_tests()).collect()
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let inner = path.strip_prefix(root).expect("it lies below the root");
            let name = inner.to_string_lossy().replace('\\', "/");
            let code = without_tests(&bare(&text));
            found.push(Source { name, text, code });
        }
    }
}

/// A file made up to try a test on.
pub fn made_up(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), text: text.to_owned(), code: without_tests(&bare(text)) }
}

/// The text with blanks in place of comments and of what stands in quotes; the quotes stay.
pub fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, keeps_ends) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), false),
            '"' => (1 + quoted(&rest[1..]), true),
            'r' if !ends_in_word(&out) && raw(rest).is_some() => (raw(rest).unwrap_or(1), true),
            '\'' => (character(rest), true),
            _ => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        let (skipped, behind) = rest.split_at(length);
        if length == 1 && keeps_ends {
            out.push_str(skipped);
        } else {
            let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
            out.extend(skipped.chars().map(blank));
        }
        rest = behind;
    }
    out
}

fn ends_in_word(text: &str) -> bool {
    text.ends_with(|c: char| c.is_alphanumeric() || c == '_') && !text.ends_with('b')
}

/// Bytes up to and with the closing quote.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of a raw string that begins here.
fn raw(text: &str) -> Option<usize> {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    let body = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(2 + hashes + body.find(&end)? + end.len())
}

/// Bytes of a character in quotes; 1 for a lifetime.
fn character(text: &str) -> usize {
    let mut inner = text[1..].char_indices();
    match inner.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(1, |end| end + 4),
        Some((_, _)) => match inner.next() {
            Some((at, '\'')) => at + 2,
            _ => 1,
        },
        None => 1,
    }
}

/// The code with blanks in place of what stands behind `#[cfg(test)]`: a block, or all up to a semicolon.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let length = item(behind);
        let (skipped, behind) = behind.split_at(length);
        out.extend(skipped.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Bytes of the item that begins here.
fn item(code: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (c == '}' || c == ';') {
            return at + 1;
        }
    }
    code.len()
}
