//! Strings of a batch: the texts that its messages quote, each once, in memory that the batch owns.

use std::hash::BuildHasher;

use crate::call::ingest::batch_interner::BatchInterner;
use crate::sip::Seed;

/// A range of the bytes that a batch owns.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::call) struct ByteRange {
    start: u32,
    len: u32,
}

/// A text of the batch.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::call) struct Interned {
    pub(in crate::call) index: u32,
    /// Hash of the text under the run's seed.
    pub(in crate::call) hash: u64,
}

/// Texts that the messages of a batch quote, each once.
#[derive(Debug, Default)]
pub(in crate::call) struct BatchStrings {
    ranges: BatchInterner<ByteRange>,
    bytes: Vec<u8>,
}

impl BatchStrings {
    /// Keeps a text.
    pub(in crate::call) fn intern(&mut self, text: &[u8], seed: &Seed) -> Interned {
        let hash = seed.hash_one(text);
        let bytes = &mut self.bytes;
        let index = self.ranges.intern(hash, || append(bytes, text));
        Interned { index, hash }
    }

    /// Keeps bytes beside the texts, whether they are there already or not.
    pub(in crate::call) fn append(&mut self, bytes: &[u8]) -> ByteRange {
        append(&mut self.bytes, bytes)
    }

    /// The bytes of a range.
    pub(in crate::call) fn bytes(&self, range: ByteRange) -> &[u8] {
        self.bytes.get(range.start as usize..(range.start + range.len) as usize).unwrap_or_default()
    }

    /// Every text in the order of its index, with its hash.
    pub(in crate::call) fn items(&self) -> &[(u64, ByteRange)] {
        self.ranges.items()
    }

    /// Forgets everything and keeps the memory.
    pub(in crate::call) fn clear(&mut self) {
        self.ranges.clear();
        self.bytes.clear();
    }
}

fn append(bytes: &mut Vec<u8>, more: &[u8]) -> ByteRange {
    let start = bytes.len() as u32;
    bytes.extend_from_slice(more);
    ByteRange { start, len: more.len() as u32 }
}
