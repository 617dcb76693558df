//! Offers compared: in which dimensions two session descriptions differ, and how a reader knows a media line.
//!
//! Sources: RFC 3264 sections 5 and 6, RFC 8866 section 5.14, RFC 4568, RFC 5763.

use crate::call::outcome::negotiation::used;
use crate::call::{SessionId, Tables};
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::rules::sdp::settings;
use crate::sip::Sdp;
use crate::sip::sdp::{Codec, Media, MediaKind, Profile, SdpDefectKind};

/// In which dimensions two offers differ; `None` is an INVITE without offer.
pub fn differences(ours: Option<&Sdp>, theirs: Option<&Sdp>) -> Vec<Dimension> {
    let (ours, theirs) = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours, theirs),
        (None, None) => return Vec::new(),
        _ => return vec![Dimension::Presence],
    };
    let mut found = Vec::new();
    let kinds = |sdp: &Sdp| {
        let mut kinds: Vec<MediaKind> = used(sdp).map(|media| media.kind).collect();
        kinds.sort_unstable();
        kinds
    };
    let pairs: Vec<(&Media, &Media)> =
        used(ours).filter_map(|a| Some((a, used(theirs).find(|b| b.kind == a.kind)?))).collect();
    let any = |differs: fn(&Media, &Media) -> bool| pairs.iter().any(|(a, b)| differs(a, b));
    let tests: [(Dimension, bool); 7] = [
        (Dimension::Streams, kinds(ours) != kinds(theirs)),
        (Dimension::Profile, any(|a, b| a.profile != b.profile)),
        (Dimension::Keys, any(|a, b| a.profile == b.profile && a.profile.is_secure() && keys(a) != keys(b))),
        (Dimension::Family, any(|a, b| is_v6(a) != is_v6(b))),
        (Dimension::Codecs, any(|a, b| a.codecs != b.codecs && codec_keys(a) != codec_keys(b))),
        (Dimension::Parameters, any(|a, b| !settings::differences(a, b).is_empty())),
        (Dimension::Syntax, defects(ours) != defects(theirs)),
    ];
    found.extend(tests.iter().filter(|test| test.1).map(|test| test.0));
    found
}

/// Whether two offers are alike in every dimension but these; codec parameters never count.
pub fn differs_only_in(found: &[Dimension], allowed: &[Dimension]) -> bool {
    found.iter().all(|one| *one == Dimension::Parameters || allowed.contains(one))
}

fn defects(sdp: &Sdp) -> Vec<SdpDefectKind> {
    let mut kinds: Vec<_> = sdp.defects.iter().map(|defect| defect.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn keys(media: &Media) -> (Vec<&str>, bool) {
    let mut suites: Vec<&str> = suites(media);
    suites.sort_unstable();
    (suites, media.common.fingerprint_hash.is_some())
}

/// The SDES suites of a line as sent.
pub fn suites(media: &Media) -> Vec<&str> {
    let crypto = media.common.crypto.iter();
    crypto.map(|crypto| crypto.suite.as_str()).collect()
}

fn is_v6(media: &Media) -> Option<bool> {
    media.connection.as_ref().map(|connection| connection.is_v6)
}

fn codec_keys(media: &Media) -> Vec<String> {
    let mut keys: Vec<String> = media.real_codecs().map(Codec::key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether two lists of codecs have a real one in common, by name alone: the mildest reading.
pub fn share_codec<'a>(ours: &'a Media, theirs: &Media) -> Option<&'a Codec> {
    ours.real_codecs().find(|codec| theirs.real_codecs().any(|other| other.common_name() == codec.common_name()))
}

/// The families of addresses that a line can be reached at: IPv4, IPv6.
pub fn families(media: &Media) -> (bool, bool) {
    let ice = media.common.ice;
    let connection = media.connection.as_ref();
    let v6 = connection.is_some_and(|connection| connection.is_v6);
    let v4 = connection.is_some_and(|connection| !connection.is_v6);
    (v4 || ice.has_v4, v6 || ice.has_v6)
}

/// The one family that all lines in use can be reached by: true for IPv6; `None` where both or none is there.
pub fn only_family(sdp: &Sdp) -> Option<bool> {
    let has_address = |media: &&Media| media.connection.as_ref().is_some_and(|connection| connection.address.is_some());
    let (mut v4, mut v6) = (false, false);
    for media in used(sdp).filter(has_address) {
        let (has_v4, has_v6) = families(media);
        (v4, v6) = (v4 || has_v4, v6 || has_v6);
    }
    (v4 != v6).then_some(v6)
}

/// `IPv6` or `IPv4`.
pub fn family_name(is_v6: bool) -> &'static str {
    if is_v6 { "IPv6" } else { "IPv4" }
}

/// How bad a defect is for a reader of the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// Readers pass over it.
    None,
    /// Some readers refuse it.
    Odd,
    /// What it spoils cannot be read.
    Grave,
}

