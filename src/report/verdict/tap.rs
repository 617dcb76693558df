//! The Test Anything Protocol, version 13: one line for each expectation, what shows a failure in comments below it.
//!
//! Source: testanything.org, TAP 13 specification.

use std::io::{self, Write};

use crate::check::{Judgement, Status};
use crate::report::escape;

/// Writes the document.
///
/// # Errors
/// Whatever `out` returns.
pub fn write(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TAP version 13\n1..{}", judgement.verdicts.len())?;
    for (number, verdict) in (1..).zip(&judgement.verdicts) {
        let name = text(&verdict.name);
        match &verdict.status {
            Status::Holds => writeln!(out, "ok {number} - {name}")?,
            Status::Waived(reason) => {
                writeln!(out, "not ok {number} - {name} # TODO {}", text(reason))?;
            }
            Status::Fails => writeln!(out, "not ok {number} - {name}")?,
        }
        if verdict.status != Status::Holds {
            writeln!(out, "# {}", text(&verdict.said))?;
            for line in judgement.proof_lines(verdict) {
                writeln!(out, "# {}", text(&line))?;
            }
        }
    }
    Ok(())
}

/// A text that neither ends its line nor begins a directive.
fn text(text: &str) -> String {
    escape::terminal(text).replace('\\', "\\\\").replace('#', "\\#")
}
