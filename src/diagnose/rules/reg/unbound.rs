//! Registrations that were accepted and bind nothing.
//!
//! Source: RFC 3261 section 10.3 (the 200 lists every contact with its expiry).

use crate::call::beside::registration::{RegisterAttempt, address_of};
use crate::call::detail::target;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::reg::contacts::listed;
use crate::diagnose::rules::reg::failure::{Exchange, RegisterFailure, failure, who};
use crate::sip::HeaderName;
use crate::sip::number::user_of;

/// A 200 that binds nothing: it grants no time, or lists no contact at all.
pub(super) fn not_bound(capture: &CaptureContext<'_>, exchange: &Exchange<'_>) -> Option<RegisterFailure> {
    let attempt = exchange.attempt;
    let answer = exchange.answer.filter(|answer| !answer.flags.is_cut())?;
    if attempt.contact.is_absent() || capture.text(attempt.contact).trim() == "*" {
        return None;
    }
    let tables = &capture.store.tables;
    let registrar = capture.name(attempt.registrar);
    let who = who(capture, attempt);
    let has = |name| tables.header(answer, name).is_some();
    let (confidence, what) = if attempt.expires_s == Some(0) {
        (Confidence::Certain, "grants 0 seconds")
    } else if !has(HeaderName::Contact) && !has(HeaderName::Expires) {
        (Confidence::Possible, "lists no Contact, so nothing may be bound")
    } else if is_left_out(capture, attempt) {
        (
            Confidence::Possible,
            "lists contacts, but none with its user, its host or its address; unless something on the way replaces contacts, it is not bound",
        )
    } else {
        return None;
    };
    Some(failure(
        (confidence, Proof::Protocol),
        "Accepted, but not bound",
        format!("{registrar} answered the REGISTER of {who} with 200 and {what}: calls to it would not arrive."),
        format!("{registrar}: look up whether this address-of-record has a contact, and why the new one was not kept."),
    ))
}

/// Whether the 200 lists contacts of which none is like the device's own in user, host or address.
fn is_left_out(capture: &CaptureContext<'_>, attempt: &RegisterAttempt) -> bool {
    let own = address_of(capture.text(attempt.contact));
    let address = capture.store.tables.endpoint(attempt.source).address;
    let is_like = |listed: &str| {
        let listed = address_of(listed);
        user_of(listed) == user_of(own)
            || target::host(listed) == target::host(own)
            || target::address(listed) == Some(address)
    };
    let contacts = listed(capture, attempt).unwrap_or_default();
    !contacts.is_empty() && !contacts.iter().any(|contact| is_like(contact))
}
