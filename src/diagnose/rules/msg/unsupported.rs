//! A feature or method that one side demands and the other does not have: 405, 417, 420, 421, 469, 494, 501.
//!
//! Sources: RFC 3261 sections 8.2.1, 8.2.2.3, 21.4.6, 21.4.15, 21.4.16 and 21.5.2; RFC 3329; RFC 4412 section 4.6.2.

use crate::call::{EndpointId, Message};
use crate::diagnose::context::call_context::Case;
use crate::diagnose::finding::{Confidence, Finding, Proof, Severity};
use crate::diagnose::rules::msg::info::bad_info_package;
use crate::sip::HeaderName;

pub fn msg_unsupported(case: &Case<'_>) -> Option<Finding> {
    refused(case).or_else(|| bad_info_package(case))
}

/// What the call itself was refused for.
fn refused(case: &Case<'_>) -> Option<Finding> {
    if !case.outcome().is_failure() || case.outcome().is_answered() {
        return None;
    }
    match case.refusal_code() {
        420 => bad_extension(case),
        421 => extension_required(case),
        405 | 501 => method(case),
        417 => priority(case),
        494 => agreement(case),
        _ => None,
    }
}

/// The option tags in some headers of a message.
fn tags(case: &Case<'_>, message: &Message, names: &[HeaderName]) -> Vec<String> {
    let values = names.iter().flat_map(|name| case.tables().header_values(message, *name));
    values
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().to_ascii_lowercase())
        .filter(|tag| !tag.is_empty())
        .collect()
}

/// The node that first wrote a tag into Require or Proxy-Require on the way to the one that refused it.
fn demander(case: &Case<'_>, tag: &str) -> EndpointId {
    let hops = case.path().iter().map(|(index, _)| case.anatomy.transaction(*index));
    let demands = |request: &Message| {
        tags(case, request, &[HeaderName::Require, HeaderName::ProxyRequire]).iter().any(|own| own == tag)
    };
    let mut first = hops.filter(|hop| hop.last_request.and_then(|request| case.message(request)).is_some_and(demands));
    first.next().map_or(case.call.source, |hop| hop.source)
}

fn new(confidence: Confidence) -> Finding {
    Finding::new("msg-unsupported", Severity::Error, confidence, Proof::OwnWords)
}

fn bad_extension(case: &Case<'_>) -> Option<Finding> {
    let (refuser, refusal, request) = (case.refuser()?, case.refusal()?, case.refused_request()?);
    let demanded = tags(case, request, &[HeaderName::Require, HeaderName::ProxyRequire]);
    let listed = tags(case, refusal, &[HeaderName::Unsupported]);
    let both: Vec<&String> = listed.iter().filter(|tag| demanded.contains(tag)).collect();
    let who = case.name(refuser);
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
        (None, None, None) => return Some(unnamed(case, refuser, refusal, request)),
    };
    let demander = demander(case, &tag);
    let sender = case.name(demander);
    let finding = new(confidence)
        .says(
            format!("`{tag}` is demanded and not supported"),
            format!("{who} does not support `{tag}`, which {sender} demands of it, and refused the call with 420.{note}"),
            format!("1. {sender}: move `{tag}` from Require to Supported, so that it is used where both sides have it. 2. Or switch `{tag}` on at {who}."),
        )
        .shown_by(case.shows_header(refusal, HeaderName::Unsupported, "what it does not support"))
        .shown_by(case.shows_header(request, HeaderName::Require, "what the INVITE demands"))
        .at(refuser, tag);
    Some(finding)
}

fn unnamed(case: &Case<'_>, refuser: EndpointId, refusal: &Message, request: &Message) -> Finding {
    let who = case.name(refuser);
    new(Confidence::Possible)
        .says(
            "420 without a feature that is not supported",
            format!("{who} refused the call with 420 but names no feature in Unsupported, and the INVITE as captured demands none."),
            format!("Read the log of {who} for this call: which feature it was asked for."),
        )
        .shown_by(case.shows(refusal, "the refusal, without Unsupported"))
        .shown_by(case.shows(request, "the INVITE, without Require"))
        .at(refuser, "420")
}

