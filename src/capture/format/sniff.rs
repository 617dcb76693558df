//! What a file is, by its first bytes and never by its name.

use crate::capture::format::byte_order::ByteOrder;

/// How many first bytes are looked at: enough for every magic number and for telling text from binary.
pub(in crate::capture) const HEAD_BYTES: usize = 512;

/// The two capture file formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Classic libpcap, microseconds or nanoseconds, either byte order.
    Pcap,
    /// pcapng.
    PcapNg,
}

impl Format {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::PcapNg => "pcapng",
        }
    }
}

/// How a capture is compressed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// RFC 1952, one or several members.
    Gzip,
    /// RFC 8878, one or several frames.
    Zstd,
    /// The .xz format, one or several streams.
    Xz,
    /// bzip2, one or several streams.
    Bzip2,
    /// The LZ4 frame format, one or several frames.
    Lz4,
}

impl Compression {
    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
        }
    }
}

/// First number of a frame that zstd and LZ4 decoders leave out; the lowest four bits are free.
pub(in crate::capture) const SKIPPABLE_MAGIC: u32 = 0x184d_2a50;

/// The compression that `head` begins with, if any.
pub(in crate::capture) fn compression_of(head: &[u8]) -> Option<Compression> {
    Some(match head {
        [0x1f, 0x8b, 0x08, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Compression::Bzip2,
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Compression::Lz4,
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => behind_skippable(head),
        _ => return None,
    })
}

/// zstd and LZ4 share the number of skippable frames: what follows decides, zstd where that is out of sight.
fn behind_skippable(head: &[u8]) -> Compression {
    let length = ByteOrder::Little.u32(head, 4).unwrap_or(0);
    let next = usize::try_from(length).ok().and_then(|length| head.get(length.checked_add(8)?..));
    match next {
        Some([0x04, 0x22, 0x4d, 0x18, ..]) => Compression::Lz4,
        _ => Compression::Zstd,
    }
}

/// What a file that is no capture looks like, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) struct Lookalike {
    /// A noun with its article, such as `a PDF document`.
    pub(in crate::capture) looks_like: &'static str,
    /// What helps.
    pub(in crate::capture) remedy: Remedy,
}

/// What to do with a file that is no capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Remedy {
    /// It holds packets in a format that Wireshark's editcap converts.
    Convert,
    /// It is a text dump that Wireshark's text2pcap converts.
    FromText,
    /// It may contain captures.
    Unpack,
    /// Nothing: it is something else.
    Nothing,
}

/// The capture format that `head` begins with.
///
/// # Errors
/// What it looks like instead.
pub(in crate::capture) fn format_of(head: &[u8]) -> Result<Format, Lookalike> {
    match head {
        [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xcd, 0x34, ..]
        | [0x34, 0xcd, 0xb2, 0xa1, ..] => Ok(Format::Pcap),
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => Ok(Format::PcapNg),
        _ => Err(lookalike(head)),
    }
}

/// First bytes of what people hand over instead of a capture.
const MAGICS: [(&[u8], &str, Remedy); 20] = [
    (b"snoop\0\0\0", "a Sun snoop capture", Remedy::Convert),
    (b"GMBU", "a Network Monitor capture", Remedy::Convert),
    (b"RTSS", "a Network Monitor 1 capture", Remedy::Convert),
    (b"TRSNIFF data", "a Sniffer capture", Remedy::Convert),
    (b"XCP\0", "a NetXRay capture", Remedy::Convert),
    (b"iptrace ", "an AIX iptrace capture", Remedy::Convert),
    (b"\x7fver", "an EtherPeek capture", Remedy::Convert),
    (b"btsnoop\0", "a Bluetooth snoop log", Remedy::Convert),
    (b"+---------+", "a K12 text capture", Remedy::Convert),
    (b"PK\x03\x04", "a zip archive", Remedy::Unpack),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", Remedy::Unpack),
    (b"Rar!", "a RAR archive", Remedy::Unpack),
    (b"!<arch>\n", "an ar archive", Remedy::Unpack),
    (b"%PDF", "a PDF document", Remedy::Nothing),
    (b"\x7fELF", "an ELF program", Remedy::Nothing),
    (b"\x89PNG", "a PNG image", Remedy::Nothing),
    (b"RIFF", "a RIFF (WAV) recording", Remedy::Nothing),
    (b"SQLite format 3", "a SQLite database", Remedy::Nothing),
    (b"\xff\xd8\xff", "a JPEG image", Remedy::Nothing),
    (b"MZ", "a Windows program", Remedy::Nothing),
];

fn lookalike(head: &[u8]) -> Lookalike {
    if let Some(&(_, looks_like, remedy)) = MAGICS.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Lookalike { looks_like, remedy };
    }
    let (looks_like, remedy) = if head.get(257..262) == Some(b"ustar") {
        ("a tar archive", Remedy::Unpack)
    } else if is_endace(head) {
        ("an Endace ERF capture", Remedy::Convert)
    } else if head.iter().all(|&byte| byte == 0) {
        ("a file of zeros", Remedy::Nothing)
    } else if is_text(head) {
        text_kind(head)
    } else {
        ("unknown binary data", Remedy::Nothing)
    };
    Lookalike { looks_like, remedy }
}

/// ERF has no magic number: a plausible record type, and a record length that holds its 16-byte head.
///
/// Only the common Ethernet record (type 2) with a wire length near its record length is taken for one.
fn is_endace(head: &[u8]) -> bool {
    let (Some(&kind), Some(record), Some(wire)) =
        (head.get(8), ByteOrder::Big.u16(head, 10), ByteOrder::Big.u16(head, 14))
    else {
        return false;
    };
    kind & 0x7f == 2 && record >= 30 && (14..=9_600).contains(&wire) && record.abs_diff(wire) <= 32
}

fn is_text(head: &[u8]) -> bool {
    head.iter().all(|&byte| byte >= 0x20 && byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
}

fn text_kind(head: &[u8]) -> (&'static str, Remedy) {
    let text = head.trim_ascii_start();
    let begins = |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if begins(b"<!doctype html") || begins(b"<html") {
        ("an HTML page", Remedy::Nothing)
    } else if begins(b"<?xml") {
        ("XML", Remedy::Nothing)
    } else if text.starts_with(b"{") || text.starts_with(b"[{") || text.starts_with(b"[\n") {
        ("JSON", Remedy::Nothing)
    } else if begins(b"0000") {
        ("a hex dump", Remedy::FromText)
    } else {
        ("text", Remedy::Nothing)
    }
}
