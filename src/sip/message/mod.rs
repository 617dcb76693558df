//! A SIP message: its start line, an index of its headers and its body, all borrowed from the bytes received.
//!
//! Sources: RFC 3261 sections 7 and 18.3. Nothing is refused: what is malformed is kept and marked.

pub mod body;
pub(in crate::sip) mod defect;
pub(in crate::sip) mod framing;
pub(in crate::sip) mod header_name;
pub(in crate::sip) mod index;
pub(in crate::sip) mod lines;
pub(in crate::sip) mod sift;

use crate::sip::lexer;
use crate::sip::message::defect::{DefectKind, DefectSet};
use crate::sip::message::header_name::HeaderName;
use crate::sip::message::index::{HeaderSpan, Index};
use crate::sip::message::lines::{Lines, Numbering, Seed};
use crate::sip::syntax::method::{Method, StatusCode};
use crate::sip::syntax::start_line::{self, StartLine};

/// Bytes of a message that are read: more than any transport of SIP carries in one message.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// One header of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The header.
    pub name: HeaderName,
    /// Its name as sent.
    pub raw_name: &'a [u8],
    /// Its value as sent, without blanks around it; folds inside it are kept.
    pub value: &'a [u8],
    /// Place of the value in the message.
    pub offset: u32,
    /// Whether the message ends inside it.
    pub is_cut: bool,
    /// Number of its line, where lines are numbered and it has one alone: the same line has the same number in every message.
    pub line: Option<u32>,
}

/// Hashes of a message, the same for the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digests {
    /// Of all of it.
    pub whole: u64,
    /// Of what stands behind its headers.
    pub rest: u64,
}

/// What the Content-Length header says, and whether it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentLength {
    /// There is no such header.
    Absent,
    /// It is no number.
    Malformed,
    /// It names as many bytes as there are.
    Fits(u32),
    /// It names more bytes than there are.
    TooLarge(u32),
    /// It names fewer bytes than there are; the rest is no part of the body.
    TooSmall(u32),
}

/// A SIP message as received.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    start_line: StartLine<'a>,
    headers: &'a [HeaderSpan],
    present: u128,
    body: &'a [u8],
    content_length: ContentLength,
    is_cut: bool,
    defects: DefectSet,
}

impl<'a> Message<'a> {
    /// Reads the message in `bytes`, a datagram or a framed part of a stream.
    ///
    /// `spans` is emptied and filled with the header index; keep it and hand it in again, so that no message
    /// allocates. `is_cut` says that the capture cut the bytes short. `None` where no start line is found.
    pub fn parse(bytes: &'a [u8], is_cut: bool, spans: &'a mut Vec<HeaderSpan>) -> Option<Self> {
        Self::read(bytes, is_cut, spans, None).map(|(message, _)| message)
    }

    /// As [`Message::parse`], numbering the header lines in `lines`; gives hashes under `seed` too.
    pub fn parse_numbered(
        bytes: &'a [u8],
        is_cut: bool,
        spans: &'a mut Vec<HeaderSpan>,
        (lines, seed): (&'a mut Lines, &'a Seed),
    ) -> Option<(Self, Digests)> {
        let numbering = Numbering { lines, seed, digest: 0 };
        Self::read(bytes, is_cut, spans, Some(numbering))
    }

    fn read(
        bytes: &'a [u8],
        is_cut: bool,
        spans: &'a mut Vec<HeaderSpan>,
        numbering: Option<Numbering<'a>>,
    ) -> Option<(Self, Digests)> {
        spans.clear();
        let bytes = bytes.get(..MESSAGE_BYTES_MAX).unwrap_or(bytes);
        let mut defects = DefectSet::default();
        let (start_line, headers_start) = find_start(bytes, &mut defects)?;
        let mut index = Index::new(bytes, spans, defects);
        index.numbering = numbering;
        let body_start = index.read(headers_start);
        let Index { spans: headers, present, content_length, mut defects, numbering, .. } = index;
        let rest = bytes.get(body_start..).unwrap_or_default();
        let digests = numbering.map_or(Digests::default(), |mut numbering| {
            numbering.pass(bytes.get(..headers_start).unwrap_or_default());
            let rest = numbering.pass(rest);
            let whole = numbering.digest;
            Digests { whole, rest }
        });
        // A number that the end of the message cut may be any number.
        let declared =
            content_length.and_then(|at| headers.get(at)).filter(|span| !span.is_cut).map(|span| value_in(bytes, span));
        let (body, content_length) = cut_body(rest, declared, is_cut, &mut defects);
        let message = Self { bytes, start_line, headers, present, body, content_length, is_cut, defects };
        Some((message, digests))
    }

