//! sdp-codec-params: the same codec with parameters that do not fit together.
//!
//! Sources: RFC 3264 section 6.1, RFC 4867 section 8, RFC 3952 section 5, RFC 4733 section 2.4, RFC 6184 section 8.

use std::collections::BTreeSet;

use crate::diagnose::background::media_capabilities::FactKind;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rules::sdp::judge::{Test, Theory, explain};
use crate::diagnose::rules::sdp::offer::{self, Dimension};
use crate::diagnose::rules::sdp::refusal::{Refusal, main_line};
use crate::diagnose::rules::sdp::settings;
use crate::sip::sdp::{Codec, Media};

/// Accepted and refused offers from which on a comparison is more than chance.
const ACCEPTED_MIN: u32 = 3;
/// See [`ACCEPTED_MIN`].
const REFUSED_MIN: u32 = 2;

/// A parameter in which two sides differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    codec: String,
    ours: String,
    theirs: String,
}

/// Codec, parameter, value where it is absent: parameters that both sides must give alike. The mode of iLBC is none of them:
/// where the sides differ, both use the frames of 30 ms (RFC 3952 section 5).
const SYMMETRIC: &[(&str, &str, &str)] =
    &[("AMR", "octet-align", "0"), ("AMR-WB", "octet-align", "0"), ("H264", "packetization-mode", "0")];

/// The first parameter of a common codec that must be equal and is not.
///
/// Quiet where any common codec has no such clash: the two sides can use that one.
fn clash(ours: &Media, theirs: &Media) -> Option<Clash> {
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
    let told = |codec: &Codec| -> Option<String> {
        let value = codec.parameter("profile-level-id")?;
        Some(value.get(..2)?.to_ascii_lowercase())
    };
    let (a, b) = (told(ours)?, told(theirs)?);
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

/// Tests whether parameters were refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(line) = refusal.main_line() else {
        return Test::Silent;
    };
    if let Some(theory) = cured(refusal, line) {
        return Test::Fits(Box::new(theory));
    }
    let mut known = refusal
        .known(FactKind::Accepted)
        .chain(refusal.known(FactKind::Described))
        .filter_map(|fact| refusal.shape(fact.answer))
        .chain(refusal.listed)
        .filter_map(main_line);
    if let Some(clash) = known.find_map(|theirs| clash(line, theirs)) {
        let why = format!(
            "both sides know {} but the offer wants {} and the refuser {}",
            clash.codec, clash.ours, clash.theirs
        );
        let settings = Some((clash.ours, clash.theirs));
        return Test::Fits(Box::new(theory(refusal, line, Confidence::Likely, why, settings)));
    }
    compared(refusal, line)
}

/// The next try of the caller differed in settings alone and was accepted.
fn cured(refusal: &Refusal<'_, '_>, line: &Media) -> Option<Theory> {
    let retry = refusal.retry?;
    let theirs = main_line(refusal.shape(retry.offer)?)?;
    if refusal.retry_differences() != [Dimension::Parameters] {
        return None;
    }
    let found = settings::differences(line, theirs);
    let why = match found.is_empty() {
        // The difference is in another line, such as that of video.
        true => "the next try, which differed in packet time or codec parameters alone, was accepted".to_owned(),
        false => format!(
            "it does not take {}: the next try, with {} and otherwise alike, was accepted",
            settings::ours(&found),
            settings::theirs(&found)
        ),
    };
    let settings = (!found.is_empty()).then(|| (settings::ours(&found), settings::theirs(&found)));
    let mut theory = theory(refusal, line, Confidence::Certain, why, settings);
    theory.evidence.push(refusal.shows_session(retry.at, retry.answer, "the retry with other parameters was accepted"));
    Some(theory)
}

/// Offers of the same form were accepted in other calls, every one of them with another value of a setting.
fn compared(refusal: &Refusal<'_, '_>, line: &Media) -> Test {
    let alike = |kind| {
        refusal.known(kind).filter_map(|fact| {
            let offer = refusal.shape(fact.offer)?;
            let found = offer::differences(refusal.offer, Some(offer));
            let is_alike = offer::differs_only_in(&found, &[]);
            Some((fact, main_line(offer)?)).filter(|_| is_alike)
        })
    };
    let accepted: Vec<_> = alike(FactKind::Accepted).collect();
    let Some((first, theirs)) = accepted.first() else {
        return Test::Open;
    };
    let mut left = settings::differences(line, theirs);
    for (fact, theirs) in &accepted {
        let found = settings::differences(line, theirs);
        if found.is_empty() {
            return Test::Refuted(format!("it accepted the same ones in another call (frame {})", fact.at.frame));
        }
        left.retain(|one| found.iter().any(|other| one.is_same_for_us(other)));
    }
    let is_lone = left.len() == 1;
    let (Some(_), true) = (left.first(), is_lone) else {
        return Test::Open;
    };
    // Whoever refuses the good value too refuses for another reason.
    let refused: Vec<_> = alike(FactKind::Refused).collect();
    let with_ours = |theirs: &Media| {
        !settings::differences(line, theirs).iter().any(|other| left.iter().any(|one| one.is_same_for_us(other)))
    };
    if refused.iter().any(|(_, theirs)| !with_ours(theirs)) {
        return Test::Open;
    }
    let taken: u32 = accepted.iter().map(|(fact, _)| fact.count).sum();
    let not_taken: u32 = refused.iter().map(|(fact, _)| fact.count).sum();
    let confidence = match (taken >= ACCEPTED_MIN, not_taken >= REFUSED_MIN) {
        (true, true) => Confidence::Likely,
        _ => Confidence::Possible,
    };
    let why = format!(
        "the offer has {}: {not_taken} such offers were refused, and {taken} that were alike but for that were accepted (frame {}, {})",
        settings::ours(&left),
        first.at.frame,
        settings::theirs(&left)
    );
    let settings = Some((settings::ours(&left), settings::theirs(&left)));
    let mut theory = theory(refusal, line, confidence, why, settings);
    theory.evidence.push(refusal.shows_session(
        first.at,
        first.answer,
        "the same device accepted the offer without it",
    ));
    Test::Fits(Box::new(theory))
}

/// `settings` are the refused ones and those that were taken, where they are known.
fn theory(
    refusal: &Refusal<'_, '_>,
    line: &Media,
    confidence: Confidence,
    why: String,
    settings: Option<(String, String)>,
) -> Theory {
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offerer), capture.name(refusal.refuser));
    let remedy: Steps = match settings {
        Some((ours, theirs)) => Steps::from([
            format!("On {offerer}: offer {theirs} in place of {ours} towards {refuser}."),
            format!("Or on {refuser}: take {ours}."),
        ]),
        None => format!("Set equal packet time and codec parameters on {offerer} and {refuser}.").into(),
    };
    Theory {
        dimension: Dimension::Parameters,
        confidence,
        proof: Proof::Comparison,
        title: "Same codec, other parameters".to_owned(),
        why,
        remedy,
        evidence: Vec::new(),
        signature: offer::codec_names(line),
    }
}

/// The rule: refusals, and calls that were answered with parameters that clash.
pub fn sdp_codec_params(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return explain(context, Dimension::Parameters);
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
