//! Where certain bytes stand: lines and parameters are short, so many bytes are compared at a time and one look finds the ends of
//! several.

use wide::u8x16;

/// Bytes that are compared at a time: one bit of a word for each.
const BLOCK: usize = 64;
/// Bytes of one comparison.
const PART: usize = 16;

/// The places of some bytes in a text, in order.
pub(in crate::sip) struct Places<'a, const WANTED: usize> {
    wanted: [u8; WANTED],
    blocks: std::slice::Chunks<'a, u8>,
    /// Where the block begins that `found` tells of.
    start: usize,
    /// One bit for each byte of the block that is wanted and was not handed out yet.
    found: u64,
}

impl<'a, const WANTED: usize> Places<'a, WANTED> {
    /// Where one of `wanted` stands in `text`.
    #[inline]
    pub(in crate::sip) fn of(text: &'a [u8], wanted: [u8; WANTED]) -> Self {
        Self { wanted, blocks: text.chunks(BLOCK), start: 0_usize.wrapping_sub(BLOCK), found: 0 }
    }
}

impl<const WANTED: usize> Iterator for Places<'_, WANTED> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let block = self.blocks.next()?;
            self.start = self.start.wrapping_add(BLOCK);
            self.found = match <&[u8; BLOCK]>::try_from(block) {
                Ok(block) => found_in(block.as_chunks::<PART>().0, self.wanted),
                Err(_) => found_in_short(block, self.wanted),
            };
        }
        let place = self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(self.start + place)
    }
}

#[inline]
fn found_in<const WANTED: usize>(parts: &[[u8; PART]], wanted: [u8; WANTED]) -> u64 {
    let each = parts.iter().rev();
    each.fold(0, |found, part| found << PART | bits(part, wanted))
}

/// One bit for each byte of a part.
#[inline]
fn bits<const WANTED: usize>(part: &[u8; PART], wanted: [u8; WANTED]) -> u64 {
    let part = u8x16::new(*part);
    let hits = wanted.iter().fold(u8x16::splat(0), |hits, wanted| hits | part.cmp_eq(u8x16::splat(*wanted)));
    u64::from(hits.move_mask() as u16)
}

/// As [`found_in`], of less than a block: its last bytes are looked at together with some before them.
fn found_in_short<const WANTED: usize>(text: &[u8], wanted: [u8; WANTED]) -> u64 {
    let Some((before, last)) = text.split_last_chunk::<PART>() else {
        let each = text.iter().rev();
        return each.fold(0, |found, byte| found << 1 | u64::from(wanted.contains(byte)));
    };
    let found = found_in(text.as_chunks::<PART>().0, wanted);
    found | bits(last, wanted) << before.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_wanted_byte_is_found(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b';'), any::<u8>()], 0..300),
        ) {
            let wanted: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).collect();
            prop_assert_eq!(wanted, Places::of(&bytes, [b'\n']).collect::<Vec<_>>());
            let wanted: Vec<usize> = memchr::memchr2_iter(b';', b'"', &bytes).collect();
            prop_assert_eq!(wanted, Places::of(&bytes, [b';', b'"']).collect::<Vec<_>>());
        }
    }
}
