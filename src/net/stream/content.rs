//! What one direction of a stream carries, decided by its first bytes; what is no signalling is let go at once.
//!
//! Sources: RFC 3261 section 18.3 (SIP over streams), RFC 7118 (SIP over WebSocket).

use memchr::memmem;

use crate::net::sign;
use crate::net::websocket::{self, WebSocketCounters, WebSocketReader};

/// Bytes of a direction without any sign of signalling, after which only a start line at the head of a segment revives it.
const SIFTED_BYTES_MAX: usize = 8 << 10;
/// Longest HTTP head that is read for an upgrade.
const HTTP_HEAD_BYTES_MAX: usize = 8 << 10;

/// What a direction yields.
#[derive(Debug, Clone, Copy)]
pub(super) enum ContentPart<'a> {
    /// Bytes of a SIP stream.
    Bytes(&'a [u8]),
    /// A whole WebSocket message.
    Message(&'a [u8]),
}

/// What a direction was recognised to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Undecided,
    Sip,
    WebSocket,
    Nothing,
}

#[derive(Debug)]
enum Mode {
    // `line` is a last line without its end, which may become a start line.
    Sifting { sifted: usize, line: Vec<u8> },
    Sip,
    HttpHead { sifted: usize, head: Vec<u8> },
    WebSocket(Box<WebSocketReader>),
    Nothing,
}

/// The reading state of one direction.
#[derive(Debug)]
pub(super) struct Content {
    mode: Mode,
}

impl Content {
    pub(super) fn new() -> Self {
        Self { mode: Mode::Sifting { sifted: 0, line: Vec::new() } }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.mode {
            Mode::Sifting { .. } | Mode::HttpHead { .. } => Kind::Undecided,
            Mode::Sip => Kind::Sip,
            Mode::WebSocket(_) => Kind::WebSocket,
            Mode::Nothing => Kind::Nothing,
        }
    }

    /// Bytes that wait in here for the rest of a line, a head or a message.
    pub(super) fn buffered_bytes(&self) -> usize {
        match &self.mode {
            Mode::Sifting { line: bytes, .. } | Mode::HttpHead { head: bytes, .. } => bytes.capacity(),
            Mode::WebSocket(reader) => reader.buffered_bytes(),
            Mode::Sip | Mode::Nothing => 0,
        }
    }

    /// Takes over what the other direction was recognised to carry.
    pub(super) fn follow(&mut self, other: Kind, out: &mut dyn FnMut(ContentPart<'_>)) {
        match (other, &self.mode) {
            (Kind::Sip, Mode::Sifting { line, .. }) => {
                if !line.is_empty() {
                    out(ContentPart::Bytes(line));
                }
                self.mode = Mode::Sip;
            }
            (Kind::Sip, Mode::Nothing) => self.mode = Mode::Sip,
            (Kind::WebSocket, Mode::Nothing) => self.mode = Mode::Sifting { sifted: 0, line: Vec::new() },
            _ => {}
        }
    }

    /// Bytes are missing before the next ones.
    pub(super) fn lose(&mut self) {
        match &mut self.mode {
            Mode::HttpHead { .. } => *self = Self::new(),
            Mode::Sifting { line, .. } => line.clear(),
            // Frame borders are lost; they are found again where a segment begins with a frame.
            Mode::WebSocket(_) => *self = Self::new(),
            Mode::Sip | Mode::Nothing => {}
        }
    }

    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        counters: &mut WebSocketCounters,
        out: &mut dyn FnMut(ContentPart<'_>),
    ) {
        match &mut self.mode {
            Mode::Sip => out(ContentPart::Bytes(bytes)),
            Mode::WebSocket(reader) => reader.push(bytes, counters, &mut |message| out(ContentPart::Message(message))),
            Mode::HttpHead { .. } => self.read_head(bytes, counters, out),
            Mode::Sifting { .. } => self.sift(bytes, counters, out),
            Mode::Nothing if revives(bytes) => {
                *self = Self::new();
                self.sift(bytes, counters, out);
            }
            Mode::Nothing => {}
        }
    }

    fn sift(&mut self, bytes: &[u8], counters: &mut WebSocketCounters, out: &mut dyn FnMut(ContentPart<'_>)) {
        let Mode::Sifting { sifted, line } = &mut self.mode else {
            return;
        };
        if line.is_empty() && sign::starts_with_http(bytes) {
            self.mode = Mode::HttpHead { sifted: *sifted, head: Vec::new() };
            return self.read_head(bytes, counters, out);
        }
        if websocket::starts_with_sip_frame(bytes) {
            self.mode = Mode::WebSocket(Box::default());
            return self.push(bytes, counters, out);
        }
        let joined: Vec<u8>;
        let text = if line.is_empty() {
            bytes
        } else {
            joined = [line.as_slice(), bytes].concat();
            &joined
        };
        if let Some(start) = sign::find_start_line(text) {
            out(ContentPart::Bytes(text.get(start..).unwrap_or_default()));
            self.mode = Mode::Sip;
            return;
        }
        let sifted = sifted.saturating_add(bytes.len());
        let last = text.get(memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1)..).unwrap_or_default();
        let may_begin = last.first().is_some_and(u8::is_ascii_alphabetic) && last.len() < sign::START_LINE_BYTES_MAX;
        let line = if may_begin { last.to_vec() } else { Vec::new() };
        self.mode = sifting(sifted, line);
    }

    fn read_head(&mut self, bytes: &[u8], counters: &mut WebSocketCounters, out: &mut dyn FnMut(ContentPart<'_>)) {
        let Mode::HttpHead { sifted, head } = &mut self.mode else {
            return;
        };
        head.extend_from_slice(bytes);
        // A short first segment was taken for HTTP too early.
        if !sign::starts_with_http(head) {
            let head = std::mem::take(head);
            self.mode = Mode::Sifting { sifted: *sifted, line: Vec::new() };
            return self.sift(&head, counters, out);
        }
        let Some(end) = memmem::find(head, b"\r\n\r\n") else {
            if head.len() > HTTP_HEAD_BYTES_MAX {
                self.mode = Mode::Nothing;
            }
            return;
        };
        let head = std::mem::take(head);
        let (head, rest) = head.split_at_checked(end + 4).unwrap_or((&head, &[]));
        if sign::is_upgrade(head) {
            counters.upgrades += 1;
            self.mode = Mode::WebSocket(Box::default());
            self.push(rest, counters, out);
        } else {
            // What else came with a plain request is plain HTTP as well.
            self.mode = sifting(*sifted + head.len() + rest.len(), Vec::new());
        }
    }
}

/// Whether a direction that was given up begins to carry signalling with these bytes.
pub(super) fn revives(bytes: &[u8]) -> bool {
    sign::starts_with_sip(bytes) || websocket::starts_with_sip_frame(bytes)
}

fn sifting(sifted: usize, line: Vec<u8>) -> Mode {
    if sifted > SIFTED_BYTES_MAX { Mode::Nothing } else { Mode::Sifting { sifted, line } }
}
