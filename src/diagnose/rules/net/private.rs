//! Private addresses that are told to a side which cannot reach them.
//!
//! Sources: RFC 1918, RFC 6314 (NAT traversal practices), RFC 3261 section 12.1 (what Contact is used for).

use std::net::IpAddr;
use std::time::Duration;

use crate::call::beside::registration::address_of;
use crate::call::{Message, Transaction, answering_hop, detail::target, is_ack_missed, is_private};
use crate::diagnose::context::call_context::Case;
use crate::diagnose::finding::{Confidence, Evidence, Finding, Proof, Severity};
use crate::diagnose::rules::net::silence::silent_request;
use crate::sip::sdp::Media;
use crate::sip::{HeaderName, Method, StatusCode};

/// Sends of a request inside the call after which it counts as lost.
const SENDS_MIN: u32 = 3;
/// How long after the call a report about its media may come.
const MEDIA_WAIT: Duration = Duration::from_secs(2);

/// Someone tells a private address across a border, and what is sent there never arrives.
pub(super) fn net_private_address(case: &Case<'_>) -> Option<Finding> {
    let signalling = match case.outcome().is_answered() {
        true => in_call(case),
        false => before_answer(case),
    };
    signalling.or_else(|| media(case))
}

/// A party tells its peer a private Contact or Record-Route, and requests that go there are never answered.
fn in_call(case: &Case<'_>) -> Option<Finding> {
    let (_, lost) = case.anatomy.each().find(|(_, t)| is_lost(case, t))?;
    let request = case.anatomy.message(lost.request?);
    let there = case.tables().endpoint(lost.destination).address;
    let (told, header) = advertised(case, there, request)?;
    if is_private(case.tables().endpoint(told.source).address) {
        return None;
    }
    let names_it = |m: &Message| {
        let uris = target::uris(case.tables(), m, header);
        uris.into_iter().any(|uri| target::address(uri) == Some(there))
    };
    let message = maker(case, told, names_it);
    let public = case.tables().endpoint(message.source);
    let finding = found(
        &public.to_string(),
        there,
        format!(
            "{} told the {} {there}, an address that only its own network can reach; its packets come from {public}. {} sent its {} there, and nothing answered.",
            case.name(message.source),
            header.text(),
            case.scene.name(lost.source),
            lost.method.text()
        ),
        &format!(
            "{}: set its external SIP address, so that the {} it sends",
            public.address,
            header.text()
        ),
    )
    .shown_by(case.shows_header(message, header, format!("told from {public}")))
    .shown_by(case.shows(request, "sent to the private address"))
    .at(message.source, header.text());
    Some(finding)
}

/// A request inside the call to a private address of which nothing came back.
fn is_lost(case: &Case<'_>, t: &Transaction) -> bool {
    let Some(request) = t.request.map(|request| case.anatomy.message(request)) else {
        return false;
    };
    let address = case.tables().endpoint(t.destination).address;
    let node = case.scene.node(t.destination);
    !request.to_tag.is_absent()
        && is_private(address)
        && match t.method {
            Method::Ack => is_ack_awaited(case),
            _ => t.final_response.is_none() && t.sends >= SENDS_MIN,
        }
        && !case.scene.history().has_spoken(node)
}

/// Whether the callee repeats its 2xx: nothing answers an ACK, so that alone tells that it did not arrive.
fn is_ack_awaited(case: &Case<'_>) -> bool {
    case.dialogs.first().is_some_and(|dialog| is_ack_missed(&case.anatomy, answering_hop(&case.anatomy, dialog)))
}

/// The message in which the other side named the address, and the header that did.
fn advertised<'a>(case: &Case<'a>, address: IpAddr, request: &Message) -> Option<(&'a Message, HeaderName)> {
    let node = case.scene.node(request.source);
    let earlier = case.anatomy.originals().map(|(_, m)| m).filter(|m| {
        m.time <= request.time
            && case.scene.node(m.destination) == node
            && case.tables().endpoint(m.source).address != address
    });
    earlier
        .filter_map(|m| {
            let headers = [HeaderName::Contact, HeaderName::RecordRoute];
            let header = headers.into_iter().find(|header| {
                target::uris(case.tables(), m, *header).into_iter().any(|uri| target::address(uri) == Some(address))
            });
            Some((m, header?))
        })
        .next()
}

/// Who made what `told` names: the first sender of it where that one is outside too, since proxies pass it on unchanged.
fn maker<'a>(case: &Case<'a>, told: &'a Message, names_it: impl Fn(&Message) -> bool) -> &'a Message {
    let mut all = case.anatomy.originals().map(|(_, message)| message);
    let first = all.find(|message| names_it(message)).unwrap_or(told);
    if is_private(case.tables().endpoint(first.source).address) { told } else { first }
}

/// What all these findings have in common.
fn found(public: &str, private: IpAddr, explanation: String, remedy: &str) -> Finding {
    Finding::new(
        "net-private-address",
        Severity::Warn,
        Confidence::Certain,
        Proof::Protocol,
    )
    .beside()
    .says(
        format!("{public} advertises the private address {private}"),
        explanation,
        format!(
            "1. {remedy} names an address that the other side can reach. 2. Or let the proxy or SBC between them mend the addresses of devices behind NAT."
        ),
    )
}

