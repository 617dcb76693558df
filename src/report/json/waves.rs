//! Calls are written in parallel, a bounded number at a time, and handed out in their order.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;

use crate::analysis::CallEntry;
use crate::call::Book;
use crate::report::json::call::CallLine;
use crate::report::json::layout::Lines;

/// Calls whose text is held at a time.
const WAVE_CALLS: usize = 4096;
/// Calls that one thread writes at a time.
const PART_CALLS: usize = 256;

/// Writes the array of calls; ids count from 1.
///
/// # Errors
/// Whatever `out` returns.
pub(super) fn write_calls(
    entries: &[CallEntry],
    book: &Book,
    out: &mut impl Write,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for (wave, entries) in entries.chunks(WAVE_CALLS).enumerate() {
        let first = wave * WAVE_CALLS;
        let parts: Vec<io::Result<Vec<u8>>> = entries
            .par_chunks(PART_CALLS)
            .enumerate()
            .map(|(part, entries)| part_text(first + part * PART_CALLS, entries, book))
            .collect();
        for part in parts {
            out.write_all(&part?)?;
        }
    }
    out.write_all(if entries.is_empty() { b"]" } else { b"\n]" })
}

/// Elements as they stand in the document, each on a line of its own.
fn part_text(before: usize, entries: &[CallEntry], book: &Book) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(entries.len() * 1024);
    for (place, entry) in (before..).zip(entries) {
        text.extend_from_slice(if place == 0 { b"\n" } else { b",\n" });
        let line = CallLine::of(place as u32 + 1, entry, book);
        line.serialize(&mut serde_json::Serializer::with_formatter(
            &mut text,
            Lines::inside(),
        ))?;
    }
    Ok(text)
}
