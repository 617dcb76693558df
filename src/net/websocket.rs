//! WebSocket frames become messages: unmasked, joined, control frames left out.
//!
//! Sources: RFC 6455 section 5 (framing), RFC 7692 (compression, named only), RFC 7118 section 5 (one SIP message in each).

use crate::net::sign::starts_with_sip;

/// Longest message that is put together; SIP messages are a few KiB.
pub(in crate::net) const WEBSOCKET_MESSAGE_BYTES_MAX: usize = 256 << 10;

/// Messages of one direction without any SIP, after which it is not read any further.
const OTHER_MESSAGES_MAX: u32 = 64;
/// Bytes of a frame in which a SIP start line is looked for.
const START_LINE_BYTES_MAX: usize = 2048;
/// Room for a message that is kept for the next one.
const ROOM_BYTES_MAX: usize = 16 << 10;

/// What WebSocket streams carried, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WebSocketCounters {
    /// HTTP heads that ask for or grant a WebSocket.
    pub upgrades: u64,
    /// Messages that were delivered: they, or one before them in their direction, begin like SIP.
    pub sip_messages: u64,
    /// Messages that were not, keep-alives included.
    pub other_messages: u64,
    /// Close, ping and pong frames.
    pub control_frames: u64,
    /// Messages compressed by permessage-deflate, which are not read.
    pub compressed: u64,
    /// Messages longer than `WEBSOCKET_MESSAGE_BYTES_MAX`.
    pub too_long: u64,
    /// Frames that contradict the protocol; their direction is not read any further.
    pub malformed: u64,
}

#[derive(Debug, Clone, Copy)]
struct Header {
    is_final: bool,
    is_compressed: bool,
    opcode: u8,
    mask: Option<[u8; 4]>,
    // Of the header, then of the payload.
    header_bytes: usize,
    payload_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
enum Read {
    Whole(Header),
    Short,
    Malformed,
}

fn read_header(bytes: &[u8]) -> Read {
    let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else {
        return Read::Short;
    };
    let opcode = first & 0x0f;
    // RSV2 and RSV3 have no meaning; opcodes 3 to 7 and 11 to 15 are not given out.
    if first & 0x30 != 0 || !matches!(opcode, 0..=2 | 8..=10) {
        return Read::Malformed;
    }
    let (payload_bytes, rest) = match second & 0x7f {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
            None => return Read::Short,
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest),
            None => return Read::Short,
        },
        length => (u64::from(length), rest),
    };
    let (mask, rest) = match (second & 0x80 != 0, rest.split_first_chunk::<4>()) {
        (false, _) => (None, rest),
        (true, Some((mask, rest))) => (Some(*mask), rest),
        (true, None) => return Read::Short,
    };
    let is_control = opcode >= 8;
    if payload_bytes >> 63 != 0 || (is_control && (payload_bytes > 125 || first & 0x80 == 0)) {
        return Read::Malformed;
    }
    Read::Whole(Header {
        is_final: first & 0x80 != 0,
        is_compressed: first & 0x40 != 0,
        opcode,
        mask,
        header_bytes: bytes.len() - rest.len(),
        payload_bytes,
    })
}

fn unmask(bytes: &[u8], mask: Option<[u8; 4]>, into: &mut Vec<u8>) {
    match mask {
        Some(mask) => into.extend(bytes.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask)),
        None => into.extend_from_slice(bytes),
    }
}

/// Whether `bytes` begins with a text or binary frame whose payload begins like SIP: a stream whose upgrade was not captured.
pub(super) fn starts_with_sip_frame(bytes: &[u8]) -> bool {
    let Read::Whole(header) = read_header(bytes) else {
        return false;
    };
    if !matches!(header.opcode, 1 | 2) || header.is_compressed || header.payload_bytes == 0 {
        return false;
    }
    let Some(payload) = bytes.get(header.header_bytes..) else {
        return false;
    };
    let length =
        usize::try_from(header.payload_bytes).unwrap_or(usize::MAX).min(payload.len()).min(START_LINE_BYTES_MAX);
    let mut start = Vec::with_capacity(length);
    unmask(payload.get(..length).unwrap_or_default(), header.mask, &mut start);
    starts_with_sip(&start)
}

