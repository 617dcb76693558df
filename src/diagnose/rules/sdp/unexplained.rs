//! sdp-unexplained-488: media were refused, and the capture does not prove which dimension of the offer it was.
//!
//! Source: RFC 3261 sections 21.4.26 and 21.6.4.

use crate::call::outcome::negotiation::{is_whole, used};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof, Steps};
use crate::diagnose::rules::sdp::body::same_offer_accepted;
use crate::diagnose::rules::sdp::judge::{Judgement, delay, judge, with_refuted};
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::refusal::{Refusal, is_refused};
use crate::sip::HeaderName;

/// The rule.
pub fn sdp_unexplained_488(context: &CallContext<'_>) -> Option<Observation> {
    if !is_refused(context) || !matches!(context.refusal_code(), 488 | 606) {
        return None;
    }
    let refusal = Refusal::of(context)?;
    let judgement = judge(&refusal);
    if judgement.theory.is_some() {
        return None;
    }
    let observation = Observation::new(Confidence::Possible, Proof::CodeMeaning)
        .titled("Media refused, the reason is not in the capture")
        .happened(explanation(&refusal, &judgement))
        .remedy(remedy(&refusal))
        .shown_by(refusal.shows_refusal())
        .shown_by(refusal.shows_offer("what was offered"))
        .at(refusal.refuser, refusal.code);
    Some(with_refuted(observation, &judgement))
}

fn explanation(refusal: &Refusal<'_, '_>, judgement: &Judgement) -> String {
    let mut text =
        format!("{} refused the session with {} after {}", refusal.refuser_name(), refusal.code, delay(refusal));
    match refusal.context.header(refusal.response, HeaderName::Warning) {
        Some(warning) => text.push_str(&format!(", Warning `{warning}`.")),
        None => text.push_str(" and gives no reason."),
    }
    if let Some((count, frame)) = same_offer_accepted(refusal, judgement) {
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
        let family = refusal.offer.and_then(super::family::only_family);
        text.push_str(&format!(
            " The offer had {} over {}{}.",
            offer::codec_names(line),
            line.profile_text,
            family.map(|v6| format!(", {}", super::family::name(v6))).unwrap_or_default()
        ));
    }
    let refuted = judgement.refuted.iter();
    let refuted: Vec<String> =
        refuted.map(|(dimension, because)| format!("{} ({because})", dimension.word())).collect();
    if !refuted.is_empty() {
        text.push_str(&format!(" It is not {}.", refuted.join(", not ")));
    }
    let open: Vec<&str> = judgement.open.iter().map(|one| one.word()).collect();
    if open.is_empty() {
        text.push_str(" Remaining: bandwidth, a policy or a call limit.");
    } else {
        text.push_str(&format!(" Remaining: {}, bandwidth, a policy or a call limit.", open.join(", ")));
    }
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
