//! The report for programs: one JSON document, described in docs/json.md and docs/report.schema.json.
//!
//! Written as it is walked: memory does not grow with the number of calls. Each key of the document and each element of
//! its lists stands on a line of its own, so that line tools and diffs can work on it.

mod call;
mod capture;
mod finding;
mod incident;
mod layout;
mod measure;
mod value;
mod waves;

use std::io::{self, Write};

use serde::Serialize;

use crate::analysis::Analysis;
pub(super) use layout::Lines;
use value::{Each, Shown};

/// Name and version of the document's form; fields may be added within a version, none is lost or renamed.
pub const SCHEMA: &str = "sipscan-report/1";

/// What stands before the calls.
#[derive(Serialize)]
struct Head<'a, C: Serialize, P: Serialize, D: Serialize, M: Serialize> {
    schema: &'a str,
    sipscan: &'a str,
    captures: C,
    problems: P,
    repeated: D,
    filter: Option<call::FilterLine<'a>>,
    fitness: capture::FitnessLine<'a>,
    metrics: measure::MetricsLine<'a>,
    metrics_by: M,
}

/// What stands behind the calls.
#[derive(Serialize)]
struct Tail<R: Serialize, O: Serialize, I: Serialize, H: Serialize> {
    registrations: R,
    others: O,
    incidents: I,
    header_use: H,
}

/// Writes the report and a line break; with `has_details` each call also says where its post-dial delay passed and what each hop
/// changed, which makes the report half as long again.
///
/// # Errors
/// Whatever `out` returns, with its kind kept, so that a reader who went away is not taken for a full disk.
pub fn write(analysis: &Analysis, has_details: bool, out: &mut impl Write) -> io::Result<()> {
    let tables = &analysis.store.tables;
    let profile = analysis.profile();
    let head = Head {
        schema: SCHEMA,
        sipscan: env!("CARGO_PKG_VERSION"),
        captures: Each(|| analysis.captures.iter().map(capture::CaptureLine::of)),
        problems: Each(|| analysis.problems.iter().map(capture::problem)),
        repeated: Each(|| analysis.repeated.iter().map(|path| Shown(path.display()))),
        filter: analysis.narrowing.as_ref().map(call::FilterLine::of),
        fitness: capture::FitnessLine::of(&analysis.fitness),
        metrics: measure::MetricsLine::of(&analysis.metrics, analysis.registration_metrics()),
        metrics_by: measure::metrics_by(&profile),
    };
    // The calls are written in parallel, so the document is written in three parts: the object's head without its
    // closing brace, the calls, and the tail without its opening one.
    let mut opening = Vec::new();
    write_part(&head, &mut opening)?;
    out.write_all(opening.strip_suffix(b"\n}").unwrap_or(&opening))?;
    out.write_all(b",\n\"calls\":")?;
    let uses = waves::write_calls(analysis, has_details, out)?;
    let tail = Tail {
        registrations: Each(|| {
            let entries = analysis.registrations.iter();
            entries.map(|entry| call::RegistrationLine::of(entry, tables))
        }),
        others: Each(|| {
            let entries = analysis.others.iter();
            entries.map(|(count, findings)| call::OtherLine::of(count, findings, tables))
        }),
        incidents: Each(|| {
            let incidents = analysis.reported_incidents();
            incidents.map(|(_, incident)| incident::IncidentLine::of(incident, tables))
        }),
        header_use: Each(|| {
            let uses = uses.by_name(&analysis.store).into_iter();
            uses.map(|((message, header), messages)| call::HeaderUseLine { message, header: header.text(), messages })
        }),
    };
    out.write_all(b",")?;
    write_part(&tail, &mut WithoutBrace { out: &mut *out, is_open: false })?;
    out.write_all(b"\n")
}

fn write_part(part: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(out, Lines::default());
    Ok(part.serialize(&mut serializer)?)
}

/// Drops the first byte that is written, the brace that opens an object.
struct WithoutBrace<'a, W: Write> {
    out: &'a mut W,
    is_open: bool,
}

impl<W: Write> Write for WithoutBrace<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_open || bytes.is_empty() {
            return self.out.write(bytes);
        }
        self.is_open = true;
        Ok(1)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
