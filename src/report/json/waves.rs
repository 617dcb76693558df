//! Calls are written in parallel, a bounded number at a time, and handed out in their order.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;

use crate::analysis::{Analysis, CallEntry, HeaderUses};
use crate::report::json::call::CallLine;
use crate::report::json::dense::Dense;
use crate::report::json::text::Text;

/// Calls whose text is held at a time.
const WAVE_CALLS: usize = 4096;
/// Calls that one thread writes at a time.
const PART_CALLS: usize = 128;
/// Some calls, or why they could not be written.
type Parts = Vec<io::Result<Part>>;
/// Bytes that the text of a call takes.
const TEXT_BYTES: usize = 1400;

/// Calls as they stand in the document, and the header fields of their messages.
struct Part {
    text: Vec<u8>,
    uses: HeaderUses,
}

/// Writes the array of calls, each with its number; gives the header fields of their messages.
///
/// # Errors
/// Whatever `out` returns.
pub(super) fn write_calls(analysis: &Analysis, has_details: bool, out: &mut impl Write) -> io::Result<HeaderUses> {
    out.write_all(b"[")?;
    let mut uses = HeaderUses::default();
    let first = analysis.reported_calls().next().map_or(0, |(id, _)| id);
    let mut ready: Parts = Vec::new();
    for (wave, entries) in analysis.calls.chunks(WAVE_CALLS).enumerate() {
        let before = wave * WAVE_CALLS;
        let text = || -> Parts {
            let parts = entries.par_chunks(PART_CALLS).with_max_len(1).enumerate();
            parts
                .map(|(part, entries)| {
                    let before = before + part * PART_CALLS;
                    part_of(analysis, has_details, before, entries, first)
                })
                .collect()
        };
        // Whoever reads the pipe may be slow; the next calls are written to memory meanwhile.
        let mut next = Parts::new();
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = text());
            hand_out(&ready, &mut uses, out)
        })?;
        ready = next;
    }
    hand_out(&ready, &mut uses, out)?;
    out.write_all(if first == 0 { b"]" } else { b"\n]" })?;
    Ok(uses)
}

fn hand_out(parts: &Parts, uses: &mut HeaderUses, out: &mut impl Write) -> io::Result<()> {
    parts.iter().try_for_each(|part| match part {
        Ok(part) => {
            uses.add_uses(&part.uses);
            out.write_all(&part.text)
        }
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    })
}

/// Elements as they stand in the document, each on a line of its own; a comma stands before all but the `first`.
fn part_of(
    analysis: &Analysis,
    has_details: bool,
    before: usize,
    entries: &[CallEntry],
    first: u32,
) -> io::Result<Part> {
    let mut text = Text::with_room(TEXT_BYTES * entries.len().min(analysis.reported_call_count()));
    let mut uses = HeaderUses::default();
    let numbered = (before as u32 + 1..).zip(entries);
    for (id, entry) in numbered.filter(|(id, _)| analysis.reports_call(*id)) {
        text.put(if id == first { b"\n" } else { b",\n" });
        let line = CallLine::of(id, entry, &analysis.store, has_details);
        line.serialize(Dense::into(&mut text))?;
        // Its messages were read for the text a moment ago, so that they are close.
        uses.add_call(&entry.call, &analysis.store);
    }
    let text = text.into_bytes();
    Ok(Part { text, uses })
}
