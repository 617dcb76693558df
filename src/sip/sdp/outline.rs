//! The outline of a session description in one pass without allocation: its shape as a hash, its addresses as they are.
//!
//! Bodies of one shape read alike but for addresses, ports, keys and ids, so that one parsed [`crate::sip::Sdp`] serves
//! them all. Source: RFC 8866 section 5, RFC 3264 section 8 (what a change of a description may change).

use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::sip::lexer::{number, word};
use crate::sip::syntax::places::Places;

/// m= lines whose address and port an outline holds.
pub(in crate::sip) const OUTLINE_MEDIAS_MAX: usize = 8;

/// Where one medium wants its packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// From the medium's own c= line, or the session's; `None` where it is no address.
    pub address: Option<IpAddr>,
    /// From the m= line; 0 also where it is malformed.
    pub port: u16,
}

impl Place {}

/// What of a session description is worth a look on every message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// Hash of all that a parsed description would hold, but for what [`Outline`] itself tells and for ids, keys and
    /// candidates.
    pub shape: u64,
    /// Hash of the o= line without its version: equal for the descriptions of one side of one session.
    pub origin: u64,
    /// Version of the o= line; `None` where it is no number.
    pub origin_version: Option<u64>,
    /// Number of m= lines, the ones beyond `OUTLINE_MEDIAS_MAX` included.
    pub media_count: u16,
    places: [Place; OUTLINE_MEDIAS_MAX],
}

impl Outline {
    /// Reads `body` once; `hasher` must be the same for all outlines that are to be compared.
    pub fn read(body: &[u8], hasher: &impl BuildHasher) -> Self {
        let mut reader = OutlineReader::new(hasher.build_hasher());
        let mut start = 0;
        let mut read = |start, end| {
            let line = body.get(start..end).unwrap_or_default();
            reader.line(line.strip_suffix(b"\r").unwrap_or(line), hasher);
        };
        for end in Places::of(body, [b'\n']) {
            read(start, end);
            start = end + 1;
        }
        if start < body.len() {
            read(start, body.len());
        }
        reader.shape.write_u8(u8::from(std::str::from_utf8(body).is_err()));
        reader.finish()
    }

    /// The places of the first m= lines, in order.
    pub fn places(&self) -> &[Place] {
        let count = usize::from(self.media_count).min(OUTLINE_MEDIAS_MAX);
        self.places.get(..count).unwrap_or_default()
    }
}

struct OutlineReader<H> {
    shape: H,
    origin: u64,
    origin_version: Option<u64>,
    session_address: Option<IpAddr>,
    places: [Place; OUTLINE_MEDIAS_MAX],
    media_count: u16,
    /// Candidates and their families since the last m= line, as bits.
    ice: u8,
}

impl<H: Hasher> OutlineReader<H> {
    fn new(shape: H) -> Self {
        let places = [Place::default(); OUTLINE_MEDIAS_MAX];
        Self { shape, origin: 0, origin_version: None, session_address: None, places, media_count: 0, ice: 0 }
    }

    fn line(&mut self, line: &[u8], hasher: &impl BuildHasher) {
        let Some((&[letter, b'='], value)) = line.split_first_chunk::<2>() else {
            return self.shape.write(line.trim_ascii());
        };
        match letter {
            b'a' => self.attribute(value),
            b'm' => self.media(value),
            b'c' => self.connection(value),
            b'o' => self.origin_line(value, hasher),
            b'b' => self.shape.write(line),
            b's' | b'i' | b'u' | b'e' | b'p' | b't' | b'r' | b'z' | b'k' => self.shape.write_u8(letter),
            _ => self.shape.write(line),
        }
    }

    fn media(&mut self, value: &[u8]) {
        self.close_media();
        let (kind, rest) = word(value);
        let (port_text, formats) = word(rest);
        let digits = port_text.split(|&byte| byte == b'/').next().unwrap_or_default();
        let port = number(digits).and_then(|port| u16::try_from(port).ok());
        self.shape.write_u8(b'm');
        self.shape.write(kind);
        self.shape.write_u8(port.map_or(2, |port| u8::from(port != 0)));
        self.shape.write(port_text.get(digits.len()..).unwrap_or_default());
        self.shape.write(formats);
        if let Some(place) = self.places.get_mut(usize::from(self.media_count)) {
            *place = Place { address: self.session_address, port: port.unwrap_or(0) };
        }
        self.media_count = self.media_count.saturating_add(1);
    }

