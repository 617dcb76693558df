//! Requests inside a call that leave out the proxies which asked to stay in the path, or miss the peer's Contact.
//!
//! Source: RFC 3261 sections 12.1 (how the route set is made), 12.2.1.1 (how it is used), 16.12.

use crate::call::{
    Dialog, EndpointId, Message, Transaction, TransactionIndex, answering_hop, detail::target, is_ack_missed,
};
use crate::capture::FrameRef;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::sip::{HeaderName, Method};

/// Sends without an answer that count as a failure of a request inside the call.
const SENDS_MIN: u32 = 3;

/// What a request inside the call did wrong.
enum Fault {
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
    NotTold(FrameRef),
}

/// One party's view of the agreed path.
struct Side<'a> {
    /// The message that told it.
    told: &'a Message,
    /// Record-Route as told, in the order in which this side has to use it.
    routes: Vec<&'a str>,
    /// The peer's Contact.
    contact: Option<&'a str>,
    /// Where this side is.
    here: EndpointId,
    /// The same answer nearer to its sender, where it still names proxies that this side was not told of.
    told_before: Option<&'a Message>,
}

/// A party's request ignores the agreed path, and comes to nothing.
pub(super) fn dlg_route_set_lost(context: &CallContext<'_>) -> Option<Observation> {
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
    sides.into_iter().flatten().find_map(|side| judge(context, dialog, &side))
}

fn caller_side<'a>(context: &CallContext<'a>, dialog: &Dialog) -> Option<Side<'a>> {
    let invite = context.transactions.transaction(dialog.invite);
    let told = context.message(dialog.answer)?;
    let mut routes = target::uris(context.tables(), told, HeaderName::RecordRoute);
    routes.reverse();
    let before = context
        .transactions
        .transaction(answering_hop(&context.transactions, dialog))
        .final_response
        .and_then(|answer| context.message(answer));
    let contact = target::contact(context.tables(), told);
    // A B2BUA has a Contact of its own; a proxy that passes the callee's on has to pass Record-Route on with it.
    let told_before = before.filter(|before| {
        routes.is_empty()
            && before.to_tag == told.to_tag
            && contact.is_some()
            && target::contact(context.tables(), before) == contact
            && !target::uris(context.tables(), before, HeaderName::RecordRoute).is_empty()
    });
    Some(Side { told, routes, contact, here: invite.source, told_before })
}

fn callee_side<'a>(context: &CallContext<'a>, dialog: &Dialog) -> Option<Side<'a>> {
    let hop = answering_hop(&context.transactions, dialog);
    let invite = context.transactions.transaction(hop);
    let told = context.message(invite.request?)?;
    Some(Side {
        told,
        routes: target::uris(context.tables(), told, HeaderName::RecordRoute),
        contact: target::contact(context.tables(), told),
        here: invite.destination,
        told_before: None,
    })
}

