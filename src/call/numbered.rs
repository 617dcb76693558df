//! Numbers within one batch: what many of its messages share is kept once, so that the tables of the run are asked once.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Things by 64-bit hashes that are keyed by a seed which input cannot know, so that equal hashes mean equal things; numbered in
/// the order of first sight.
#[derive(Debug)]
pub(in crate::call) struct Numbered<T> {
    /// What is met again was mostly met a moment ago, so that it lies close by, which it would not in a table.
    items: Vec<(u64, T)>,
    places: HashTable<u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: HashTable::new(),
        }
    }
}

impl<T> Numbered<T> {
    /// The number of what hashes to `hash`; `make` is asked for it only where it is new.
    pub(in crate::call) fn number(&mut self, hash: u64, make: impl FnOnce() -> T) -> u32 {
        let items = &self.items;
        let is_it = |place: &u32| items[*place as usize].0 == hash;
        let hash_of = |place: &u32| items[*place as usize].0;
        match self.places.entry(hash, is_it, hash_of) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let place = items.len() as u32;
                free.insert(place);
                self.items.push((hash, make()));
                place
            }
        }
    }

    /// The number of what hashes to `hash`, where it was met.
    pub(in crate::call) fn find(&self, hash: u64) -> Option<u32> {
        let is_it = |place: &u32| self.items[*place as usize].0 == hash;
        self.places.find(hash, is_it).copied()
    }

    /// What has a number.
    pub(in crate::call) fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize).map(|(_, item)| item)
    }

    /// Everything in the order of its numbers, with its hash.
    pub(in crate::call) fn items(&self) -> &[(u64, T)] {
        &self.items
    }

    /// Forgets everything and keeps the memory.
    pub(in crate::call) fn clear(&mut self) {
        self.items.clear();
        self.places.clear();
    }
}
