//! The first line of a message: a request line or a status line, found behind blank lines and junk too.
//!
//! Source: RFC 3261 sections 7.1, 7.2 and 7.5.

use memchr::{memchr, memchr_iter};

use crate::sip::lexer::number;
use crate::sip::syntax::method::{Method, StatusCode};

/// How far a start line may reach; longer ones than this are no Request-URI that any element takes.
const START_LINE_BYTES_MAX: usize = 16 * 1024;
/// How much of a datagram is searched for a start line behind junk.
pub(in crate::sip) const JUNK_BYTES_MAX: usize = 200;
/// Bytes of the longest method token that is believed.
const METHOD_BYTES_MAX: usize = 64;

/// A request line or a status line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// `INVITE sip:bob@example.com SIP/2.0`
    Request {
        /// The method; [`Method::Other`] where `token` is none of the known ones.
        method: Method,
        /// The method as sent.
        token: &'a [u8],
        /// The Request-URI as sent, blanks around it removed; blanks inside it are a defect and kept.
        uri: &'a [u8],
        /// The version as sent, `SIP/2.0`; empty where the line ends before it.
        version: &'a [u8],
    },
    /// `SIP/2.0 200 OK`
    Response {
        /// The status code.
        status: StatusCode,
        /// The reason phrase as sent; any bytes.
        phrase: &'a [u8],
        /// The version as sent, `SIP/2.0`.
        version: &'a [u8],
    },
}

impl<'a> StartLine<'a> {
    /// Reads a line without its line end; `None` where it is no start line.
    ///
    /// A request line that the capture cut before its version is taken where the method is known and a URI scheme
    /// follows.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        if has_sip_slash(line) {
            return parse_status_line(line);
        }
        let length = token_length(line)?;
        let (token, rest) = line.split_at_checked(length)?;
        let method = Method::from_bytes(token);
        let rest = rest.trim_ascii();
        let at = rest.iter().rposition(|&byte| byte == b' ' || byte == b'\t').map_or(0, |at| at + 1);
        let (before, last) = rest.split_at_checked(at)?;
        if has_sip_slash(last) {
            return Some(Self::Request { method, token, uri: before.trim_ascii(), version: last });
        }
        let is_cut_line = method != Method::Other && has_sip_scheme(rest) && !has_other_version(last);
        is_cut_line.then_some(Self::Request { method, token, uri: rest, version: &[] })
    }
}

