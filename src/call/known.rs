//! What is known of the run by hash: a flat table that many look-ups at once share the time of memory in.
//!
//! The tables of a large capture are many times the size of a processor's cache, so that a look-up is mostly waiting. One slot
//! holds hash and value side by side, so that it waits once; and look-ups that come in batches touch all their slots first,
//! which a processor does side by side.

use std::marker::PhantomData;

/// Values by 64-bit hashes that are keyed by a seed which input cannot know, so that equal hashes mean equal things and
/// nobody can foresee which meet.
#[derive(Debug)]
pub(in crate::call) struct Known<V, const WORDS: usize = 1> {
    /// A thing stands in the first free slot from its own on.
    slots: Vec<Slot<WORDS>>,
    len: usize,
    of: PhantomData<V>,
}

/// A place for one thing: its hash in two halves, [`VACANT`] where there is none, and its value. Words alone leave no gaps.
type Slot<const WORDS: usize> = ([u32; 2], [u32; WORDS]);

fn hash_in<const WORDS: usize>(slot: &Slot<WORDS>) -> u64 {
    u64::from(slot.0[0]) << 32 | u64::from(slot.0[1])
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
/// Slots of a table that begins.
const SLOTS_MIN: usize = 64;
/// Of a hundred slots so many are filled at most: beyond, things stand far from their own slot.
const FILLED_PERCENT_MAX: usize = 80;
/// Of a hundred slots so many are filled where it was foreseen how many things come, as far as that can be.
const FORESEEN_PERCENT: usize = 64;

impl<V, const WORDS: usize> Default for Known<V, WORDS> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
            of: PhantomData,
        }
    }
}

impl<V: Packed<WORDS>, const WORDS: usize> Known<V, WORDS> {
    /// The slot of a hash: hashes are spread evenly, so their share of the range is taken, whatever the number of slots.
    fn own_slot(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize
    }

    /// The value under `hash`, where it was kept.
    pub(in crate::call) fn get(&self, hash: u64) -> Option<V> {
        let hash = hash.min(VACANT - 1);
        let start = self.own_slot(hash);
        let (before, behind) = self.slots.split_at_checked(start)?;
        // Some slot is always vacant, so this ends.
        let slots = behind.iter().chain(before);
        for slot in slots {
            let known = hash_in(slot);
            if known == hash {
                return Some(V::unpack(slot.1));
            }
            if known == VACANT {
                return None;
            }
        }
        None
    }

    /// Reads the slots of hashes that will be looked up next. These reads do not wait for each other.
    pub(in crate::call) fn touch(&self, hashes: impl Iterator<Item = u64>) {
        let read = |hash| {
            let slot = self.slots.get(self.own_slot(hash));
            slot.map_or(0, |slot| slot.0[0])
        };
        std::hint::black_box(hashes.map(read).fold(0, |all, part| all ^ part));
    }

    /// The values under the hashes of some items.
    pub(in crate::call) fn get_all<T>(&self, items: &[(u64, T)]) -> Vec<Option<V>> {
        self.touch(items.iter().map(|(hash, _)| *hash));
        items.iter().map(|(hash, _)| self.get(*hash)).collect()
    }

    /// Makes room for `times` as much as is kept.
    pub(in crate::call) fn expect(&mut self, times: usize) {
        let things = self.len.saturating_mul(times);
        self.resize(things.saturating_mul(100) / FORESEEN_PERCENT + SLOTS_MIN);
    }

    /// Keeps a value that [`Known::get`] did not find.
    pub(in crate::call) fn insert(&mut self, hash: u64, value: V) {
        if self.len * 100 >= self.slots.len() * FILLED_PERCENT_MAX {
            self.resize((self.slots.len() + self.slots.len() / 2).max(SLOTS_MIN));
        }
        self.put(hash.min(VACANT - 1), value.pack());
        self.len += 1;
    }

    fn put(&mut self, hash: u64, value: [u32; WORDS]) {
        let start = self.own_slot(hash);
        let Some((before, behind)) = self.slots.split_at_mut_checked(start) else {
            return;
        };
        let free = behind
            .iter_mut()
            .chain(before)
            .find(|slot| hash_in(slot) == VACANT);
        if let Some(slot) = free {
            *slot = ([(hash >> 32) as u32, hash as u32], value);
        }
    }

    fn resize(&mut self, slots: usize) {
        if slots <= self.slots.len() {
            return;
        }
        let old = std::mem::replace(&mut self.slots, vec![([u32::MAX; 2], [0; WORDS]); slots]);
        // In the order of slots, which is that of hashes, so that memory is walked in one direction.
        for slot in old {
            if hash_in(&slot) != VACANT {
                self.put(hash_in(&slot), slot.1);
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
        let known = Known::<u32>::default();
        assert_eq!(None, known.get(7));
        assert_eq!(vec![None], known.get_all(&[(7, ())]));
    }

    #[test]
    fn what_meets_in_the_last_slots_goes_on_in_the_first() {
        let mut known = Known::default();
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
            let mut known = Known::default();
            for (number, hash) in (0_u32..).zip(&kept) {
                known.insert(*hash, number);
                if number == 40 {
                    known.expect(times);
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
