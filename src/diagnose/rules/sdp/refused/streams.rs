//! Refusals of sdp-stream-refused: calls that were refused with their video or another line beside voice.
//!
//! Sources: RFC 3264 section 6, RFC 3261 section 20.43 (Warning 304).

use crate::call::outcome::negotiation::used;
use crate::diagnose::background::media_capabilities::FactKind;
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::refused::refusal::Refusal;
use crate::diagnose::rules::sdp::refused::theory::{Test, Theory};
use crate::sip::Sdp;
use crate::sip::sdp::MediaKind;

/// The kinds beside voice, each once.
fn extra_kinds(sdp: &Sdp) -> Vec<MediaKind> {
    let kinds = used(sdp).map(|media| media.kind);
    let mut kinds: Vec<MediaKind> = kinds.filter(|kind| *kind != MediaKind::Audio).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Tests whether an extra line was refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(ours) = refusal.offer else {
        return Test::Silent;
    };
    let extra = extra_kinds(ours);
    let has_audio = used(ours).any(|media| media.kind == MediaKind::Audio);
    if extra.is_empty() || !has_audio && extra.len() < 2 {
        return Test::Silent;
    }
    let with_all = refusal.known(FactKind::Accepted).find(|fact| {
        let theirs = refusal.shape(fact.offer).map(extra_kinds).unwrap_or_default();
        extra.iter().all(|kind| theirs.contains(kind))
    });
    if let Some(fact) = with_all {
        return Test::Refuted(format!("it accepted an offer with these lines (frame {})", fact.at.frame));
    }
    let words = offer::list(extra.iter().map(|kind| kind.word().to_owned()));
    let mut evidence = Vec::new();
    let (confidence, proof, why) = if refusal.is_cured_by(Dimension::Streams) {
        let retry = refusal.retry.filter(|retry| !retry.answer.is_absent());
        evidence.extend(
            retry.map(|retry| refusal.shows_session(retry.at, retry.answer, "the retry with fewer lines was accepted")),
        );
        let why = format!("the next try without {words} was accepted");
        (Confidence::Certain, Proof::Comparison, why)
    } else if let Some(why) = own_words(refusal, &extra) {
        (Confidence::Likely, Proof::OwnWords, why)
    } else if let Some((fact, _, _)) = refusal.accepted_but_for(&[Dimension::Streams]).next() {
        evidence.push(refusal.shows_session(fact.at, fact.answer, "the same voice offer, accepted"));
        let why = format!("it accepted the same voice offer without {words} (frame {})", fact.at.frame);
        (Confidence::Likely, Proof::Comparison, why)
    } else {
        return Test::Open;
    };
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offerer), capture.name(refusal.refuser));
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Streams,
        confidence,
        proof,
        title: format!("The call was refused with its {words}"),
        why: format!(
            "the offer has {words} beside voice and {why}; RFC 3264 would let it refuse that line alone with port 0"
        ),
        remedy: format!(
            "On {offerer}: do not offer {words} to {refuser}. Or make {refuser} answer such lines with port 0."
        )
        .into(),
        evidence,
        signature: words,
    }))
}

fn own_words(refusal: &Refusal<'_, '_>, extra: &[MediaKind]) -> Option<String> {
    let words = &refusal.words;
    let named = extra.iter().find(|kind| words.text.contains(kind.word()));
    let warning = refusal.context.header(refusal.response, crate::sip::HeaderName::Warning);
    if (words.warnings.contains(&304) || named.is_some())
        && let Some(warning) = warning
    {
        return Some(format!("the refusal says `{warning}`"));
    }
    let listed = refusal.listed?;
    let shares = refusal.main_line().is_some_and(|line| {
        let mut theirs = used(listed);
        theirs.any(|theirs| offer::share_codec(line, theirs).is_some())
    });
    (shares && extra_kinds(listed).is_empty()).then(|| format!("the {} lists voice alone", refusal.code))
}
