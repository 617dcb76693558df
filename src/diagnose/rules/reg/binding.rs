//! A binding that ran out without being refreshed, or that two devices take from each other.
//!
//! Sources: RFC 3261 sections 10.2.4 and 10.3; RFC 5626 section 4.4; RFC 6223.

use std::time::Duration;

use crate::call::beside::registration::{RegisterAttempt, Registration};
use crate::call::{Call, Outcome};
use crate::capture::Timestamp;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity};
use crate::diagnose::rules::reg::contacts::{is_registered, listed, tries};
use crate::diagnose::rules::reg::{unheard, unsteady};
use crate::sip::number::user_of;

/// How late a refresh may be.
const REFRESH_SLACK: Duration = Duration::from_secs(5);
/// Times that two devices take one binding from each other before it is a fight.
const TAKEOVERS_MIN: usize = 4;
/// Frames that evidence names.
const FRAMES_MAX: usize = 6;
/// Calls after the expiry that are looked at.
const CALLS_MAX: usize = 20_000;

pub fn reg_binding(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    expired(capture, registration)
        .or_else(|| stolen(capture, registration))
        .or_else(|| unheard::forgotten(capture, registration))
        .or_else(|| unheard::moved(capture, registration))
        .or_else(|| unsteady::flapping(capture, registration))
        .or_else(|| unsteady::piled_up(capture, registration))
}

/// A time in which the address-of-record had no binding although nobody had taken it away.
struct Gap<'a> {
    last: &'a RegisterAttempt,
    granted: u32,
    from: Timestamp,
    until: Timestamp,
    is_over: bool,
}

fn expired(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    let (device, registrar) = (capture.node(registration.source), capture.node(registration.registrar));
    if capture.is_one_directional(device, registrar) {
        return None;
    }
    let gap = gap(capture, registration)?;
    let lost = lost_calls(capture, registration, &gap);
    let aor = capture.text(registration.aor);
    let away = gap.until.millis_since(gap.from) / 1000.0;
    let back = if gap.is_over {
        format!("registered again {away:.0} s later")
    } else {
        format!("had not registered again {away:.0} s later, when the registrar was last seen")
    };
    let calls = match lost.len() {
        0 => String::new(),
        1 => " A call to it failed meanwhile.".to_owned(),
        count => format!(" {count} calls to it failed meanwhile."),
    };
    let severity = if lost.is_empty() { Severity::Warn } else { Severity::Error };
    let answered = gap.last.answered_at;
    let first_lost = lost.first().and_then(|call| {
        let leg = call.legs.first()?;
        let frame = capture.store.messages_of(leg).first()?.at;
        Some(Evidence::seen(frame, format!("INVITE {}", capture.text(call.callee)), "a call that failed meanwhile"))
    });
    let observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .severity(severity)
        .titled("The registration ran out and was not refreshed")
        .happened(format!(
            "{aor} was registered from {} for {} s, did not refresh in time and {back}.{calls}",
            capture.name(gap.last.source),
            gap.granted
        ))
        .remedy(format!(
            "The device {}: find out why it stopped (power, network, a lost REGISTER), and let it refresh after half of the {} s.",
            capture.name(gap.last.source),
            gap.granted
        ))
        .remedy("Behind NAT: a keep-alive every 25 s.")
        .at(registration.registrar, format!("expired {aor}"))
        .maybe_shown_by(answered.map(|answered| {
            Evidence::seen(answered, format!("expires={}", gap.granted), "the last registration")
        }))
        .shown_by(Evidence::Missing {
            expected: "a REGISTER that refreshes it".to_owned(),
            after: answered.unwrap_or(gap.last.asked_at),
            watched: gap.until.since(gap.last.ended),
        })
        .maybe_shown_by(first_lost);
    Some(observation)
}

