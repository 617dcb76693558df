//! The report for spreadsheets: one row for each call, described in docs/csv.md.
//!
//! Source: RFC 4180. Texts from the wire are made harmless by [`escape::cell`].

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use crate::analysis::{Analysis, CallField, CallRow, FieldValue};
use crate::diagnose::words::trimmed;
use crate::report::escape;
use crate::report::time::Rfc3339;

/// Decimals of a number of milliseconds: microseconds.
const DECIMALS: usize = 3;

/// Writes the header line and one row for each call.
///
/// # Errors
/// Whatever `out` returns, with its kind kept.
pub fn write(analysis: &Analysis, out: &mut impl Write) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(CallField::of_csv().map(CallField::name)).map_err(io_error)?;
    let columns: Vec<CallField> = CallField::of_csv().collect();
    let mut cells = Cells { writer: &mut writer, cell: String::new() };
    for (id, entry) in analysis.reported_calls() {
        let row = CallRow::new(analysis, id, entry);
        for column in &columns {
            cells.value(row.get(*column))?;
        }
        cells.end_row()?;
    }
    writer.flush()
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Cells on their way out; the text of one is reused for the next.
struct Cells<'w, W: Write> {
    writer: &'w mut csv::Writer<W>,
    cell: String,
}

impl<W: Write> Cells<'_, W> {
    /// A value; what the capture does not tell is an empty cell.
    fn value(&mut self, value: FieldValue<'_>) -> io::Result<()> {
        match value {
            FieldValue::Count(count) => self.shown(count),
            FieldValue::Code(code) => self.maybe(code),
            FieldValue::Milliseconds(ms) => self.maybe(ms.map(|ms| trimmed(ms, DECIMALS))),
            FieldValue::Text(text) => self.put(&escape::cell(&text)),
            FieldValue::Endpoint(endpoint) => self.maybe(endpoint),
            FieldValue::Texts(texts) => self.put(&escape::cell(&texts.join(" "))),
            FieldValue::Flag(flag) => self.shown(flag),
            FieldValue::Moment(time) => self.shown(Rfc3339(time)),
        }
    }

    fn maybe(&mut self, value: Option<impl Display>) -> io::Result<()> {
        match value {
            Some(value) => self.shown(value),
            None => self.put(""),
        }
    }

    fn shown(&mut self, value: impl Display) -> io::Result<()> {
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

    fn end_row(&mut self) -> io::Result<()> {
        self.writer.write_record(None::<&[u8]>).map_err(io_error)
    }
}