    /// All bytes of the message, junk before the start line included.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The start line.
    pub fn start_line(&self) -> StartLine<'a> {
        self.start_line
    }

    /// The request's method; `None` for a response.
    pub fn method(&self) -> Option<Method> {
        match self.start_line {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The response's status code; `None` for a request.
    pub fn status(&self) -> Option<StatusCode> {
        match self.start_line {
            StartLine::Response { status, .. } => Some(status),
            StartLine::Request { .. } => None,
        }
    }

    /// The Request-URI as sent; `None` for a response.
    pub fn request_uri(&self) -> Option<&'a [u8]> {
        match self.start_line {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// Whether the message has a header of this name.
    pub fn has(&self, name: HeaderName) -> bool {
        self.present & name.bit() != 0
    }

    /// Whether it has any of the headers that every SIP message has (RFC 3261 section 8.1.1): a start line alone is
    /// found in other protocols too.
    pub fn is_addressed(&self) -> bool {
        let needed = HeaderName::IN_EVERY_MESSAGE;
        needed.into_iter().any(|name| self.has(name))
    }

    /// The first header of this name, as sent, without blanks around it; folds inside it are kept as line ends.
    pub fn value(&self, name: HeaderName) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// Every header of this name in order, each as sent.
    pub fn values(&self, name: HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let spans: &[HeaderSpan] = if self.has(name) { self.headers } else { &[] };
        let bytes = self.bytes;
        spans.iter().filter(move |span| span.name == name).map(move |span| value_in(bytes, span))
    }

    /// Every value of this header: repeated headers and values that commas part are alike (RFC 3261 section 7.3.1).
    pub fn list(&self, name: HeaderName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.values(name).flat_map(lexer::split_commas)
    }

    /// Name, value and number of every header line in order: where lines are numbered and the header is not folded, its line has
    /// a number that the same line has in every message.
    pub fn fields(&self) -> impl Iterator<Item = (HeaderName, &'a [u8], Option<u32>)> + use<'a> {
        let bytes = self.bytes;
        self.headers.iter().map(move |span| (span.name, value_in(bytes, span), span.line))
    }

    /// Every header line in order, unknown and malformed ones included.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        let bytes = self.bytes;
        self.headers.iter().map(move |span| Header {
            name: span.name,
            raw_name: bytes.get(span.start as usize..span.name_end as usize).unwrap_or_default(),
            value: value_in(bytes, span),
            offset: span.value_start,
            is_cut: span.is_cut,
            line: span.line,
        })
    }

    /// The body, as far as Content-Length and the bytes there are reach.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Whether nothing stands behind the body.
    pub fn ends_with_body(&self) -> bool {
        !matches!(self.content_length, ContentLength::TooSmall(_))
    }

    /// What Content-Length says and whether it fits.
    pub fn content_length(&self) -> ContentLength {
        self.content_length
    }

    /// Whether the capture cut this message short.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The defects that the index itself met; [`crate::sip::inspect()`] looks for all.
    pub fn defects(&self) -> DefectSet {
        self.defects
    }

    /// Place in the message of `part`, a slice that an accessor of this message gave; 0 for any other slice.
    pub(in crate::sip) fn offset_of(&self, part: &[u8]) -> u32 {
        let offset = (part.as_ptr() as usize).wrapping_sub(self.bytes.as_ptr() as usize);
        if offset <= self.bytes.len() { offset as u32 } else { 0 }
    }
}

fn value_in<'a>(bytes: &'a [u8], span: &HeaderSpan) -> &'a [u8] {
    bytes.get(span.value_start as usize..span.value_end as usize).unwrap_or_default()
}

/// The start line, and where the headers begin.
fn find_start<'a>(bytes: &'a [u8], defects: &mut DefectSet) -> Option<(StartLine<'a>, usize)> {
    let rest = start_line::skip_blank_lines(bytes);
    let (line, after) = start_line::first_line(rest);
    if let Some(start_line) = StartLine::parse(line) {
        return Some((start_line, bytes.len() - after.len()));
    }
    defects.insert(DefectKind::JunkBeforeStart);
    let rest = rest.get(start_line::find_behind_junk(rest)?..)?;
    let (line, after) = start_line::first_line(rest);
    let start_line = StartLine::parse(line)?;
    Some((start_line, bytes.len() - after.len()))
}

/// Cuts the body at the length that Content-Length declares.
fn cut_body<'a>(
    rest: &'a [u8],
    declared: Option<&[u8]>,
    is_cut: bool,
    defects: &mut DefectSet,
) -> (&'a [u8], ContentLength) {
    let Some(text) = declared else {
        return (rest, ContentLength::Absent);
    };
    let Some(length) = lexer::number(text).and_then(|length| u32::try_from(length).ok()) else {
        defects.insert(DefectKind::BadContentLength);
        return (rest, ContentLength::Malformed);
    };
    match rest.split_at_checked(length as usize) {
        Some((_, [])) => (rest, ContentLength::Fits(length)),
        Some((body, _)) => {
            defects.insert(DefectKind::BodyTooLong);
            (body, ContentLength::TooSmall(length))
        }
        None => {
            if !is_cut {
                defects.insert(DefectKind::BodyTooShort);
            }
            (rest, ContentLength::TooLarge(length))
        }
    }
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
