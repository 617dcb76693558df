//! A check or comparison on the terminal: one line for each failure and its frames; all expectations where asked.

use std::io::{self, Write};

use crate::check::{Judgement, Proof, Status, Verdict};
use crate::report::escape;

impl Judgement {
    /// What shows a failure, in one line: `call 3 (8f2c@pbx), frames 12, 14: offers PCMA, not PCMU PCMA`.
    pub fn proof_line(&self, proof: &Proof) -> String {
        let mut parts: Vec<String> = Vec::new();
        if let Some(call) = proof.call {
            parts.push(if proof.call_id.is_empty() {
                format!("call {call}")
            } else {
                format!("call {call} ({})", proof.call_id)
            });
        }
        let frames = self.frames(&proof.frames);
        if !frames.is_empty() {
            parts.push(frames);
        }
        match (parts.is_empty(), proof.note.is_empty()) {
            (true, _) => proof.note.clone(),
            (_, true) => parts.join(", "),
            _ => format!("{}: {}", parts.join(", "), proof.note),
        }
    }
}

/// Writes one line for each failure; nothing where all holds, unless `verbose`, which tells every expectation and shows
/// all that is known of a failure.
///
/// # Errors
/// Whatever `out` returns.
pub fn write(judgement: &Judgement, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for verdict in &judgement.verdicts {
        if verdict.fails() || verbose {
            line(judgement, verdict, verbose, out)?;
        }
    }
    if verbose {
        let (holds, fails, waived) = judgement.counts();
        writeln!(
            out,
            "{holds} hold, {fails} fail, {waived} are accepted; {} calls",
            judgement.calls
        )?;
    }
    Ok(())
}

fn line(
    judgement: &Judgement,
    verdict: &Verdict,
    verbose: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let sign = match verdict.status {
        Status::Holds => "ok  ",
        Status::Fails => "FAIL",
        Status::Waived(_) => "okay",
    };
    let mut text = format!("{}: {}", verdict.name, verdict.sentence());
    if verdict.fails() {
        // One frame for each example is enough to begin with; --verbose tells them all.
        let frames: Vec<_> = verdict
            .proofs
            .iter()
            .filter_map(|proof| proof.frames.first().copied())
            .collect();
        if !frames.is_empty() && !verbose {
            text.push_str(&format!(" [{}]", judgement.frames(&frames)));
        }
    }
    writeln!(out, "{sign} {}", escape::terminal(&text))?;
    if verbose {
        for proof in &verdict.proofs {
            writeln!(
                out,
                "     {}",
                escape::terminal(&judgement.proof_line(proof))
            )?;
        }
    }
    Ok(())
}
