//! Hang-ups that a proxy answers by itself and does not pass on, although it passed the ACK of the same call on.
//!
//! Sources: RFC 3261 sections 16.6 (a proxy forwards what it routes), 15.1.2 (the other side answers a BYE).

use std::time::Duration;

use crate::call::{Message, Transaction, TransactionIndex, answering_hop};
use crate::diagnose::context::call_context::Case;
use crate::diagnose::finding::{Confidence, Evidence, Finding, Proof, Severity};
use crate::diagnose::rules::dlg::bye::later_end;
use crate::sip::{Method, StatusCode};

/// How long a proxy may take to pass a BYE on.
const PASS_WAIT: Duration = Duration::from_secs(5);

/// A BYE that was answered by a proxy and never seen behind it.
pub(super) fn bye(case: &Case<'_>) -> Option<Finding> {
    let dialog = case.dialogs.first()?;
    let (near, far) = proxy_hop(case, answering_hop(&case.anatomy, dialog))?;
    let (near, far) = (case.anatomy.transaction(near), case.anatomy.transaction(far));
    let node = |endpoint| case.scene.node(endpoint);
    let proxy = node(far.source);
    let (index, bye) = case.anatomy.each().find(|(_, t)| {
        let is_from_party = node(t.source) == node(near.source) || node(t.source) == node(far.destination);
        t.method == Method::Bye && t.parent.is_none() && is_from_party && node(t.destination) == proxy
    })?;
    let (sent, answer) = (case.message(bye.request?)?, case.message(bye.final_response?)?);
    let is_passed_on = case.anatomy.originals().any(|(_, m)| {
        m.is_request(Method::Bye)
            && m.from_tag == sent.from_tag
            && (node(m.source) == proxy || node(m.source) != node(bye.source) && m.time <= sent.time.plus(PASS_WAIT))
    });
    if is_passed_on
        || case.anatomy.children(index).next().is_some()
        || !answer.status().is_some_and(StatusCode::is_success)
        || case.scene.watched_since(sent.time) < PASS_WAIT
    {
        return None;
    }
    let other = if node(bye.source) == node(near.source) { far.destination } else { near.source };
    let (proxy_name, other_name) = (case.name(bye.destination), case.scene.name(other));
    let end = later_end(case, sent);
    let impact = match end {
        Some(end) => format!(
            "{other_name} held the call for another {:.0} s (its own BYE is frame {})",
            end.time.since(sent.time).as_secs_f64(),
            end.at.frame
        ),
        None => format!("for {other_name} the call may still be up"),
    };
    let passed = case.anatomy.message(far.ack?);
    let mut finding = Finding::new(
        "dlg-bye-lost",
        Severity::Error,
        Confidence::Likely,
        Proof::Protocol,
    )
    .says(
        format!("{} kept the hang-up to itself", case.scene.name(bye.destination)),
        format!(
            "{} hung up; {proxy_name} answered the BYE with {} but never sent it on to {other_name}, although it had sent the ACK of this call on (frame {}): {impact}.",
            case.name(bye.source),
            answer.status().map_or(200, |status| status.0),
            passed.at.frame
        ),
        format!(
            "{}: route a BYE like every request inside a call, by its Route and Request-URI (loose routing), and do not answer it there.",
            case.tables().endpoint(bye.destination).address
        ),
    )
    .shown_by(case.shows(sent, "the hang-up"))
    .shown_by(case.shows(answer, "answered by the proxy"))
    .shown_by(Evidence::Missing {
        expected: format!("BYE from {} to {other_name}", case.scene.name(far.source)),
        after: sent.at,
        watched: case.scene.watched_since(sent.time),
    })
    .shown_by(case.shows(passed, "an earlier request of the call that was sent on"))
    .at(bye.destination, "swallowed");
    if let Some(end) = end {
        finding = finding.shown_by(case.shows(end, "the other side's own end of the call"));
    }
    Some(finding)
}

/// The hops before and behind the last proxy of an answered call: it added a Via, kept the callee's tag, and passed the ACK on.
fn proxy_hop(case: &Case<'_>, far: TransactionIndex) -> Option<(TransactionIndex, TransactionIndex)> {
    let (index, child) = (far, case.anatomy.transaction(far));
    let parent = child.parent?;
    let above = case.anatomy.transaction(parent);
    let tag = |t: &Transaction| Some(case.message(t.final_response?)?.to_tag);
    let group = |t: &Transaction| case.message(t.first).map(|message: &Message| message.group);
    let is_proxy = case.tables().vias.above(child.via, above.via) == Some(1)
        && case.scene.node(above.destination) == case.scene.node(child.source)
        && group(above) == group(child)
        && tag(above).is_some()
        && tag(above) == tag(child);
    (is_proxy && above.ack.is_some() && child.ack.is_some()).then_some((parent, index))
}
