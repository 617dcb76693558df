//! Hang-ups that a proxy answers by itself and does not pass on, although it passed the ACK of the same call on.
//!
//! Sources: RFC 3261 sections 16.6 (a proxy forwards what it routes), 15.1.2 (the other side answers a BYE).

use std::time::Duration;

use crate::call::{EndpointId, Message, Transaction, TransactionIndex, answering_hop};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::dlg::other_end::{held_on, later_end};
use crate::sip::{Method, StatusCode};

/// How long a proxy may take to pass a BYE on.
const PASS_WAIT: Duration = Duration::from_secs(5);

/// A BYE that was answered by a proxy and never seen behind it.
pub(super) fn kept_by_proxy(context: &CallContext<'_>) -> Option<Observation> {
    Some(observation(context, &swallowed_bye(context)?))
}

struct SwallowedBye<'a> {
    bye: Transaction,
    sent: &'a Message,
    answer: &'a Message,
    /// The proxy, as it sent requests of this call on.
    proxy: EndpointId,
    /// The party that it was not sent on to.
    other: EndpointId,
    /// The ACK, which the proxy did send on.
    passed: &'a Message,
    /// The BYE with which the other party ended the call by itself.
    later_end: Option<&'a Message>,
}

fn swallowed_bye<'a>(context: &CallContext<'a>) -> Option<SwallowedBye<'a>> {
    let dialog = context.dialogs.first()?;
    let (near, far) = proxy_hop(context, answering_hop(&context.transactions, dialog))?;
    let node = |endpoint| context.capture.node(endpoint);
    let proxy = node(far.source);
    let (index, bye) = context.transactions.each().find(|(_, t)| {
        let is_from_party = node(t.source) == node(near.source) || node(t.source) == node(far.destination);
        t.method == Method::Bye && t.parent.is_none() && is_from_party && node(t.destination) == proxy
    })?;
    let (sent, answer) = (context.message(bye.request?)?, context.message(bye.final_response?)?);
    let is_passed_on = context.transactions.originals().any(|(_, m)| {
        m.is_request(Method::Bye)
            && m.from_tag == sent.from_tag
            && (node(m.source) == proxy || node(m.source) != node(bye.source) && m.time <= sent.time.plus(PASS_WAIT))
    });
    if is_passed_on
        || context.transactions.children(index).next().is_some()
        || !answer.status().is_some_and(StatusCode::is_success)
        || context.capture.watched_since(sent.time) < PASS_WAIT
    {
        return None;
    }
    let other = if node(bye.source) == node(near.source) { far.destination } else { near.source };
    let passed = context.message(far.ack?)?;
    let later_end = later_end(context, sent);
    Some(SwallowedBye { bye: *bye, sent, answer, proxy: far.source, other, passed, later_end })
}

fn observation(context: &CallContext<'_>, swallowed: &SwallowedBye<'_>) -> Observation {
    let SwallowedBye { bye, sent, answer, proxy, other, passed, later_end } = *swallowed;
    let other = context.capture.name(other);
    let impact = match later_end {
        Some(end) => format!("{other} {}", held_on(sent, end)),
        None => format!("for {other} the call may still be up"),
    };
    Observation::new(Confidence::Likely, Proof::Protocol)
        .titled(format!("{} kept the hang-up to itself", context.capture.name(bye.destination)))
        .happened(format!(
            "{} hung up; {} answered the BYE with {} but never sent it on to {other}, although it had sent the ACK of this call on (frame {}): {impact}.",
            context.name(bye.source),
            context.name(bye.destination),
            answer.status().map_or(200, |status| status.0),
            passed.at.frame
        ))
        .remedy(format!(
            "{}: route a BYE like every request inside a call, by its Route and Request-URI (loose routing), and do not answer it there.",
            context.tables().endpoint(bye.destination).address
        ))
        .shown_by(context.shows(sent, "the hang-up"))
        .shown_by(context.shows(answer, "answered by the proxy"))
        .shown_by(Evidence::Missing {
            expected: format!("BYE from {} to {other}", context.capture.name(proxy)),
            after: sent.at,
            watched: context.capture.watched_since(sent.time),
        })
        .shown_by(context.shows(passed, "an earlier request of the call that was sent on"))
        .at(bye.destination, "swallowed")
        .maybe_shown_by(later_end.map(|end| context.shows(end, "the other side's own end of the call")))
}

/// The hops before and behind the last proxy of an answered call: it added a Via, kept the callee's tag, and passed the ACK on.
fn proxy_hop<'c>(context: &'c CallContext<'_>, far: TransactionIndex) -> Option<(&'c Transaction, &'c Transaction)> {
    let far = context.transactions.transaction(far);
    let near = context.transactions.transaction(far.parent?);
    let tag = |t: &Transaction| Some(context.message(t.final_response?)?.to_tag);
    let group = |t: &Transaction| context.message(t.first).map(|message| message.group);
    let is_proxy = context.tables().vias.above(far.via, near.via) == Some(1)
        && context.capture.node(near.destination) == context.capture.node(far.source)
        && group(near) == group(far)
        && tag(near).is_some()
        && tag(near) == tag(far);
    (is_proxy && near.ack.is_some() && far.ack.is_some()).then_some((near, far))
}
