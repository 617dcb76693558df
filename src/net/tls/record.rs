//! TLS records: the frames of one direction of a TLS stream.
//!
//! Sources: RFC 5246 section 6.2, RFC 8446 section 5.

/// Longest record body: 2^14 bytes of content and 2048 of expansion (RFC 5246 section 6.2.3).
const RECORD_BYTES_MAX: usize = (1 << 14) + 2048;
const HEADER_BYTES: usize = 5;

/// The content types that are read, RFC 8446 section 5.1.
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// One record as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) kind: u8,
    pub(super) header: [u8; 5],
    pub(super) body: &'a [u8],
}

fn body_length(header: [u8; 5]) -> Option<usize> {
    let [kind, major, minor, l0, l1] = header;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let is_record = (CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&kind) && major == 3 && minor <= 4;
    (is_record && length > 0 && length <= RECORD_BYTES_MAX).then_some(length)
}

/// Whether `bytes` begins with a record header.
pub(in crate::net) fn starts_with_record(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|header| body_length(*header).is_some())
}

/// Cuts one direction into records.
#[derive(Debug, Default)]
pub(super) struct RecordReader {
    pending: Vec<u8>,
    is_lost: bool,
}

impl RecordReader {
    pub(super) fn buffered_bytes(&self) -> usize {
        self.pending.capacity()
    }

    /// Bytes are missing before the next ones: records are found again where a segment begins with one.
    pub(super) fn lose(&mut self) {
        self.pending.clear();
        self.is_lost = true;
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Record<'_>)) {
        if self.is_lost && !starts_with_record(bytes) {
            return;
        }
        self.is_lost = false;
        if self.pending.is_empty() {
            let used = self.read(bytes, out);
            self.pending.extend_from_slice(bytes.get(used..).unwrap_or_default());
        } else {
            self.pending.extend_from_slice(bytes);
            let mut pending = std::mem::take(&mut self.pending);
            let used = self.read(&pending, out);
            // Most pieces end with a record; then nothing needs to be kept for the next.
            if used < pending.len() {
                pending.drain(..used);
                self.pending = pending;
            }
        }
    }

    fn read(&mut self, bytes: &[u8], out: &mut dyn FnMut(Record<'_>)) -> usize {
        let mut used = 0;
        while let Some((header, rest)) = bytes.get(used..).and_then(<[u8]>::split_first_chunk::<HEADER_BYTES>) {
            let Some(length) = body_length(*header) else {
                self.is_lost = true;
                return bytes.len();
            };
            let Some(body) = rest.get(..length) else {
                break;
            };
            used += HEADER_BYTES + length;
            out(Record { kind: header[0], header: *header, body });
        }
        used
    }
}
