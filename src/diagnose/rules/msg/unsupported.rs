//! A feature or method that one side demands and the other does not have: 405, 417, 420, 421, 469, 494, 501.
//!
//! Sources: RFC 3261 sections 8.2.1, 8.2.2.3, 21.4.6, 21.4.15, 21.4.16 and 21.5.2; RFC 3329; RFC 4412 section 4.6.2.

use crate::call::{EndpointId, Message};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rules::msg::info::bad_info_package;
use crate::sip::HeaderName;

/// A feature, method or priority that was refused with the call, or in it.
pub fn msg_unsupported(context: &CallContext<'_>) -> Option<Observation> {
    refused(context).or_else(|| bad_info_package(context))
}

/// What the call itself was refused for.
fn refused(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_failure() || context.outcome().is_answered() {
        return None;
    }
    match context.refusal_code() {
        420 => bad_extension(context),
        421 => extension_required(context),
        405 | 501 => method(context),
        417 => priority(context),
        494 => agreement(context),
        _ => None,
    }
}

/// The option tags in some headers of a message.
fn tags(context: &CallContext<'_>, message: &Message, names: &[HeaderName]) -> Vec<String> {
    let values = names.iter().flat_map(|name| context.tables().header_values(message, *name));
    values
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().to_ascii_lowercase())
        .filter(|tag| !tag.is_empty())
        .collect()
}

/// The node that first wrote a tag into Require or Proxy-Require on the way to the one that refused it.
fn demander(context: &CallContext<'_>, tag: &str) -> EndpointId {
    let hops = context.path().iter().map(|(index, _)| context.transactions.transaction(*index));
    let demands = |request: &Message| {
        tags(context, request, &[HeaderName::Require, HeaderName::ProxyRequire]).iter().any(|own| own == tag)
    };
    let mut first =
        hops.filter(|hop| hop.last_request.and_then(|request| context.message(request)).is_some_and(demands));
    first.next().map_or(context.call.source, |hop| hop.source)
}

fn new(confidence: Confidence) -> Observation {
    Observation::new(confidence, Proof::OwnWords)
}

fn bad_extension(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let demanded = tags(context, request, &[HeaderName::Require, HeaderName::ProxyRequire]);
    let listed = tags(context, refusal, &[HeaderName::Unsupported]);
    let both: Vec<&String> = listed.iter().filter(|tag| demanded.contains(tag)).collect();
    let who = context.name(refuser);
    let (tag, confidence, note) = match (both.first(), demanded.first(), listed.first()) {
        (Some(tag), _, _) => ((*tag).clone(), Confidence::Certain, String::new()),
        (None, Some(tag), None) => (
            tag.clone(),
            Confidence::Likely,
            " Which feature it means it does not say, although RFC 3261 has it name it in Unsupported.".to_owned(),
        ),
        (None, _, Some(tag)) => (
            tag.clone(),
            Confidence::Likely,
            " The INVITE as captured does not demand it: a node behind may have added it.".to_owned(),
        ),
        (None, None, None) => return Some(unnamed(context, refuser, refusal, request)),
    };
    let demander = demander(context, &tag);
    let sender = context.name(demander);
    Some(
        new(confidence)
            .titled(format!("`{tag}` is demanded and not supported"))
            .happened(format!(
                "{who} does not support `{tag}`, which {sender} demands of it, and refused the call with 420.{note}"
            ))
            .remedy(format!(
                "{sender}: move `{tag}` from Require to Supported, so that it is used where both sides have it."
            ))
            .remedy(format!("Or switch `{tag}` on at {who}."))
            .shown_by(context.shows_header(refusal, HeaderName::Unsupported, "what it does not support"))
            .shown_by(context.shows_header(request, HeaderName::Require, "what the INVITE demands"))
            .at(refuser, tag),
    )
}

fn unnamed(context: &CallContext<'_>, refuser: EndpointId, refusal: &Message, request: &Message) -> Observation {
    let who = context.name(refuser);
    new(Confidence::Possible)
        .titled("420 without a feature that is not supported")
        .happened(format!(
            "{who} refused the call with 420 but names no feature in Unsupported, and the INVITE as captured demands none."
        ))
        .remedy(format!("Read the log of {who} for this call: which feature it was asked for."))
        .shown_by(context.shows(refusal, "the refusal, without Unsupported"))
        .shown_by(context.shows(request, "the INVITE, without Require"))
        .at(refuser, "420")
}

