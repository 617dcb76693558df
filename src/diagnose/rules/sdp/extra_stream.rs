//! Calls that were answered without a line of the offer beside voice.
//!
//! Sources: RFC 3264 section 6, RFC 9143 (bundle-only).

use crate::call::outcome::negotiation::used;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::sdp::offer;
use crate::sip::sdp::MediaKind;

/// A call that was answered without video or another line beside voice.
pub fn left_out(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
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
            .shown_by(Evidence::seen(
                answer.at,
                offer::media_line(context.tables(), answer.session, place).unwrap_or_default(),
                "port 0 refuses this line",
            ))
            .at(answerer, kind)
            .beside(),
    )
}