/// The INVITE itself went to a private address that a registration or a redirection from a public one had named.
fn before_answer(case: &Case<'_>) -> Option<Finding> {
    let (_, lost) = silent_request(case)?;
    let request = case.message(lost.request?)?;
    let there = case.tables().endpoint(lost.destination);
    let scene = case.scene;
    if lost.method != Method::Invite
        || !is_private(there.address)
        || scene.history().has_spoken(scene.node(lost.destination))
    {
        return None;
    }
    registered(case, lost, request).or_else(|| redirected(case, lost, request))
}

fn registered(case: &Case<'_>, lost: &Transaction, request: &Message) -> Option<Finding> {
    let scene = case.scene;
    let private = case.tables().endpoint(lost.destination).address;
    let nodes = [scene.node(lost.source)];
    let aor = scene.text(request.to);
    let binding = scene.binding_at(aor, &nodes, request.time)?;
    let attempt = scene.attempts.get(binding.attempt as usize)?;
    let contact = address_of(scene.text(attempt.contact));
    let public = case.tables().endpoint(attempt.source);
    if target::address(contact) != Some(private) || is_private(public.address) {
        return None;
    }
    let finding = found(
        &public.to_string(),
        private,
        format!(
            "{aor} registered from {public} with the Contact {contact}, which only its own network can reach. {} sent the INVITE there, and nothing answered.",
            scene.name(lost.source)
        ),
        &format!(
            "On {}: store the address that a REGISTER came from instead of a private Contact (NAT helper, Path or outbound), or on the device: a Contact that",
            case.tables().endpoint(attempt.registrar).address
        ),
    )
    .shown_by(Evidence::seen(
        attempt.asked_at,
        format!("Contact: {}", scene.text(attempt.contact)),
        format!("registered from {public}"),
    ))
    .shown_by(case.shows(request, "sent to the private address"))
    .at(attempt.registrar, format!("registered {aor}"));
    Some(finding)
}

fn redirected(case: &Case<'_>, lost: &Transaction, request: &Message) -> Option<Finding> {
    let private = case.tables().endpoint(lost.destination).address;
    let told = case.anatomy.originals().map(|(_, message)| message).find(|message| {
        message.is_response_to(Method::Invite)
            && message.status().is_some_and(StatusCode::is_redirection)
            && message.time <= request.time
            && target::contact(case.tables(), message).and_then(target::address) == Some(private)
    })?;
    let public = case.tables().endpoint(told.source);
    if is_private(public.address) {
        return None;
    }
    let finding = found(
        &public.to_string(),
        private,
        format!(
            "{} redirected the call to {private}, a private address that is not reached from outside its network. {} sent the INVITE there, and nothing answered.",
            case.name(told.source),
            case.scene.name(lost.source)
        ),
        &format!("{}: let it redirect to a Contact that", public.address),
    )
    .shown_by(case.shows_header(told, HeaderName::Contact, format!("told from {public}")))
    .shown_by(case.shows(request, "sent to the private address"))
    .at(told.source, "redirected");
    Some(finding)
}

/// A description from a public address names a private one for media, and a router reports what was sent there as undeliverable.
fn media(case: &Case<'_>) -> Option<Finding> {
    if case.scene.errors.is_empty() {
        return None;
    }
    let tables = case.tables();
    let described = case
        .anatomy
        .originals()
        .map(|(_, message)| message)
        .filter(|message| !message.session.is_absent() && !is_private(tables.endpoint(message.source).address));
    let (message, place, report) = described
        .filter_map(|message| {
            let ice = |media: &Media| media.common.ice.candidates > 0;
            let has_ice = tables.sessions.shape(message.session).medias.iter().any(ice);
            let places = tables.sessions.media(message.session).iter().copied();
            let mut places = places.filter(|at| is_private(at.address));
            let (place, report) = places.find_map(|at| {
                let until = case.call.ended.plus(MEDIA_WAIT);
                let node = tables.endpoints.find_node(at)?;
                let mut about = case.scene.errors_about(node, message.time, until);
                let report = about.find(|report| report.quoted.destination == at && report.reporter != at.address)?;
                Some((at, report))
            })?;
            (!has_ice).then_some((message, place, report))
        })
        .next()?;
    let names_it = |m: &Message| {
        let mut places = tables.sessions.media(m.session).iter();
        !m.session.is_absent() && places.any(|at| *at == place)
    };
    let message = maker(case, message, names_it);
    let public = tables.endpoint(message.source);
    let finding = found(
        &public.to_string(),
        place.address,
        format!(
            "The session description from {} names {place} for media although its packets come from {public}. The audio of {} went there, and {} reported it as undeliverable ({}).",
            case.name(message.source),
            report.quoted.source,
            report.reporter,
            report.meaning()
        ),
        &format!("{}: set its external media address (or STUN, ICE; a proxy at a border: relay media), so that its c= line", public.address),
    )
    .shown_by(Evidence::seen(
        report.at,
        format!("ICMP type {} code {} from {}", report.kind, report.code, report.reporter),
        "quotes the media that could not be delivered",
    ))
    .shown_by(Evidence::seen(
        message.at,
        format!("c=IN {} {}", if place.address.is_ipv6() { "IP6" } else { "IP4" }, place.address),
        format!("told from {public}"),
    ))
    .at(message.source, "media");
    Some(finding)
}