/// Reads the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct WebSocketReader {
    pending: Vec<u8>,
    message: Vec<u8>,
    // Payload bytes of a frame that is passed over.
    skipping: u64,
    is_unwanted: bool,
    is_broken: bool,
    has_sip: bool,
    others: u32,
}

impl WebSocketReader {
    /// Bytes that wait for the rest of a frame or message.
    pub(super) fn buffered_bytes(&self) -> usize {
        self.pending.capacity() + self.message.capacity()
    }

    pub(super) fn push(&mut self, mut bytes: &[u8], counters: &mut WebSocketCounters, out: &mut dyn FnMut(&[u8])) {
        while !self.is_broken {
            let skipped = usize::try_from(self.skipping).unwrap_or(usize::MAX).min(bytes.len());
            self.skipping -= skipped as u64;
            bytes = bytes.get(skipped..).unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
            if self.pending.is_empty() {
                bytes = bytes.get(self.frame(bytes, counters, out)..).unwrap_or_default();
                if !bytes.is_empty() && self.skipping == 0 {
                    self.pending.extend_from_slice(bytes);
                    return;
                }
            } else {
                self.pending.extend_from_slice(bytes);
                let pending = std::mem::take(&mut self.pending);
                let used = self.frame(&pending, counters, out);
                if used == 0 {
                    self.pending = pending;
                    return;
                }
                let rest = pending.get(used..).unwrap_or_default();
                return self.push(rest, counters, out);
            }
        }
    }

    // Reads whole frames from the front; how many bytes they took.
    fn frame(&mut self, bytes: &[u8], counters: &mut WebSocketCounters, out: &mut dyn FnMut(&[u8])) -> usize {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|_| !self.is_broken) {
            let header = match read_header(rest) {
                Read::Whole(header) => header,
                Read::Short => break,
                Read::Malformed => {
                    counters.malformed += 1;
                    self.is_broken = true;
                    self.message = Vec::new();
                    return bytes.len();
                }
            };
            if header.payload_bytes > (WEBSOCKET_MESSAGE_BYTES_MAX - self.message.len()) as u64 {
                self.pass_over(header, counters);
                return used + header.header_bytes;
            }
            let end = header.header_bytes + header.payload_bytes as usize;
            let Some(payload) = rest.get(header.header_bytes..end) else {
                break;
            };
            used += end;
            self.take(header, payload, counters, out);
        }
        used
    }

    fn pass_over(&mut self, header: Header, counters: &mut WebSocketCounters) {
        self.skipping = header.payload_bytes;
        self.message = Vec::new();
        self.is_unwanted = !header.is_final;
        counters.too_long += 1;
    }

    fn take(&mut self, header: Header, payload: &[u8], counters: &mut WebSocketCounters, out: &mut dyn FnMut(&[u8])) {
        if header.opcode >= 8 {
            counters.control_frames += 1;
            return;
        }
        if header.opcode != 0 {
            self.message.clear();
            self.is_unwanted = header.is_compressed;
            counters.compressed += u64::from(header.is_compressed);
        }
        if !self.is_unwanted {
            unmask(payload, header.mask, &mut self.message);
        }
        if !header.is_final {
            return;
        }
        // A direction that carries SIP is passed on whole, so that a broken message is seen as such.
        let is_keep_alive = self.message.iter().all(u8::is_ascii_whitespace);
        let is_sip = starts_with_sip(&self.message) || (self.has_sip && !is_keep_alive);
        if !self.is_unwanted && is_sip {
            counters.sip_messages += 1;
            self.has_sip = true;
            out(&self.message);
        } else if !self.is_unwanted {
            counters.other_messages += 1;
            self.others = self.others.saturating_add(1);
            self.is_broken = !self.has_sip && self.others >= OTHER_MESSAGES_MAX;
        }
        self.message.clear();
        self.message.shrink_to(ROOM_BYTES_MAX);
        self.is_unwanted = false;
    }
}

#[cfg(test)]
mod tests;
