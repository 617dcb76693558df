//! Framing: whole SIP messages out of one direction of a byte stream.
//!
//! Sources: RFC 3261 sections 7.5 and 18.3 (Content-Length rules on streams), RFC 5626 section 3.5.1 (CRLF keep-alives).

use memchr::memchr;

use crate::sip::lexer;
use crate::sip::message::MESSAGE_BYTES_MAX;
use crate::sip::message::header_name::HeaderName;
use crate::sip::syntax::start_line::{self, StartLine};
use crate::sip::values::MediaType;

/// Bytes that a start line and its headers may take; beyond, the stream is taken to have lost its place.
pub(in crate::sip) const HEADER_BYTES_MAX: usize = 64 * 1024;

/// How sure the end of a framed message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// Content-Length gave the end.
    Length,
    /// There is no Content-Length: the message ends where the next one begins or the bytes at hand end.
    NoLength,
    /// Content-Length is no number, or reaches over the start of another message: cut there.
    BadLength,
    /// The stream ended or lost bytes inside the message.
    Cut,
}

/// One message out of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Framed<'a, M> {
    /// The message from its start line on.
    pub bytes: &'a [u8],
    /// Mark of the piece in which the message begins.
    pub begun: M,
    /// Mark of the piece that completed it.
    pub completed: M,
    /// How its end was found.
    pub framing: Framing,
}

/// Frames one direction of one stream; `M` marks a piece, its frame number and time.
#[derive(Debug)]
pub struct Framer<M> {
    held: Vec<u8>,
    begun: Option<M>,
    /// How much of `held` was searched for the end of the headers, or for a start line in the body.
    searched: usize,
    head: Option<Head>,
    skipped_bytes: u64,
}

/// What the headers of the message at hand say about its end.
#[derive(Debug, Clone, Copy)]
struct Head {
    end: usize,
    length: Option<usize>,
    framing: Framing,
    has_type: bool,
    /// Whether the body's type may hold SIP messages of its own.
    may_hold_sip: bool,
}

enum Step {
    /// More bytes are needed.
    Wait,
    /// Bytes that belong to no message.
    Skip { bytes: usize, is_garbage: bool },
    /// A message of so many bytes.
    Take(usize, Framing),
}

impl<M> Default for Framer<M> {
    fn default() -> Self {
        Self { held: Vec::new(), begun: None, searched: 0, head: None, skipped_bytes: 0 }
    }
}

