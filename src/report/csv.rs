//! The report for spreadsheets: one row for each call, described in docs/csv.md.
//!
//! Source: RFC 4180. Texts from the wire are made harmless by [`escape::cell`].

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::analysis::{Analysis, CallEntry};
use crate::call::{Call, Tables};
use crate::diagnose::{Evidence, Finding};
use crate::report::escape;
use crate::report::time::Rfc3339;
use crate::report::words::trimmed;

/// The columns, named as in the JSON report; nested names are joined by an underscore.
pub const COLUMNS: [&str; 31] = [
    "id",
    "call_ids",
    "caller",
    "callee",
    "source",
    "destination",
    "transport",
    "started_at",
    "ended_at",
    "outcome",
    "final_code",
    "reason_phrase",
    "ended_by",
    "pdd_ms",
    "ring_ms",
    "setup_ms",
    "talk_ms",
    "messages",
    "retransmissions",
    "copies",
    "origin_endpoint",
    "origin_code",
    "origin_software",
    "primary",
    "severity",
    "confidence",
    "title",
    "explanation",
    "remedy",
    "frames",
    "findings",
];

/// Writes the header line and one row for each call.
///
/// # Errors
/// Whatever `out` returns, with its kind kept.
pub fn write(analysis: &Analysis, out: &mut impl Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(COLUMNS).map_err(io_error)?;
    let tables = &analysis.store.tables;
    let mut row = Row { writer: &mut writer, cell: String::new() };
    for (id, entry) in analysis.told_calls() {
        row.number(id)?;
        row.call(&entry.call, tables)?;
        row.why(entry)?;
        row.end()?;
    }
    writer.flush()
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// One row on its way out; `cell` is reused.
struct Row<'w, W: Write> {
    writer: &'w mut csv::Writer<W>,
    cell: String,
}

impl<W: Write> Row<'_, W> {
    fn call(&mut self, call: &Call, tables: &Tables) -> io::Result<()> {
        let call_ids = call.legs.iter().map(|leg| tables.text(leg.call_id));
        self.list(call_ids)?;
        self.text(tables.text(call.caller))?;
        self.text(tables.text(call.callee))?;
        self.shown(tables.endpoint(call.source))?;
        self.shown(tables.endpoint(call.destination))?;
        self.text(call.transport.word())?;
        self.shown(Rfc3339(call.started))?;
        self.shown(Rfc3339(call.ended))?;
        self.text(call.outcome.word())?;
        self.maybe(call.final_code.map(|code| code.0))?;
        self.text(tables.text(call.phrase))?;
        self.text(call.ended_by.map_or("", |party| party.word()))?;
        let times = &call.milestones;
        self.milliseconds(times.pdd_ms())?;
        self.milliseconds(times.ring_ms())?;
        self.milliseconds(times.setup_ms())?;
        self.milliseconds(times.talk_ms())?;
        self.number(call.messages)?;
        self.number(call.retransmissions)?;
        self.number(call.copies)?;
        self.maybe(call.origin.map(|origin| tables.endpoint(origin.endpoint)))?;
        let code = call.origin.map(|origin| origin.code);
        self.maybe(code.filter(|code| *code != 0))?;
        let software = call.origin.map(|origin| tables.text(origin.software));
        self.text(software.unwrap_or_default())
    }

    fn why(&mut self, entry: &CallEntry) -> io::Result<()> {
        let primary = entry.primary();
        let text = |of: fn(&Finding) -> &str| primary.map(of).unwrap_or_default();
        self.text(text(|finding| finding.rule))?;
        self.text(text(|finding| finding.severity.word()))?;
        self.text(text(|finding| finding.seen.confidence.word()))?;
        self.text(&primary.map(Finding::title).unwrap_or_default())?;
        self.text(&primary.map(Finding::explanation).unwrap_or_default())?;
        self.text(&primary.map(Finding::remedy).unwrap_or_default())?;
        let evidence = primary.map_or(&[][..], |finding| &finding.seen.evidence);
        let frames = evidence.iter().flat_map(|evidence| match evidence {
            Evidence::Seen { frames, .. } => frames.as_slice(),
            Evidence::Missing { after, .. } => std::slice::from_ref(after),
        });
        let mut named: Vec<String> = Vec::new();
        for at in frames {
            let name = format!("{}:{}", at.file, at.frame);
            if !named.contains(&name) {
                named.push(name);
            }
        }
        self.list(named.iter())?;
        self.list(entry.findings.iter().map(|finding| finding.rule))
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.put(&escape::cell(text))
    }

    fn list(&mut self, parts: impl Iterator<Item = impl AsRef<str>>) -> io::Result<()> {
        let mut joined = String::new();
        for part in parts {
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(part.as_ref());
        }
        self.text(&joined)
    }

    fn number(&mut self, number: u32) -> io::Result<()> {
        self.shown(number)
    }

    fn maybe(&mut self, value: Option<impl std::fmt::Display>) -> io::Result<()> {
        match value {
            Some(value) => self.shown(value),
            None => self.put(""),
        }
    }

    fn milliseconds(&mut self, value: Option<f64>) -> io::Result<()> {
        self.put(&value.map_or(Cow::Borrowed(""), |value| Cow::Owned(trimmed(value, 3))))
    }

    fn shown(&mut self, value: impl std::fmt::Display) -> io::Result<()> {
        let mut cell = std::mem::take(&mut self.cell);
        cell.clear();
        // Writing into a String cannot fail.
        let _ = write!(cell, "{value}");
        let result = self.put(&cell);
        self.cell = cell;
        result
    }

    fn put(&mut self, cell: &str) -> io::Result<()> {
        self.writer.write_field(cell).map_err(io_error)
    }

    fn end(&mut self) -> io::Result<()> {
        self.writer.write_record(None::<&[u8]>).map_err(io_error)
    }
}

#[cfg(test)]
mod tests;
