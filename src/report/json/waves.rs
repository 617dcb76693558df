//! Calls are written in parallel, a bounded number at a time, and handed out in their order.

use std::io::{self, Write};

use rayon::prelude::*;
use serde::Serialize;

use crate::analysis::{Analysis, CallEntry, HeaderUses};
use crate::call::CallId;
use crate::report::json::call::CallLine;
use crate::report::json::layout::Lines;

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
    let first = analysis.reported_calls().next().map_or(0, |(id, _)| id.0);
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
    let mut text = Vec::with_capacity(TEXT_BYTES * entries.len().min(analysis.reported_call_count()));
    let mut uses = HeaderUses::default();
    let numbered = (before as u32 + 1..).zip(entries);
    for (id, entry) in numbered.filter(|(id, _)| analysis.reports_call(CallId(*id))) {
        text.extend_from_slice(if id == first { b"\n" } else { b",\n" });
        write_line(&CallLine::of(id, entry, analysis, has_details), &mut text)?;
        // Its messages were read for the text a moment ago, so that they are close.
        uses.add_call(&entry.call, &analysis.store);
    }
    Ok(Part { text, uses })
}

/// Writes a value on one line, behind what `text` holds.
///
/// A look at what was written costs less than one at every text in it. Where it holds more than printable ASCII, which is
/// rare, it is written again with what a terminal would act on escaped; C0 controls are always.
fn write_line(line: &impl Serialize, text: &mut Vec<u8>) -> io::Result<()> {
    let start = text.len();
    line.serialize(&mut serde_json::Serializer::new(&mut *text))?;
    // Without a way out of the loop, many bytes are looked at at a time.
    let written = text.get(start..).unwrap_or_default();
    if written.iter().fold(false, |is_odd, byte| is_odd | (*byte >= 0x7f)) {
        text.truncate(start);
        line.serialize(&mut serde_json::Serializer::with_formatter(text, Lines::inside()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_reads_as_if_every_text_were_looked_at(text in any::<String>(), number in any::<f64>()) {
            let line = ("INVITE", &text, number, Some(488), [text.len()]);
            let (mut quick, mut careful) = (b"before".to_vec(), b"before".to_vec());
            write_line(&line, &mut quick).expect("to memory");
            let mut serializer = serde_json::Serializer::with_formatter(&mut careful, Lines::inside());
            line.serialize(&mut serializer).expect("to memory");
            prop_assert_eq!(quick, careful);
        }
    }
}
