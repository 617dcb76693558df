//! Where certain bytes stand: lines and parameters are short, so many bytes are compared at a time and one look finds the ends of
//! several.

use wide::u8x16;

/// Bytes that are compared at a time: one bit of a word for each.
const BLOCK: usize = 64;

/// The places of some bytes in a text, in order.
pub(super) struct Places<'a, const WANTED: usize> {
    wanted: [u8; WANTED],
    blocks: std::slice::Chunks<'a, u8>,
    /// Where the block begins that `found` tells of.
    start: usize,
    /// One bit for each byte of the block that is wanted and was not handed out yet.
    found: u64,
}

impl<'a, const WANTED: usize> Places<'a, WANTED> {
    /// Where one of `wanted`, none of which is zero, stands in `text`.
    #[inline]
    pub(super) fn of(text: &'a [u8], wanted: [u8; WANTED]) -> Self {
        Self {
            wanted,
            blocks: text.chunks(BLOCK),
            start: 0_usize.wrapping_sub(BLOCK),
            found: 0,
        }
    }
}

impl<const WANTED: usize> Iterator for Places<'_, WANTED> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let block = self.blocks.next()?;
            self.start = self.start.wrapping_add(BLOCK);
            self.found = match block.try_into() {
                Ok(block) => found_in(block, self.wanted),
                Err(_) => {
                    let mut padded = [0; BLOCK];
                    padded[..block.len()].copy_from_slice(block);
                    found_in(&padded, self.wanted)
                }
            };
        }
        let place = self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(self.start + place)
    }
}

#[inline]
fn found_in<const WANTED: usize>(block: &[u8; BLOCK], wanted: [u8; WANTED]) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    let wanted = wanted.map(u8x16::splat);
    let bits = |part: &[u8; 16]| {
        let part = u8x16::new(*part);
        let none = u8x16::splat(0);
        let hits = wanted
            .iter()
            .fold(none, |hits, wanted| hits | part.cmp_eq(*wanted));
        u64::from(hits.move_mask() as u16)
    };
    let each = parts.iter().rev();
    each.fold(0, |found, part| found << 16 | bits(part))
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
