//! Private addresses that are advertised to a side which cannot reach them.
//!
//! Sources: RFC 1918, RFC 6314 (NAT traversal practices), RFC 3261 section 12.1 (what Contact is used for).

use std::net::IpAddr;
use std::time::Duration;

use crate::call::beside::registration::address_of;
use crate::call::{Message, Transaction, answering_hop, detail::target, is_ack_missed, is_private};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::net::silent_request::silent_request;
use crate::sip::sdp::Media;
use crate::sip::{HeaderName, Method, StatusCode};

/// Sends of a request inside the call after which it counts as lost.
const SENDS_MIN: u32 = 3;
/// How long after the call a report about its media may come.
const MEDIA_WAIT: Duration = Duration::from_secs(2);

/// Someone tells a private address across a border, and what is sent there never arrives.
pub(super) fn net_private_address(context: &CallContext<'_>) -> Option<Observation> {
    let signalling = match context.outcome().is_answered() {
        true => in_call(context),
        false => before_answer(context),
    };
    signalling.or_else(|| media(context))
}

/// A party tells its peer a private Contact or Record-Route, and requests that go there are never answered.
fn in_call(context: &CallContext<'_>) -> Option<Observation> {
    let (_, lost) = context.transactions.each().find(|(_, t)| is_lost(context, t))?;
    let request = context.transactions.message(lost.request?);
    let there = context.tables().endpoint(lost.destination).address;
    let (named, header) = advertised(context, there, request)?;
    if is_private(context.tables().endpoint(named.source).address) {
        return None;
    }
    let names_it = |m: &Message| {
        let uris = target::uris(context.tables(), m, header);
        uris.into_iter().any(|uri| target::address(uri) == Some(there))
    };
    let message = first_sender(context, named, names_it);
    let public = context.tables().endpoint(message.source);
    Some(found(
        &public.to_string(),
        there,
        format!(
            "{} told the {} {there}, an address that only its own network can reach; its packets come from {public}. {} sent its {} there, and nothing answered.",
            context.name(message.source),
            header.text(),
            context.capture.name(lost.source),
            lost.method.text()
        ),
        &format!(
            "{}: set its external SIP address, so that the {} it sends",
            public.address,
            header.text()
        ),
    )
    .shown_by(context.shows_header(message, header, format!("told from {public}")))
    .shown_by(context.shows(request, "sent to the private address"))
    .at(message.source, header.text()))
}

/// A request inside the call to a private address of which nothing came back.
fn is_lost(context: &CallContext<'_>, t: &Transaction) -> bool {
    let Some(request) = t.request.map(|request| context.transactions.message(request)) else {
        return false;
    };
    let address = context.tables().endpoint(t.destination).address;
    let node = context.capture.node(t.destination);
    !request.to_tag.is_absent()
        && is_private(address)
        && match t.method {
            Method::Ack => is_ack_awaited(context),
            _ => t.final_response.is_none() && t.sends >= SENDS_MIN,
        }
        && !context.capture.history().has_spoken(node)
}

/// Whether the callee repeats its 2xx: nothing answers an ACK, so that alone tells that it did not arrive.
fn is_ack_awaited(context: &CallContext<'_>) -> bool {
    context
        .dialogs
        .first()
        .is_some_and(|dialog| is_ack_missed(&context.transactions, answering_hop(&context.transactions, dialog)))
}

/// The message in which the other side named the address, and the header that did.
fn advertised<'a>(context: &CallContext<'a>, address: IpAddr, request: &Message) -> Option<(&'a Message, HeaderName)> {
    let node = context.capture.node(request.source);
    let earlier = context.transactions.originals().map(|(_, m)| m).filter(|m| {
        m.time <= request.time
            && context.capture.node(m.destination) == node
            && context.tables().endpoint(m.source).address != address
    });
    earlier
        .filter_map(|m| {
            let headers = [HeaderName::Contact, HeaderName::RecordRoute];
            let header = headers.into_iter().find(|header| {
                target::uris(context.tables(), m, *header).into_iter().any(|uri| target::address(uri) == Some(address))
            });
            Some((m, header?))
        })
        .next()
}

/// The first message that names the address of `named` where its sender is outside too, since proxies pass it on unchanged.
fn first_sender<'a>(context: &CallContext<'a>, named: &'a Message, names_it: impl Fn(&Message) -> bool) -> &'a Message {
    let mut all = context.transactions.originals().map(|(_, message)| message);
    let first = all.find(|message| names_it(message)).unwrap_or(named);
    if is_private(context.tables().endpoint(first.source).address) { named } else { first }
}

