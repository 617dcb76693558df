//! The path that both sides of a call agreed on, and requests that leave it.
//!
//! Source: RFC 3261 sections 12.1 (how the route set is made), 12.2.1.1 (how it is used), 16.12.

use crate::call::{
    Dialog, EndpointId, Message, Transaction, TransactionIndex, answering_hop, detail::target, is_ack_missed,
};
use crate::capture::FrameRef;
use crate::diagnose::context::call_context::CallContext;
use crate::sip::{HeaderName, Method};

/// Sends without an answer that count as a failure of a request inside the call.
const SENDS_MIN: u32 = 3;

/// What a request inside the call did wrong.
pub(super) enum PathFault {
    /// It carries no Route at all.
    NoRoute,
    /// None of the proxies that asked for it is in its Route.
    OtherRoute,
    /// Its Route names the proxies in the opposite order.
    OppositeRoute,
    /// Its Route leaves this proxy out.
    PartRoute(String),
    /// Its Request-URI is not the peer's Contact.
    OtherTarget(String),
    /// It carries no Route because a proxy on the way left Record-Route out of the answer.
    NotPassedOn(FrameRef),
}

/// What became of it.
pub(super) enum Consequence {
    /// The callee never got this ACK, and sent its 200 so many times.
    AckMissed(u32),
    /// It was refused with this code.
    Refused(u16),
    /// It was sent so many times and never answered.
    Unanswered(u32),
}

/// A request that left the agreed path, and came to nothing.
pub(super) struct Departure<'a> {
    pub request: &'a Message,
    pub method: Method,
    pub fault: PathFault,
    pub consequence: Consequence,
    /// The message that gave the path to this side.
    pub given_in: &'a Message,
    /// The same message nearer to its sender, where it still names proxies that are left out here.
    pub given_whole_in: Option<&'a Message>,
}

/// One party's view of the agreed path.
struct Side<'a> {
    /// The message that gave it.
    given_in: &'a Message,
    /// Record-Route of that message, in the order in which this side has to use it.
    routes: Vec<&'a str>,
    /// The peer's Contact.
    contact: Option<&'a str>,
    /// Where this side is.
    here: EndpointId,
    /// The same message nearer to its sender, where it still names proxies that are left out here.
    given_whole_in: Option<&'a Message>,
}

/// The first request of a party that ignored the agreed path and came to nothing.
pub(super) fn departure<'a>(context: &CallContext<'a>) -> Option<Departure<'a>> {
    if !context.outcome().is_answered() {
        return None;
    }
    let dialog = context.dialogs.first()?;
    // In most calls every request is heard, and nothing has to be compared.
    let mut inside = context.transactions.each().filter(|(_, t)| t.first > dialog.answer);
    if !inside.any(|(index, t)| consequence(context, dialog, index, t).is_some()) {
        return None;
    }
    let sides = [caller_side(context, dialog), callee_side(context, dialog)];
    sides.into_iter().flatten().find_map(|side| departure_of(context, dialog, &side))
}

fn caller_side<'a>(context: &CallContext<'a>, dialog: &Dialog) -> Option<Side<'a>> {
    let invite = context.transactions.transaction(dialog.invite);
    let given_in = context.message(dialog.answer)?;
    let mut routes = target::uris(context.tables(), given_in, HeaderName::RecordRoute);
    routes.reverse();
    let before = context
        .transactions
        .transaction(answering_hop(&context.transactions, dialog))
        .final_response
        .and_then(|answer| context.message(answer));
    let contact = target::contact(context.tables(), given_in);
    // A B2BUA has a Contact of its own; a proxy that passes the callee's on has to pass Record-Route on with it.
    let given_whole_in = before.filter(|before| {
        routes.is_empty()
            && before.to_tag == given_in.to_tag
            && contact.is_some()
            && target::contact(context.tables(), before) == contact
            && !target::uris(context.tables(), before, HeaderName::RecordRoute).is_empty()
    });
    Some(Side { given_in, routes, contact, here: invite.source, given_whole_in })
}

fn callee_side<'a>(context: &CallContext<'a>, dialog: &Dialog) -> Option<Side<'a>> {
    let hop = answering_hop(&context.transactions, dialog);
    let invite = context.transactions.transaction(hop);
    let given_in = context.message(invite.request?)?;
    Some(Side {
        given_in,
        routes: target::uris(context.tables(), given_in, HeaderName::RecordRoute),
        contact: target::contact(context.tables(), given_in),
        here: invite.destination,
        given_whole_in: None,
    })
}

fn departure_of<'a>(context: &CallContext<'a>, dialog: &Dialog, side: &Side<'a>) -> Option<Departure<'a>> {
    let node = context.capture.node(side.here);
    let mut own = context.transactions.each().filter(|(_, t)| {
        let is_first_hop = context.tables().vias.get(t.via).depth == 1;
        is_first_hop && t.first > dialog.answer && context.capture.node(t.source) == node
    });
    own.find_map(|(index, t)| {
        let request = context.message(t.request?)?;
        if request.to_tag.is_absent() || request.flags.is_cut() {
            return None;
        }
        let consequence = consequence(context, dialog, index, t)?;
        let fault = fault(context, side, request)?;
        let is_of_route = !matches!(fault, PathFault::OtherTarget(_) | PathFault::NotPassedOn(_));
        if is_of_route && has_tried(context, side, request) {
            return None;
        }
        let Side { given_in, given_whole_in, .. } = *side;
        Some(Departure { request, method: t.method, fault, consequence, given_in, given_whole_in })
    })
}

