//! Header values kept once: most messages of a device carry the same ones, so whole lists are shared.

use std::ops::Range;

use crate::call::known::{Known, Packed};
use crate::call::text::TextId;
use crate::sip::HeaderName;

/// Values kept of one message; forged messages may carry thousands.
pub const HEADERS_MAX: usize = 64;

/// A list of header values in [`HeaderLists`]; the default is the empty list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HeaderListId(u32);

impl Packed<1> for HeaderListId {
    fn pack(self) -> [u32; 1] {
        [self.0]
    }

    fn unpack([number]: [u32; 1]) -> Self {
        Self(number)
    }
}

/// Every distinct list of kept header values of a run.
#[derive(Debug)]
pub struct HeaderLists {
    /// Names and values of all lists, one list behind the other.
    names: Vec<HeaderName>,
    values: Vec<TextId>,
    /// End of each list in `values`.
    ends: Vec<u32>,
    /// Lists by the hash of their source bytes.
    table: Known<HeaderListId>,
}

impl Default for HeaderLists {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            values: Vec::new(),
            ends: vec![0],
            table: Known::default(),
        }
    }
}

impl HeaderLists {
    /// Gives back the memory that finding what is known takes; nothing may be added afterwards.
    pub(in crate::call) fn close(&mut self) {
        self.table = Known::default();
        self.names.shrink_to_fit();
        self.values.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Makes room to find `times` as many lists as there are.
    pub(in crate::call) fn expect(&mut self, times: usize) {
        self.table.expect(times);
    }

    /// The lists under the hashes of some items, where they are known.
    pub(in crate::call) fn get_all<T>(&self, items: &[(u64, T)]) -> Vec<Option<HeaderListId>> {
        self.table.get_all(items)
    }

    /// Keeps a list that [`HeaderLists::get_all`] did not find under the hash of its source bytes.
    ///
    /// The hash is keyed by a seed that input cannot know, so that equal hashes mean equal lists.
    pub(in crate::call) fn insert(
        &mut self,
        hash: u64,
        values: impl Iterator<Item = (HeaderName, TextId)>,
    ) -> HeaderListId {
        for (name, value) in values.take(HEADERS_MAX) {
            self.names.push(name);
            self.values.push(value);
        }
        let id = HeaderListId(self.ends.len() as u32);
        self.ends.push(self.values.len() as u32);
        self.table.insert(hash, id);
        id
    }

    /// Whether a name stands in any of some lists.
    pub fn any_has(&self, lists: impl Iterator<Item = HeaderListId>, name: HeaderName) -> bool {
        // Lists are far apart in memory: looked up one right behind the other, they are waited for together.
        let ranges: Vec<Range<usize>> = lists.map(|id| self.range(id)).collect();
        let mut lists = ranges.into_iter().filter_map(|range| self.names.get(range));
        lists.any(|names| names.contains(&name))
    }

    /// The names in a list, in the order of the message.
    pub fn names(&self, id: HeaderListId) -> &[HeaderName] {
        self.names.get(self.range(id)).unwrap_or_default()
    }

    fn range(&self, id: HeaderListId) -> Range<usize> {
        let before = (id.0 as usize).checked_sub(1);
        let place = |list: usize| self.ends.get(list).map_or(0, |end| *end as usize);
        before.map_or(0..0, |before| place(before)..place(before + 1))
    }

    /// The values of a list in the order of the message.
    pub fn get(&self, id: HeaderListId) -> impl Iterator<Item = (HeaderName, TextId)> + '_ {
        let range = self.range(id);
        let names = self.names.get(range.clone()).unwrap_or_default();
        let values = self.values.get(range).unwrap_or_default();
        names.iter().copied().zip(values.iter().copied())
    }
}

/// Header values that rules and reports read; the rest of a message is dropped.
pub fn is_kept(name: HeaderName) -> bool {
    use HeaderName as H;
    !matches!(
        name,
        H::Via
            | H::From
            | H::To
            | H::CallId
            | H::CSeq
            | H::ContentLength
            | H::MaxForwards
            | H::AcceptLanguage
            | H::Timestamp
            | H::Organization
            | H::Subject
            | H::MimeVersion
            | H::AlertInfo
            | H::PAccessNetworkInfo
            | H::InReplyTo
            | H::Other
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::text::Texts;

    #[test]
    fn a_list_is_kept_once_and_the_empty_list_costs_nothing() {
        let mut texts = Texts::default();
        let mut lists = HeaderLists::default();
        let values = [
            (HeaderName::UserAgent, texts.intern(b"Phone 1")),
            (HeaderName::Reason, texts.intern(b"Q.850;cause=17")),
        ];
        let first = lists.insert(7, values.into_iter());
        let second = lists.insert(8, values.into_iter().skip(1));
        let met = lists.get_all(&[(7, ()), (8, ()), (9, ())]);
        assert_eq!(vec![Some(first), Some(second), None], met);
        let kept: Vec<_> = lists
            .get(first)
            .map(|(name, id)| (name, texts.get(id)))
            .collect();
        assert_eq!(
            vec![
                (HeaderName::UserAgent, "Phone 1"),
                (HeaderName::Reason, "Q.850;cause=17")
            ],
            kept
        );
        assert_eq!(1, lists.get(second).count());
        assert_eq!(0, lists.get(HeaderListId::default()).count());
    }
}
