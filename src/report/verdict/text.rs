//! A check or comparison on the terminal: one line for each failure and its frames; all expectations where asked.

use std::io::{self, Write};

use crate::check::{Judgement, Proof, Status, Verdict, brief};
use crate::report::escape;

impl Judgement {
    /// What shows a failure, one line for each example: `call 3 (8f2c@pbx), frames 12, 14: offers PCMA, not PCMU PCMA`.
    ///
    /// What a reader has just read is not repeated: the first example says all of it unless the verdict did, the others say
    /// their first sentence where it differs.
    pub fn proof_lines(&self, verdict: &Verdict) -> Vec<String> {
        let mut lines = Vec::new();
        let mut read = verdict.said.as_str();
        for (place, proof) in verdict.proofs.iter().enumerate() {
            let note = if place == 0 { proof.note.as_str() } else { brief(&proof.note) };
            let is_known = if place == 0 { read.contains(note) } else { read == note };
            read = brief(&proof.note);
            let place = self.proof_place(proof);
            lines.push(match (place.is_empty(), is_known || note.is_empty()) {
                (true, true) => continue,
                (true, false) => note.to_owned(),
                (false, true) => place,
                (false, false) => format!("{place}: {note}"),
            });
        }
        lines
    }

    /// Where an example is: `call 3 (8f2c@pbx), frames 12, 14`; empty where it names neither.
    fn proof_place(&self, proof: &Proof) -> String {
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
        parts.join(", ")
    }
}

/// Writes one line for each failure; nothing where all holds, unless `verbose`, which names every expectation and shows
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
        writeln!(out, "{holds} hold, {fails} fail, {waived} are accepted; {} calls", judgement.calls)?;
    }
    Ok(())
}

fn line(judgement: &Judgement, verdict: &Verdict, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let sign = match verdict.status {
        Status::Holds => "ok  ",
        Status::Fails => "FAIL",
        Status::Waived(_) => "(ok)",
    };
    let mut text = format!("{}: {}", verdict.name, verdict.sentence());
    if verdict.fails() {
        // One frame for each example is enough to begin with; --verbose shows them all.
        let frames: Vec<_> = verdict.proofs.iter().filter_map(|proof| proof.frames.first().copied()).collect();
        if !frames.is_empty() && !verbose {
            text.push_str(&format!(" [{}]", judgement.frames(&frames)));
        }
    }
    writeln!(out, "{sign} {}", escape::terminal(&text))?;
    if verbose {
        for line in judgement.proof_lines(verdict) {
            writeln!(out, "     {}", escape::terminal(&line))?;
        }
    }
    Ok(())
}
