//! Refusals of sdp-t38-refused: calls that begin as fax.
//!
//! Sources: ITU-T T.38 annex D, RFC 7345 (fax profiles).

use crate::call::outcome::negotiation::used;
use crate::diagnose::background::media_capabilities::FactKind;
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::sdp::refused::refusal::Refusal;
use crate::diagnose::rules::sdp::refused::theory::{Test, Theory};
use crate::sip::Sdp;
use crate::sip::sdp::{MediaKind, Profile};

fn is_fax_alone(sdp: &Sdp) -> bool {
    let mut lines = used(sdp).peekable();
    lines.peek().is_some() && lines.all(|media| media.kind == MediaKind::Image)
}

/// Tests whether a call that began as fax was refused as such.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(ours) = refusal.offer.filter(|offer| is_fax_alone(offer)) else {
        return Test::Silent;
    };
    let accepted = refusal.known(FactKind::Accepted).find(|fact| {
        let answer = refusal.shape(fact.answer);
        answer.is_some_and(|answer| used(answer).any(|media| media.kind == MediaKind::Image))
    });
    if let Some(fact) = accepted {
        return Test::Refuted(format!("it took T.38 before (frame {})", fact.at.frame));
    }
    let takes_voice = refusal.known(FactKind::Accepted).next().is_some();
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offerer), capture.name(refusal.refuser));
    let has_udptl = used(ours).any(|media| media.profile == Profile::Udptl);
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Fax,
        confidence: if takes_voice { Confidence::Likely } else { Confidence::Possible },
        proof: Proof::Comparison,
        title: "A T.38 fax call was refused".to_owned(),
        why: format!("the offer has fax alone ({})", if has_udptl { "T.38 over UDPTL" } else { "image" }),
        remedy: format!(
            "On {refuser}: enable T.38. Or on {offerer}: begin with voice (PCMU or PCMA) and switch to T.38 later."
        )
        .into(),
        evidence: Vec::new(),
        signature: "t38".to_owned(),
    }))
}
