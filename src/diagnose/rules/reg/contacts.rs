//! The tries of a device or an address-of-record, and the contacts that they bind.
//!
//! Source: RFC 3261 section 10.3 (the 200 lists every contact).

use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::call::detail::target;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::sip::HeaderName;

/// Tries of one device or address-of-record that are looked at.
const TRIES_MAX: usize = 4_000;

/// The tries at these indices.
pub(super) fn tries<'a>(capture: &CaptureContext<'a>, indices: &[u32]) -> impl Iterator<Item = &'a RegisterAttempt> {
    let attempts = capture.attempts;
    indices.iter().take(TRIES_MAX).filter_map(|index| attempts.get(*index as usize))
}

/// Whether a try was granted.
pub(super) fn is_registered(attempt: &RegisterAttempt) -> bool {
    attempt.outcome == RegistrationOutcome::Registered
}

/// Whether a try bound a contact.
pub(super) fn binds(attempt: &RegisterAttempt) -> bool {
    is_registered(attempt) && !attempt.is_removal && !attempt.contact.is_absent()
}

/// The contacts that the 200 of a try lists, as sent.
pub(super) fn listed<'a>(capture: &CaptureContext<'a>, attempt: &RegisterAttempt) -> Option<Vec<&'a str>> {
    let messages = capture.store.messages_of(&attempt.leg);
    let first = messages.partition_point(|message| message.time < attempt.started);
    let answer = messages
        .get(first..)?
        .iter()
        .take_while(|message| message.time <= attempt.ended)
        .find(|message| Some(message.at) == attempt.answered_at)?;
    let lines = capture.store.tables.header_values(answer, HeaderName::Contact);
    Some(lines.flat_map(target::values).collect())
}