/// The longest gap between bindings of the address-of-record that began with this device's one.
fn gap<'a>(capture: &CaptureContext<'a>, registration: &Registration) -> Option<Gap<'a>> {
    let tries: Vec<&RegisterAttempt> =
        tries(capture, capture.attempts_for(registration.aor)).filter(|attempt| is_registered(attempt)).collect();
    let (device, registrar) = (capture.node(registration.source), capture.node(registration.registrar));
    let mut best: Option<Gap<'a>> = None;
    let mut covered = Timestamp::default();
    for (place, attempt) in tries.iter().enumerate() {
        // A 200 to a request without Contact lists bindings and makes none.
        if attempt.is_removal || attempt.expires_s == Some(0) || attempt.contact.is_absent() {
            covered = attempt.ended;
            continue;
        }
        let Some(granted) = attempt.expires_s else {
            return best;
        };
        let end = attempt.ended.plus(Duration::from_secs(u64::from(granted)));
        covered = covered.max(end);
        let next = tries.get(place + 1).map(|next| next.ended);
        let is_over = next.is_some();
        let until = next.unwrap_or(capture.last_seen(registrar));
        let is_own =
            capture.node(attempt.source) == device && capture.node(attempt.registrar) == registrar && covered == end;
        let is_late = until > covered.plus(REFRESH_SLACK);
        let is_longer = best.as_ref().is_none_or(|best| until.since(covered) > best.until.since(best.from));
        if is_own && is_late && is_longer {
            best = Some(Gap { last: attempt, granted, from: covered, until, is_over });
        }
    }
    best
}

/// Calls to the user of the address-of-record by way of the registrar that failed during the gap.
fn lost_calls<'a>(capture: &CaptureContext<'a>, registration: &Registration, gap: &Gap<'_>) -> Vec<&'a Call> {
    let user = user_of(capture.text(registration.aor));
    let registrar = capture.node(registration.registrar);
    let first = capture.calls.partition_point(|call| call.started < gap.from);
    let during = capture.calls[first..].iter().take(CALLS_MAX).take_while(|call| call.started <= gap.until);
    during
        .filter(|call| {
            matches!(call.outcome, Outcome::Unreachable | Outcome::TimedOut | Outcome::ServerFailed)
                && user_of(capture.text(call.callee)) == user
                && call
                    .hops
                    .iter()
                    .any(|hop| capture.node(hop.destination) == registrar || capture.node(hop.source) == registrar)
        })
        .collect()
}

/// Two devices that register one address-of-record in turn, where the registrar keeps one contact.
fn stolen(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    let tries: Vec<&RegisterAttempt> = tries(capture, capture.attempts_for(registration.aor))
        .filter(|attempt| is_registered(attempt) && !attempt.is_removal)
        .collect();
    let node = |attempt: &RegisterAttempt| capture.node(attempt.source);
    let first = node(tries.first()?);
    let other = tries.iter().map(|attempt| node(attempt)).find(|node| *node != first)?;
    // Said once for the address-of-record: at the device that registered first.
    if capture.node(registration.source) != first || other == first {
        return None;
    }
    let takeovers = tries.windows(2).filter(|pair| node(pair[0]) != node(pair[1])).count();
    let keeps_one = tries.iter().all(|attempt| listed(capture, attempt).is_some_and(|contacts| contacts.len() == 1));
    if takeovers < TAKEOVERS_MIN || !keeps_one {
        return None;
    }
    let of_other = tries.iter().find(|attempt| node(attempt) == other)?;
    let aor = capture.text(registration.aor);
    let (a, b) = (capture.name(tries[0].source), capture.name(of_other.source));
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .titled("Two devices take one registration from each other")
            .happened(format!(
                "{a} and {b} both register {aor}; {} keeps one contact, so each REGISTER ({takeovers} changes) takes the calls from the other device.",
                capture.name(registration.registrar)
            ))
            .remedy("Give each device an account of its own.")
            .remedy(format!("Or let {} keep several contacts for {aor}.", capture.name(registration.registrar)))
            .remedy("If one of the two is unknown, change the password.")
            .shown_by(Evidence::in_frames(
                tries.iter().take(FRAMES_MAX).map(|attempt| attempt.asked_at).collect(),
                format!("REGISTER {aor}"),
                "registrations of the two devices in turn",
            ))
            .at(registration.registrar, format!("stolen {aor}")),
    )
}
