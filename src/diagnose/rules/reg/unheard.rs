//! Calls to a registered device that do not reach it: its NAT forgot it, or the calls follow an old contact.
//!
//! Sources: RFC 5626 sections 3.5 and 4.4 (keep-alives, NAT bindings), RFC 3261 section 10.3 (which contacts a registrar keeps).

use std::time::Duration;

use crate::call::beside::registration::{RegisterAttempt, Registration};
use crate::call::{Call, EndpointId};
use crate::capture::Timestamp;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::reg::contacts::{binds, tries};
use crate::diagnose::rules::reg::failure::shows;

/// Silence after which NATs close a UDP mapping (RFC 4787 section 4.3 wants two minutes, many take 30 s).
const IDLE_MIN: Duration = Duration::from_secs(30);
/// How long a registrar may need to follow a new contact.
const MOVE_WAIT: Duration = Duration::from_secs(1);
/// Calls to one contact that are looked at.
const CALLS_MAX: usize = 64;

/// A call that nothing answered at a contact, and the two registrations around it.
struct Miss<'a> {
    call: &'a Call,
    sent: Timestamp,
    before: &'a RegisterAttempt,
    after: &'a RegisterAttempt,
}

/// Calls to the port that the device registered from go unanswered, and its next REGISTER comes from another port.
pub(super) fn forgotten(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    let misses = misses(capture, registration, |capture, before, after, sent| {
        let granted = Duration::from_secs(u64::from(before.expires_s.unwrap_or(0)));
        let idle = sent.since(last_word(capture, before, sent));
        sent < after.started && sent <= before.ended.plus(granted) && idle >= IDLE_MIN
    });
    let miss = misses.first()?;
    let idle = miss.sent.since(last_word(capture, miss.before, miss.sent));
    let (aor, old, new) = miss.names(capture, registration);
    let observation = observation(capture, registration, "forgotten", miss)
        .titled("Calls do not reach a registered device")
        .happened(format!(
            "{aor} is registered from {old}, but {} to it there got no answer once it had been silent for {:.0} s; its next REGISTER came from {new}. Most likely its NAT closes the mapping before that.",
            calls(misses.len()),
            idle.as_secs_f64()
        ))
        .remedy(format!(
            "The device behind {old}: send a keep-alive every 25 s (CRLF or STUN, RFC 5626), or use TCP or TLS."
        ))
        .remedy(format!("Or let {} send OPTIONS to it that often.", capture.name(registration.registrar)))
        .remedy("Router in front of it: a longer UDP time-out.");
    Some(observation)
}

/// The device moved to another address, and a call still goes to the old one alone.
pub(super) fn moved(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    let misses = misses(capture, registration, |_, before, after, sent| {
        // One Call-ID: the same device, not a second one.
        before.leg == after.leg && sent >= after.ended.plus(MOVE_WAIT)
    });
    let lost: Vec<&Miss<'_>> = misses
        .iter()
        .filter(|miss| {
            let mut hops = miss.call.hops.iter();
            miss.call.outcome.is_failure() && !hops.any(|hop| hop.destination == miss.after.source)
        })
        .collect();
    let miss = *lost.first()?;
    let (aor, old, new) = miss.names(capture, registration);
    let observation = observation(capture, registration, "moved", miss)
        .titled("Calls follow an old contact of the device")
        .happened(format!(
            "{aor} had moved its registration from {old} to {new} {:.0} s before, but {} still went to {old} alone, where nothing answers.",
            miss.sent.since(miss.after.ended).as_secs_f64(),
            calls(lost.len())
        ))
        .remedy(format!(
            "{}: replace the contact of a device that registers from another address (by its Call-ID or +sip.instance), and send calls to the newest one.",
            capture.name(registration.registrar)
        ));
    Some(observation)
}

impl Miss<'_> {
    /// The device, and where it registered from before and after the call.
    fn names<'a>(&self, capture: &CaptureContext<'a>, registration: &Registration) -> (&'a str, String, String) {
        (capture.text(registration.aor), capture.name(self.before.source), capture.name(self.after.source))
    }
}

/// What both have in common: the two registrations around the first call that was missed, and that call.
fn observation(capture: &CaptureContext<'_>, registration: &Registration, what: &str, miss: &Miss<'_>) -> Observation {
    let aor = capture.text(registration.aor);
    let registered = |attempt: &RegisterAttempt| {
        let contact = format!("Contact: {}", capture.text(attempt.contact));
        Evidence::seen(attempt.asked_at, contact, format!("registered from {}", capture.name(attempt.source)))
    };
    let messages = miss.call.legs.iter().flat_map(|leg| capture.store.messages_of(leg));
    let sent = messages
        .filter(|message| message.destination == miss.before.source && message.method().is_some())
        .min_by_key(|message| message.order());
    Observation::new(Confidence::Likely, Proof::Comparison)
        .at(registration.registrar, format!("{what} {aor}"))
        .shown_by(registered(miss.before))
        .shown_by(registered(miss.after))
        .maybe_shown_by(sent.map(|sent| shows(capture, sent, "a call that nothing answered there")))
}

/// Calls to a contact of the device that nothing answered there, with the registrations that made and replaced the contact.
fn misses<'a>(
    capture: &CaptureContext<'a>,
    registration: &Registration,
    fits: impl Fn(&CaptureContext<'a>, &RegisterAttempt, &RegisterAttempt, Timestamp) -> bool,
) -> Vec<Miss<'a>> {
    let (device, registrar) = (capture.node(registration.source), capture.node(registration.registrar));
    let source = |index: &u32| {
        let attempt = capture.attempts.get(*index as usize);
        attempt.map(|attempt| attempt.source)
    };
    let mut sources = registration.attempts.iter().map(source);
    let first = sources.next().flatten();
    if sources.all(|source| source == first) || capture.is_one_directional(device, registrar) {
        return Vec::new();
    }
    let bound: Vec<&RegisterAttempt> =
        tries(capture, &registration.attempts).filter(|attempt| binds(attempt)).collect();
    let mut misses = Vec::new();
    for pair in bound.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        if before.source == after.source {
            continue;
        }
        for index in capture.unheard_at(before.source).iter().take(CALLS_MAX) {
            let Some(call) = capture.calls.get(*index as usize) else {
                continue;
            };
            let hop = call.hops.iter().find(|hop| {
                hop.destination == before.source && hop.sent > before.ended && fits(capture, before, after, hop.sent)
            });
            if let Some(hop) = hop {
                misses.push(Miss { call, sent: hop.sent, before, after });
            }
        }
    }
    misses
}

/// When the device was last heard from the port that it had registered from.
fn last_word(capture: &CaptureContext<'_>, attempt: &RegisterAttempt, before: Timestamp) -> Timestamp {
    let source: EndpointId = attempt.source;
    let heard =
        capture.history().last_from(capture.store, source, before).map_or(attempt.ended, |message| message.time);
    heard.max(attempt.ended)
}

fn calls(count: usize) -> String {
    match count {
        1 => "a call".to_owned(),
        _ => format!("{count} calls"),
    }
}
