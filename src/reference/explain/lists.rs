//! Overviews: everything of one kind that can be explained.

use crate::reference::explain::explanation::{Explanation, Topic, bullets};
use crate::reference::{Cause, CauseKind, Entry, EntryKind, ResponseCode, plain, rule_pages, rule_summary};

/// What an overview lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    Rules,
    Codes,
    Classes,
    Methods,
    Headers,
    Terms,
    Q850,
    Warnings,
}

impl ListKind {
    /// The overview of this name, in singular or plural.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match plain(name).as_str() {
            "rules" | "rule" => Self::Rules,
            "codes" | "code" | "response codes" | "responses" => Self::Codes,
            "classes" | "class" => Self::Classes,
            "methods" | "method" => Self::Methods,
            "headers" | "header" => Self::Headers,
            "terms" | "term" | "glossary" => Self::Terms,
            "q850" | "q 850" | "causes" | "cause" => Self::Q850,
            "warnings" | "warning codes" => Self::Warnings,
            _ => return None,
        })
    }
}

/// The overview of one kind, one line for each thing.
pub(super) fn list(kind: ListKind) -> Explanation {
    let (title, summary, lines) = match kind {
        ListKind::Rules => (
            "Rules",
            "What sipscan finds in calls. Ask for a rule by its id.",
            bullets(rule_pages().map(|id| format!("{id}: {}", rule_summary(id).unwrap_or_default()))),
        ),
        ListKind::Codes => (
            "Response codes",
            "Ask for a code by its number or its phrase.",
            bullets(ResponseCode::all().iter().map(|code| format!("{} {}", code.code, code.phrase))),
        ),
        ListKind::Classes => (
            "Classes of response codes",
            "The first digit of a response. Ask for a class as 4xx.",
            entries(EntryKind::Class, "meaning"),
        ),
        ListKind::Methods => {
            ("Methods", "What a request asks for. Ask for a method by its name.", entries(EntryKind::Method, "purpose"))
        }
        ListKind::Headers => (
            "Header fields",
            "Ask for a header by its name or its compact form, as header:Via.",
            entries(EntryKind::Header, "says"),
        ),
        ListKind::Terms => ("Terms", "Words of the field.", entries(EntryKind::Term, "meaning")),
        ListKind::Q850 => {
            ("Q.850 causes", "The causes of telephone networks. Ask for one as q850:34.", causes(CauseKind::Q850))
        }
        ListKind::Warnings => (
            "Warning codes",
            "The codes of the Warning header. Ask for one as warning:305.",
            causes(CauseKind::Warning),
        ),
    };
    let mut said = Explanation::new(Topic::List, title, summary);
    said.section("Known", lines);
    said
}

fn entries(kind: EntryKind, key: &str) -> String {
    bullets(Entry::all(kind).map(|entry| format!("{}: {}", entry.name, entry.field(key).unwrap_or_default())))
}

fn causes(kind: CauseKind) -> String {
    let of_kind = Cause::all().iter().filter(|cause| cause.kind == kind);
    bullets(of_kind.map(|cause| format!("{} {}", cause.code, cause.name)))
}
