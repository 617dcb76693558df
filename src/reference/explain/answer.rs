//! The explanation of a rule, a cause, or an article about a class, a method, a header or a term.

use crate::reference::explain::explanation::{Explanation, Topic, bullets};
use crate::reference::{Cause, CauseKind, Entry, EntryKind, ResponseCode, rule_page};

/// The page of a rule, its lines joined to paragraphs.
pub(super) fn rule(id: &str) -> Option<Explanation> {
    let mut parts = rule_page(id)?.split("\n## ");
    let mut said = Explanation::new(Topic::Rule, id, "");
    for line in parts.next()?.lines().skip(1) {
        if let Some(severity) = line.strip_prefix("Severity: ") {
            said.fact("Severity", severity);
        } else if !line.is_empty() {
            line.clone_into(&mut said.summary);
        }
    }
    for part in parts {
        let (heading, text) = part.split_once('\n')?;
        said.section(heading, paragraphs(text));
    }
    Some(said)
}

/// Joins the wrapped lines of a page, so that each paragraph and each item of a list is one line.
fn paragraphs(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut continues = false;
    for line in text.lines() {
        let starts_item = line.starts_with("- ");
        match lines.last_mut() {
            Some(last) if continues && !starts_item && !line.is_empty() => {
                last.push(' ');
                last.push_str(line.trim_start());
            }
            _ if !line.is_empty() => lines.push(line.to_owned()),
            _ => {}
        }
        continues = !line.is_empty();
    }
    lines.join("\n")
}

/// A Warning code, a Q.850 cause, another Reason cause, a protocol or a vendor header.
pub(super) fn cause(cause: &Cause) -> Explanation {
    let title = match cause.kind {
        CauseKind::Warning => format!("Warning {} {}", cause.code, cause.name),
        CauseKind::Q850 => format!("Q.850 cause {} {}", cause.code, cause.name),
        CauseKind::Location => format!("location={} ({})", cause.code, cause.name),
        CauseKind::Protocol => format!("Reason protocol {}: {}", cause.code, cause.name),
        CauseKind::ReleaseCause => format!("RELEASE_CAUSE {} {}", cause.code, cause.name),
        CauseKind::FailureCause => format!("FAILURE_CAUSE {} {}", cause.code, cause.name),
        CauseKind::Preemption => format!("Preemption {} {}", cause.code, cause.name),
        CauseKind::Header => format!("{} ({})", cause.code, cause.name),
    };
    let mut said = Explanation::new(Topic::Cause, title, &*cause.meaning);
    said.fact("Source", &*cause.reference);
    said.fact("SIP codes", sip_codes(&cause.sip_codes));
    let heading = match cause.kind {
        CauseKind::Location | CauseKind::Protocol => "Where it is used",
        _ => "Usual cause",
    };
    said.section(heading, &*cause.usual_cause);
    said.section("Notes", &*cause.notes);
    said.see_also = cause.rules().map(str::to_owned).collect();
    said
}

/// The codes of a cause with the phrase behind each.
fn sip_codes(codes: &str) -> String {
    let named = codes.split(' ').map(|word| {
        let number = word.parse().ok();
        match number.and_then(ResponseCode::find) {
            Some(entry) => format!("{word} {}", entry.phrase),
            None => word.to_owned(),
        }
    });
    let numbers_only = codes.split(' ').all(|word| word.parse::<u16>().is_ok());
    named.collect::<Vec<_>>().join(if numbers_only { ", " } else { " " })
}

/// An article, with what belongs to its kind.
pub(super) fn entry(entry: &'static Entry) -> Explanation {
    let (topic, first) = match entry.kind {
        EntryKind::Class => (Topic::Class, "meaning"),
        EntryKind::Method => (Topic::Method, "purpose"),
        EntryKind::Header => (Topic::Header, "says"),
        EntryKind::Term => (Topic::Term, "meaning"),
    };
    let mut said = Explanation::new(topic, entry.name, entry.field(first).unwrap_or_default());
    for &(key, text) in &entry.fields {
        match key {
            "reference" => said.fact("Source", text),
            "aliases" => said.fact("Also called", text),
            "compact" => said.fact("Compact form", text),
            "see_also" => said.see_also = text.split(", ").map(str::to_owned).collect(),
            key if key == first => {}
            key => said.section(&heading(key), text),
        }
    }
    if entry.kind == EntryKind::Class {
        let codes = ResponseCode::all().iter();
        let of_class = codes.filter(|code| format!("{}xx", code.class().digit()) == entry.name);
        said.section("Codes", bullets(of_class.map(|code| format!("{} {}", code.code, code.phrase))));
    }
    if entry.name == "Reason" {
        let protocols = Cause::all().iter().filter(|cause| cause.kind == CauseKind::Protocol);
        said.section("Protocols", bullets(protocols.map(|one| format!("{}: {}", one.code, one.name))));
    }
    said
}

/// A key of a data file as the heading of a section: `what_to_check` becomes "What to check".
fn heading(key: &str) -> String {
    let words = key.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
