//! Parameters of a common codec that two sides must give alike and do not.
//!
//! Sources: RFC 3264 section 6.1, RFC 4867 section 8, RFC 3952 section 5, RFC 6184 section 8.

use std::collections::BTreeSet;

use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::sdp::offer;
use crate::sip::sdp::{Codec, Media};

/// A parameter in which two sides differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Name of the codec.
    pub codec: String,
    /// What the offer gives.
    pub ours: String,
    /// What the other side gives.
    pub theirs: String,
}

/// Codec, parameter, value where it is absent: parameters that both sides must give alike. The mode of iLBC is none of them:
/// where the sides differ, both use the frames of 30 ms (RFC 3952 section 5).
const SYMMETRIC: &[(&str, &str, &str)] =
    &[("AMR", "octet-align", "0"), ("AMR-WB", "octet-align", "0"), ("H264", "packetization-mode", "0")];

/// The first parameter of a common codec that must be equal and is not.
///
/// Quiet where any common codec has no such clash: the two sides can use that one.
pub fn clash(ours: &Media, theirs: &Media) -> Option<Clash> {
    let mut first = None;
    for own in ours.real_codecs() {
        let name = own.common_name();
        for other in theirs.real_codecs().filter(|b| b.common_name() == name) {
            let clash = codec_clash(own, other)?;
            first.get_or_insert(clash);
        }
    }
    first
}

fn codec_clash(ours: &Codec, theirs: &Codec) -> Option<Clash> {
    let differs = |(name, parameter, default): &(&str, &'static str, &'static str)| {
        if ours.common_name() != *name {
            return None;
        }
        let value = |codec: &Codec| codec.parameter(parameter).unwrap_or(default).to_owned();
        let (a, b) = (value(ours), value(theirs));
        (a != b).then(|| Clash {
            codec: ours.name.clone(),
            ours: format!("{parameter}={a}"),
            theirs: format!("{parameter}={b}"),
        })
    };
    SYMMETRIC.iter().find_map(differs).or_else(|| mode_clash(ours, theirs)).or_else(|| profile_clash(ours, theirs))
}

/// Two sets of AMR modes that have none in common (RFC 4867 section 8.3.1); a set that is left out has all.
fn mode_clash(ours: &Codec, theirs: &Codec) -> Option<Clash> {
    if !matches!(ours.common_name(), "AMR" | "AMR-WB") {
        return None;
    }
    let (a, b) = (ours.parameter("mode-set")?, theirs.parameter("mode-set")?);
    let modes = |set: &str| -> BTreeSet<u8> {
        let modes = set.split(',').map_while(|mode| mode.trim().parse().ok());
        modes.collect()
    };
    let (own, other) = (modes(a), modes(b));
    let has_common = own.intersection(&other).next().is_some();
    (!own.is_empty() && !other.is_empty() && !has_common).then(|| Clash {
        codec: ours.name.clone(),
        ours: format!("mode-set={a}"),
        theirs: format!("mode-set={b}"),
    })
}

/// Two H.264 profiles (RFC 6184 section 8.2.2): the first byte of profile-level-id; levels may differ.
fn profile_clash(ours: &Codec, theirs: &Codec) -> Option<Clash> {
    if ours.common_name() != "H264" {
        return None;
    }
    let profile = |codec: &Codec| -> Option<String> {
        let value = codec.parameter("profile-level-id")?;
        Some(value.get(..2)?.to_ascii_lowercase())
    };
    let (a, b) = (profile(ours)?, profile(theirs)?);
    let is_same = a == b || is_constrained_baseline(ours) && is_constrained_baseline(theirs);
    (!is_same).then(|| Clash {
        codec: ours.name.clone(),
        ours: format!("profile {a} (profile-level-id)"),
        theirs: format!("profile {b}"),
    })
}

/// The one profile that several numbers mean: constrained baseline (RFC 6184 section 8.1, table 5).
fn is_constrained_baseline(codec: &Codec) -> bool {
    let byte = |range: std::ops::Range<usize>| -> Option<u8> {
        u8::from_str_radix(codec.parameter("profile-level-id")?.get(range)?, 16).ok()
    };
    match (byte(0..2), byte(2..4)) {
        (Some(0x42), Some(flags)) => flags & 0x4f == 0x40,
        (Some(0x4d), Some(flags)) => flags & 0x8f == 0x80,
        (Some(0x58), Some(flags)) => flags & 0xcf == 0xc0,
        _ => false,
    }
}

/// A call that was answered with parameters that clash.
pub fn clashing(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let exchange = context.opening()?;
    let (offer, answer) = (context.message(exchange.offer?)?, context.message(exchange.answer?)?);
    let sessions = &context.tables().sessions;
    let (ours, theirs) = (sessions.shape(offer.session), sessions.shape(answer.session));
    let mut pairs = ours.medias.iter().zip(&theirs.medias).enumerate();
    let (place, kind, clash) = pairs.find_map(|(place, (a, b))| {
        let is_used = !a.is_refused() && !b.is_refused();
        Some((place, a.kind, is_used.then(|| clash(a, b))??))
    })?;
    let tables = context.tables();
    let line = |message: &crate::call::Message| offer::media_line(tables, message.session, place).unwrap_or_default();
    Some(
        Observation::new(Confidence::Likely, Proof::Protocol)
            .warn()
            .titled(format!("{} with parameters that do not fit", clash.codec))
            .happened(format!(
                "Both sides know {} but {} wants {} and {} {}: {} may be distorted or missing.",
                clash.codec,
                context.name(offer.source),
                clash.ours,
                context.name(answer.source),
                clash.theirs,
                kind.word()
            ))
            .remedy(format!(
                "Let {} answer with what was offered ({}), or let {} offer what the other side wants.",
                context.capture.name(answer.source),
                clash.ours,
                context.capture.name(offer.source)
            ))
            .shown_by(Evidence::seen(offer.at, line(offer), clash.ours.clone()))
            .shown_by(Evidence::seen(answer.at, line(answer), clash.theirs.clone()))
            .at(answer.source, format!("{} {}", clash.codec, clash.theirs))
            .beside(),
    )
}
