//! What a datagram carries, recognised by its first bytes: SIP, a keep-alive, RTP, RTCP or something else.
//!
//! Sources: RFC 3261 section 7, RFC 5626 section 3.5 (keep-alives), RFC 5389 section 6 (STUN), RFC 3550 section 5.1,
//! RFC 5761 section 4 (RTCP packet types).

use crate::sip::syntax::start_line;

/// The magic cookie in bytes 4 to 7 of every STUN message.
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// Bytes of an RTP header without extensions.
const RTP_HEADER_BYTES: usize = 12;
/// Bytes of the shortest RTCP packet: an empty receiver report.
const RTCP_HEADER_BYTES: usize = 8;
/// NUL datagrams up to this size are keep-alives; phones send one to four bytes.
const NUL_KEEP_ALIVE_BYTES_MAX: usize = 8;

/// What the first bytes of a datagram say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sift {
    /// A SIP start line, perhaps behind blank lines or a few bytes of junk.
    Sip,
    /// Blank lines, NUL bytes or STUN: keeps a NAT binding open.
    KeepAlive,
    /// An RTP header with this payload type.
    Rtp {
        /// 0 to 127.
        payload_type: u8,
    },
    /// An RTCP header.
    Rtcp,
    /// None of these.
    Other,
}

/// Tells what `bytes`, a whole datagram, carries. Ports do not matter.
pub fn sift(bytes: &[u8]) -> Sift {
    match bytes.first() {
        Some(0x80..=0xbf) => sift_rtp(bytes),
        Some(0..=3) => sift_binary(bytes),
        Some(b'\r' | b'\n') => match start_line::skip_blank_lines(bytes) {
            [] => Sift::KeepAlive,
            rest => sift_text(rest),
        },
        Some(_) => sift_text(bytes),
        None => Sift::Other,
    }
}

fn sift_rtp(bytes: &[u8]) -> Sift {
    match bytes.get(1) {
        Some(192..=223) if bytes.len() >= RTCP_HEADER_BYTES => Sift::Rtcp,
        Some(&second) if bytes.len() >= RTP_HEADER_BYTES => Sift::Rtp { payload_type: second & 0x7f },
        _ => Sift::Other,
    }
}

fn sift_binary(bytes: &[u8]) -> Sift {
    let is_stun = bytes.get(4..8).is_some_and(|cookie| cookie == STUN_COOKIE);
    if is_stun || (bytes.len() <= NUL_KEEP_ALIVE_BYTES_MAX && bytes.iter().all(|&byte| byte == 0)) {
        return Sift::KeepAlive;
    }
    sift_text(bytes)
}

fn sift_text(bytes: &[u8]) -> Sift {
    if start_line::begins_here(bytes) || start_line::find_behind_junk(bytes).is_some() {
        Sift::Sip
    } else {
        Sift::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_lines_are_sip_also_behind_blank_lines_and_junk() {
        for text in [
            "INVITE sip:bob@example.com SIP/2.0\r\n",
            "SIP/2.0 200 OK\r\n",
            "SIP/2.0 404\r\n",
            "\r\n\r\nBYE sip:bob@example.com SIP/2.0\n",
            "\0\0REGISTER sip:example.com SIP/2.0\r\n",
            "junk\r\nOPTIONS sip:example.com SIP/2.0\r\n",
            "!odd-Method_1*+`.%~ sip:a SIP/2.0\r\n",
            "OPTIONS sip:t@example.org SIP/7.0\r\n",
            "INVITE  sip:a@b   SIP/2.0 \r\n",
        ] {
            assert_eq!(Sift::Sip, sift(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn other_text_is_not_sip() {
        for text in
            ["GET / HTTP/1.1\r\nHost: a\r\n", "NOTIFY * HTTP/1.1\r\n", "hello", "SIP/2.0", "SIP/2.0 2", "<134>a: b"]
        {
            assert_eq!(Sift::Other, sift(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn keep_alives_are_told_from_stun_and_blank_bytes() {
        for bytes in [&b"\r\n\r\n"[..], b"\r\n", b"\n", b"\0", b"\0\0\0\0", b"\0\x01\0\0\x21\x12\xa4\x42\0\0\0\0"] {
            assert_eq!(Sift::KeepAlive, sift(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn rtp_and_rtcp_need_their_whole_header() {
        let rtp = [0x80, 0x80 | 8, 0, 1, 0, 0, 0, 160, 1, 2, 3, 4];
        assert_eq!(Sift::Rtp { payload_type: 8 }, sift(&rtp));
        let rtcp = [0x81, 200, 0, 6, 1, 2, 3, 4];
        assert_eq!(Sift::Rtcp, sift(&rtcp));
        for length in 0..rtp.len() {
            assert_eq!(Sift::Other, sift(&rtp[..length]), "{length}");
        }
    }

    #[test]
    fn a_start_line_cut_anywhere_does_not_panic() {
        let text = b"\r\nINVITE sip:bob@example.com SIP/2.0\r\n";
        for length in 0..text.len() {
            sift(&text[..length]);
        }
    }
}
