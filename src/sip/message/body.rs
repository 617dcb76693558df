//! Bodies: the parts of a multipart body, the session description among them, SIP fragments.
//!
//! Sources: RFC 3261 section 7.4, RFC 5621 (bodies in SIP), RFC 2046 section 5.1 (multipart), RFC 3420 (sipfrag).

use memchr::memmem;

use crate::sip::message::Message;
use crate::sip::message::defect::DefectSet;
use crate::sip::message::header_name::HeaderName;
use crate::sip::message::index::{HeaderSpan, Index};
use crate::sip::syntax::method::StatusCode;
use crate::sip::syntax::start_line::{self, StartLine};
use crate::sip::values::MediaType;

/// Parts of a body that are read.
pub const PARTS_MAX: usize = 32;
/// Multiparts inside one another that are opened.
const DEPTH_MAX: usize = 4;

/// A body, or one part of a multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its type; empty where none is given.
    pub media_type: MediaType<'a>,
    /// Content-Disposition as sent.
    pub disposition: Option<&'a [u8]>,
    /// Content-ID as sent, which Geolocation and Refer-To point at.
    pub content_id: Option<&'a [u8]>,
    /// The content.
    pub bytes: &'a [u8],
}

/// The parts of a message's body, those of inner multiparts in their place; one part where it is no multipart, none
/// where there is no body. At most 32.
pub fn parts<'a>(message: &Message<'a>) -> Vec<Part<'a>> {
    let mut found = Vec::new();
    if !message.body().is_empty() {
        let whole = Part {
            media_type: MediaType::parse(message.value(HeaderName::ContentType).unwrap_or_default()),
            disposition: message.value(HeaderName::ContentDisposition),
            content_id: message.value(HeaderName::ContentId),
            bytes: message.body(),
        };
        open(whole, DEPTH_MAX, &mut found);
    }
    found
}

/// The message's session description: its body, or the first part of that type.
///
/// A body without Content-Type that begins like a description is taken for one.
pub fn sdp<'a>(message: &Message<'a>) -> Option<&'a [u8]> {
    let body = message.body();
    if body.is_empty() {
        return None;
    }
    let Some(value) = message.value(HeaderName::ContentType) else {
        return body.starts_with(b"v=0").then_some(body);
    };
    let media_type = MediaType::parse(value);
    if media_type.is_sdp() {
        return Some(body);
    }
    if !media_type.is_multipart() {
        return None;
    }
    parts(message).into_iter().find(|part| part.media_type.is_sdp()).map(|part| part.bytes)
}

/// The status that a `message/sipfrag` body reports, as NOTIFY of a transfer does; `None` for any other body.
pub fn sipfrag_status<'a>(message: &Message<'a>) -> Option<(StatusCode, &'a [u8])> {
    let part = parts(message).into_iter().find(|part| part.media_type.is("message", "sipfrag"))?;
    let line = start_line::first_line(start_line::skip_blank_lines(part.bytes)).0;
    match StartLine::parse(line)? {
        StartLine::Response { status, phrase, .. } => Some((status, phrase)),
        StartLine::Request { .. } => None,
    }
}

fn open<'a>(part: Part<'a>, depth: usize, found: &mut Vec<Part<'a>>) {
    let boundary = part.media_type.boundary().filter(|_| part.media_type.is_multipart() && depth > 0);
    let Some(boundary) = boundary else {
        if found.len() < PARTS_MAX {
            found.push(part);
        }
        return;
    };
    for bytes in split(part.bytes, boundary).take(PARTS_MAX) {
        open(read_part(bytes), depth - 1, found);
    }
}

/// What stands between the delimiter lines.
pub(in crate::sip) fn split<'a>(bytes: &'a [u8], boundary: &[u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let delimiter = [b"--", boundary].concat();
    let mut starts = memmem::find_iter(bytes, &delimiter)
        .filter(|&at| at == 0 || bytes.get(at - 1) == Some(&b'\n'))
        .take(PARTS_MAX + 1)
        .collect::<Vec<_>>()
        .into_iter()
        .peekable();
    std::iter::from_fn(move || {
        let start = starts.next()? + delimiter.len();
        let rest = bytes.get(start..)?;
        if rest.starts_with(b"--") {
            return None;
        }
        let end = starts.peek().map_or(rest.len(), |&next| next.saturating_sub(start));
        let content = rest.get(start_line_end(rest)..end).unwrap_or_default();
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        Some(content.strip_suffix(b"\r").unwrap_or(content))
    })
}

/// Place behind the line feed that ends the delimiter line.
fn start_line_end(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

fn read_part(bytes: &[u8]) -> Part<'_> {
    let mut spans: Vec<HeaderSpan> = Vec::new();
    let mut index = Index::new(bytes, &mut spans, DefectSet::default());
    let body_start = index.read(0);
    let value = |name| {
        let span = spans.iter().find(|span| span.name == name)?;
        bytes.get(span.value_start as usize..span.value_end as usize)
    };
    Part {
        media_type: MediaType::parse(value(HeaderName::ContentType).unwrap_or_default()),
        disposition: value(HeaderName::ContentDisposition),
        content_id: value(HeaderName::ContentId),
        bytes: bytes.get(body_start..).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_message<R>(text: &str, test: impl FnOnce(&Message<'_>) -> R) -> R {
        let mut spans = Vec::new();
        test(&Message::parse(text.as_bytes(), false, &mut spans).expect("a message"))
    }

    const MIXED: &str = "INVITE sip:a@b SIP/2.0\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\npreamble\r\n--b1\r\n\
Content-Type: multipart/alternative;boundary=in\r\n\r\n--in\r\nContent-Type: text/plain\r\n\r\nhello\r\n--in--\r\n--b1\r\n\
c: application/sdp\r\nContent-ID: <x>\r\n\r\nv=0\r\no=-\r\n--b1--\r\nepilogue";

    #[test]
    fn the_description_is_found_in_a_multipart_body() {
        with_message(MIXED, |message| {
            let parts = parts(message);
            assert_eq!(vec![&b"hello"[..], b"v=0\r\no=-"], parts.iter().map(|part| part.bytes).collect::<Vec<_>>());
            assert_eq!(Some(&b"<x>"[..]), parts[1].content_id);
            assert_eq!(Some(&b"v=0\r\no=-"[..]), sdp(message));
        });
    }

    #[test]
    fn a_plain_body_is_its_own_part() {
        with_message("SIP/2.0 200 OK\r\nContent-Type: Application/SDP\r\n\r\nv=0", |message| {
            assert_eq!(Some(&b"v=0"[..]), sdp(message));
        });
        with_message("SIP/2.0 200 OK\r\n\r\nv=0", |message| assert_eq!(Some(&b"v=0"[..]), sdp(message)));
        with_message("SIP/2.0 200 OK\r\nc: text/plain\r\n\r\nv=0", |message| assert_eq!(None, sdp(message)));
        with_message("SIP/2.0 200 OK\r\n\r\n", |message| assert!(parts(message).is_empty()));
    }

    #[test]
    fn a_fragment_tells_how_the_transfer_went() {
        with_message("NOTIFY sip:a SIP/2.0\r\nc: message/sipfrag;version=2.0\r\n\r\nSIP/2.0 503 Busy\r\n", |message| {
            assert_eq!(Some((StatusCode(503), &b"Busy"[..])), sipfrag_status(message));
        });
    }

    #[test]
    fn a_multipart_body_cut_anywhere_is_read() {
        for length in 30..MIXED.len() {
            with_message(&MIXED[..length], |message| (parts(message).len(), sdp(message).is_some()));
        }
    }
}