    fn close_media(&mut self) {
        self.shape.write_u8(self.ice);
        self.ice = 0;
    }

    fn connection(&mut self, value: &[u8]) {
        let (net, rest) = word(value);
        let (family, rest) = word(rest);
        let host = word(rest).0;
        self.shape.write_u8(b'c');
        self.shape.write(net);
        self.shape.write(family);
        let address = address(host);
        self.shape.write_u8(u8::from(address.is_some()));
        match self.media_count.checked_sub(1) {
            None => self.session_address = address,
            Some(last) => {
                if let Some(place) = self.places.get_mut(usize::from(last)) {
                    place.address = address;
                }
            }
        }
    }

    fn origin_line(&mut self, value: &[u8], hasher: &impl BuildHasher) {
        let (username, rest) = word(value);
        let (id, rest) = word(rest);
        let (version, address) = word(rest);
        let mut origin = hasher.build_hasher();
        for part in [username, id, address] {
            origin.write(part);
        }
        self.origin = origin.finish();
        self.origin_version = number(version);
        let fields = address.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).count();
        self.shape.write_u8(b'o');
        self.shape.write_u8(u8::try_from(fields).unwrap_or(u8::MAX));
        self.shape.write_u8(u8::from(number(id).is_some()) | u8::from(self.origin_version.is_some()) << 1);
    }

    fn attribute(&mut self, value: &[u8]) {
        let end = value.iter().position(|&byte| byte == b':').unwrap_or(value.len());
        let (name, rest) = value.split_at_checked(end).unwrap_or((value, &[]));
        match name {
            b"rtpmap" | b"fmtp" | b"ptime" | b"maxptime" | b"sendrecv" | b"sendonly" | b"recvonly" | b"inactive"
            | b"setup" | b"rtcp-mux" | b"curr" | b"des" | b"conf" | b"bundle-only" | b"mid" | b"group"
            | b"ice-lite" => self.shape.write(value),
            b"crypto" => self.crypto(rest),
            b"fingerprint" => {
                self.shape.write(name);
                self.shape.write(word(rest.get(1..).unwrap_or_default()).0);
            }
            b"ice-ufrag" | b"ice-pwd" => self.ice |= 1,
            b"candidate" => {
                let host = rest.split(|&byte| byte == b' ').filter(|field| !field.is_empty()).nth(4);
                self.ice |= if host.is_some_and(|host| host.contains(&b':')) { 4 } else { 2 };
            }
            b"rtcp" => self.shape.write(name),
            _ if name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"T38")) => self.shape.write(value),
            _ => {}
        }
    }

    /// Tag, suite and the length of the key, never the key.
    fn crypto(&mut self, rest: &[u8]) {
        let (tag, rest) = word(rest.get(1..).unwrap_or_default());
        let (suite, rest) = word(rest);
        let key = word(rest).0.split(|byte| matches!(byte, b'|' | b';')).next().unwrap_or_default();
        self.shape.write(b"crypto");
        self.shape.write(tag);
        self.shape.write(suite);
        self.shape.write_u32(u32::try_from(key.len()).unwrap_or(u32::MAX));
    }

    fn finish(mut self) -> Outline {
        self.close_media();
        Outline {
            shape: self.shape.finish(),
            origin: self.origin,
            origin_version: self.origin_version,
            media_count: self.media_count,
            places: self.places,
        }
    }
}

/// The address in a c= line, without TTL and count.
fn address(host: &[u8]) -> Option<IpAddr> {
    let host = host.split(|&byte| byte == b'/').next()?;
    let text = std::str::from_utf8(host).ok()?;
    if host.contains(&b':') {
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

#[cfg(test)]
#[path = "outline_tests.rs"]
mod tests;
