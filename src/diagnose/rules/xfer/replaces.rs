//! Calls that were to take another one's place, and were refused.
//!
//! Source: RFC 3891 section 3 (which call Replaces names, and as whom).

use crate::call::{Message, Outcome};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::sip::{DialogReference, HeaderName};

/// A call that was to take another one's place, and was refused.
pub(super) fn refused(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_failure() && context.outcome() != Outcome::Busy {
        return None;
    }
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let value = context.header(request, HeaderName::Replaces)?;
    let code = context.refusal_code();
    if !matches!(code, 481 | 486 | 603 | 420 | 403 | 488 | 501) {
        return None;
    }
    let replaces = DialogReference::parse(value.as_bytes());
    let call_id = String::from_utf8_lossy(replaces.call_id).into_owned();
    let (why, confidence) = match code {
        481 => unmatched(context, &replaces, &call_id),
        420 => ("it does not know the extension `replaces`".to_owned(), Confidence::Certain),
        486 => (
            "the call to be replaced had not been answered yet, or was asked for as early only".to_owned(),
            Confidence::Likely,
        ),
        _ => ("it does not let this caller take over the call".to_owned(), Confidence::Likely),
    };
    let sender = context.capture.name(request.source);
    Some(
        Observation::new(confidence, Proof::Protocol)
            .titled("The transferred call could not take over")
            .happened(format!(
                "{} refused the INVITE that was to replace the call {call_id} with {code}: {why}.",
                context.name(refuser)
            ))
            .remedy(format!(
                "{sender} and the device that asked it to transfer: name Call-ID, to-tag and from-tag as {} knows them; to-tag is its own tag.",
                context.capture.name(refuser)
            ))
            .shown_by(context.shows_header(request, HeaderName::Replaces, "the call to be replaced"))
            .shown_by(context.shows(refusal, "the refusal"))
            .at(refuser, format!("replaces {code}")),
    )
}

/// Why no call fits a Replaces header, as far as the capture holds the call that it names.
fn unmatched(context: &CallContext<'_>, replaces: &DialogReference<'_>, call_id: &str) -> (String, Confidence) {
    let Some(call) = context.capture.replaced_call(call_id) else {
        return ("the capture holds no call with that Call-ID".to_owned(), Confidence::Likely);
    };
    let tag = |tag: Option<&[u8]>| String::from_utf8_lossy(tag.unwrap_or_default()).into_owned();
    let (to, from) = (tag(replaces.to_tag), tag(replaces.from_tag));
    let messages = call.legs.first().map_or(&[][..], |leg| context.capture.store.messages_of(leg));
    let node = context.refuser().map(|refuser| context.capture.node(refuser));
    let has_part = |message: &Message| {
        [message.source, message.destination].into_iter().any(|endpoint| Some(context.capture.node(endpoint)) == node)
    };
    if !messages.iter().any(has_part) {
        return (
            format!(
                "that call is one between {} and {}, and as far as the capture shows it has no part in it; whoever joins calls has to name its own call with it instead",
                context.capture.name(call.source),
                context.capture.name(call.destination)
            ),
            Confidence::Likely,
        );
    }
    // The receiver's own tag is the From tag of what it sent in that call, and the To tag of its responses.
    let own: Vec<&str> = messages
        .iter()
        .filter(|message| Some(context.capture.node(message.source)) == node)
        .map(|message| match message.method() {
            Some(_) => context.capture.text(message.from_tag),
            None => context.capture.text(message.to_tag),
        })
        .collect();
    let knows = |tag: &str| {
        messages
            .iter()
            .any(|message| [message.from_tag, message.to_tag].into_iter().any(|id| context.capture.text(id) == tag))
    };
    if !knows(&to) || !knows(&from) {
        let wrong = if knows(&to) { from } else { to };
        return (format!("that call has no tag `{wrong}`"), Confidence::Certain);
    }
    if own.contains(&from.as_str()) && !own.contains(&to.as_str()) {
        return (
            "to-tag and from-tag are exchanged: the tag of the receiver stands in from-tag".to_owned(),
            Confidence::Certain,
        );
    }
    let ended = call.milestones.hung_up.filter(|hung_up| *hung_up <= context.call.started);
    match ended {
        Some(_) => ("that call was already over".to_owned(), Confidence::Certain),
        None => ("it does not know that call".to_owned(), Confidence::Likely),
    }
}
