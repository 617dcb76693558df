//! Signs that a stream carries SIP, WebSocket or neither.
//!
//! Sources: RFC 3261 section 7.1 and 7.2 (start lines), RFC 6455 section 4 (upgrade).

use memchr::memmem;

/// Longest start line that is looked for; URIs with many parameters stay well below.
pub(super) const START_LINE_BYTES_MAX: usize = 2048;
const VERSION: &[u8] = b"SIP/2.0";

/// Where in `bytes` the first SIP start line begins: a whole line, or one that has come as far as its version.
pub(super) fn find_start_line(bytes: &[u8]) -> Option<usize> {
    memmem::find_iter(bytes, VERSION).find_map(|position| {
        let before = bytes.get(..position)?;
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        is_start_line(bytes.get(start..)?).then_some(start)
    })
}

/// Whether `bytes` begins with a SIP start line; empty lines before it are keep-alives (RFC 5626 section 3.5.1).
pub(in crate::net) fn starts_with_sip(bytes: &[u8]) -> bool {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    bytes.get(start..).is_some_and(is_start_line)
}

fn is_start_line(bytes: &[u8]) -> bool {
    if let Some(rest) = bytes.strip_prefix(VERSION) {
        return matches!(rest, [] | [b' ' | b'\t', ..]);
    }
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let window = bytes.get(..START_LINE_BYTES_MAX).unwrap_or(bytes);
    let line = match memchr::memchr(b'\n', window) {
        Some(newline) => window.get(..newline).unwrap_or(window),
        None => window,
    };
    let line = line.trim_ascii_end();
    let Some(before) = line.strip_suffix(VERSION) else {
        return false;
    };
    // Method, Request-URI and version; some senders put more than one space between them.
    let Some(space) = memchr::memchr(b' ', before) else {
        return false;
    };
    let (method, uri) = before.split_at_checked(space).unwrap_or((before, &[]));
    method.iter().all(|byte| is_token(*byte)) && uri.ends_with(b" ") && !uri.trim_ascii().is_empty()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// Whether `bytes` begins, or may begin once more has come, an HTTP exchange that can end in a WebSocket.
pub(super) fn starts_with_http(bytes: &[u8]) -> bool {
    let begins = |word: &[u8]| {
        let shared = word.len().min(bytes.len());
        shared > 0 && bytes.get(..shared) == word.get(..shared)
    };
    begins(b"GET ") || begins(b"HTTP/1.1 101")
}

/// Whether an HTTP head asks for, or grants, a WebSocket.
pub(super) fn is_upgrade(head: &[u8]) -> bool {
    head.split(|byte| *byte == b'\n').any(|line| {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            return false;
        };
        name.eq_ignore_ascii_case(b"upgrade") && value.trim_ascii().eq_ignore_ascii_case(b"websocket")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_lines_are_known_and_other_lines_are_not() {
        let known = [
            "INVITE sip:bob@example.com SIP/2.0\r\n",
            "INVITE  sip:bob@example.com  SIP/2.0\r\n",
            "X-NEW tel:+49 SIP/2.0\n",
            "SIP/2.0 200 OK\r\n",
            "\r\n\r\nSIP/2.0 100",
        ];
        for line in known {
            assert!(starts_with_sip(line.as_bytes()), "{line:?}");
        }
        let others =
            ["", "\r\n", "Via: SIP/2.0/TCP 10.0.0.1\r\n", "INVITE SIP/2.0\r\n", "SIP/2.0/UDP", "GET / HTTP/1.1\r\n"];
        for line in others {
            assert!(!starts_with_sip(line.as_bytes()), "{line:?}");
        }
    }

    #[test]
    fn start_line_is_found_behind_the_rest_of_a_message() {
        let text = b"a=rtpmap:0 PCMU/8000\r\nACK sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n";
        assert_eq!(Some(22), find_start_line(text));
        assert_eq!(None, find_start_line(b"Via: SIP/2.0/TCP a\r\nTo: <sip:b>\r\n"));
    }
}
