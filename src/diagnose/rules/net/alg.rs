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

/// What shows that SIP was rewritten.
enum RewriteSign {
    /// The same request before and behind the router, with one Via stack and other content.
    BothSides,
    /// Addresses of both sides in one message, whose length fits no more.
    BrokenLength,
    /// A public address in one message of a device, and a private one in a later message.
    ForgottenAddress,
}

/// A message before it was rewritten and behind it; the same one where only one is there.
struct Rewriting<'a> {
    sign: RewriteSign,
    before: &'a Message,
    after: &'a Message,
    /// What differs, or shows it.
    changes: Vec<&'static str>,
}

/// The same request on both sides of something that changed it without adding a Via, or a body that no longer fits its length.
pub(super) fn net_sip_alg(context: &CallContext<'_>) -> Option<Observation> {
    let mut each = context.transactions.each();
    let rewriting = each
        .find_map(|(index, t)| rewritten(context, index, t))
        .or_else(|| broken_length(context))
        .or_else(|| forgetful(context))?;
    let Rewriting { before, after, .. } = rewriting;
    let confidence = match rewriting.sign {
        RewriteSign::BothSides => Confidence::Certain,
        RewriteSign::BrokenLength => Confidence::Likely,
        RewriteSign::ForgottenAddress => Confidence::Possible,
    };
    Some(
        Observation::new(confidence, Proof::Protocol)
            .beside()
            .titled("A router rewrites SIP on the way (SIP ALG)")
            .happened(explanation(context, &rewriting))
            .remedy(format!(
                "Router in front of {}: switch off SIP ALG (also called SIP helper, fixup or inspection).",
                context.tables().endpoint(before.source).address
            ))
            .remedy("Or use TLS, which a router cannot rewrite.")
            .shown_by(context.shows_header(before, HeaderName::Contact, "before, or as captured"))
            .shown_by(context.shows_header(after, HeaderName::Contact, "after"))
            .at(before.source, "alg"),
    )
}

fn explanation(context: &CallContext<'_>, rewriting: &Rewriting<'_>) -> String {
    let Rewriting { before, after, .. } = rewriting;
    let capture = context.capture;
    let (request, sender) = (before.method().map_or("message", Method::text), capture.name(before.source));
    let changes = rewriting.changes.join(", ");
    match rewriting.sign {
        RewriteSign::BothSides => format!(
            "The {request} from {sender} was captured again {:.1} ms later as from {}, with the same Via branch and other content ({changes}). Whoever forwards SIP adds a Via; this did not.{}",
            after.time.since(before.time).as_secs_f64() * 1000.0,
            capture.name(after.source),
            if after.flags.has_short_body() { " Its Content-Length no longer fits its body." } else { "" }
        ),
        RewriteSign::BrokenLength => format!(
            "The {request} from {sender} mixes addresses of both sides of a NAT ({changes}), and its Content-Length does not fit its body: most likely a router on the way put other addresses in."
        ),
        RewriteSign::ForgottenAddress => format!(
            "{sender} told its public address in the Contact of its {} and, later in the same call, a private one in its {} ({changes}): possibly a router on the way rewrites some messages and not others. Also consider a phone that changes its Contact by itself.",
            context.transactions.name(before),
            context.transactions.name(after)
        ),
    }
}

/// Two captures of one request with one Via stack, other addresses, and other content.
fn rewritten<'a>(context: &CallContext<'a>, index: TransactionIndex, t: &Transaction) -> Option<Rewriting<'a>> {
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
        (is_passed_on && !changes.is_empty()).then_some(Rewriting {
            sign: RewriteSign::BothSides,
            before,
            after,
            changes,
        })
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
fn broken_length<'a>(context: &CallContext<'a>) -> Option<Rewriting<'a>> {
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
    let is_mixed = via.depth == 1 && !private.is_empty() && public > 0;
    is_mixed.then_some(Rewriting { sign: RewriteSign::BrokenLength, before: message, after: message, changes: private })
}

/// A device whose Call-ID names a private host gives its public address in one message and a private one in a later message.
///
/// Devices that learn their public address do so once and keep it; the other order is theirs.
fn forgetful<'a>(context: &CallContext<'a>) -> Option<Rewriting<'a>> {
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
    let changes = vec!["Contact", "a private host in the Call-ID"];
    Some(Rewriting { sign: RewriteSign::ForgottenAddress, before, after, changes })
}
