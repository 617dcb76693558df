//! Header values kept once: most messages of a device carry the same ones, so whole lists are shared.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use crate::call::store::id_table::{IdTable, Packed};
use crate::call::store::string_arena::TextId;
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

/// The names of a list of header values, in the order of the message, by a number of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShapeId(u32);

#[derive(Debug, Default)]
struct Shape {
    names: Box<[HeaderName]>,
    /// The same as a set of [`HeaderName::bit`].
    set: u128,
}

/// Every distinct list of kept header values of a run.
#[derive(Debug)]
pub struct HeaderLists {
    /// A device writes its headers in one order, so there are few of these: most questions end here, close by in memory.
    shapes: Vec<Shape>,
    shape_numbers: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    /// The names of all shapes.
    present: u128,
    /// All lists, one behind the other: of each its shape, then its values, side by side as they are read. The place of the shape
    /// is the id of the list.
    words: Vec<u32>,
    /// Lists by the hash of their source bytes.
    table: IdTable<HeaderListId>,
    /// Room to put the names of a list together in.
    scratch: Vec<HeaderName>,
}

impl Default for HeaderLists {
    fn default() -> Self {
        Self {
            shapes: vec![Shape::default()],
            shape_numbers: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            present: 0,
            words: vec![0],
            table: IdTable::default(),
            scratch: Vec::new(),
        }
    }
}

impl HeaderLists {
    /// Gives back the memory that finding what is known takes; nothing may be added afterwards.
    pub(in crate::call) fn freeze(&mut self) {
        self.table = IdTable::default();
        self.shape_numbers = HashTable::new();
        self.words.shrink_to_fit();
    }

    /// Makes room to find `times` as many lists as there are.
    pub(in crate::call) fn reserve_factor(&mut self, times: usize) {
        self.table.reserve_factor(times);
    }

    /// The lists under the hashes of some items, where they are known.
    pub(in crate::call) fn get_all<T>(&self, items: &[(u64, T)]) -> Vec<Option<HeaderListId>> {
        self.table.get_all(items)
    }

    /// Reads ahead for lists that will be kept next, by their hashes.
    pub(in crate::call) fn prefetch(&self, hashes: impl Iterator<Item = u64>) {
        self.table.prefetch(hashes);
    }

    /// Keeps a list that [`HeaderLists::get_all`] did not find under the hash of its source bytes.
    ///
    /// The hash is keyed by a seed that input cannot know, so that equal hashes mean equal lists.
    pub(in crate::call) fn insert(
        &mut self,
        hash: u64,
        values: impl Iterator<Item = (HeaderName, TextId)>,
    ) -> HeaderListId {
        let place = self.words.len();
        self.words.push(0);
        self.scratch.clear();
        for (name, value) in values.take(HEADERS_MAX) {
            self.scratch.push(name);
            self.words.extend(value.pack());
        }
        self.words[place] = self.shape_of_scratch().0;
        let id = HeaderListId(place as u32);
        self.table.insert(hash, id);
        id
    }

    fn shape_of_scratch(&mut self) -> ShapeId {
        let names = self.scratch.as_slice();
        let hash = self.hasher.hash_one(names);
        let shapes = &self.shapes;
        let is_it = |number: &u32| *shapes[*number as usize].names == *names;
        if let Some(known) = self.shape_numbers.find(hash, is_it) {
            return ShapeId(*known);
        }
        let set = names.iter().fold(0, |set, name| set | name.bit());
        self.present |= set;
        let number = shapes.len() as u32;
        let names = names.into();
        self.shapes.push(Shape { names, set });
        let (shapes, hasher) = (&self.shapes, &self.hasher);
        self.shape_numbers.insert_unique(hash, number, |number| hasher.hash_one(&*shapes[*number as usize].names));
        ShapeId(number)
    }

    /// Whether a name stands in any of some lists.
    pub fn any_has(&self, mut lists: impl Iterator<Item = HeaderListId>, name: HeaderName) -> bool {
        self.present & name.bit() != 0 && lists.any(|id| self.has(id, name))
    }

