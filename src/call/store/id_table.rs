//! What is known of the run by hash: a flat table that many look-ups at once share the time of memory in.
//!
//! The tables of a large capture are many times the size of a processor's cache, so that a look-up is mostly waiting. Hash and
//! value stand side by side, in the one line of memory that a processor fetches for the look-up, and only where that is full in
//! the next one; and look-ups that come in batches touch all their lines first, which a processor does side by side.

use std::marker::PhantomData;

/// Values by 64-bit hashes that are keyed by a seed which input cannot know, so that equal hashes mean equal things and
/// nobody can foresee which meet.
#[derive(Debug)]
pub(in crate::call) struct IdTable<V, const WORDS: usize = 1> {
    /// A thing stands in the first line that has room, from its own on.
    lines: Vec<Line<WORDS>>,
    len: usize,
    of: PhantomData<V>,
}

/// Words in what a processor fetches at once.
const LINE_WORDS: usize = 16;

/// One such line: slots of a hash in two halves and a value, filled from the first on; [`VACANT`] is the hash of the others.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Line<const WORDS: usize>([u32; LINE_WORDS]);

/// What a processor fetches at once, and nothing beside it.
const _: () = assert!(size_of::<Line<1>>() == 64 && align_of::<Line<1>>() == 64);

impl<const WORDS: usize> Line<WORDS> {
    const SLOT_WORDS: usize = 2 + WORDS;
    const SLOTS: usize = LINE_WORDS / Self::SLOT_WORDS;

    fn slots(&self) -> impl DoubleEndedIterator<Item = (u64, &[u32])> + ExactSizeIterator {
        let slots = self.0.chunks_exact(Self::SLOT_WORDS);
        slots.map(|slot| (u64::from(slot[0]) << 32 | u64::from(slot[1]), &slot[2..]))
    }

    /// The first slot with a hash. All are compared: which one it is cannot be foreseen, and a wrong prediction costs more.
    fn place(&self, hash: u64) -> Option<usize> {
        let hits = self.slots().rev();
        let hits = hits.fold(0_u32, |hits, slot| hits << 1 | u32::from(slot.0 == hash));
        (hits != 0).then(|| hits.trailing_zeros() as usize)
    }

    fn value(&self, place: usize) -> Option<[u32; WORDS]> {
        let (_, value) = self.slots().nth(place)?;
        value.try_into().ok()
    }

    fn is_full(&self) -> bool {
        self.slots().next_back().is_none_or(|slot| slot.0 != VACANT)
    }

    fn put(&mut self, place: usize, hash: u64, value: [u32; WORDS]) {
        if let Some(slot) = self.0.chunks_exact_mut(Self::SLOT_WORDS).nth(place) {
            slot[0] = (hash >> 32) as u32;
            slot[1] = hash as u32;
            slot[2..].copy_from_slice(&value);
        }
    }
}

/// A value that is kept as words.
pub(in crate::call) trait Packed<const WORDS: usize>: Copy {
    /// Its words.
    fn pack(self) -> [u32; WORDS];
    /// The value of these words.
    fn unpack(words: [u32; WORDS]) -> Self;
}

/// The hash of an empty slot; what hashes to it is kept under another one. It is not 0: memory full of zeros is only promised,
/// and each page of it would be asked for twice, when a slot is first read and when one is first put.
const VACANT: u64 = u64::MAX;
/// Lines of a table that begins.
const LINES_MIN: usize = 16;
/// Of a hundred slots so many are filled at most: beyond, things stand far from their own line.
const FILLED_PERCENT_MAX: usize = 80;
/// Of a hundred slots so many are filled where it was foreseen how many things come, as far as that can be.
const FORESEEN_PERCENT: usize = 64;

impl<V, const WORDS: usize> Default for IdTable<V, WORDS> {
    fn default() -> Self {
        Self { lines: Vec::new(), len: 0, of: PhantomData }
    }
}

