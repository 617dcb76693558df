//! Workflow commands of GitHub Actions: each failure becomes an annotation of the run.
//!
//! Source: GitHub Docs, "Workflow commands for GitHub Actions": `%`, CR and LF are escaped in messages, in properties
//! `:` and `,` as well.

use std::io::{self, Write};

use crate::check::{Judgement, Status};
use crate::report::escape;

/// Writes one annotation for each failure, and a notice for what is accepted or where nothing fails.
///
/// # Errors
/// Whatever `out` returns.
pub fn write(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    for verdict in &judgement.verdicts {
        let command = match verdict.status {
            Status::Holds => continue,
            Status::Waived(_) => "notice",
            Status::Fails => "error",
        };
        let mut place = String::new();
        if let Some(line) = verdict.line.filter(|_| !judgement.policy.is_empty()) {
            place = format!("file={},line={line},", property(&judgement.policy));
        }
        let mut lines = vec![verdict.sentence()];
        lines.extend(judgement.proof_lines(verdict));
        let lines: Vec<String> = lines.iter().map(|line| message(line)).collect();
        writeln!(
            out,
            "::{command} {place}title={}::{}",
            property(&format!("sipscan {}: {}", judgement.task, verdict.name)),
            lines.join("%0A")
        )?;
    }
    if judgement.holds() {
        writeln!(out, "::notice title=sipscan {}::{} expectations hold", judgement.task, judgement.counts().0)?;
    }
    Ok(())
}

fn message(text: &str) -> String {
    escape::terminal(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
