//! Header lines met before: senders say the same lines again and again, so each is split once and then found by its hash.
//!
//! Source: RFC 3261 sections 7.3.1 and 25.1 (blanks around the colon).

use std::hash::BuildHasher;

use memchr::memchr;

use crate::sip::message::header_name::HeaderName;
use crate::sip::syntax::numbers::HashIndex;

/// The keys of one run: hashes made with it on any thread mean the same, and input cannot foresee them.
pub type Seed = foldhash::fast::RandomState;

/// Distinct header lines in the order of first sight, by hashes that are keyed so that equal hashes mean equal lines.
#[derive(Debug, Default)]
pub struct Lines {
    /// By number. What is met again was mostly met a moment ago, so that it lies close by, which it would not in a table.
    met: Vec<Met>,
    numbers: HashIndex,
}

/// A line that was met.
#[derive(Debug)]
struct Met {
    hash: u64,
    parts: LineParts,
}

/// Where the parts of a header line stand in it.
#[derive(Debug, Clone, Copy)]
pub(in crate::sip) struct LineParts {
    pub(in crate::sip) name: HeaderName,
    pub(in crate::sip) has_colon: bool,
    /// End of the name as sent.
    pub(in crate::sip) name_end: u32,
    pub(in crate::sip) value_start: u32,
    /// End of the value, blanks at its end left out.
    pub(in crate::sip) value_end: u32,
}

/// Bytes of a line that are looked at one by one for the colon: names are short.
const NAME_BYTES: usize = 24;

fn find_colon(line: &[u8]) -> Option<usize> {
    let begin = line.get(..NAME_BYTES).unwrap_or(line);
    begin.iter().position(|byte| *byte == b':').or_else(|| memchr(b':', line))
}

impl LineParts {
    /// Parts a line without its line end. Inlined, since handing the parts on in memory would cost as much as finding them.
    #[inline(always)]
    pub(in crate::sip) fn of(line: &[u8]) -> Self {
        let end = line.len();
        // No message is longer than MESSAGE_BYTES_MAX, so every place fits.
        let places = |name, has_colon, [name_end, value_start, value_end]: [usize; 3]| Self {
            name,
            has_colon,
            name_end: name_end as u32,
            value_start: value_start as u32,
            value_end: value_end as u32,
        };
        let Some(colon) = find_colon(line) else {
            return places(HeaderName::Malformed, false, [end; 3]);
        };
        let (before, after) = line.split_at(colon);
        let name = before.trim_ascii_end();
        let value = after.get(1..).unwrap_or_default().trim_ascii_start();
        let start = end - value.len();
        let value_end = start + value.trim_ascii_end().len();
        places(HeaderName::from_bytes(name), true, [name.len(), start, value_end])
    }
}

impl Lines {
    /// Forgets all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.met.clear();
        self.numbers.clear();
    }

    /// Parts and number of a line that hashes to `hash`.
    fn find_or_add(&mut self, line: &[u8], hash: u64) -> (LineParts, u32) {
        let (next, met) = (self.met.len() as u32, &mut self.met);
        let hash_of = |number: u32| met.get(number as usize).map_or(0, |met| met.hash);
        let number = self.numbers.number(hash, next, hash_of);
        if let Some(known) = met.get(number as usize) {
            return (known.parts, number);
        }
        let parts = LineParts::of(line);
        met.push(Met { hash, parts });
        (parts, number)
    }
}

/// Lines while one message is read, and the hash of that message.
pub(in crate::sip) struct Numbering<'a> {
    pub(in crate::sip) lines: &'a mut Lines,
    pub(in crate::sip) seed: &'a Seed,
    pub(in crate::sip) digest: u64,
}

impl Numbering<'_> {
    /// Parts and number of a header line.
    pub(in crate::sip) fn line(&mut self, line: &[u8]) -> (LineParts, u32) {
        let hash = self.seed.hash_one(line);
        self.mix(hash);
        self.lines.find_or_add(line, hash)
    }

    /// Takes bytes that are no header line into the hash of the message; gives their own.
    pub(in crate::sip) fn pass(&mut self, bytes: &[u8]) -> u64 {
        let hash = self.seed.hash_one(bytes);
        self.mix(hash);
        hash
    }

    fn mix(&mut self, hash: u64) {
        // What is mixed are keyed hashes already: only their order has to tell.
        self.digest = self.digest.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_met_again_has_the_same_number_and_the_same_parts() {
        let (mut lines, seed) = (Lines::default(), Seed::default());
        let mut numbering = Numbering { lines: &mut lines, seed: &seed, digest: 0 };
        let text = b"Max-Forwards : 70 ";
        let (first, number) = numbering.line(text);
        let (_, other) = numbering.line(b"Max-Forwards: 69");
        let (again, same) = numbering.line(text);
        assert_eq!((0, 1, 0), (number, other, same));
        for parts in [first, again, LineParts::of(text)] {
            assert_eq!(HeaderName::MaxForwards, parts.name);
            assert_eq!((12, 15, 17), (parts.name_end, parts.value_start, parts.value_end));
        }
        assert_eq!(2, lines.met.len());
    }

    #[test]
    fn the_order_of_lines_is_part_of_the_hash() {
        let seed = Seed::default();
        let digest_of = |parts: [&[u8]; 2]| {
            let mut lines = Lines::default();
            let mut numbering = Numbering { lines: &mut lines, seed: &seed, digest: 0 };
            for part in parts {
                numbering.line(part);
            }
            numbering.digest
        };
        assert_eq!(digest_of([b"a: 1", b"b: 2"]), digest_of([b"a: 1", b"b: 2"]));
        assert_ne!(digest_of([b"a: 1", b"b: 2"]), digest_of([b"b: 2", b"a: 1"]));
    }
}
