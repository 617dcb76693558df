//! From the lines of a body to a session description. Nothing is refused: what reads is kept, what does not is a defect.
//!
//! Source: RFC 8866 section 5.

use std::collections::HashSet;

use memchr::memchr;

use crate::sip::sdp::attribute;
use crate::sip::sdp::codec::Codec;
use crate::sip::sdp::defect::SdpDefectKind;
use crate::sip::sdp::description::{Origin, Sdp};
use crate::sip::sdp::media::{Common, Connection, Ice, Media, MediaKind, Profile};
use crate::sip::sdp::partial::PartialSdp;

/// m= lines that are read; WebRTC conferences have dozens.
const MEDIAS_MAX: usize = 64;
/// Formats of one m= line that are read: there are no more payload types.
const FORMATS_MAX: usize = 128;
/// Lines that are read; candidate lists of browsers have some hundreds.
const LINES_MAX: u32 = 4096;

impl Sdp {
    /// Reads a body of type application/sdp.
    pub fn parse(body: &[u8]) -> Self {
        let mut reader = Reader::default();
        if body.trim_ascii().is_empty() {
            reader.partial.blame(SdpDefectKind::Empty, 0, "");
            return reader.partial.sdp;
        }
        let mut rest = body.trim_ascii_end();
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            if number > LINES_MAX {
                reader.partial.blame(SdpDefectKind::TooMuch, number, "");
                break;
            }
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            let line = rest.get(..end).unwrap_or(rest);
            rest = rest.get(end + 1..).unwrap_or_default();
            reader.line(line.strip_suffix(b"\r").unwrap_or(line), number);
        }
        reader.finish()
    }
}

/// A description while its lines are read.
#[derive(Default)]
struct Reader {
    partial: PartialSdp,
    seen: [bool; 26],
    rank: usize,
    /// The m= lines as sent, for defects that only the end of the description shows.
    media_lines: Vec<String>,
}

impl Reader {
    fn line(&mut self, bytes: &[u8], number: u32) {
        if bytes.trim_ascii().is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.partial.blame(SdpDefectKind::NotUtf8, number, &text);
        }
        let Some((letter, value)) = split_line(&text) else {
            return self.partial.blame(SdpDefectKind::NotALine, number, &text);
        };
        self.check_order(letter, number, &text);
        match letter {
            'v' if value.trim() != "0" => self.partial.blame(SdpDefectKind::BadVersion, number, &text),
            'o' => self.origin(value, number, &text),
            's' => self.partial.sdp.session_name = value.to_owned(),
            'c' => self.connection(value, number, &text),
            'b' => self.partial.common().bandwidth.push(value.trim().to_owned()),
            'm' => self.media(value, number, &text),
            'a' => attribute::read(&mut self.partial, value, number, &text),
            _ => {}
        }
    }

    fn check_order(&mut self, letter: char, number: u32, text: &str) {
        if let Some(seen) = (letter as usize).checked_sub('a' as usize).and_then(|at| self.seen.get_mut(at)) {
            *seen = true;
        }
        let order = if self.partial.sdp.medias.is_empty() { "vosiuepcbtzkam" } else { "micbka" };
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
            self.partial.blame(SdpDefectKind::Order, number, text);
        }
        self.rank = self.rank.max(rank);
    }

    fn origin(&mut self, value: &str, number: u32, text: &str) {
        let fields: Vec<&str> = value.split_whitespace().collect();
        if fields.len() != 6 {
            self.partial.blame(SdpDefectKind::OriginFields, number, text);
        }
        let field = |at: usize| fields.get(at).copied().unwrap_or_default();
        let version = field(2).parse().ok();
        if fields.len() == 6 && (version.is_none() || field(1).parse::<u64>().is_err()) {
            self.partial.blame(SdpDefectKind::OriginNumber, number, text);
        }
        self.partial.sdp.origin = Some(Origin {
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
            return self.partial.blame(SdpDefectKind::BadConnection, number, text);
        };
        let host = host.split('/').next().unwrap_or(host);
        let connection = Connection { host: host.to_owned(), address: host.parse().ok(), is_v6: family == Some("IP6") };
        match self.partial.sdp.medias.last_mut() {
            Some(media) => media.connection = Some(connection),
            None => self.partial.sdp.connection = Some(connection),
        }
    }

    fn media(&mut self, value: &str, number: u32, text: &str) {
        if self.partial.sdp.medias.len() >= MEDIAS_MAX {
            return self.partial.blame(SdpDefectKind::TooMuch, number, text);
        }
        let mut fields = value.split_whitespace();
        let kind = MediaKind::parse(fields.next().unwrap_or_default());
        let (port_text, count) = split_port(fields.next().unwrap_or_default());
        let port = port_text.parse().ok();
        let profile_text = fields.next().unwrap_or_default();
        let profile = Profile::parse(profile_text);
        let codecs: Vec<Codec> = fields.take(FORMATS_MAX).map(Codec::from_format).collect();
        if codecs.is_empty() {
            self.partial.blame(SdpDefectKind::MediaFields, number, text);
        } else if port.is_none() {
            self.partial.blame(SdpDefectKind::BadPort, number, text);
        }
        if profile.is_rtp() {
            self.check_formats(&codecs, number, text);
        }
        self.media_lines.push(text.to_owned());
        self.partial.sdp.medias.push(Media {
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
            self.partial.blame(SdpDefectKind::BadFormat, number, text);
        }
        let mut formats = HashSet::new();
        if !codecs.iter().all(|codec| formats.insert(codec.format.as_str())) {
            self.partial.blame(SdpDefectKind::RepeatedFormat, number, text);
        }
    }

    fn finish(mut self) -> Sdp {
        for letter in ['v', 'o', 's', 't'] {
            let is_seen = self.seen.get(letter as usize - 'a' as usize).is_some_and(|&seen| seen);
            if !is_seen {
                self.partial.blame(SdpDefectKind::MissingLine(letter), 0, "");
            }
        }
        let mut medias = std::mem::take(&mut self.partial.sdp.medias);
        let lines = std::mem::take(&mut self.media_lines);
        for (media, line) in medias.iter_mut().zip(&lines) {
            if media.connection.is_none() {
                media.connection.clone_from(&self.partial.sdp.connection);
            }
            inherit(&mut media.common, &self.partial.sdp.common);
            self.check_media(media, line);
        }
        self.partial.sdp.medias = medias;
        self.partial.sdp
    }

    fn check_media(&mut self, media: &Media, text: &str) {
        if media.is_refused() {
            return;
        }
        if media.connection.is_none() {
            self.partial.blame(SdpDefectKind::MissingConnection, media.line, text);
        }
        if media.profile.is_rtp()
            && let Some(codec) = media.codecs.iter().find(|codec| codec.is_dynamic() && !codec.is_mapped)
        {
            let known = self.partial.sdp.defects.len();
            self.partial.blame(SdpDefectKind::MissingMap, media.line, text);
            if let Some(defect) = self.partial.sdp.defects.get_mut(known) {
                defect.payload = codec.payload;
            }
        }
        if media.profile.is_secure() && media.common.crypto.is_empty() && media.common.fingerprint_hash.is_none() {
            self.partial.blame(SdpDefectKind::MissingKey, media.line, text);
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
#[path = "parse_tests.rs"]
mod tests;
