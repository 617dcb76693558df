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

use std::io::{self, Write};

use serde::Serialize;

use crate::analysis::Analysis;
use crate::check::header_use;
use layout::Lines;
use value::{Each, Shown};

/// Name and version of the document's form; fields may be added within a version, none is lost or renamed.
pub const SCHEMA: &str = "sipscan-report/1";

#[derive(Serialize)]
struct Report<'a, C, P, D, K, R, O, I, H>
where
    C: Serialize,
    P: Serialize,
    D: Serialize,
    K: Serialize,
    R: Serialize,
    O: Serialize,
    I: Serialize,
    H: Serialize,
{
    schema: &'a str,
    sipscan: &'a str,
    captures: C,
    problems: P,
    repeated: D,
    fitness: capture::Fitness<'a>,
    metrics: measure::Metrics<'a>,
    calls: K,
    registrations: R,
    others: O,
    incidents: I,
    header_use: H,
}

/// Writes the report and a line break.
///
/// # Errors
/// Whatever `out` returns, with its kind kept, so that a reader who went away can be told from a full disk.
pub fn write(analysis: &Analysis, out: &mut impl Write) -> io::Result<()> {
    let tables = &analysis.book.tables;
    let report = Report {
        schema: SCHEMA,
        sipscan: env!("CARGO_PKG_VERSION"),
        captures: Each(|| analysis.captures.iter().map(capture::Capture::of)),
        problems: Each(|| analysis.problems.iter().map(capture::problem)),
        repeated: Each(|| analysis.repeated.iter().map(|path| Shown(path.display()))),
        fitness: capture::Fitness::of(&analysis.fitness),
        metrics: measure::Metrics::of(&analysis.metrics),
        calls: Each(|| {
            let numbered = (1_u32..).zip(&analysis.calls);
            numbered.map(|(id, entry)| call::CallLine::of(id, entry, &analysis.book))
        }),
        registrations: Each(|| {
            let entries = analysis.registrations.iter();
            entries.map(|entry| call::RegistrationLine::of(entry, tables))
        }),
        others: Each(|| {
            let entries = analysis.others.iter();
            entries.map(|(count, findings)| call::OtherLine::of(count, findings, tables))
        }),
        incidents: Each(|| {
            let incidents = analysis.incidents.iter();
            incidents.map(|incident| incident::IncidentLine::of(incident, tables))
        }),
        header_use: Each(|| {
            let uses = header_use(analysis).into_iter();
            uses.map(|((message, header), messages)| call::HeaderUse {
                message,
                header: header.text(),
                messages,
            })
        }),
    };
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::default());
    report.serialize(&mut serializer)?;
    out.write_all(b"\n")
}