fn has_sip_slash(bytes: &[u8]) -> bool {
    bytes.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

fn has_sip_scheme(bytes: &[u8]) -> bool {
    [&b"sip:"[..], b"sips:", b"tel:"]
        .iter()
        .any(|scheme| bytes.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Whether the last word names another protocol: RTSP and HTTP have requests of the same shape.
fn has_other_version(word: &[u8]) -> bool {
    word.starts_with(b"HTTP/") || word.starts_with(b"RTSP/")
}

fn parse_status_line(line: &[u8]) -> Option<StartLine<'_>> {
    // Nearly every status line is written so.
    if let Some([hundreds, tens, ones, b' ', phrase @ ..]) = line.strip_prefix(b"SIP/2.0 ")
        && let Some(status) = number(&[*hundreds, *tens, *ones])
    {
        return Some(StartLine::Response {
            status: StatusCode(status as u16),
            phrase: phrase.trim_ascii(),
            version: line.get(..7).unwrap_or_default(),
        });
    }
    let space = line.iter().position(|&byte| byte == b' ' || byte == b'\t')?;
    let (version, rest) = line.split_at_checked(space)?;
    let rest = rest.trim_ascii();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits < 3 {
        return None;
    }
    let (number, phrase) = rest.split_at_checked(digits)?;
    let value =
        number.iter().fold(0u16, |value, digit| value.saturating_mul(10).saturating_add(u16::from(digit - b'0')));
    Some(StartLine::Response { status: StatusCode(value), phrase: phrase.trim_ascii(), version })
}

/// Whether RFC 3261 section 25.1 allows `byte` in a token.
#[inline]
pub(in crate::sip) fn is_token_byte(byte: u8) -> bool {
    IS_TOKEN_BYTE[usize::from(byte)]
}

static IS_TOKEN_BYTE: [bool; 256] = {
    let mut is_token_byte = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        is_token_byte[byte] = (byte as u8).is_ascii_alphanumeric()
            || matches!(byte as u8, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
        byte += 1;
    }
    is_token_byte
};

/// Length of the method token at the start of `line`, which a blank must follow.
fn token_length(line: &[u8]) -> Option<usize> {
    let length = line.iter().take(METHOD_BYTES_MAX).take_while(|&&byte| is_token_byte(byte)).count();
    let is_followed = matches!(line.get(length), Some(b' ' | b'\t'));
    (length > 0 && is_followed).then_some(length)
}

/// `bytes` without the blank lines, and the blanks at their starts, that precede a message.
pub(in crate::sip) fn skip_blank_lines(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
    bytes.get(blank..).unwrap_or_default()
}

/// The first line of `bytes` without its line end, and what follows it.
pub(in crate::sip) fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let window = bytes.get(..START_LINE_BYTES_MAX).unwrap_or(bytes);
    let end = memchr(b'\n', window).unwrap_or(window.len());
    let line = bytes.get(..end).unwrap_or_default();
    (line.strip_suffix(b"\r").unwrap_or(line), bytes.get(end + 1..).unwrap_or_default())
}

/// Whether a start line begins at the first byte of `bytes`.
pub(in crate::sip) fn begins_here(bytes: &[u8]) -> bool {
    // Most other payloads leave at their first word, before the line end is sought.
    if !has_sip_slash(bytes) && token_length(bytes).is_none() {
        return false;
    }
    StartLine::parse(first_line(bytes).0).is_some()
}

/// Where a start line begins behind junk, within the first 200 bytes.
///
/// Only a known method is believed there, directly before a URI and `SIP/2.0`, or a status line.
pub(in crate::sip) fn find_behind_junk(bytes: &[u8]) -> Option<usize> {
    let window = bytes.get(..JUNK_BYTES_MAX).unwrap_or(bytes);
    find_version(window).find_map(|version| start_before(bytes, version))
}

/// Places of `SIP/2.0` in `bytes`.
pub(in crate::sip) fn find_version(bytes: &[u8]) -> impl Iterator<Item = usize> {
    memchr_iter(b'/', bytes).filter_map(|slash| {
        let start = slash.checked_sub(3)?;
        (bytes.get(start..slash + 4)? == b"SIP/2.0").then_some(start)
    })
}

/// Where the start line begins whose `SIP/2.0` stands at `version`.
pub(in crate::sip) fn start_before(bytes: &[u8], version: usize) -> Option<usize> {
    let after = bytes.get(version + 7..)?;
    if let [b' ', a, b, c, ..] = after
        && [a, b, c].iter().all(|byte| byte.is_ascii_digit())
    {
        return Some(version);
    }
    let before = bytes.get(..version)?;
    let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let line = before.get(line_start..)?.strip_suffix(b" ")?.trim_ascii_end();
    let space = line.iter().rposition(|&byte| byte == b' ')?;
    let words = line.get(..space)?.trim_ascii_end();
    let token = words.iter().rev().take_while(|byte| byte.is_ascii_uppercase()).count().min(9);
    // Letters of the junk may touch the method: the longest known ending is the method.
    (3..=token).rev().find_map(|length| {
        let start = words.len() - length;
        (Method::from_bytes(words.get(start..)?) != Method::Other).then_some(line_start + start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_keeps_blanks_inside_its_uri() {
        let line = b"INVITE sip:user@example.com; lr SIP/2.0";
        let Some(StartLine::Request { method, uri, version, .. }) = StartLine::parse(line) else {
            panic!("a request line");
        };
        assert_eq!(Method::Invite, method);
        assert_eq!(b"sip:user@example.com; lr", uri);
        assert_eq!(b"SIP/2.0", version);
    }

    #[test]
    fn a_status_line_keeps_any_number() {
        let line = StartLine::parse(b"SIP/2.0 4294967301 better not break").expect("a status line");
        assert!(matches!(line, StartLine::Response { status: StatusCode(u16::MAX), phrase: b"better not break", .. }));
        let line = StartLine::parse(b"SIP/2.0 200").expect("a status line without phrase");
        assert!(matches!(line, StartLine::Response { status: StatusCode(200), phrase: b"", .. }));
    }

    #[test]
    fn a_request_line_cut_inside_its_uri_is_still_one() {
        let line = StartLine::parse(b"INVITE sip:bob@exam").expect("a cut request line");
        assert!(matches!(line, StartLine::Request { uri: b"sip:bob@exam", version: b"", .. }));
        assert_eq!(None, StartLine::parse(b"DESCRIBE sip:bob RTSP/1.0"));
    }

    #[test]
    fn junk_that_touches_the_method_is_cut_off() {
        assert_eq!(Some(3), find_behind_junk(b"XYZBYE sip:a SIP/2.0\r\n"));
        assert_eq!(Some(2), find_behind_junk(b"\0\0SIP/2.0 200 OK\r\n"));
        assert_eq!(None, find_behind_junk(b"Via: SIP/2.0/UDP a"));
    }
}
