//! Registrations that come and go, and registrars that keep every old contact of one device.
//!
//! Sources: RFC 3261 sections 10.2.4 and 10.3, RFC 5626 section 4.1 (+sip.instance).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::call::beside::registration::{RegisterAttempt, Registration, RegistrationOutcome, address_of};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::reg::contacts::{binds, listed, tries};

/// Times that a device must lose its registrar and find it again.
const LOSSES_MIN: usize = 3;
/// Within which time.
const LOSSES_WINDOW: Duration = Duration::from_secs(3600);
/// Contacts of one device that must be kept beside each other.
const CONTACTS_MIN: usize = 3;
/// Frames that evidence names.
const FRAMES_MAX: usize = 8;

/// REGISTERs of one device that are answered and not answered in turn.
pub(super) fn flapping(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    let losses = losses(capture, registration)?;
    let dense = losses.windows(LOSSES_MIN).find(|window| {
        let ends = window.first().zip(window.last());
        ends.is_some_and(|(first, last)| last.started.since(first.started) <= LOSSES_WINDOW)
    })?;
    let aor = capture.text(registration.aor);
    let (device, registrar) = (capture.name(registration.source), capture.name(registration.registrar));
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .warn()
            .titled("The registration comes and goes")
            .happened(format!(
                "{aor} from {device} lost {registrar} {} times and found it again: its REGISTERs were answered and not answered in turn. Calls to it fail meanwhile.",
                losses.len()
            ))
            .remedy(format!(
                "The way between {device} and {registrar} at these times: WLAN or mobile reception, a provider that resets the line, a firewall that limits or blocks for a while, the load of {registrar}."
            ))
            .shown_by(Evidence::in_frames(
                dense.iter().map(|attempt| attempt.asked_at).take(FRAMES_MAX).collect(),
                format!("REGISTER {aor}"),
                "never answered, between others that were",
            ))
            .at(registration.registrar, format!("flapping {aor}")),
    )
}

/// The tries with which a device lost its registrar and from which it found it again.
fn losses<'a>(capture: &CaptureContext<'a>, registration: &Registration) -> Option<Vec<&'a RegisterAttempt>> {
    if registration.attempts.len() < 2 * LOSSES_MIN
        || capture.is_one_directional(capture.node(registration.source), capture.node(registration.registrar))
    {
        return None;
    }
    let mut losses: Vec<&RegisterAttempt> = Vec::new();
    let mut was_registered = false;
    for attempt in tries(capture, &registration.attempts) {
        match attempt.outcome {
            RegistrationOutcome::Registered => was_registered = true,
            RegistrationOutcome::TimedOut if was_registered => {
                losses.push(attempt);
                was_registered = false;
            }
            _ => {}
        }
    }
    // The last loss may be for good: only those that the device recovered from make it come and go.
    if !was_registered {
        losses.pop();
    }
    Some(losses)
}

/// The 200 lists several contacts that one device registered one after the other.
pub(super) fn piled_up(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    let pile = pile(capture, registration)?;
    let aor = capture.text(registration.aor);
    let (device, registrar) = (capture.name(registration.source), capture.name(registration.registrar));
    let names: Vec<&str> = pile.kept.iter().copied().take(CONTACTS_MIN).collect();
    let names = names.join(", ");
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .warn()
            .titled("Old contacts of one device pile up")
            .happened(format!(
                "{registrar} keeps {} contacts for {aor} that one device ({device}) registered one after the other, such as {names}: calls are sent to all of them, and only one is alive.",
                pile.kept.len()
            ))
            .remedy(format!(
                "{registrar}: replace the contact of the same device (same Call-ID, or +sip.instance of RFC 5626), or limit the contacts of an account."
            ))
            .remedy(format!(
                "{device}: keep one port and Contact, and take the old one away before it registers another."
            ))
            .remedy("A shorter expiry lets dead contacts go sooner.")
            .shown_by(Evidence::seen(
                pile.last.answered_at.unwrap_or(pile.last.asked_at),
                format!("Contact: {names}"),
                "contacts that the registrar keeps",
            ))
            .shown_by(Evidence::in_frames(
                pile.tries.iter().map(|attempt| attempt.asked_at).take(FRAMES_MAX).collect(),
                format!("REGISTER {aor}"),
                "registrations of the one device",
            ))
            .at(registration.registrar, format!("piled up {aor}")),
    )
}

/// Contacts of one device that its registrar keeps beside each other.
struct ContactPile<'a> {
    /// The addresses.
    kept: BTreeSet<&'a str>,
    /// The tries with which it registered them.
    tries: Vec<&'a RegisterAttempt>,
    /// The last of these, whose answer lists the contacts.
    last: &'a RegisterAttempt,
}

fn pile<'a>(capture: &CaptureContext<'a>, registration: &Registration) -> Option<ContactPile<'a>> {
    let contact = |index: &u32| {
        let attempt = capture.attempts.get(*index as usize);
        attempt.map(|attempt| attempt.contact)
    };
    let mut contacts = registration.attempts.iter().map(contact);
    let first = contacts.next()?;
    if registration.attempts.len() < CONTACTS_MIN || contacts.all(|contact| contact == first) {
        return None;
    }
    let mut tries: Vec<&RegisterAttempt> =
        tries(capture, &registration.attempts).filter(|attempt| binds(attempt)).collect();
    let last = *tries.last()?;
    // One Call-ID is one device that was not restarted; two phones on one account have two.
    tries.retain(|attempt| attempt.leg == last.leg);
    let own: BTreeSet<&str> = tries.iter().map(|attempt| address_of(capture.text(attempt.contact))).collect();
    if own.len() < CONTACTS_MIN {
        return None;
    }
    let listed = listed(capture, last)?;
    let kept: BTreeSet<&str> = listed.into_iter().map(address_of).filter(|contact| own.contains(contact)).collect();
    (kept.len() >= CONTACTS_MIN).then_some(ContactPile { kept, tries, last })
}
