//! Numbers: which number the thing with a hash has in a list, for lists that one window fills and the next one fills again.
//!
//! Several of these are asked for each line of each message, so they have to stay in the cache closest to the core, and a look-up
//! has to wait for it once.

/// The numbers of things in a list, by 64-bit hashes that are keyed by a seed which input cannot know, so that equal hashes mean
/// equal things.
///
/// The list itself keeps the hashes; `hash_of` reads them there.
#[derive(Debug)]
pub struct HashIndex {
    /// A thing stands in the first free slot from its own on: the upper half of its hash, then its number and `base`.
    slots: Vec<u64>,
    len: u32,
    /// What is less was put there for an earlier list, so that its slot is free: nothing needs to be wiped for the next list.
    base: u32,
}

/// Slots of a table that begins, and that are kept for the next list where one was filled much more than others.
const SLOTS: std::ops::RangeInclusive<usize> = 64..=1 << 14;

const TAG: u64 = !(u32::MAX as u64);

impl Default for HashIndex {
    fn default() -> Self {
        Self { slots: Vec::new(), len: 0, base: 1 }
    }
}

impl HashIndex {
    /// The number under `hash`; where there is none, `next` is put there, which is how many things the list has.
    #[inline]
    pub fn number(&mut self, hash: u64, next: u32, hash_of: impl Fn(u32) -> u64) -> u32 {
        if self.len as usize * 2 >= self.slots.len() {
            self.grow(&hash_of);
        }
        match self.look(hash, hash_of) {
            Ok(number) => number,
            Err(free) => {
                self.put(free, hash, next);
                next
            }
        }
    }

    /// The number under `hash`, where there is one.
    #[inline]
    pub fn find(&self, hash: u64, hash_of: impl Fn(u32) -> u64) -> Option<u32> {
        self.look(hash, hash_of).ok()
    }

    /// Forgets everything and keeps the memory, unless it is much.
    pub fn clear(&mut self) {
        self.base += self.len;
        if self.slots.len() > *SLOTS.end() || self.base > u32::MAX / 2 {
            *self = Self::default();
        }
        self.len = 0;
    }

    /// The number under a hash, or the slot that is free for it.
    #[inline]
    fn look(&self, hash: u64, hash_of: impl Fn(u32) -> u64) -> Result<u32, usize> {
        let last = self.slots.len().wrapping_sub(1);
        let mut place = hash as usize & last;
        // Half of the slots are vacant, so this ends.
        while let Some(slot) = self.slots.get(place) {
            let Some(number) = (*slot as u32).checked_sub(self.base) else {
                break;
            };
            if slot & TAG == hash & TAG && hash_of(number) == hash {
                return Ok(number);
            }
            place = (place + 1) & last;
        }
        Err(place)
    }

    #[inline]
    fn put(&mut self, free: usize, hash: u64, number: u32) {
        if let Some(slot) = self.slots.get_mut(free) {
            *slot = hash & TAG | u64::from(self.base + number);
            self.len += 1;
        }
    }

    #[cold]
    fn grow(&mut self, hash_of: &impl Fn(u32) -> u64) {
        // A power of two, as `look` needs it.
        let slots = (self.slots.len() * 2).max(*SLOTS.start());
        self.slots.clear();
        self.slots.resize(slots, 0);
        for number in 0..std::mem::take(&mut self.len) {
            let hash = hash_of(number);
            // No two things have the same hash, so this one is not found.
            if let Err(free) = self.look(hash, hash_of) {
                self.put(free, hash, number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn each_hash_has_the_number_that_it_first_got(
            // Few different halves, so that things meet in their slots and in their tags.
            lists in proptest::collection::vec(
                proptest::collection::vec((0_u64..40, 0_u64..4), 0..300), 1..4),
        ) {
            let mut numbers = HashIndex::default();
            for list in lists {
                numbers.clear();
                let mut hashes: Vec<u64> = Vec::new();
                let mut known: HashMap<u64, u32> = HashMap::new();
                for (low, high) in list {
                    let hash = high << 32 | low;
                    prop_assert_eq!(
                        known.get(&hash).copied(),
                        numbers.find(hash, |number| hashes[number as usize])
                    );
                    let next = hashes.len() as u32;
                    let number = numbers.number(hash, next, |number| hashes[number as usize]);
                    if number == next {
                        hashes.push(hash);
                    }
                    prop_assert_eq!(*known.entry(hash).or_insert(next), number);
                }
            }
        }
    }

    #[test]
    fn a_table_that_grew_large_is_given_back() {
        let mut numbers = HashIndex::default();
        let hash = |number: u32| u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for number in 0..200_000 {
            assert_eq!(number, numbers.number(hash(number), number, hash));
        }
        numbers.clear();
        assert!(numbers.slots.capacity() <= *SLOTS.end());
        assert_eq!(0, numbers.len);
        assert_eq!(None, numbers.find(hash(7), hash));
        assert_eq!(0, numbers.number(hash(7), 0, |_| hash(7)));
        assert_eq!(Some(0), numbers.find(hash(7), |_| hash(7)));
    }
}
