//! A session description: the owned, compact form that rules read.
//!
//! Source: RFC 8866 section 5. Nothing is refused: what reads is kept, what does not is a defect.

use std::collections::HashSet;

use memchr::memchr;

use crate::sip::sdp::attribute;
use crate::sip::sdp::codec::Codec;
use crate::sip::sdp::defect::{SdpDefect, SdpDefectKind};
use crate::sip::sdp::media::{Common, Connection, Ice, Media, MediaKind, Profile};

/// m= lines that are read; WebRTC conferences have dozens.
const MEDIAS_MAX: usize = 64;
/// Formats of one m= line that are read: there are no more payload types.
const FORMATS_MAX: usize = 128;
/// Lines that are read; candidate lists of browsers have some hundreds.
const LINES_MAX: u32 = 4096;
/// Defects that are kept; more tell nothing new.
const DEFECTS_MAX: usize = 32;
/// Characters of a defective line that are kept.
const QUOTE_CHARACTERS_MAX: usize = 80;

/// An o= line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// User name, `-` where there is none.
    pub username: String,
    /// Session id as sent.
    pub session_id: String,
    /// Version, which each change raises by one; `None` where it is no number.
    pub version: Option<u64>,
    /// Address or host name.
    pub address: String,
}

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sdp {
    /// The o= line; `None` where there is none.
    pub origin: Option<Origin>,
    /// The s= line.
    pub session_name: String,
    /// The session's c= line.
    pub connection: Option<Connection>,
    /// What stands at session level.
    pub common: Common,
    /// Whether the session is an ICE lite one.
    pub is_ice_lite: bool,
    /// Groups as sent: `BUNDLE 0 1`.
    pub groups: Vec<String>,
    /// The m= lines in order.
    pub medias: Vec<Media>,
    /// What is wrong, in order of lines; at most 32.
    pub defects: Vec<SdpDefect>,
}

impl Sdp {
    /// Reads a body of type application/sdp.
    pub fn parse(body: &[u8]) -> Self {
        let mut reader = Reader::default();
        if body.trim_ascii().is_empty() {
            reader.blame(SdpDefectKind::Empty, 0, "");
            return reader.sdp;
        }
        let mut rest = body.trim_ascii_end();
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            if number > LINES_MAX {
                reader.blame(SdpDefectKind::TooMuch, number, "");
                break;
            }
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or(rest);
            rest = rest.get(end + 1..).unwrap_or_default();
            reader.line(line.strip_suffix(b"\r").unwrap_or(line), number);
        }
        reader.finish()
    }

    /// The first medium of this kind that is not refused, or else the first of this kind.
    pub fn media(&self, kind: MediaKind) -> Option<&Media> {
        let of_kind = || self.medias.iter().filter(|media| media.kind == kind);
        of_kind().find(|media| !media.is_refused()).or_else(|| of_kind().next())
    }

    /// Whether every medium that is used is put on hold.
    pub fn is_held(&self) -> bool {
        let mut used = self.medias.iter().filter(|media| !media.is_refused()).peekable();
        used.peek().is_some() && used.all(Media::is_held)
    }
}

/// A description while it is read.
#[derive(Default)]
pub(super) struct Reader {
    pub sdp: Sdp,
    seen: [bool; 26],
    rank: usize,
    /// The m= lines as sent, for defects that only the end of the description shows.
    media_lines: Vec<String>,
}

impl Reader {
    /// Notes a defect of `line`.
    pub(super) fn blame(&mut self, kind: SdpDefectKind, line: u32, text: &str) {
        if self.sdp.defects.len() < DEFECTS_MAX {
            let shown = text.split_once("inline:").map_or(text, |(before, _)| before);
            let text = shown.chars().take(QUOTE_CHARACTERS_MAX).collect();
            self.sdp.defects.push(SdpDefect { kind, line, text, payload: None });
        }
    }

