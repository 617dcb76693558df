//! Private addresses that are told to a side which cannot reach them.
//!
//! Sources: RFC 1918, RFC 6314 (NAT traversal practices), RFC 3261 section 12.1 (what Contact is used for).

use std::net::IpAddr;

use crate::call::{Message, Transaction, is_private, target};
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Finding, Proof, Severity};
use crate::sip::{HeaderName, Method};

/// A party tells its peer a private Contact or Record-Route, and requests that go there are never answered.
pub(super) fn net_private_address(case: &Case<'_>) -> Option<Finding> {
    if !case.outcome().is_answered() {
        return None;
    }
    let (_, lost) = case.anatomy.each().find(|(_, t)| is_lost(case, t))?;
    let request = case.anatomy.message(lost.request?);
    let there = case.tables().endpoint(lost.destination).address;
    let (message, header) = advertised(case, there, request)?;
    let public = case.tables().endpoint(message.source);
    if is_private(public.address) {
        return None;
    }
    let finding = Finding::new(
        "net-private-address",
        Severity::Warn,
        Confidence::Certain,
        Proof::Protocol,
    )
    .beside()
    .says(
        format!("{public} advertises the private address {there}"),
        format!(
            "{} sits behind NAT: its packets come from {public}, but its {} says {there}. {} sent its {} there, and nothing answered.",
            case.name(message.source),
            header.text(),
            case.scene.name(lost.source),
            lost.method.text()
        ),
        format!(
            "1. {}: set its external SIP address, so that its {} names an address that the other side can reach. 2. Or let the proxy between them mend the Contact of devices behind NAT.",
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
    !request.to_tag.is_absent()
        && is_private(address)
        && !case
            .scene
            .history()
            .has_spoken(case.scene.node(t.destination))
        && (t.method == Method::Ack || t.final_response.is_none() && t.sends > 1)
}

/// The message in which the other side named the address, and the header that did.
fn advertised<'a>(
    case: &Case<'a>,
    address: IpAddr,
    request: &Message,
) -> Option<(&'a Message, HeaderName)> {
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
                target::uris(case.tables(), m, *header)
                    .into_iter()
                    .any(|uri| target::address(uri) == Some(address))
            });
            Some((m, header?))
        })
        .next()
        .map(|(heard, header)| (maker(case, heard), header))
}

/// The message as its maker sent it: proxies pass Contact on, so the first sight of the same message is nearest to who wrote it.
fn maker<'a>(case: &Case<'a>, heard: &'a Message) -> &'a Message {
    let same = |m: &&Message| {
        (m.method(), m.status(), m.cseq, m.from_tag, m.to_tag)
            == (
                heard.method(),
                heard.status(),
                heard.cseq,
                heard.from_tag,
                heard.to_tag,
            )
    };
    let mut all = case.anatomy.originals().map(|(_, m)| m).filter(same);
    all.next().unwrap_or(heard)
}
