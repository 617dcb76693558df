//! Calls refused for who calls: as unwanted, or as suspected spam.
//!
//! Sources: RFC 8197 (607), RFC 8688 (608), RFC 8606 (location); ATIS-1000099 (603 Network Blocked).

use crate::call::{Message, is_network_block};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof, Steps};
use crate::diagnose::rules::id::signature::attestation;
use crate::sip::{HeaderName, Method, NameAddr, Reason};

pub fn id_blocked(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome().is_answered() {
        return hung_up(context);
    }
    let refusal = context.refusal().filter(|_| context.outcome().is_failure())?;
    let code = context.refusal_code();
    let phrase = context.tables().text(refusal.line).to_ascii_lowercase();
    match code {
        607 | 608 => blocked(context, refusal, code, Confidence::Certain),
        603 if is_network_block(&context.transactions, refusal, &phrase) => {
            let has_both = phrase.contains("network blocked") && analytics(context, refusal).is_some();
            let confidence = if has_both { Confidence::Certain } else { Confidence::Likely };
            blocked(context, refusal, code, confidence)
        }
        _ => None,
    }
}

/// The text of the Reason header of an analytics engine.
fn analytics(context: &CallContext<'_>, refusal: &Message) -> Option<String> {
    let mut reasons = context.tables().header_values(refusal, HeaderName::Reason);
    reasons.find(|value| value.to_ascii_lowercase().contains("v=analytics")).map(str::to_owned)
}

/// The value of `name=` in a Reason header or the text that it quotes.
fn parameter<'t>(reason: &'t str, name: &str) -> Option<&'t str> {
    reason
        .split([';', '"', ',', '<', '>'])
        .filter_map(|part| part.trim().split_once('='))
        .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}

/// Where the blocked party can turn to.
fn contact(context: &CallContext<'_>, refusal: &Message) -> Option<String> {
    if let Some(reason) = analytics(context, refusal) {
        let known = ["url", "tel", "email"].into_iter().find_map(|name| parameter(&reason, name).map(str::to_owned));
        if known.is_some() {
            return known;
        }
    }
    let mut infos = context.tables().header_values(refusal, HeaderName::CallInfo).flat_map(|value| value.split(','));
    infos
        .find(|value| value.to_ascii_lowercase().contains("jwscard"))
        .map(|value| String::from_utf8_lossy(NameAddr::parse(value.as_bytes()).uri).into_owned())
}

/// Which network blocked, by the location in Reason (RFC 8606); `None` where it says none.
fn network(context: &CallContext<'_>, refusal: &Message) -> Option<&'static str> {
    let mut reasons = context.tables().header_values(refusal, HeaderName::Reason);
    let location = reasons.find_map(|value| parameter(value, "location").map(str::to_ascii_uppercase));
    match location.as_deref() {
        Some("U") => Some("the called person's device"),
        Some("LN" | "LPN") => Some("the called person's own network"),
        Some("RLN" | "RPN") => Some("the network of the called side"),
        Some("TN") => Some("a network on the way"),
        _ => None,
    }
}

fn blocked(context: &CallContext<'_>, refusal: &Message, code: u16, confidence: Confidence) -> Option<Observation> {
    let refuser = context.refuser()?;
    let request = context.refused_request()?;
    let why = match code {
        607 => "unwanted: the called person, or a rule of theirs, rejects this caller",
        _ => "suspected spam: an analytics engine rates the caller's number, nobody at the called number decided",
    };
    let caller = context.tables().text(request.from);
    let by = match network(context, refusal) {
        None => context.name(refuser),
        Some(network) => format!("{} ({network})", context.name(refuser)),
    };
    let appeal = contact(context, refusal);
    let phrase = context.tables().text(refusal.line);
    let remedy: Steps = match (&appeal, code) {
        (_, 607) => {
            "Ask the called person to take the number off their block list; another route will not help.".into()
        }
        (Some(contact), _) => Steps::from([
            format!("Object at {contact}."),
            "Have the number signed with attestation A and registered with the analytics companies.".to_owned(),
        ]),
        (None, _) => Steps::from([
            "Ask the carrier of the called number for its redress contact.".to_owned(),
            "Have the number signed with attestation A and registered with the analytics companies.".to_owned(),
        ]),
    };
    let mut observation = Observation::new(confidence, Proof::OwnWords)
        .titled(if code == 607 { "Blocked as unwanted" } else { "Blocked as suspected spam" })
        .happened(format!(
            "{by} blocked the call from {caller} with {code} {phrase} as {why}.{}",
            attestation(context, request)
        ))
        .remedy(remedy)
        .shown_by(context.shows(refusal, "the refusal"))
        .not("call-declined", "the response is one that machines send, not one of a person")
        .at(refuser, format!("{code} {caller}"));
    if analytics(context, refusal).is_some() {
        observation =
            observation.shown_by(context.shows_header(refusal, HeaderName::Reason, "the mark of an analytics engine"));
    }
    if appeal.is_some() && analytics(context, refusal).is_none() {
        observation = observation.shown_by(context.shows_header(refusal, HeaderName::CallInfo, "where to object"));
    }
    Some(observation)
}

/// The called person ended an answered call by the button for unwanted calls.
fn hung_up(context: &CallContext<'_>) -> Option<Observation> {
    let bye = context.dialogs.first()?.bye?;
    let bye = context.message(context.transactions.transaction(bye).request?)?;
    if !bye.is_request(Method::Bye) {
        return None;
    }
    let values = context.tables().header_values(bye, HeaderName::Reason);
    // Nearly every Reason is one of others, so it is parsed only where it holds these digits.
    let may_say = |value: &&str| {
        let mut places = value.as_bytes().windows(3);
        places.any(|digits| matches!(digits, b"607" | b"608"))
    };
    let mut reasons =
        values.filter(may_say).flat_map(|value| value.split(',')).map(|value| Reason::parse(value.as_bytes()));
    let code = reasons
        .find(|reason| reason.protocol.eq_ignore_ascii_case(b"SIP"))
        .and_then(|reason| reason.cause)
        .filter(|code| matches!(code, 607 | 608))?;
    let caller = context.capture.text(context.call.caller);
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .warn()
            .titled("Hung up as unwanted")
            .happened(format!(
                "{} ended the answered call from {caller} and marked it as unwanted (Reason: SIP cause {code}).",
                context.name(bye.source)
            ))
            .remedy("Ask the called person before calling again; more such marks get the number rated as spam.")
            .shown_by(context.shows_header(bye, HeaderName::Reason, "why it hung up"))
            .at(bye.source, format!("{code} {caller}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contact_of_an_analytics_reason_is_found_inside_its_text() {
        let reason = "SIP;cause=603;text=\"v=analytics1;url=https://block.example/1;tel=+15550100\";location=LN";
        assert_eq!(Some("https://block.example/1"), parameter(reason, "url"));
        assert_eq!(Some("+15550100"), parameter(reason, "tel"));
        assert_eq!(Some("LN"), parameter(reason, "location"));
        assert_eq!(None, parameter(reason, "email"));
    }
}
