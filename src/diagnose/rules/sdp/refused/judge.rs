//! The judgement of a refusal: every dimension of the offer is tested, the best proved one explains, the refuted ones are named.

use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::media_refusal::{Dimension, MediaRefusal};
use crate::diagnose::finding::{Confidence, Observation};
use crate::diagnose::rules::sdp::refused::refusal::Refusal;
use crate::diagnose::rules::sdp::refused::theory::{Judgement, Test, Theory};
use crate::diagnose::rules::sdp::refused::{
    body, codec, family, fax, keys, params, profile, streams, syntax, unexplained,
};

type Ask = fn(&Refusal<'_, '_>) -> Test;

/// The dimensions in the order in which equal explanations are preferred.
const TESTS: &[(Dimension, Ask)] = &[
    (Dimension::Body, body::test),
    (Dimension::Keys, keys::test),
    (Dimension::Profile, profile::test),
    (Dimension::Family, family::test),
    (Dimension::Presence, syntax::test_presence),
    (Dimension::Syntax, syntax::test),
    (Dimension::Fax, fax::test),
    (Dimension::Streams, streams::test),
    (Dimension::Codecs, codec::test),
    (Dimension::Parameters, params::test),
];

/// What a call's refusal of media came to; weighed once, by the first rule that asks.
pub fn explained(context: &CallContext<'_>, by: Option<Dimension>) -> Option<Observation> {
    let refusal = context.media.get_or_init(|| media_refusal(context)).as_ref()?;
    (refusal.explained_by == by).then(|| refusal.seen.clone())
}

fn media_refusal(context: &CallContext<'_>) -> Option<MediaRefusal> {
    let refusal = Refusal::of(context)?;
    let mut judgement = judge(&refusal);
    let theory = judgement.theory.take();
    let explained_by = theory.as_ref().map(|theory| theory.dimension);
    let seen = match theory {
        Some(theory) => observation(&refusal, theory, &judgement),
        None => unexplained::observation(&refusal, &judgement)?,
    };
    Some(MediaRefusal { explained_by, seen })
}

/// Tests every dimension of a refusal.
fn judge(refusal: &Refusal<'_, '_>) -> Judgement {
    let mut judgement = Judgement::default();
    let is_thin = is_thin(refusal);
    // A refusal that says nothing of media is about them only where the offer is missing or cannot be read.
    let is_about_media = refusal.is_about_media();
    let asked = TESTS
        .iter()
        .filter(|(dimension, _)| is_about_media || matches!(dimension, Dimension::Presence | Dimension::Syntax));
    for (dimension, ask) in asked {
        let mut test = ask(refusal);
        if is_thin && let Test::Fits(theory) = &mut test {
            theory.confidence = theory.confidence.lowered();
        }
        judgement.take(*dimension, test);
    }
    judgement
}

/// Whether the capture lacks what one side of the refusing hop says.
fn is_thin(refusal: &Refusal<'_, '_>) -> bool {
    let capture = refusal.context.capture;
    capture.is_one_directional(capture.node(refusal.refuser), capture.node(refusal.offerer))
}

fn observation(refusal: &Refusal<'_, '_>, theory: Theory, judgement: &Judgement) -> Observation {
    let mut why = format!("{}.", theory.why);
    if theory.confidence == Confidence::Possible && !judgement.open.is_empty() {
        why.push_str(&format!(" Also consider {}.", judgement.open_words()));
    }
    let observation = Observation::new(theory.confidence, theory.proof)
        .titled(theory.title)
        .happened(format!(
            "{} refused the call with {} after {}",
            refusal.refuser_name(),
            refusal.code,
            refusal.delay()
        ))
        .because(why)
        .remedy(theory.remedy)
        .shown_by(refusal.shows_offer("what was offered"))
        .shown_by(refusal.shows_refusal())
        .maybe_shown_by(theory.evidence)
        .at(refusal.refuser, theory.signature);
    judgement.rule_out(observation)
}