fn extension_required(case: &Case<'_>) -> Option<Finding> {
    let (refuser, refusal, request) = (case.refuser()?, case.refusal()?, case.refused_request()?);
    let required = tags(case, refusal, &[HeaderName::Require]);
    let offered = tags(case, request, &[HeaderName::Supported, HeaderName::Require]);
    let missing: Vec<&String> = required.iter().filter(|tag| !offered.contains(tag)).collect();
    let (who, sender) = (case.name(refuser), case.scene.name(case.call.source));
    let finding = match missing.first() {
        Some(tag) => new(Confidence::Certain)
            .says(
                format!("`{tag}` is required and not offered"),
                format!("{who} insists on `{tag}`, which the INVITE does not offer in Supported, and refused the call with 421."),
                format!("1. {sender}: switch `{tag}` on. 2. Or let {who} use it only where the other side offers it."),
            )
            .shown_by(case.shows_header(refusal, HeaderName::Require, "what it insists on"))
            .shown_by(case.shows_header(request, HeaderName::Supported, "what the caller offers"))
            .at(refuser, tag),
        None => new(Confidence::Likely)
            .says(
                "A feature is required and not named",
                format!("{who} refused the call with 421, and names no feature in Require that the INVITE lacks."),
                format!("Read the log of {who} for this call: which feature it wants."),
            )
            .shown_by(case.shows(refusal, "the refusal"))
            .shown_by(case.shows(request, "the INVITE"))
            .at(refuser, "421"),
    };
    Some(finding)
}

fn method(case: &Case<'_>) -> Option<Finding> {
    let (refuser, refusal, request) = (case.refuser()?, case.refusal()?, case.refused_request()?);
    let who = case.name(refuser);
    let code = case.refusal_code();
    let allowed = case.header(refusal, HeaderName::Allow);
    let uri = case.tables().text(request.line);
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
    let finding = new(confidence)
        .says(
            "INVITE is not taken at this address",
            format!("{who} does not take INVITE for `{uri}` and refused the call with {code}. {takes}"),
            format!(
                "1. {}: send calls to the address that serves them, not to {}. 2. Or allow INVITE for this address on {}.",
                case.scene.name(request.source),
                case.scene.name(refuser),
                case.scene.name(refuser)
            ),
        )
        .shown_by(case.shows(refusal, "the refusal"))
        .shown_by(case.shows(request, "the INVITE"))
        .at(refuser, code);
    Some(finding)
}

fn priority(case: &Case<'_>) -> Option<Finding> {
    let (refuser, refusal, request) = (case.refuser()?, case.refusal()?, case.refused_request()?);
    let who = case.name(refuser);
    let asked = case.header(request, HeaderName::ResourcePriority);
    let accepted = case.header(refusal, HeaderName::AcceptResourcePriority);
    let asked_text =
        asked.map_or("no Resource-Priority in the capture".to_owned(), |asked| format!("Resource-Priority `{asked}`"));
    let accepted_text = accepted.map_or(String::new(), |accepted| format!(" It knows {accepted}."));
    let finding = new(if asked.is_some() { Confidence::Certain } else { Confidence::Likely })
        .says(
            "The demanded call priority is unknown",
            format!("{who} refused the call with 417 ({asked_text}).{accepted_text}"),
            format!(
                "{}: use a priority that {who} knows, or take `resource-priority` out of Require.",
                case.scene.name(case.call.source)
            ),
        )
        .shown_by(case.shows_header(request, HeaderName::ResourcePriority, "the priority asked for"))
        .shown_by(case.shows(refusal, "the refusal"))
        .at(refuser, asked.unwrap_or_default());
    Some(finding)
}

fn agreement(case: &Case<'_>) -> Option<Finding> {
    let (refuser, refusal, request) = (case.refuser()?, case.refusal()?, case.refused_request()?);
    let who = case.name(refuser);
    let sender = case.scene.name(case.call.source);
    let wants = case.header(refusal, HeaderName::SecurityServer);
    let says = wants.map_or(String::new(), |wants| format!(" It offers {wants}."));
    let offers = case
        .header(request, HeaderName::SecurityClient)
        .map_or("names none".to_owned(), |offers| format!("names {offers}"));
    let finding = new(if wants.is_some() {
        Confidence::Certain
    } else {
        Confidence::Likely
    })
    .says(
        "A security agreement is required",
        format!("{who} refused the call with 494: it wants a security mechanism agreed on, and the INVITE {offers}.{says}"),
        format!("{sender}: switch the security agreement (sec-agree) on with one of the mechanisms that {who} offers."),
    )
    .shown_by(case.shows_header(refusal, HeaderName::SecurityServer, "what it offers"))
    .shown_by(case.shows(request, "the INVITE"))
    .at(refuser, "494");
    Some(finding)
}
