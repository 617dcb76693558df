//! What a user asks about, found from the words of the query.

use crate::reference::explain::lists::ListKind;
use crate::reference::{Cause, CauseKind, Entry, EntryKind, ResponseClass, ResponseCode, plain, rule_pages};

/// The thing that a query means.
pub(super) enum Subject {
    Response(u16),
    Cause(&'static Cause),
    Rule(&'static str),
    Entry(&'static Entry),
    List(ListKind),
}

/// The subject of a query; `None` where no name is equal but for case and punctuation.
pub(super) fn subject(query: &str) -> Option<Subject> {
    let query = query.trim();
    query
        .split_once(':')
        .and_then(|(kind, rest)| of_kind(&kind.trim().to_lowercase(), rest.trim()))
        .or_else(|| reason_value(query))
        .or_else(|| numeric(query))
        .or_else(|| rule(query))
        .or_else(|| entry(EntryKind::Method, query))
        .or_else(|| ListKind::named(query).map(Subject::List))
        .or_else(|| entry(EntryKind::Header, query))
        .or_else(|| entry(EntryKind::Class, query))
        .or_else(|| entry(EntryKind::Term, query))
        .or_else(|| phrase(query))
        .or_else(|| cause_named(query))
}

/// Every name that [`subject`] knows without a prefix.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let entries = [EntryKind::Method, EntryKind::Header, EntryKind::Class, EntryKind::Term]
        .into_iter()
        .flat_map(Entry::all)
        .flat_map(Entry::names);
    let phrases = ResponseCode::all().iter().map(|code| &*code.phrase);
    let causes = Cause::all().iter().map(|cause| match cause.kind {
        CauseKind::Header | CauseKind::Protocol => &*cause.code,
        _ => &*cause.name,
    });
    rule_pages().chain(entries).chain(phrases).chain(causes)
}

/// `kind:rest`, where the kind says in which list to look.
fn of_kind(kind: &str, rest: &str) -> Option<Subject> {
    let cause_of = |kind| Cause::find(kind, rest).map(Subject::Cause);
    match kind {
        "q850" | "q.850" | "cause" => cause_of(CauseKind::Q850),
        "warning" | "warn" => cause_of(CauseKind::Warning),
        "location" => cause_of(CauseKind::Location),
        "protocol" => cause_of(CauseKind::Protocol),
        "reason" => reason_value(rest).or_else(|| cause_of(CauseKind::Protocol)),
        "code" | "sip" | "stir" | "response" => numeric(rest).or_else(|| phrase(rest)),
        "class" => entry(EntryKind::Class, rest),
        "method" => entry(EntryKind::Method, rest),
        "header" => entry(EntryKind::Header, rest).or_else(|| cause_of(CauseKind::Header)),
        "term" => entry(EntryKind::Term, rest),
        "rule" => rule(rest),
        protocol => reason(protocol, rest.parse().ok()?),
    }
}

/// The value of a Reason header: `Q.850;cause=34;text="..."`.
fn reason_value(query: &str) -> Option<Subject> {
    let (protocol, parameters) = query.split_once(';')?;
    let number = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("cause="))?;
    reason(protocol.trim(), number.trim().parse().ok()?)
}

fn reason(protocol: &str, number: u16) -> Option<Subject> {
    if protocol.eq_ignore_ascii_case("SIP") || protocol.eq_ignore_ascii_case("STIR") {
        return code(number);
    }
    Cause::reason(protocol, number).map(Subject::Cause)
}

/// `488`, a status line, or a number below 100, which can only be a Q.850 cause.
fn numeric(query: &str) -> Option<Subject> {
    let line = query.strip_prefix("SIP/2.0 ").unwrap_or(query);
    let number = line.split_whitespace().next()?.parse().ok()?;
    code(number).or_else(|| Cause::q850(number).map(Subject::Cause))
}

fn code(number: u16) -> Option<Subject> {
    ResponseClass::of(number).map(|_| Subject::Response(number))
}

fn rule(query: &str) -> Option<Subject> {
    rule_pages().find(|id| plain(id) == plain(query)).map(Subject::Rule)
}

fn entry(kind: EntryKind, query: &str) -> Option<Subject> {
    Entry::find(kind, query).map(Subject::Entry)
}

fn phrase(query: &str) -> Option<Subject> {
    let wanted = plain(query);
    ResponseCode::all().iter().find(|entry| plain(&entry.phrase) == wanted).map(|entry| Subject::Response(entry.code))
}

fn cause_named(query: &str) -> Option<Subject> {
    let wanted = plain(query);
    Cause::all()
        .iter()
        .find(|cause| match cause.kind {
            CauseKind::Header | CauseKind::Protocol => plain(&cause.code) == wanted,
            _ => plain(&cause.name) == wanted,
        })
        .map(Subject::Cause)
}
