//! What was met before, by keyed hash: one look-up where several would be needed to find it anew.

use hashbrown::HashTable;

/// Values by 64-bit hashes that are keyed by a seed which input cannot know, so that equal hashes mean equal things.
#[derive(Debug)]
pub(in crate::call) struct Known<V> {
    table: HashTable<(u64, V)>,
}

impl<V> Default for Known<V> {
    fn default() -> Self {
        Self {
            table: HashTable::new(),
        }
    }
}

impl<V: Copy> Known<V> {
    /// The value under `hash`, where it was kept.
    pub(in crate::call) fn get(&self, hash: u64) -> Option<V> {
        let found = self.table.find(hash, |&(known, _)| known == hash);
        found.map(|&(_, value)| value)
    }

    /// The values under the hashes of some items. Look-ups that do not wait for each other share the time that memory takes, so
    /// these are not mixed with anything else.
    pub(in crate::call) fn get_all<T>(&self, items: &[(u64, T)]) -> Vec<Option<V>> {
        items.iter().map(|(hash, _)| self.get(*hash)).collect()
    }

    /// Makes room for `times` as much as is kept.
    pub(in crate::call) fn expect(&mut self, times: usize) {
        let more = self.table.len().saturating_mul(times.saturating_sub(1));
        self.table.reserve(more, |&(hash, _)| hash);
    }

    /// Keeps a value that [`Known::get`] did not find.
    pub(in crate::call) fn insert(&mut self, hash: u64, value: V) {
        self.table
            .insert_unique(hash, (hash, value), |&(hash, _)| hash);
    }
}
