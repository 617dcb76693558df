//! Indices within one batch: what many of its messages share is kept once, so that the tables of the run are asked once.

use crate::sip::HashIndex;

/// Things by 64-bit hashes that are keyed by a seed which input cannot know, so that equal hashes mean equal things; indexed in
/// the order of first sight.
#[derive(Debug)]
pub(in crate::call) struct BatchInterner<T> {
    /// What is met again was mostly met a moment ago, so that it lies close by, which it would not in a table.
    items: Vec<(u64, T)>,
    places: HashIndex,
}

impl<T> Default for BatchInterner<T> {
    fn default() -> Self {
        Self { items: Vec::new(), places: HashIndex::default() }
    }
}

impl<T> BatchInterner<T> {
    /// The index of what hashes to `hash`; `make` is asked for it only where it is new.
    pub(in crate::call) fn intern(&mut self, hash: u64, make: impl FnOnce() -> T) -> u32 {
        let next = self.items.len() as u32;
        let place = self.places.number(hash, next, hash_of(&self.items));
        if place == next {
            self.items.push((hash, make()));
        }
        place
    }

    /// The index of what hashes to `hash`, where it was met.
    pub(in crate::call) fn find(&self, hash: u64) -> Option<u32> {
        self.places.find(hash, hash_of(&self.items))
    }

    /// What has an index.
    pub(in crate::call) fn get(&self, index: u32) -> Option<&T> {
        self.items.get(index as usize).map(|(_, item)| item)
    }

    /// Everything in the order of its indices, with its hash.
    pub(in crate::call) fn items(&self) -> &[(u64, T)] {
        &self.items
    }

    /// Forgets everything and keeps the memory.
    pub(in crate::call) fn clear(&mut self) {
        self.items.clear();
        self.places.clear();
    }
}

fn hash_of<T>(items: &[(u64, T)]) -> impl Fn(u32) -> u64 + '_ {
    |place| items.get(place as usize).map_or(0, |(hash, _)| *hash)
}