impl<M: Copy> Framer<M> {
    /// Takes the next piece of the stream and hands every message that it completes to `emit`.
    ///
    /// Messages that lie whole in a piece are handed on in place; what is left is held, at most 1 MiB.
    pub fn push(&mut self, bytes: &[u8], mark: M, mut emit: impl FnMut(Framed<'_, M>)) {
        if self.held.is_empty() {
            let used = self.read(bytes, mark, mark, &mut emit);
            if let Some(rest) = bytes.get(used..).filter(|rest| !rest.is_empty()) {
                self.held.extend_from_slice(rest);
                self.begun = Some(mark);
            }
            return;
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let begun = self.begun.unwrap_or(mark);
        let used = self.read(&held, begun, mark, &mut emit);
        if used > 0 {
            held.drain(..used);
            self.begun = Some(mark);
        }
        self.held = held;
    }

    /// The stream lost bytes here: the message at hand ends, and the next is sought.
    pub fn gap(&mut self, mark: M, emit: impl FnMut(Framed<'_, M>)) {
        self.finish(mark, emit);
    }

    /// The stream ends here. A message whose headers are there, or whose start line is, is handed on as cut.
    pub fn finish(&mut self, mark: M, mut emit: impl FnMut(Framed<'_, M>)) {
        let held = std::mem::take(&mut self.held);
        let rest = start_line::skip_blank_lines(&held);
        let begun = self.begun.take().unwrap_or(mark);
        if start_line::begins_here(rest) {
            emit(Framed { bytes: rest, begun, completed: mark, framing: Framing::Cut });
        } else {
            self.skip(rest.len());
        }
        self.restart();
    }

    /// All bytes so far that belonged to no message, blank lines not counted.
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }

    fn read(&mut self, bytes: &[u8], begun: M, mark: M, emit: &mut impl FnMut(Framed<'_, M>)) -> usize {
        let mut used = 0;
        let mut begun = begun;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            match self.step(rest) {
                Step::Wait => return used,
                Step::Skip { bytes, is_garbage } => {
                    used += bytes;
                    if is_garbage {
                        self.skip(bytes);
                    }
                }
                Step::Take(length, framing) => {
                    used += length;
                    let message = rest.get(..length).unwrap_or(rest);
                    emit(Framed { bytes: message, begun, completed: mark, framing });
                }
            }
            self.restart();
            begun = mark;
        }
    }

    fn restart(&mut self) {
        self.searched = 0;
        self.head = None;
    }

    fn skip(&mut self, bytes: usize) {
        self.skipped_bytes = self.skipped_bytes.saturating_add(bytes as u64);
    }

    fn step(&mut self, rest: &[u8]) -> Step {
        let head = match self.head {
            Some(head) => head,
            None => {
                let blank = rest.len() - start_line::skip_blank_lines(rest).len();
                if blank > 0 {
                    return Step::Skip { bytes: blank, is_garbage: false };
                }
                match self.read_head(rest) {
                    Ok(head) => *self.head.insert(head),
                    Err(step) => return step,
                }
            }
        };
        self.read_body(rest, head)
    }

    fn read_head(&mut self, rest: &[u8]) -> Result<Head, Step> {
        if self.searched == 0 {
            let Some(line_feed) = memchr(b'\n', rest) else {
                return Err(wait_for_line(rest));
            };
            if !rest.get(..=line_feed).is_some_and(start_line::begins_here) {
                return Err(seek_start(rest, line_feed + 1));
            }
            self.searched = line_feed;
        }
        match find_blank_line(rest, self.searched) {
            Ok(end) if end <= HEADER_BYTES_MAX => {
                self.searched = end;
                Ok(Head::read(rest.get(..end).unwrap_or_default()))
            }
            Err(searched) if rest.len() <= HEADER_BYTES_MAX => {
                self.searched = searched;
                Err(Step::Wait)
            }
            _ => Err(seek_start(rest, memchr(b'\n', rest).map_or(rest.len(), |at| at + 1))),
        }
    }

    fn read_body(&mut self, rest: &[u8], head: Head) -> Step {
        let end = head.length.and_then(|length| head.end.checked_add(length));
        let Some(end) = end.filter(|&end| end <= MESSAGE_BYTES_MAX) else {
            let body = rest.get(head.end..).unwrap_or_default();
            let length = if head.has_type { find_start_line(body).unwrap_or(body.len()) } else { 0 };
            return Step::Take(head.end + length, head.framing);
        };
        if !head.may_hold_sip {
            let known = rest.get(..end).unwrap_or(rest);
            let fresh = known.get(self.searched..).unwrap_or_default();
            if let Some(at) = find_start_line(fresh) {
                return Step::Take(self.searched + at, Framing::BadLength);
            }
            self.searched += memchr::memrchr(b'\n', fresh).map_or(0, |at| at + 1);
        }
        if rest.len() < end { Step::Wait } else { Step::Take(end, head.framing) }
    }
}

/// A line that has not ended yet: worth waiting for while it can become a start line.
fn wait_for_line(rest: &[u8]) -> Step {
    if rest.len() <= HEADER_BYTES_MAX { Step::Wait } else { Step::Skip { bytes: rest.len(), is_garbage: true } }
}

/// Skips to the next start line behind `from`, or all whole lines.
fn seek_start(rest: &[u8], from: usize) -> Step {
    // The first line too may hold a start line behind what was left of another message.
    let glued = rest.get(..from).and_then(find_start_line).filter(|&at| at > 0);
    let found = glued.or_else(|| Some(from + find_start_line(rest.get(from..)?)?));
    let whole_lines = || memchr::memrchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
    Step::Skip { bytes: found.unwrap_or_else(whole_lines), is_garbage: true }
}

/// Where the first start line begins whose line is whole.
fn find_start_line(bytes: &[u8]) -> Option<usize> {
    let mut position = 0;
    loop {
        let rest = bytes.get(position..)?;
        let line_feed = memchr(b'\n', rest)?;
        let line = rest.get(..line_feed)?.trim_ascii_end();
        if let Some(at) = start_in_line(line) {
            return Some(position + at);
        }
        position += line_feed + 1;
    }
}

/// Where in `line` a start line begins; a request line may stand behind other text.
fn start_in_line(line: &[u8]) -> Option<usize> {
    if line.starts_with(b"SIP/2.0 ") {
        return StartLine::parse(line).map(|_| 0);
    }
    let version = line.len().checked_sub(7).filter(|_| line.ends_with(b" SIP/2.0"))?;
    start_line::start_before(line, version)
}

/// The end of the blank line that closes the headers, sought from the line feed at or before `from` on.
///
/// `Err` holds where to go on when more bytes are there.
fn find_blank_line(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut position = from;
    loop {
        let rest = bytes.get(position..).unwrap_or_default();
        let Some(line_feed) = memchr(b'\n', rest).map(|at| position + at) else {
            return Err(from.max(position));
        };
        match bytes.get(line_feed + 1..).unwrap_or_default() {
            [b'\n', ..] => return Ok(line_feed + 2),
            [b'\r', b'\n', ..] => return Ok(line_feed + 3),
            [] | [b'\r'] => return Err(line_feed),
            _ => position = line_feed + 1,
        }
    }
}

impl Head {
    /// Reads what tells the end of a message from its start line and headers.
    fn read(bytes: &[u8]) -> Self {
        let mut head =
            Self { end: bytes.len(), length: None, framing: Framing::NoLength, has_type: false, may_hold_sip: false };
        let mut lines = bytes.split(|&byte| byte == b'\n').skip(1).peekable();
        while let Some(line) = lines.next() {
            if !matches!(line.first(), Some(b'c' | b'C' | b'l' | b'L')) {
                continue;
            }
            let Some(colon) = memchr(b':', line) else {
                continue;
            };
            let (name, value) = line.split_at(colon);
            let mut value = value.get(1..).unwrap_or_default().trim_ascii();
            if value.is_empty() {
                value = lines
                    .next_if(|next| next.starts_with(b" ") || next.starts_with(b"\t"))
                    .unwrap_or_default()
                    .trim_ascii();
            }
            match HeaderName::from_bytes(name.trim_ascii_end()) {
                HeaderName::ContentLength => head.set_length(value),
                HeaderName::ContentType => {
                    let media_type = MediaType::parse(value);
                    head.has_type = true;
                    head.may_hold_sip = media_type.is_multipart() || media_type.kind.eq_ignore_ascii_case(b"message");
                }
                _ => {}
            }
        }
        head
    }

    fn set_length(&mut self, value: &[u8]) {
        self.length = lexer::number(value).and_then(|length| usize::try_from(length).ok());
        let fits = self.length.is_some_and(|length| length <= MESSAGE_BYTES_MAX);
        self.framing = if fits { Framing::Length } else { Framing::BadLength };
    }
}

#[cfg(test)]
#[path = "framing_tests.rs"]
mod tests;