fn extension_required(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let required = tags(context, refusal, &[HeaderName::Require]);
    let offered = tags(context, request, &[HeaderName::Supported, HeaderName::Require]);
    let missing: Vec<&String> = required.iter().filter(|tag| !offered.contains(tag)).collect();
    let (who, sender) = (context.name(refuser), context.capture.name(context.call.source));
    let observation = match missing.first() {
        Some(tag) => new(Confidence::Certain)
            .titled(format!("`{tag}` is required and not offered"))
            .happened(format!(
                "{who} insists on `{tag}`, which the INVITE does not offer in Supported, and refused the call with 421."
            ))
            .remedy(format!("{sender}: switch `{tag}` on."))
            .remedy(format!("Or let {who} use it only where the other side offers it."))
            .shown_by(context.shows_header(refusal, HeaderName::Require, "what it insists on"))
            .shown_by(context.shows_header(request, HeaderName::Supported, "what the caller offers"))
            .at(refuser, tag),
        None => new(Confidence::Likely)
            .titled("A feature is required and not named")
            .happened(format!(
                "{who} refused the call with 421, and names no feature in Require that the INVITE lacks."
            ))
            .remedy(format!("Read the log of {who} for this call: which feature it wants."))
            .shown_by(context.shows(refusal, "the refusal"))
            .shown_by(context.shows(request, "the INVITE"))
            .at(refuser, "421"),
    };
    Some(observation)
}

fn method(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let who = context.name(refuser);
    let code = context.refusal_code();
    let allowed = context.header(refusal, HeaderName::Allow);
    let uri = context.tables().text(request.line);
    let lists_invite = allowed.is_some_and(|allowed| allowed.to_ascii_uppercase().contains("INVITE"));
    let takes = match allowed {
        Some(allowed) if lists_invite => format!(
            "Its Allow header lists INVITE all the same ({allowed}), so it possibly refuses it for this address alone, or uses the code for another reason."
        ),
        Some(allowed) => format!("It takes {allowed}."),
        None => "It does not say which methods it takes, although RFC 3261 has it list them in Allow.".to_owned(),
    };
    let confidence = match (allowed.is_some(), lists_invite) {
        (_, true) => Confidence::Possible,
        (true, false) => Confidence::Certain,
        (false, false) => Confidence::Likely,
    };
    Some(
        new(confidence)
            .titled("INVITE is not taken at this address")
            .happened(format!("{who} does not take INVITE for `{uri}` and refused the call with {code}. {takes}"))
            .remedy(format!(
                "{}: send calls to the address that serves them, not to {}.",
                context.capture.name(request.source),
                context.capture.name(refuser)
            ))
            .remedy(format!("Or allow INVITE for this address on {}.", context.capture.name(refuser)))
            .shown_by(context.shows(refusal, "the refusal"))
            .shown_by(context.shows(request, "the INVITE"))
            .at(refuser, code),
    )
}

fn priority(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let who = context.name(refuser);
    let asked = context.header(request, HeaderName::ResourcePriority);
    let accepted = context.header(refusal, HeaderName::AcceptResourcePriority);
    let asked_text =
        asked.map_or("no Resource-Priority in the capture".to_owned(), |asked| format!("Resource-Priority `{asked}`"));
    let accepted_text = accepted.map_or(String::new(), |accepted| format!(" It knows {accepted}."));
    Some(
        new(if asked.is_some() { Confidence::Certain } else { Confidence::Likely })
            .titled("The demanded call priority is unknown")
            .happened(format!("{who} refused the call with 417 ({asked_text}).{accepted_text}"))
            .remedy(format!(
                "{}: use a priority that {who} knows, or take `resource-priority` out of Require.",
                context.capture.name(context.call.source)
            ))
            .shown_by(context.shows_header(request, HeaderName::ResourcePriority, "the priority asked for"))
            .shown_by(context.shows(refusal, "the refusal"))
            .at(refuser, asked.unwrap_or_default()),
    )
}

fn agreement(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let who = context.name(refuser);
    let sender = context.capture.name(context.call.source);
    let wants = context.header(refusal, HeaderName::SecurityServer);
    let says = wants.map_or(String::new(), |wants| format!(" It offers {wants}."));
    let offers = context
        .header(request, HeaderName::SecurityClient)
        .map_or("names none".to_owned(), |offers| format!("names {offers}"));
    Some(new(if wants.is_some() { Confidence::Certain } else { Confidence::Likely })
        .titled("A security agreement is required")
        .happened(format!(
            "{who} refused the call with 494: it wants a security mechanism agreed on, and the INVITE {offers}.{says}"
        ))
        .remedy(format!(
            "{sender}: switch the security agreement (sec-agree) on with one of the mechanisms that {who} offers."
        ))
        .shown_by(context.shows_header(refusal, HeaderName::SecurityServer, "what it offers"))
        .shown_by(context.shows(request, "the INVITE"))
        .at(refuser, "494"))
}
