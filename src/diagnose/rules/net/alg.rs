//! Routers that rewrite SIP without being a hop of it.
//!
//! Sources: RFC 3261 section 16.6 (whoever forwards a request adds a Via), RFC 5853 section 3.

use std::time::Duration;

use crate::call::{Message, Transaction, TransactionIndex, detail::target, is_private};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::sip::{HeaderName, Method};

/// How long a router takes to pass a packet on.
const PASS_WAIT: Duration = Duration::from_millis(50);

/// The same request on both sides of something that changed it without adding a Via, or a body that no longer fits its length.
pub(super) fn net_sip_alg(context: &CallContext<'_>) -> Option<Observation> {
    let (_, (before, after, changes)) = context
        .transactions
        .each()
        .find_map(|(index, t)| {
            let found = rewritten(context, index, t)?;
            Some((index, found))
        })
        .or_else(|| broken_length(context).map(|found| (TransactionIndex(0), found)))
        .or_else(|| forgetful(context).map(|found| (TransactionIndex(0), found)))?;
    let capture = context.capture;
    let is_both_sides = before.at != after.at && capture.node(before.source) != capture.node(after.source);
    let is_weak = before.at != after.at && !is_both_sides;
    let broke_length = after.flags.has_short_body();
    let length = if broke_length { " Its Content-Length no longer fits its body." } else { "" };
    let explanation = if is_both_sides {
        format!(
            "The {} from {} was captured again {:.1} ms later as from {}, with the same Via branch and other content ({}). Whoever forwards SIP adds a Via; this did not.{length}",
            before.method().map_or("message", Method::text),
            capture.name(before.source),
            after.time.since(before.time).as_secs_f64() * 1000.0,
            capture.name(after.source),
            changes.join(", ")
        )
    } else if is_weak {
        format!(
            "{} told its public address in the Contact of its {} and, later in the same call, a private one in its {} ({}): possibly a router on the way rewrites some messages and not others. Also consider a phone that changes its Contact by itself.",
            capture.name(before.source),
            name(context, before),
            name(context, after),
            changes.join(", ")
        )
    } else {
        format!(
            "The {} from {} mixes addresses of both sides of a NAT ({}), and its Content-Length does not fit its body: most likely a router on the way put other addresses in.",
            before.method().map_or("message", Method::text),
            capture.name(before.source),
            changes.join(", ")
        )
    };
    Some(
        Observation::new(
            match (is_both_sides, is_weak) {
                (true, _) => Confidence::Certain,
                (false, false) => Confidence::Likely,
                (false, true) => Confidence::Possible,
            },
            Proof::Protocol,
        )
        .beside()
        .titled("A router rewrites SIP on the way (SIP ALG)")
        .happened(explanation)
        .remedy(format!(
            "Router in front of {}: switch off SIP ALG (also called SIP helper, fixup or inspection).",
            capture.store.tables.endpoint(before.source).address
        ))
        .remedy("Or use TLS, which a router cannot rewrite.")
        .shown_by(context.shows_header(before, HeaderName::Contact, "before, or as captured"))
        .shown_by(context.shows_header(after, HeaderName::Contact, "after"))
        .at(before.source, "alg"),
    )
}

/// Two captures of one request with one Via stack, other addresses, and other content.
fn rewritten<'a>(
    context: &CallContext<'a>,
    index: TransactionIndex,
    t: &Transaction,
) -> Option<(&'a Message, &'a Message, Vec<&'static str>)> {
    if t.sends < 2 {
        return None;
    }
    let sends: Vec<&Message> = context.transactions.sends_of(index).map(|(_, m)| m).collect();
    sends.windows(2).find_map(|pair| {
        let (before, after) = (pair[0], pair[1]);
        let node = |message: &Message| context.capture.node(message.source);
        let is_passed_on =
            node(before) != node(after) && before.digest != after.digest && after.time.since(before.time) <= PASS_WAIT;
        let changes = changes(context, before, after);
        (is_passed_on && !changes.is_empty()).then_some((before, after, changes))
    })
}

fn changes(context: &CallContext<'_>, before: &Message, after: &Message) -> Vec<&'static str> {
    let tables = context.tables();
    let mut changes = Vec::new();
    if tables.header(before, HeaderName::Contact) != tables.header(after, HeaderName::Contact) {
        changes.push("Contact");
    }
    let sessions = &tables.sessions;
    if sessions.media(before.session) != sessions.media(after.session) {
        changes.push("media address");
    }
    changes
}

/// A request whose headers and body show addresses of both sides, and whose length fits no more.
fn broken_length<'a>(context: &CallContext<'a>) -> Option<(&'a Message, &'a Message, Vec<&'static str>)> {
    let tables = context.tables();
    let message = context
        .transactions
        .originals()
        .map(|(_, m)| m)
        .find(|m| m.is_request(Method::Invite) && m.flags.has_short_body() && !m.flags.is_cut())?;
    let source = tables.endpoint(message.source).address;
    if is_private(source) {
        return None;
    }
    let contact = target::contact(tables, message).and_then(target::address);
    let media = tables.sessions.media(message.session).first().map(|media| media.address);
    let via = tables.vias.get(message.via);
    let sent_by = target::address(&format!("sip:{}", tables.text(via.sent_by)));
    let seen = [(contact, "Contact"), (media, "media address"), (sent_by, "Via")];
    let is_inside = |address: &Option<std::net::IpAddr>| address.is_some_and(is_private);
    let private: Vec<&'static str> =
        seen.iter().filter(|(address, _)| is_inside(address)).map(|(_, name)| *name).collect();
    let public = seen.iter().filter(|(address, _)| *address == Some(source)).count();
    (via.depth == 1 && !private.is_empty() && public > 0).then_some((message, message, private))
}

fn name(context: &CallContext<'_>, message: &Message) -> String {
    context.transactions.name(message)
}

/// A device whose Call-ID names a private host tells its public address in one message and a private one in a later message.
///
/// Devices that learn their public address do so once and keep it; the other order is theirs.
fn forgetful<'a>(context: &CallContext<'a>) -> Option<(&'a Message, &'a Message, Vec<&'static str>)> {
    let tables = context.tables();
    let first = context.message(context.transactions.transaction(*context.transactions.chain.first()?).request?)?;
    let source = tables.endpoint(first.source).address;
    if is_private(source) || tables.vias.get(first.via).depth != 1 {
        return None;
    }
    let (_, host) = tables.call_id(first).rsplit_once('@')?;
    if !host.parse().is_ok_and(is_private) {
        return None;
    }
    let own = || {
        context
            .transactions
            .originals()
            .map(|(_, message)| message)
            .filter(|message| message.source == first.source)
            .filter_map(|message| Some((message, target::contact(tables, message).and_then(target::address)?)))
    };
    let (before, _) = own().find(|(_, contact)| *contact == source)?;
    let (after, _) = own().find(|(message, contact)| message.time > before.time && is_private(*contact))?;
    Some((before, after, vec!["Contact", "a private host in the Call-ID"]))
}
