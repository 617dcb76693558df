//! Header values kept once: most messages of a device carry the same ones, so whole lists are shared.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::call::text::{TextId, Texts};
use crate::sip::HeaderName;

/// Values kept of one message; forged messages may carry thousands.
pub const HEADERS_MAX: usize = 64;

/// A list of header values in [`HeaderLists`]; the default is the empty list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HeaderListId(u32);

/// Every distinct list of kept header values of a run.
#[derive(Debug)]
pub struct HeaderLists {
    values: Vec<(HeaderName, TextId)>,
    /// End of each list in `values`, and the hash under which its source bytes were seen.
    ends: Vec<(u32, u64)>,
    table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Default for HeaderLists {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            ends: vec![(0, 0)],
            table: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
        }
    }
}

impl HeaderLists {
    /// Gives back the memory that finding what is known takes; nothing may be added afterwards.
    pub(in crate::call) fn close(&mut self) {
        self.table = HashTable::new();
    }

    /// The list whose source bytes hash to `hash`; `values` is asked for only where it is new.
    ///
    /// The hash is keyed by a seed that input cannot know, so that equal hashes mean equal lists.
    pub fn intern<'a>(
        &mut self,
        hash: u64,
        texts: &mut Texts,
        values: impl Iterator<Item = (HeaderName, std::borrow::Cow<'a, [u8]>)>,
    ) -> HeaderListId {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return HeaderListId::default();
        }
        let key = self.hasher.hash_one(hash);
        if let Some(&id) = self.table.find(key, |&id| self.ends[id as usize].1 == hash) {
            return HeaderListId(id);
        }
        self.values.extend(
            values
                .take(HEADERS_MAX)
                .map(|(name, value)| (name, texts.intern(&value))),
        );
        let id = self.ends.len() as u32;
        self.ends.push((self.values.len() as u32, hash));
        let (ends, hasher) = (&self.ends, &self.hasher);
        self.table
            .insert_unique(key, id, |&id| hasher.hash_one(ends[id as usize].1));
        HeaderListId(id)
    }

    /// The values of a list in the order of the message.
    pub fn get(&self, id: HeaderListId) -> &[(HeaderName, TextId)] {
        let Some(before) = (id.0 as usize).checked_sub(1) else {
            return &[];
        };
        let start = self.ends[before].0 as usize;
        let end = self
            .ends
            .get(id.0 as usize)
            .map_or(start, |end| end.0 as usize);
        &self.values[start..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    #[test]
    fn a_list_is_kept_once_and_the_empty_list_costs_nothing() {
        let mut texts = Texts::default();
        let mut lists = HeaderLists::default();
        let values = [
            (HeaderName::UserAgent, &b"Phone 1"[..]),
            (HeaderName::Reason, &b"Q.850;cause=17"[..]),
        ];
        let iter = || {
            values
                .iter()
                .map(|(name, value)| (*name, Cow::Borrowed(*value)))
        };
        let first = lists.intern(7, &mut texts, iter());
        assert_eq!(first, lists.intern(7, &mut texts, iter()));
        assert_eq!(
            HeaderListId::default(),
            lists.intern(9, &mut texts, std::iter::empty())
        );
        let kept: Vec<_> = lists
            .get(first)
            .iter()
            .map(|(name, id)| (*name, texts.get(*id)))
            .collect();
        assert_eq!(
            vec![
                (HeaderName::UserAgent, "Phone 1"),
                (HeaderName::Reason, "Q.850;cause=17")
            ],
            kept
        );
        assert!(lists.get(HeaderListId::default()).is_empty());
    }
}
