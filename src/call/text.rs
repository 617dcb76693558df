//! Texts kept once: what rules and reports read of a message is interned, so that a capture costs what it says, not how often.

use hashbrown::HashTable;
use std::hash::BuildHasher;

/// Bytes kept of one text; longer ones are cut there, since forged headers may be as long as a datagram.
pub const TEXT_BYTES_MAX: usize = 8 << 10;
/// Bytes kept of all texts together; later new ones read as empty and are counted.
pub const TEXTS_BYTES_MAX: usize = 1 << 30;

/// A text in [`Texts`]; the default is the empty text, which also stands for "absent".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TextId(u32);

impl TextId {
    /// Whether nothing was there.
    pub fn is_absent(self) -> bool {
        self.0 == 0
    }
}

/// Every distinct text of a run, as UTF-8 with what is not replaced.
#[derive(Debug)]
pub struct Texts {
    bytes: Vec<u8>,
    spans: Vec<(u32, u32)>,
    table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    refused: u64,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            spans: vec![(0, 0)],
            table: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            refused: 0,
        }
    }
}

impl Texts {
    /// The id of `bytes`, the same for the same bytes.
    pub fn intern(&mut self, bytes: &[u8]) -> TextId {
        if bytes.is_empty() {
            return TextId::default();
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.intern_str(text),
            Err(_) => self.intern_str(&String::from_utf8_lossy(bytes)),
        }
    }

    fn intern_str(&mut self, text: &str) -> TextId {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
        let hash = self.hasher.hash_one(text.as_bytes());
        let found = self.table.find(hash, |&id| {
            slice(&self.bytes, &self.spans, id) == text.as_bytes()
        });
        if let Some(&id) = found {
            return TextId(id);
        }
        if self.bytes.len() + text.len() > TEXTS_BYTES_MAX {
            self.refused += 1;
            return TextId::default();
        }
        let id = self.spans.len() as u32;
        self.spans
            .push((self.bytes.len() as u32, text.len() as u32));
        self.bytes.extend_from_slice(text.as_bytes());
        let (bytes, spans, hasher) = (&self.bytes, &self.spans, &self.hasher);
        self.table
            .insert_unique(hash, id, |&id| hasher.hash_one(slice(bytes, spans, id)));
        TextId(id)
    }

    /// The id of a text that is kept already.
    pub fn find(&self, text: &str) -> Option<TextId> {
        let hash = self.hasher.hash_one(text.as_bytes());
        self.table
            .find(hash, |&id| {
                slice(&self.bytes, &self.spans, id) == text.as_bytes()
            })
            .map(|&id| TextId(id))
    }

    /// The text; empty for the absent one.
    pub fn get(&self, id: TextId) -> &str {
        // Only whole, valid texts were stored, so the conversion cannot fail.
        std::str::from_utf8(slice(&self.bytes, &self.spans, id.0)).unwrap_or("")
    }

    /// How many texts did not fit into [`TEXTS_BYTES_MAX`].
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

fn slice<'a>(bytes: &'a [u8], spans: &[(u32, u32)], id: u32) -> &'a [u8] {
    let (start, len) = spans.get(id as usize).copied().unwrap_or((0, 0));
    bytes
        .get(start as usize..(start + len) as usize)
        .unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_one_id_and_the_empty_one_is_absent() {
        let mut texts = Texts::default();
        let first = texts.intern(b"Asterisk PBX 18.2");
        assert_eq!(first, texts.intern(b"Asterisk PBX 18.2"));
        assert_ne!(first, texts.intern(b"Kamailio"));
        assert_eq!("Asterisk PBX 18.2", texts.get(first));
        assert!(texts.intern(b"").is_absent());
        assert_eq!(Some(first), texts.find("Asterisk PBX 18.2"));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        let mut texts = Texts::default();
        let id = texts.intern(b"caf\xe9");
        assert_eq!("caf\u{fffd}", texts.get(id));
    }

    #[test]
    fn a_forged_endless_text_is_cut() {
        let mut texts = Texts::default();
        let id = texts.intern(&vec![b'x'; TEXT_BYTES_MAX * 4]);
        assert_eq!(TEXT_BYTES_MAX, texts.get(id).len());
    }
}