    fn line(&mut self, bytes: &[u8], number: u32) {
        if bytes.trim_ascii().is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.blame(SdpDefectKind::NotUtf8, number, &text);
        }
        let Some((letter, value)) = split_line(&text) else {
            return self.blame(SdpDefectKind::NotALine, number, &text);
        };
        self.check_order(letter, number, &text);
        match letter {
            'v' if value.trim() != "0" => self.blame(SdpDefectKind::BadVersion, number, &text),
            'o' => self.origin(value, number, &text),
            's' => self.sdp.session_name = value.to_owned(),
            'c' => self.connection(value, number, &text),
            'b' => self.common().bandwidth.push(value.trim().to_owned()),
            'm' => self.media(value, number, &text),
            'a' => attribute::read(self, value, number, &text),
            _ => {}
        }
    }

    /// Where attributes of the level at hand go.
    pub(super) fn common(&mut self) -> &mut Common {
        match self.sdp.medias.last_mut() {
            Some(media) => &mut media.common,
            None => &mut self.sdp.common,
        }
    }

    fn check_order(&mut self, letter: char, number: u32, text: &str) {
        if let Some(seen) = (letter as usize).checked_sub('a' as usize).and_then(|at| self.seen.get_mut(at)) {
            *seen = true;
        }
        let order = if self.sdp.medias.is_empty() { "vosiuepcbtzkam" } else { "micbka" };
        if letter == 'm' {
            self.rank = 0;
            return;
        }
        // r= stands between the t= lines.
        let letter = if letter == 'r' { 't' } else { letter };
        let Some(rank) = order.find(letter) else {
            return;
        };
        if rank < self.rank {
            self.blame(SdpDefectKind::Order, number, text);
        }
        self.rank = self.rank.max(rank);
    }

    fn origin(&mut self, value: &str, number: u32, text: &str) {
        let fields: Vec<&str> = value.split_whitespace().collect();
        if fields.len() != 6 {
            self.blame(SdpDefectKind::OriginFields, number, text);
        }
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        let version = field(2).parse().ok();
        if fields.len() == 6 && (version.is_none() || field(1).parse::<u64>().is_err()) {
            self.blame(SdpDefectKind::OriginNumber, number, text);
        }
        self.sdp.origin = Some(Origin {
            username: field(0).to_owned(),
            session_id: field(1).to_owned(),
            version,
            address: fields.last().copied().unwrap_or_default().to_owned(),
        });
    }

    fn connection(&mut self, value: &str, number: u32, text: &str) {
        let mut fields = value.split_whitespace();
        let (net, family, host) = (fields.next(), fields.next(), fields.next());
        let (Some("IN"), Some("IP4" | "IP6"), Some(host)) = (net, family, host) else {
            return self.blame(SdpDefectKind::BadConnection, number, text);
        };
        let host = host.split('/').next().unwrap_or(host);
        let connection = Connection { host: host.to_owned(), address: host.parse().ok(), is_v6: family == Some("IP6") };
        match self.sdp.medias.last_mut() {
            Some(media) => media.connection = Some(connection),
            None => self.sdp.connection = Some(connection),
        }
    }

    fn media(&mut self, value: &str, number: u32, text: &str) {
        if self.sdp.medias.len() >= MEDIAS_MAX {
            return self.blame(SdpDefectKind::TooMuch, number, text);
        }
        let mut fields = value.split_whitespace();
        let kind = MediaKind::parse(fields.next().unwrap_or_default());
        let (port_text, count) = split_port(fields.next().unwrap_or_default());
        let port = port_text.parse().ok();
        let profile_text = fields.next().unwrap_or_default();
        let profile = Profile::parse(profile_text);
        let codecs: Vec<Codec> = fields.take(FORMATS_MAX).map(Codec::from_format).collect();
        if codecs.is_empty() {
            self.blame(SdpDefectKind::MediaFields, number, text);
        } else if port.is_none() {
            self.blame(SdpDefectKind::BadPort, number, text);
        }
        if profile.is_rtp() {
            self.check_formats(&codecs, number, text);
        }
        self.media_lines.push(text.to_owned());
        self.sdp.medias.push(Media {
            kind,
            port,
            port_count: count,
            profile,
            profile_text: profile_text.to_owned(),
            codecs,
            connection: None,
            common: Common::default(),
            rtcp_port: None,
            is_rtcp_mux: false,
            is_bundle_only: false,
            mid: None,
            preconditions: Vec::new(),
            fax: Vec::new(),
            line: number,
        });
    }

    fn check_formats(&mut self, codecs: &[Codec], number: u32, text: &str) {
        if codecs.iter().any(|codec| codec.payload.is_none()) {
            self.blame(SdpDefectKind::BadFormat, number, text);
        }
        let mut formats = HashSet::new();
        if !codecs.iter().all(|codec| formats.insert(codec.format.as_str())) {
            self.blame(SdpDefectKind::RepeatedFormat, number, text);
        }
    }

    fn finish(mut self) -> Sdp {
        for letter in ['v', 'o', 's', 't'] {
            let is_seen = self.seen.get(letter as usize - 'a' as usize).is_some_and(|&seen| seen);
            if !is_seen {
                self.blame(SdpDefectKind::MissingLine(letter), 0, "");
            }
        }
        let mut medias = std::mem::take(&mut self.sdp.medias);
        let lines = std::mem::take(&mut self.media_lines);
        for (media, line) in medias.iter_mut().zip(&lines) {
            if media.connection.is_none() {
                media.connection.clone_from(&self.sdp.connection);
            }
            inherit(&mut media.common, &self.sdp.common);
            self.check_media(media, line);
        }
        self.sdp.medias = medias;
        self.sdp
    }

    fn check_media(&mut self, media: &Media, text: &str) {
        if media.is_refused() {
            return;
        }
        if media.connection.is_none() {
            self.blame(SdpDefectKind::MissingConnection, media.line, text);
        }
        if media.profile.is_rtp()
            && let Some(codec) = media.codecs.iter().find(|codec| codec.is_dynamic() && !codec.is_mapped)
        {
            let known = self.sdp.defects.len();
            self.blame(SdpDefectKind::MissingMap, media.line, text);
            if let Some(defect) = self.sdp.defects.get_mut(known) {
                defect.payload = codec.payload;
            }
        }
        if media.profile.is_secure() && media.common.crypto.is_empty() && media.common.fingerprint_hash.is_none() {
            self.blame(SdpDefectKind::MissingKey, media.line, text);
        }
    }
}

fn split_line(text: &str) -> Option<(char, &str)> {
    let (letter, value) = text.split_once('=')?;
    let letter = letter.trim();
    let first = letter.chars().next()?;
    (letter.len() == 1).then_some((first, value))
}

fn split_port(text: &str) -> (&str, u32) {
    match text.split_once('/') {
        Some((port, count)) => (port, count.parse().unwrap_or(1)),
        None => (text, 1),
    }
}

/// Fills what a medium does not say for itself from the session level.
fn inherit(media: &mut Common, session: &Common) {
    media.direction = media.direction.or(session.direction);
    media.setup = media.setup.or(session.setup);
    media.ptime = media.ptime.or(session.ptime);
    media.maxptime = media.maxptime.or(session.maxptime);
    if media.fingerprint_hash.is_none() {
        media.fingerprint_hash.clone_from(&session.fingerprint_hash);
    }
    if media.ice == Ice::default() {
        media.ice = session.ice;
    }
    media.ice.has_credentials |= session.ice.has_credentials;
}

#[cfg(test)]
#[path = "description_tests.rs"]
mod tests;