/// How bad a kind of defect is.
pub fn gravity(kind: SdpDefectKind) -> Gravity {
    use SdpDefectKind as K;
    match kind {
        K::MissingKey | K::BadCrypto | K::TooMuch | K::UnlistedMap | K::RepeatedFormat => Gravity::None,
        K::MissingLine('s' | 't') | K::Order | K::NotUtf8 | K::OriginNumber | K::OriginFields => Gravity::Odd,
        _ => Gravity::Grave,
    }
}

/// `G729 (18), PCMU (0)`: the real codecs of a line.
pub fn codec_names(media: &Media) -> String {
    list(media.real_codecs().map(codec_name))
}

/// The codecs of a media line, each with its payload number.
pub fn each_codec(media: &Media) -> Vec<String> {
    media.real_codecs().map(codec_name).collect()
}

/// A codec with its payload number: `PCMA (8)`.
pub fn codec_name(codec: &Codec) -> String {
    match codec.payload {
        Some(payload) => format!("{} ({payload})", codec.name),
        None => codec.name.clone(),
    }
}

/// The first few of some names, and how many more there are.
pub fn list(names: impl Iterator<Item = String>) -> String {
    /// Names that a sentence can bear.
    const NAMES_MAX: usize = 6;
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    match (names.split_last(), more) {
        (None, _) => String::new(),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, rest)), 0) => format!("{} and {last}", rest.join(", ")),
        (Some(_), more) => format!("{} and {more} more", names.join(", ")),
    }
}

/// The media line at a place as it was sent.
pub fn media_line(tables: &Tables, session: SessionId, place: usize) -> Option<String> {
    let media = tables.sessions.shape(session).medias.get(place)?;
    let port = tables.sessions.media(session).get(place).map(|at| at.port).or(media.port).unwrap_or(0);
    let formats: Vec<&str> = media.codecs.iter().map(|codec| codec.format.as_str()).collect();
    Some(format!("m={} {port} {} {}", media.kind.word(), media.profile_text, formats.join(" ")))
}

/// Every media line in use as sent, a few at most.
pub fn media_lines(tables: &Tables, session: SessionId) -> String {
    /// Lines that evidence quotes.
    const LINES_MAX: usize = 4;
    let sdp = tables.sessions.shape(session);
    let lines = (0..sdp.medias.len().min(LINES_MAX)).filter_map(|place| media_line(tables, session, place));
    lines.collect::<Vec<_>>().join("; ")
}

/// How a reader knows a profile.
pub fn profile_words(media: &Media) -> String {
    let meaning = match media.profile {
        Profile::RtpAvp | Profile::RtpAvpf => "plain RTP",
        Profile::RtpSavp | Profile::RtpSavpf => "SRTP",
        Profile::DtlsSavp | Profile::DtlsSavpf => "DTLS-SRTP, as browsers do",
        Profile::Udptl => "T.38 fax",
        _ => return media.profile_text.clone(),
    };
    format!("{} ({meaning})", media.profile_text)
}