/// What all these findings have in common.
fn found(public: &str, private: IpAddr, explanation: String, remedy: &str) -> Observation {
    Observation::new(Confidence::Certain, Proof::Protocol)
        .beside()
        .titled(format!("{public} advertises the private address {private}"))
        .happened(explanation)
        .remedy(format!("{remedy} names an address that the other side can reach."))
        .remedy("Or let the proxy or SBC between them mend the addresses of devices behind NAT.")
}

/// The INVITE itself went to a private address that a registration or a redirection from a public one had named.
fn before_answer(context: &CallContext<'_>) -> Option<Observation> {
    let (_, lost) = silent_request(context)?;
    let request = context.message(lost.request?)?;
    let there = context.tables().endpoint(lost.destination);
    let capture = context.capture;
    if lost.method != Method::Invite
        || !is_private(there.address)
        || capture.history().has_spoken(capture.node(lost.destination))
    {
        return None;
    }
    registered(context, lost, request).or_else(|| redirected(context, lost, request))
}

fn registered(context: &CallContext<'_>, lost: &Transaction, request: &Message) -> Option<Observation> {
    let capture = context.capture;
    let private = context.tables().endpoint(lost.destination).address;
    let nodes = [capture.node(lost.source)];
    let aor = capture.text(request.to);
    let binding = capture.binding_at(aor, &nodes, request.time)?;
    let attempt = capture.attempts.get(binding.attempt as usize)?;
    let contact = address_of(capture.text(attempt.contact));
    let public = context.tables().endpoint(attempt.source);
    if target::address(contact) != Some(private) || is_private(public.address) {
        return None;
    }
    Some(found(
        &public.to_string(),
        private,
        format!(
            "{aor} registered from {public} with the Contact {contact}, which only its own network can reach. {} sent the INVITE there, and nothing answered.",
            capture.name(lost.source)
        ),
        &format!(
            "On {}: store the address that a REGISTER came from instead of a private Contact (NAT helper, Path or outbound), or on the device: a Contact that",
            context.tables().endpoint(attempt.registrar).address
        ),
    )
    .shown_by(Evidence::seen(
        attempt.asked_at,
        format!("Contact: {}", capture.text(attempt.contact)),
        format!("registered from {public}"),
    ))
    .shown_by(context.shows(request, "sent to the private address"))
    .at(attempt.registrar, format!("registered {aor}")))
}

fn redirected(context: &CallContext<'_>, lost: &Transaction, request: &Message) -> Option<Observation> {
    let private = context.tables().endpoint(lost.destination).address;
    let named = context.transactions.originals().map(|(_, message)| message).find(|message| {
        message.is_response_to(Method::Invite)
            && message.status().is_some_and(StatusCode::is_redirection)
            && message.time <= request.time
            && target::contact(context.tables(), message).and_then(target::address) == Some(private)
    })?;
    let public = context.tables().endpoint(named.source);
    if is_private(public.address) {
        return None;
    }
    Some(found(
        &public.to_string(),
        private,
        format!(
            "{} redirected the call to {private}, a private address that is not reached from outside its network. {} sent the INVITE there, and nothing answered.",
            context.name(named.source),
            context.capture.name(lost.source)
        ),
        &format!("{}: let it redirect to a Contact that", public.address),
    )
    .shown_by(context.shows_header(named, HeaderName::Contact, format!("told from {public}")))
    .shown_by(context.shows(request, "sent to the private address"))
    .at(named.source, "redirected"))
}

/// A description from a public address names a private one for media, and a router reports what was sent there as undeliverable.
fn media(context: &CallContext<'_>) -> Option<Observation> {
    if context.capture.errors.is_empty() {
        return None;
    }
    let tables = context.tables();
    let described = context
        .transactions
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
                let until = context.call.ended.plus(MEDIA_WAIT);
                let node = tables.endpoints.find_node(at)?;
                let mut about = context.capture.errors_about(node, message.time, until);
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
    let message = first_sender(context, message, names_it);
    let public = tables.endpoint(message.source);
    Some(found(
        &public.to_string(),
        place.address,
        format!(
            "The session description from {} names {place} for media although its packets come from {public}. The audio of {} went there, and {} reported it as undeliverable ({}).",
            context.name(message.source),
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
    .at(message.source, "media"))
}
