//! sdp-stream-refused: video or another extra line, refused for itself or with the whole call.
//!
//! Sources: RFC 3264 section 6, RFC 9143 (bundle-only), RFC 3261 section 20.43 (Warning 304).

use crate::call::outcome::negotiation::used;
use crate::diagnose::background::media_capabilities::FactKind;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rules::sdp::judge::{Test, Theory, explain};
use crate::diagnose::rules::sdp::offer::{self, Dimension};
use crate::diagnose::rules::sdp::refusal::Refusal;
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

/// The rule: refusals, and calls that were answered without the extra line.
pub fn sdp_stream_refused(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return explain(context, Dimension::Streams);
    }
    let exchange = context.opening()?;
    let (offer, answer) = (context.message(exchange.offer?)?, context.message(exchange.answer?)?);
    let sessions = &context.tables().sessions;
    let (offered, answered) = (sessions.shape(offer.session), sessions.shape(answer.session));
    let pairs = offered.medias.iter().zip(&answered.medias).enumerate();
    let mut refused = pairs.filter(|(_, (ours, theirs))| {
        !ours.is_refused()
            && ours.port != Some(0)
            && theirs.is_refused()
            && !matches!(ours.kind, MediaKind::Audio | MediaKind::Image)
    });
    let (place, (ours, _)) = refused.next()?;
    let still_talks = used(answered).any(|media| media.kind == MediaKind::Audio);
    if !still_talks {
        return None;
    }
    let kind = ours.kind.word();
    let answerer = answer.source;
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .info()
            .titled(format!("Answered without {kind}"))
            .happened(format!(
                "{} does not take the {kind} part of the offer (m-line {}) and accepted the rest.",
                context.name(answerer),
                place + 1
            ))
            .remedy(format!("Nothing is broken; to have {kind}, enable it on {}.", context.capture.name(answerer)))
            .shown_by(crate::diagnose::finding::Evidence::seen(
                answer.at,
                offer::media_line(context.tables(), answer.session, place).unwrap_or_default(),
                "port 0 refuses this line",
            ))
            .at(answerer, kind)
            .beside(),
    )
}