    fn has(&self, id: HeaderListId, name: HeaderName) -> bool {
        self.shape(self.shape_of(id)).set & name.bit() != 0
    }

    /// The first value of a header in a list; absent where it has none.
    pub(in crate::call) fn first(&self, id: HeaderListId, name: HeaderName) -> Option<TextId> {
        self.values_of(id, name).next()
    }

    /// Every value of a header in a list, in the order of the message.
    pub fn values_of(&self, id: HeaderListId, name: HeaderName) -> impl Iterator<Item = TextId> + '_ {
        // What no message of the run has needs no look at any list.
        let is_there = self.present & name.bit() != 0 && self.has(id, name);
        let values = is_there.then(|| self.get(id)).into_iter().flatten();
        values.filter_map(move |(known, value)| (known == name).then_some(value))
    }

    /// The names that a list has.
    pub fn shape_of(&self, id: HeaderListId) -> ShapeId {
        ShapeId(self.words[id.0 as usize])
    }

    /// The names of a shape, in the order of the message.
    pub fn names(&self, id: ShapeId) -> &[HeaderName] {
        &self.shape(id).names
    }

    /// The values of a list in the order of the message.
    pub fn get(&self, id: HeaderListId) -> impl Iterator<Item = (HeaderName, TextId)> + '_ {
        let values = self.words.get(id.0 as usize + 1..).unwrap_or_default();
        let values = values.iter().map(|value| TextId::unpack([*value]));
        self.names(self.shape_of(id)).iter().copied().zip(values)
    }

    fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0 as usize]
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
    use crate::call::store::string_arena::StringArena;

    #[test]
    fn a_list_is_kept_once_and_the_empty_list_costs_nothing() {
        let mut texts = StringArena::default();
        let mut lists = HeaderLists::default();
        let values =
            [(HeaderName::UserAgent, texts.intern(b"Phone 1")), (HeaderName::Reason, texts.intern(b"Q.850;cause=17"))];
        let first = lists.insert(7, values.into_iter());
        let second = lists.insert(8, values.into_iter().skip(1));
        let met = lists.get_all(&[(7, ()), (8, ()), (9, ())]);
        assert_eq!(vec![Some(first), Some(second), None], met);
        let kept: Vec<_> = lists.get(first).map(|(name, id)| (name, texts.get(id))).collect();
        assert_eq!(vec![(HeaderName::UserAgent, "Phone 1"), (HeaderName::Reason, "Q.850;cause=17")], kept);
        assert_eq!(1, lists.get(second).count());
        assert_eq!(0, lists.get(HeaderListId::default()).count());
    }

    #[test]
    fn lists_of_the_same_names_share_their_shape_and_not_their_values() {
        let mut texts = StringArena::default();
        let mut lists = HeaderLists::default();
        let (agent, reason) = (HeaderName::UserAgent, HeaderName::Reason);
        let mut list = |hash, values: &[(HeaderName, &str)]| {
            let kept = values.iter().map(|(name, value)| (*name, texts.intern(value.as_bytes())));
            let kept: Vec<_> = kept.collect();
            lists.insert(hash, kept.into_iter())
        };
        let first = list(7, &[(agent, "A"), (reason, "1"), (reason, "2")]);
        let second = list(8, &[(agent, "B"), (reason, "3"), (reason, "4")]);
        let turned = list(9, &[(reason, "3"), (agent, "B")]);
        let values = |id, name| {
            let values = lists.values_of(id, name);
            values.map(|id| texts.get(id)).collect::<Vec<_>>()
        };
        assert_eq!(vec!["1", "2"], values(first, reason));
        assert_eq!(vec!["3", "4"], values(second, reason));
        assert_eq!(vec!["B"], values(turned, agent));
        assert!(values(first, HeaderName::Warning).is_empty());
        assert_eq!(lists.shape_of(first), lists.shape_of(second));
        assert_ne!(lists.shape_of(second), lists.shape_of(turned));
        let all = || [first, HeaderListId::default()].into_iter();
        assert!(lists.any_has(all(), reason));
        assert!(!lists.any_has(all(), HeaderName::Warning));
        assert!(!lists.any_has(all().skip(1), reason));
    }
}
