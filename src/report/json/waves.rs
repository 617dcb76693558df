//! Calls are written in parallel, a bounded number at a time, and handed out in their order.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;

use crate::analysis::{Analysis, CallEntry};
use crate::report::json::call::CallLine;
use crate::report::json::dense::Dense;

/// Calls whose text is held at a time.
const WAVE_CALLS: usize = 2048;
/// Calls that one thread writes at a time.
const PART_CALLS: usize = 128;
/// Texts of calls, or why they could not be written.
type Parts = Vec<io::Result<Vec<u8>>>;
/// Bytes that the text of a call takes.
const TEXT_BYTES: usize = 1024;

/// Writes the array of calls, each with its number.
///
/// # Errors
/// Whatever `out` returns.
pub(super) fn write_calls(
    analysis: &Analysis,
    has_details: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    out.write_all(b"[")?;
    let first = analysis.told_calls().next().map_or(0, |(id, _)| id);
    let mut ready: Parts = Vec::new();
    for (wave, entries) in analysis.calls.chunks(WAVE_CALLS).enumerate() {
        let before = wave * WAVE_CALLS;
        let text = || -> Parts {
            let parts = entries.par_chunks(PART_CALLS).enumerate();
            parts
                .map(|(part, entries)| {
                    let before = before + part * PART_CALLS;
                    part_text(analysis, has_details, before, entries, first)
                })
                .collect()
        };
        // Whoever reads the pipe may be slow; the next calls are written to memory meanwhile.
        let mut next = Parts::new();
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = text());
            hand_out(&ready, out)
        })?;
        ready = next;
    }
    hand_out(&ready, out)?;
    out.write_all(if first == 0 { b"]" } else { b"\n]" })
}

fn hand_out(parts: &Parts, out: &mut impl Write) -> io::Result<()> {
    parts.iter().try_for_each(|part| match part {
        Ok(text) => out.write_all(text),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    })
}

/// Elements as they stand in the document, each on a line of its own; a comma stands before all but the `first`.
fn part_text(
    analysis: &Analysis,
    has_details: bool,
    before: usize,
    entries: &[CallEntry],
    first: u32,
) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(TEXT_BYTES * entries.len().min(analysis.told_call_count()));
    let numbered = (before as u32 + 1..).zip(entries);
    for (id, entry) in numbered.filter(|(id, _)| analysis.tells_call(*id)) {
        text.extend_from_slice(if id == first { b"\n" } else { b",\n" });
        let line = CallLine::of(id, entry, &analysis.book, has_details);
        line.serialize(Dense::into(&mut text))?;
    }
    Ok(text)
}