/// Whether the sender had sent such a request along the agreed path before: it knows the path, and this is its last resort.
fn has_tried(context: &CallContext<'_>, side: &Side<'_>, request: &Message) -> bool {
    let on_path = |message: &Message| fault(context, side, message).is_none();
    context.transactions.originals().any(|(_, earlier)| {
        earlier.order() < request.order()
            && earlier.source == request.source
            && earlier.kind == request.kind
            && !earlier.to_tag.is_absent()
            && !target::uris(context.tables(), earlier, HeaderName::Route).is_empty()
            && on_path(earlier)
    })
}

/// What became of a request that went wrong; `None` where it was heard.
fn consequence(
    context: &CallContext<'_>,
    dialog: &Dialog,
    index: TransactionIndex,
    t: &Transaction,
) -> Option<Consequence> {
    if t.method == Method::Ack {
        let hop = answering_hop(&context.transactions, dialog);
        let answered = context.transactions.transaction(hop);
        let reached = context.capture.node(t.destination) == context.capture.node(answered.destination);
        let passed_on = context.transactions.children(index).next().is_some();
        return (is_ack_missed(&context.transactions, hop) && !reached && !passed_on)
            .then_some(Consequence::AckMissed(answered.final_sends));
    }
    match context.transactions.final_status(t) {
        Some(status) if matches!(status.0, 404 | 481 | 604 | 410 | 483 | 482) => Some(Consequence::Refused(status.0)),
        Some(_) => None,
        None => (t.sends >= SENDS_MIN && context.transactions.responses_of(index).next().is_none())
            .then_some(Consequence::Unanswered(t.sends)),
    }
}

fn fault(context: &CallContext<'_>, side: &Side<'_>, request: &Message) -> Option<PathFault> {
    let routes = target::uris(context.tables(), request, HeaderName::Route);
    let hosts: Vec<String> = side.routes.iter().map(|uri| target::host(uri)).collect();
    let is_loose = side.routes.iter().any(|uri| uri.to_ascii_lowercase().contains(";lr"))
        || context
            .tables()
            .header_values(side.given_in, HeaderName::RecordRoute)
            .any(|line| line.to_ascii_lowercase().contains(";lr"));
    if !hosts.is_empty() && is_loose {
        if routes.is_empty() {
            return Some(PathFault::NoRoute);
        }
        if !routes.iter().any(|uri| hosts.contains(&target::host(uri))) {
            return Some(PathFault::OtherRoute);
        }
        return misused(&hosts, &routes, context.tables().text(request.line));
    }
    if let Some(before) = side.given_whole_in {
        return routes.is_empty().then_some(PathFault::NotPassedOn(before.at));
    }
    // A 481 says more of the call than of its target: the other side may have ended it.
    if request.is_request(Method::Ack) || refused_as_gone(context, request) {
        return None;
    }
    let line = context.tables().text(request.line);
    let contact = side.contact?;
    let differs = !target::host(line).is_empty() && target::host(line) != target::host(contact);
    // Whoever mends the Contact of a device behind NAT uses the address that its packets come from.
    let is_mended =
        target::address(line).is_some_and(|asked| asked == context.tables().endpoint(side.given_in.source).address);
    (hosts.is_empty() && differs && !is_mended && !was_given(context, side, line))
        .then(|| PathFault::OtherTarget(contact.to_owned()))
}

/// What is wrong with a Route that names some of the proxies, which `hosts` lists in the order in which they are to be asked.
fn misused(hosts: &[String], routes: &[&str], line: &str) -> Option<PathFault> {
    let used: Vec<String> = routes.iter().map(|uri| target::host(uri)).collect();
    // A strict router stands in the Request-URI (RFC 3261 section 12.2.1.1).
    let asked = target::host(line);
    if let Some(left_out) = hosts.iter().find(|host| !used.contains(host) && **host != asked) {
        return Some(PathFault::PartRoute(left_out.clone()));
    }
    let own: Vec<&String> = used.iter().filter(|host| hosts.contains(host)).collect();
    let is_opposite = own.iter().copied().eq(hosts.iter().rev()) && !own.iter().copied().eq(hosts);
    is_opposite.then_some(PathFault::OppositeRoute)
}

fn refused_as_gone(context: &CallContext<'_>, request: &Message) -> bool {
    let mut all = context.transactions.originals();
    all.any(|(_, m)| m.via == request.via && m.status().is_some_and(|status| status.0 == 481))
}

/// Whether any message to this side named the host that its request is for.
fn was_given(context: &CallContext<'_>, side: &Side<'_>, line: &str) -> bool {
    let node = context.capture.node(side.here);
    let asked = target::host(line);
    context.transactions.originals().any(|(_, m)| {
        context.capture.node(m.destination) == node
            && target::uris(context.tables(), m, HeaderName::Contact).into_iter().any(|uri| target::host(uri) == asked)
    })
}
