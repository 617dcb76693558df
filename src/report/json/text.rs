//! Text that is put together in memory from many short pieces, and which texts JSON takes as they are.

use std::io;

/// Bytes that were written, and room for more behind them: a piece whose length is known where it is put costs no call.
pub(super) struct Text {
    bytes: Vec<u8>,
    len: usize,
}

impl Text {
    /// Nothing yet, and room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { bytes: vec![0; bytes], len: 0 }
    }

    #[inline(always)]
    pub(super) fn put(&mut self, piece: &[u8]) {
        let end = self.len + piece.len();
        if self.bytes.len() < end {
            self.grow(end);
        }
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(piece);
        }
        self.len = end;
    }

    #[cold]
    fn grow(&mut self, end: usize) {
        self.bytes.resize(end.max(self.bytes.len() * 2), 0);
    }

    /// How many bytes were written.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What was written from a place on.
    pub(super) fn since(&self, start: usize) -> &[u8] {
        self.bytes.get(start..self.len).unwrap_or_default()
    }

    /// Takes back what was written from a place on.
    pub(super) fn cut(&mut self, start: usize) {
        self.len = start.min(self.len);
    }

    /// What was written.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether every byte of a text stands in JSON for itself, and harms nobody who prints it.
pub(super) fn is_plain(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<8>() else {
        let mut padded = [b' '; 8];
        for (place, byte) in padded.iter_mut().zip(text) {
            *place = *byte;
        }
        return are_plain(padded);
    };
    // The last eight bytes may have been told before: telling them once more is cheaper than one by one.
    text.as_chunks().0.iter().all(|bytes| are_plain(*bytes)) && are_plain(*last)
}

/// The same of eight bytes at once: the highest bit of each byte tells.
fn are_plain(bytes: [u8; 8]) -> bool {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let word = u64::from_ne_bytes(bytes);
    // A borrow from the byte below may mark a byte wrongly, but then that one is marked rightly.
    let is_below = |word: u64, bound: u8| word.wrapping_sub(LOW * u64::from(bound)) & !word;
    let is = |byte: u8| is_below(word ^ (LOW * u64::from(byte)), 1);
    let odd = is_below(word, 0x20) | is(b'"') | is(b'\\') | is(0x7f) | word;
    odd & HIGH == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stand_one_behind_the_other_whatever_room_there_was() {
        for room in 0..12 {
            let mut text = Text::with_room(room);
            text.put(b"INVITE");
            text.put(b"");
            text.put(b" sip:");
            assert_eq!(b" sip:", text.since(6));
            text.cut(7);
            assert_eq!(7, text.len());
            text.put(b"SIP/2.0");
            assert_eq!(b"INVITE SIP/2.0".as_slice(), text.into_bytes());
        }
    }

    #[test]
    fn every_byte_is_plain_or_not_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let is_known = (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\');
            for (place, len) in (0..20).flat_map(|len| (0..len).map(move |place| (place, len))) {
                let mut text = vec![b'a'; len];
                text[place] = byte;
                assert_eq!(is_known, is_plain(&text), "{byte} at {place} of {len}");
            }
        }
    }
}