fn judge(context: &CallContext<'_>, dialog: &Dialog, side: &Side<'_>) -> Option<Observation> {
    let node = context.capture.node(side.here);
    let own = context.transactions.each().filter(|(_, t)| {
        let is_first_hop = context.tables().vias.get(t.via).depth == 1;
        is_first_hop && t.first > dialog.answer && context.capture.node(t.source) == node
    });
    let mut wrong = own.filter_map(|(index, t)| {
        let request = context.transactions.message(t.request?);
        if request.to_tag.is_absent() || request.flags.is_cut() {
            return None;
        }
        let consequence = consequence(context, dialog, index, t)?;
        let fault = fault(context, side, request)?;
        let is_of_route = !matches!(fault, Fault::OtherTarget(_) | Fault::NotTold(_));
        if is_of_route && has_tried(context, side, request) {
            return None;
        }
        Some((request, t.method, fault, consequence))
    });
    let (request, method, fault, consequence) = wrong.next()?;
    Some(observation(context, side, request, method, &fault, &consequence))
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
fn consequence(context: &CallContext<'_>, dialog: &Dialog, index: TransactionIndex, t: &Transaction) -> Option<String> {
    if t.method == Method::Ack {
        let hop = answering_hop(&context.transactions, dialog);
        let answered = context.transactions.transaction(hop);
        let reached = context.capture.node(t.destination) == context.capture.node(answered.destination);
        let passed_on = context.transactions.children(index).next().is_some();
        return (is_ack_missed(&context.transactions, hop) && !reached && !passed_on)
            .then(|| format!("the callee never got it and sent its 200 {} times", answered.final_sends));
    }
    match context.transactions.final_status(t) {
        Some(status) if matches!(status.0, 404 | 481 | 604 | 410 | 483 | 482) => {
            Some(format!("it was answered {}", status.0))
        }
        Some(_) => None,
        None => (t.sends >= SENDS_MIN && context.transactions.responses_of(index).next().is_none())
            .then(|| format!("it was sent {} times and never answered", t.sends)),
    }
}

fn fault(context: &CallContext<'_>, side: &Side<'_>, request: &Message) -> Option<Fault> {
    let routes = target::uris(context.tables(), request, HeaderName::Route);
    let hosts: Vec<String> = side.routes.iter().map(|uri| target::host(uri)).collect();
    let is_loose = side.routes.iter().any(|uri| uri.to_ascii_lowercase().contains(";lr"))
        || context
            .tables()
            .header_values(side.told, HeaderName::RecordRoute)
            .any(|line| line.to_ascii_lowercase().contains(";lr"));
    if !hosts.is_empty() && is_loose {
        if routes.is_empty() {
            return Some(Fault::NoRoute);
        }
        if !routes.iter().any(|uri| hosts.contains(&target::host(uri))) {
            return Some(Fault::OtherRoute);
        }
        return misused(&hosts, &routes, context.tables().text(request.line));
    }
    if let Some(before) = side.told_before {
        return routes.is_empty().then_some(Fault::NotTold(before.at));
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
        target::address(line).is_some_and(|asked| asked == context.tables().endpoint(side.told.source).address);
    (hosts.is_empty() && differs && !is_mended && !was_told(context, side, line))
        .then(|| Fault::OtherTarget(contact.to_owned()))
}

/// What is wrong with a Route that names some of the proxies, which `hosts` lists in the order in which they are to be asked.
fn misused(hosts: &[String], routes: &[&str], line: &str) -> Option<Fault> {
    let used: Vec<String> = routes.iter().map(|uri| target::host(uri)).collect();
    // A strict router stands in the Request-URI (RFC 3261 section 12.2.1.1).
    let asked = target::host(line);
    if let Some(left_out) = hosts.iter().find(|host| !used.contains(host) && **host != asked) {
        return Some(Fault::PartRoute(left_out.clone()));
    }
    let own: Vec<&String> = used.iter().filter(|host| hosts.contains(host)).collect();
    let is_opposite = own.iter().copied().eq(hosts.iter().rev()) && !own.iter().copied().eq(hosts);
    is_opposite.then_some(Fault::OppositeRoute)
}

fn refused_as_gone(context: &CallContext<'_>, request: &Message) -> bool {
    context
        .transactions
        .originals()
        .any(|(_, m)| m.via == request.via && m.status().is_some_and(|status| status.0 == 481))
}

/// Whether any message to this side named the host that its request is for.
fn was_told(context: &CallContext<'_>, side: &Side<'_>, line: &str) -> bool {
    let node = context.capture.node(side.here);
    let asked = target::host(line);
    context.transactions.originals().any(|(_, m)| {
        context.capture.node(m.destination) == node
            && target::uris(context.tables(), m, HeaderName::Contact).into_iter().any(|uri| target::host(uri) == asked)
    })
}

fn observation(
    context: &CallContext<'_>,
    side: &Side<'_>,
    request: &Message,
    method: Method,
    fault: &Fault,
    consequence: &str,
) -> Observation {
    let who = context.name(request.source);
    let to = context.capture.name(request.destination);
    let told = side.told.at.frame;
    let (explanation, confidence, header, signature) = match fault {
        Fault::NoRoute => (
            format!(
                "{who} ignored the path given in Record-Route (frame {told}): its {} went to {to} without Route, so {consequence}.",
                method.text()
            ),
            Confidence::Certain,
            HeaderName::RecordRoute,
            "no route",
        ),
        Fault::OtherRoute => (
            format!(
                "{who} used another path than the one in Record-Route (frame {told}): the Route of its {} names none of those proxies, so {consequence}.",
                method.text()
            ),
            Confidence::Likely,
            HeaderName::RecordRoute,
            "other route",
        ),
        Fault::OppositeRoute => (
            format!(
                "{who} uses the path given in Record-Route (frame {told}) in the opposite order: its {} went to {to} first, so {consequence}.",
                method.text()
            ),
            Confidence::Likely,
            HeaderName::RecordRoute,
            "opposite route",
        ),
        Fault::PartRoute(left_out) => (
            format!(
                "{who} leaves {left_out} out of the path given in Record-Route (frame {told}): the Route of its {} does not name it, so {consequence}.",
                method.text()
            ),
            Confidence::Likely,
            HeaderName::RecordRoute,
            "part of the route",
        ),
        Fault::OtherTarget(contact) => (
            format!(
                "{who} sent its {} for {} although the other side's Contact is {contact} (frame {told}), and {consequence}.",
                method.text(),
                context.tables().text(request.line)
            ),
            Confidence::Likely,
            HeaderName::Contact,
            "other target",
        ),
        Fault::NotTold(before) => (
            format!(
                "The Record-Route of the answer (frame {}) was left out on its way to {who} (frame {told}): its {} went to {to} without Route, so {consequence}.",
                before.frame,
                method.text()
            ),
            Confidence::Certain,
            HeaderName::Contact,
            "not told",
        ),
    };
    let address = context.tables().endpoint(request.source).address;
    let remedy: Steps = match fault {
        Fault::OtherTarget(_) => format!(
            "{address}: send requests inside a call to the Contact of the other side, not to the address that was dialled."
        ).into(),
        Fault::NotTold(_) => Steps::from([
            format!(
                "{}: pass Record-Route on in responses; what it put into the INVITE has to reach the caller in the 200.",
                context.tables().endpoint(side.told.source).address
            ),
            "Re-test: ACK and BYE carry a Route.".to_owned(),
        ]),
        Fault::OppositeRoute => Steps::from([
            format!(
                "{address}: the side that called has to turn the Record-Route of the answer round for its Route, the side that was called has to keep the order of the INVITE (RFC 3261 section 12.1; firmware)."
            ),
            "Re-test: ACK and BYE go to the nearest proxy first.".to_owned(),
        ]),
        _ => Steps::from([
            format!(
                "{address}: copy Record-Route into Route for every request inside the call (an outbound proxy setting must not replace it; firmware)."
            ),
            "Re-test: ACK and BYE carry a Route.".to_owned(),
        ]),
    };
    let mut observation = Observation::new(confidence, Proof::Protocol)
        .titled(format!("{} leaves the agreed path of the call", context.capture.name(request.source)))
        .happened(explanation)
        .remedy(remedy)
        .shown_by(context.shows(request, format!("to {to}: {consequence}")))
        .shown_by(context.shows_header(side.told, header, "the path that was agreed"))
        .at(request.source, signature);
    observation =
        observation
            .maybe_shown_by(side.told_before.map(|before| {
                context.shows_header(before, HeaderName::RecordRoute, "the path before it was left out")
            }));
    let routes = target::uris(context.tables(), request, HeaderName::Route);
    if !routes.is_empty() {
        observation = observation.shown_by(Evidence::seen(
            request.at,
            format!("Route: {}", routes.join(", ")),
            "the path that was used",
        ));
    }
    observation
}
