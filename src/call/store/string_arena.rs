//! Texts kept once: what rules and reports read of a message is interned, so that a capture costs what it says, not how often.

use std::borrow::Cow;
use std::hash::BuildHasher;

use crate::call::store::id_table::{IdTable, Packed};
use crate::sip::Seed;

/// Bytes kept of one text; longer ones are cut there, since forged headers may be as long as a datagram.
pub(in crate::call) const TEXT_BYTES_MAX: usize = 8 << 10;
/// Bytes kept of all texts together; later new ones read as empty.
pub(in crate::call) const TEXTS_BYTES_MAX: usize = 1 << 30;

/// A text in [`StringArena`], by where it lies; the default is the empty text, which also stands for "absent".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TextId(u32);

impl Packed<1> for TextId {
    fn pack(self) -> [u32; 1] {
        [self.0]
    }

    fn unpack([number]: [u32; 1]) -> Self {
        Self(number)
    }
}

impl TextId {
    /// Whether nothing was there.
    pub fn is_absent(self) -> bool {
        self.0 == 0
    }
}

/// Every distinct text of a run, as UTF-8 with what is not replaced.
#[derive(Debug)]
pub struct StringArena {
    /// All texts, one behind the other, each behind its [`length`], so that a text is found in one place of memory.
    all: String,
    /// Hash and id: hashes are keyed by a seed that input cannot know, so equal hashes mean equal texts and a look-up
    /// touches no text.
    table: IdTable<TextId>,
    seed: Seed,
}

impl Default for StringArena {
    fn default() -> Self {
        Self::new(Seed::default())
    }
}

impl StringArena {
    /// No texts; hashes handed in must be made with `seed`.
    pub(in crate::call) fn new(seed: Seed) -> Self {
        Self { all: String::from_iter(length("")), table: IdTable::default(), seed }
    }

    /// The id of `bytes`, the same for the same bytes.
    pub fn intern(&mut self, bytes: &[u8]) -> TextId {
        self.intern_hashed(self.seed.hash_one(bytes), bytes)
    }

    /// The id of `bytes`, whose hash under the seed of these texts is `hash`.
    pub(in crate::call) fn intern_hashed(&mut self, hash: u64, bytes: &[u8]) -> TextId {
        if bytes.is_empty() {
            return TextId::default();
        }
        if let Some(id) = self.find(hash) {
            return id;
        }
        // Nearly all texts are ASCII, which the plain test finds many bytes at a time.
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        };
        let text = cut(&text);
        if self.all.len() + text.len() > TEXTS_BYTES_MAX {
            return TextId::default();
        }
        let id = TextId(self.all.len() as u32);
        self.all.extend(length(text));
        self.all.push_str(text);
        self.table.insert(hash, id);
        id
    }

    /// The id of the text with this hash, where it is known.
    pub(in crate::call) fn find(&self, hash: u64) -> Option<TextId> {
        self.table.get(hash)
    }

    /// The ids of many texts with their hashes.
    pub(in crate::call) fn intern_all<'t>(
        &mut self,
        texts: impl Iterator<Item = (u64, &'t [u8])> + Clone,
    ) -> Vec<TextId> {
        self.table.prefetch(texts.clone().map(|(hash, _)| hash));
        texts.map(|(hash, bytes)| self.intern_hashed(hash, bytes)).collect()
    }

    /// Makes room to find `times` as many texts as there are.
    pub(in crate::call) fn reserve_factor(&mut self, times: usize) {
        self.table.reserve_factor(times);
    }

    /// Gives back the memory that finding what is known takes; nothing may be added afterwards.
    pub(in crate::call) fn freeze(&mut self) {
        self.table = IdTable::default();
        self.all.shrink_to_fit();
    }

    /// The text; empty for the absent one.
    pub(in crate::call) fn get(&self, id: TextId) -> &str {
        let start = id.0 as usize + LENGTH_BYTES;
        let length = self.all.as_bytes().get(id.0 as usize..start);
        let length = length.unwrap_or_default().iter();
        let length = length.fold(0, |length, digit| length << 7 | usize::from(*digit));
        self.all.get(start..start + length).unwrap_or_default()
    }
}

/// Bytes of the length of a text.
const LENGTH_BYTES: usize = 2;

const _: () = assert!(TEXT_BYTES_MAX < 1 << (7 * LENGTH_BYTES));

/// The length of a text in bytes, the higher seven bits first: each is a character, as what lies between texts has to be.
fn length(text: &str) -> [char; LENGTH_BYTES] {
    [text.len() >> 7, text.len() & 0x7f].map(|bits| char::from(bits as u8 & 0x7f))
}

/// The first [`TEXT_BYTES_MAX`] bytes of a text, up to the last whole character in them.
fn cut(text: &str) -> &str {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_one_id_and_the_empty_one_is_absent() {
        let mut texts = StringArena::default();
        let first = texts.intern(b"Asterisk PBX 18.2");
        assert_eq!(first, texts.intern(b"Asterisk PBX 18.2"));
        assert_ne!(first, texts.intern(b"Kamailio"));
        assert_eq!("Asterisk PBX 18.2", texts.get(first));
        assert!(texts.intern(b"").is_absent());
        assert_eq!("", texts.get(TextId::default()));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        let mut texts = StringArena::default();
        let id = texts.intern(b"caf\xe9");
        assert_eq!("caf\u{fffd}", texts.get(id));
    }

    #[test]
    fn a_forged_endless_text_is_cut() {
        let mut texts = StringArena::default();
        let id = texts.intern(&vec![b'x'; TEXT_BYTES_MAX * 4]);
        assert_eq!(TEXT_BYTES_MAX, texts.get(id).len());
        let next = texts.intern("é".repeat(200).as_bytes());
        assert_eq!("é".repeat(200), texts.get(next));
    }
}
