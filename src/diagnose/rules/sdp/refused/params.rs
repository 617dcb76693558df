//! Refusals of sdp-codec-params: the same codec, with parameters that the refuser does not take.
//!
//! Sources: RFC 3264 section 6.1, RFC 4733 section 2.4.

use crate::diagnose::background::media_capabilities::FactKind;
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Proof, Steps};
use crate::diagnose::rules::sdp::clash::clash;
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::refused::refusal::{Refusal, main_line};
use crate::diagnose::rules::sdp::refused::theory::{Test, Theory};
use crate::diagnose::rules::sdp::settings;
use crate::sip::sdp::Media;

/// Accepted and refused offers from which on a comparison is more than chance.
const ACCEPTED_MIN: u32 = 3;
/// See [`ACCEPTED_MIN`].
const REFUSED_MIN: u32 = 2;

/// Tests whether parameters were refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(line) = refusal.main_line() else {
        return Test::Silent;
    };
    if let Some(theory) = by_retry(refusal, line) {
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
    by_other_calls(refusal, line)
}

/// The next try of the caller differed in settings alone and was accepted.
fn by_retry(refusal: &Refusal<'_, '_>, line: &Media) -> Option<Theory> {
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
fn by_other_calls(refusal: &Refusal<'_, '_>, line: &Media) -> Test {
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
