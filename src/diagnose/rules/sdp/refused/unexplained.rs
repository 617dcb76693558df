//! sdp-unexplained-488: media were refused, and the capture does not prove which dimension of the offer it was.
//!
//! Source: RFC 3261 sections 21.4.26 and 21.6.4.

use crate::call::outcome::negotiation::{is_whole, used};
use crate::diagnose::background::media_capabilities::FactKind;
use crate::diagnose::finding::{Confidence, Observation, Proof, Steps};
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::refused::refusal::Refusal;
use crate::diagnose::rules::sdp::refused::theory::Judgement;
use crate::sip::HeaderName;

/// What is to be said where no theory fits; `None` where the code need not be about media.
pub fn observation(refusal: &Refusal<'_, '_>, judgement: &Judgement) -> Option<Observation> {
    if !matches!(refusal.code, 488 | 606) {
        return None;
    }
    let observation = Observation::new(Confidence::Possible, Proof::CodeMeaning)
        .titled("Media refused, the reason is not in the capture")
        .happened(explanation(refusal, judgement))
        .remedy(remedy(refusal))
        .shown_by(refusal.shows_refusal())
        .shown_by(refusal.shows_offer("what was offered"))
        .at(refusal.refuser, refusal.code);
    Some(judgement.rule_out(observation))
}

fn explanation(refusal: &Refusal<'_, '_>, judgement: &Judgement) -> String {
    let mut text =
        format!("{} refused the session with {} after {}", refusal.refuser_name(), refusal.code, refusal.delay());
    match refusal.context.header(refusal.response, HeaderName::Warning) {
        Some(warning) => text.push_str(&format!(", Warning `{warning}`.")),
        None => text.push_str(" and gives no reason."),
    }
    if let Some((count, frame)) = same_offer_accepted(refusal) {
        text.push_str(&format!(
            " It accepted the same offer in {count} of its calls (frame {frame}), so that it is not the offer alone: the \
             callee, the moment or a call limit decides."
        ));
        return text;
    }
    if !is_whole(refusal.request) {
        text.push_str(" The capture cut the INVITE, so its offer cannot be judged.");
        return text;
    }
    if refusal.offer.is_some_and(|offer| used(offer).next().is_none()) {
        text.push_str(" Every m-line of the offer has port 0, so that it offers no media at all.");
        return text;
    }
    if let Some(line) = refusal.main_line() {
        let family = refusal.offer.and_then(offer::only_family);
        text.push_str(&format!(
            " The offer had {} over {}{}.",
            offer::codec_names(line),
            line.profile_text,
            family.map(|v6| format!(", {}", offer::family_name(v6))).unwrap_or_default()
        ));
    }
    let refuted = judgement.refuted.iter();
    let refuted: Vec<String> =
        refuted.map(|(dimension, because)| format!("{} ({because})", dimension.word())).collect();
    if !refuted.is_empty() {
        text.push_str(&format!(" It is not {}.", refuted.join(", not ")));
    }
    let open: String = judgement.open.iter().map(|one| format!("{}, ", one.word())).collect();
    text.push_str(&format!(" Remaining: {open}bandwidth, a policy or a call limit."));
    text
}

fn remedy(refusal: &Refusal<'_, '_>) -> Steps {
    let context = refusal.context;
    Steps::from([
        format!(
            "On {}: look into its log for the Call-ID {}.",
            context.capture.name(refusal.refuser),
            context.tables().call_id(refusal.request)
        ),
        "Repeat the call with PCMU and PCMA, RTP/AVP, IPv4 and one m-line; if it passes, put the rest back one by one."
            .to_owned(),
    ])
}

/// Calls in which the very same offer was accepted, before or after, and the frame of one.
fn same_offer_accepted(refusal: &Refusal<'_, '_>) -> Option<(u32, u32)> {
    refusal.offer?;
    let sessions = &refusal.context.tables().sessions;
    let shape = sessions.shape_number(refusal.request.session);
    let fact = refusal.known(FactKind::Accepted).find(|fact| sessions.shape_number(fact.offer) == shape)?;
    Some((fact.count, fact.at.frame))
}
