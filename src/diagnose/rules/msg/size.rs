//! A message or body that its receiver finds too large: 413 and 513.
//!
//! Source: RFC 3261 sections 21.4.11 and 21.5.7.

use crate::call::Message;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::sip::HeaderName;

/// Headers that grow, and what makes them grow.
const GROWING: [HeaderName; 6] = [
    HeaderName::Identity,
    HeaderName::RecordRoute,
    HeaderName::Route,
    HeaderName::Geolocation,
    HeaderName::HistoryInfo,
    HeaderName::Diversion,
];

/// An INVITE that was refused for its size.
pub fn msg_too_large_of_call(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_failure() || !matches!(context.refusal_code(), 413 | 513) {
        return None;
    }
    let code = context.refusal_code();
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let who = context.name(refuser);
    let size = request.size;
    let part = largest(context, request);
    let most = part.as_ref().map_or(String::new(), |(name, bytes)| format!(" {name} alone takes {bytes} bytes."));
    let fix = match &part {
        Some((name, _)) => format!("send less of {name}"),
        None => "offer fewer codecs and ICE candidates and leave out what the callee does not need".to_owned(),
    };
    let what = if code == 413 { "body" } else { "message" };
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .titled(format!("{} takes no {what} that large", context.capture.name(refuser)))
            .happened(format!(
                "{who} refused the INVITE of {size} bytes with {code}: the {what} is larger than it takes.{most}"
            ))
            .remedy(format!("{}: {fix}.", context.capture.name(context.call.source)))
            .remedy(format!("Or raise the largest size that {who} takes."))
            .shown_by(context.shows(request, format!("{size} bytes")))
            .shown_by(context.shows(refusal, "the refusal"))
            .at(refuser, code),
    )
}

/// The header that takes most of the message, where one takes a quarter of it.
fn largest(context: &CallContext<'_>, request: &Message) -> Option<(&'static str, usize)> {
    let bytes = |name: HeaderName| -> usize {
        context.tables().header_values(request, name).map(|value| value.len() + name.text().len() + 4).sum()
    };
    let sizes = GROWING.into_iter().map(|name| (name.text(), bytes(name)));
    sizes.max_by_key(|(_, bytes)| *bytes).filter(|(_, bytes)| *bytes * 4 >= request.size as usize)
}