impl<V: Packed<WORDS>, const WORDS: usize> IdTable<V, WORDS> {
    /// The line of a hash: hashes are spread evenly, so their share of the range is taken, whatever the number of lines.
    fn own_line(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.lines.len() as u128) >> 64) as usize
    }

    /// The value under `hash`, where it was kept.
    pub(in crate::call) fn get(&self, hash: u64) -> Option<V> {
        let hash = hash.min(VACANT - 1);
        let (before, behind) = self.lines.split_at_checked(self.own_line(hash))?;
        // Some line always has room, so this ends.
        for line in behind.iter().chain(before) {
            if let Some(place) = line.place(hash) {
                return line.value(place).map(V::unpack);
            }
            if !line.is_full() {
                return None;
            }
        }
        None
    }

    /// Reads the lines of hashes that will be looked up next. These reads do not wait for each other.
    pub(in crate::call) fn prefetch(&self, hashes: impl Iterator<Item = u64>) {
        let read = |hash| {
            let line = self.lines.get(self.own_line(hash));
            line.map_or(0, |line| line.0[0])
        };
        std::hint::black_box(hashes.map(read).fold(0, |all, part| all ^ part));
    }

    /// The values under the hashes of some items.
    pub(in crate::call) fn get_all<T>(&self, items: &[(u64, T)]) -> Vec<Option<V>> {
        self.prefetch(items.iter().map(|(hash, _)| *hash));
        items.iter().map(|(hash, _)| self.get(*hash)).collect()
    }

    /// Makes room for `times` as much as is kept.
    pub(in crate::call) fn reserve_factor(&mut self, times: usize) {
        let things = self.len.saturating_mul(times);
        let slots = things.saturating_mul(100) / FORESEEN_PERCENT;
        self.resize(slots / Line::<WORDS>::SLOTS + LINES_MIN);
    }

    /// Keeps a value that [`IdTable::get`] did not find.
    pub(in crate::call) fn insert(&mut self, hash: u64, value: V) {
        let slots = self.lines.len() * Line::<WORDS>::SLOTS;
        if self.len * 100 >= slots * FILLED_PERCENT_MAX {
            self.resize((self.lines.len() + self.lines.len() / 2).max(LINES_MIN));
        }
        self.put(hash.min(VACANT - 1), value.pack());
        self.len += 1;
    }

    fn put(&mut self, hash: u64, value: [u32; WORDS]) {
        let start = self.own_line(hash);
        let Some((before, behind)) = self.lines.split_at_mut_checked(start) else {
            return;
        };
        for line in behind.iter_mut().chain(before) {
            if let Some(free) = line.place(VACANT) {
                return line.put(free, hash, value);
            }
        }
    }

    fn resize(&mut self, lines: usize) {
        if lines <= self.lines.len() {
            return;
        }
        let vacant = Line([u32::MAX; LINE_WORDS]);
        let old = std::mem::replace(&mut self.lines, vec![vacant; lines]);
        // In the order of lines, which is that of hashes, so that memory is walked in one direction.
        for line in old {
            for (hash, value) in line.slots().filter(|slot| slot.0 != VACANT) {
                self.put(hash, value.try_into().unwrap_or([0; WORDS]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Packed<1> for u32 {
        fn pack(self) -> [u32; 1] {
            [self]
        }

        fn unpack([number]: [u32; 1]) -> Self {
            number
        }
    }

    #[test]
    fn nothing_is_found_in_an_empty_table() {
        let known = IdTable::<u32>::default();
        assert_eq!(None, known.get(7));
        assert_eq!(vec![None], known.get_all(&[(7, ())]));
    }

    #[test]
    fn what_meets_in_the_last_lines_goes_on_in_the_first() {
        let mut known = IdTable::default();
        let hashes: Vec<u64> = (1..21).map(|step| VACANT - step).collect();
        for hash in &hashes {
            known.insert(*hash, *hash as u32);
        }
        for hash in hashes {
            assert_eq!(Some(hash as u32), known.get(hash));
        }
        assert_eq!(None, known.get(VACANT - 21));
    }

    proptest! {
        #[test]
        fn what_was_kept_is_found_and_nothing_else(
            kept in proptest::collection::btree_set(any::<u64>(), 0..500),
            others in proptest::collection::btree_set(any::<u64>(), 0..100),
            times in 0_usize..5,
        ) {
            let mut known = IdTable::default();
            for (number, hash) in (0_u32..).zip(&kept) {
                known.insert(*hash, number);
                if number == 40 {
                    known.reserve_factor(times);
                }
            }
            for (number, hash) in (0_u32..).zip(&kept) {
                prop_assert_eq!(Some(number), known.get(*hash));
            }
            for hash in others.difference(&kept).filter(|hash| **hash < VACANT - 1) {
                prop_assert_eq!(None, known.get(*hash));
            }
        }
    }
}
