//! A check or comparison in Markdown: for merge requests and the step summary of GitHub Actions.

use std::io::{self, Write};

use crate::check::{Comparison, Judgement, Status, brief};
use crate::diagnose::words::counted;
use crate::report::escape::markdown;

/// Rows of one table; a pull request with more is read by nobody.
const ROWS_MAX: usize = 50;

/// Writes the document.
///
/// # Errors
/// Whatever `out` returns.
pub fn write(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let (holds, fails, waived) = judgement.counts();
    let title = match fails {
        0 => format!("holds ({holds} expectations)"),
        1 => format!("1 of {} expectations fails", holds + fails + waived),
        fails => format!("{fails} of {} expectations fail", holds + fails + waived),
    };
    writeln!(out, "## sipscan {}: {title}\n", judgement.task)?;
    if let Some(comparison) = &judgement.comparison {
        writeln!(
            out,
            "{} in the candidate {}, {} in the baseline {}.\n",
            counted(comparison.candidate_calls, "call"),
            markdown(&comparison.candidate.join(", ")),
            comparison.baseline_calls,
            markdown(&comparison.baseline.join(", "))
        )?;
    } else {
        writeln!(out, "{} in {}.\n", counted(judgement.calls, "call"), markdown(&judgement.captures.join(", ")))?;
    }
    writeln!(out, "| | expectation | what was seen |\n|---|---|---|")?;
    for verdict in judgement.verdicts.iter().take(ROWS_MAX) {
        let sign = match verdict.status {
            Status::Holds => "ok",
            Status::Fails => "**fails**",
            Status::Waived(_) => "accepted",
        };
        let (name, said) = (markdown(&verdict.name), verdict.sentence());
        writeln!(out, "| {sign} | {name} | {} |", markdown(&said))?;
    }
    for verdict in judgement.failures().filter(|verdict| !verdict.proofs.is_empty()) {
        writeln!(out, "\n### {}\n", markdown(&verdict.name))?;
        for line in judgement.proof_lines(verdict) {
            writeln!(out, "- {}", markdown(&line))?;
        }
    }
    match &judgement.comparison {
        Some(comparison) => write_comparison(comparison, out),
        None => Ok(()),
    }
}

fn write_comparison(comparison: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n### Endings\n\n| baseline | candidate | calls |\n|---|---|---:|")?;
    for transition in comparison.transitions.iter().take(ROWS_MAX) {
        writeln!(out, "| {} | {} | {} |", markdown(&transition.before), markdown(&transition.after), transition.calls)?;
    }
    if !comparison.shifts.is_empty() {
        writeln!(
            out,
            "\n### Delays\n\n| delay | node | calls | median before | after | p95 before | after | effect size |\n|---|---|---:|---:|---:|---:|---:|---:|"
        )?;
    }
    for shift in comparison.shifts.iter().take(ROWS_MAX) {
        let (old, new) = (&shift.baseline, &shift.candidate);
        let node = if shift.node.is_empty() { "all" } else { &shift.node };
        writeln!(
            out,
            "| {} | {} | {} | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms | {:.2} |",
            markdown(shift.measure.name()),
            markdown(node),
            old.count,
            old.p50,
            new.p50,
            old.p95,
            new.p95,
            shift.effect_size
        )?;
    }
    if !comparison.changed.is_empty() {
        writeln!(out, "\n### Calls that end otherwise\n\n| from | to | baseline | candidate |\n|---|---|---|---|")?;
    }
    for call in comparison.changed.iter().take(ROWS_MAX) {
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            markdown(&call.caller),
            markdown(&call.callee),
            markdown(&both(&call.before, &call.before_note)),
            markdown(&both(&call.after, &call.after_note))
        )?;
    }
    if comparison.changed.len() > ROWS_MAX {
        writeln!(out, "\nand {} more.", comparison.changed.len() - ROWS_MAX)?;
    }
    Ok(())
}

/// An ending and why in a sentence, once where they are the same.
fn both(ending: &str, note: &str) -> String {
    if ending == note { ending.to_owned() } else { format!("{ending}: {}", brief(note)) }
}
