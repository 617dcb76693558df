//! A REGISTER that nothing answered.
//!
//! Source: RFC 3261 section 17.1.2.2 (timers E and F).

use crate::call::registration::{RegisterAttempt, Registration, RegistrationOutcome};
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::reg::failed::{Story, others, story, who};
use crate::diagnose::scene::Scene;
use crate::diagnose::words::counted;

/// Sends over UDP after which a REGISTER counts as unanswered.
const SENDS_MIN: u32 = 3;

/// The registrar answered none of the REGISTERs of a try, although the device went on asking.
pub(super) fn unanswered(
    scene: &Scene<'_>,
    registration: &Registration,
    attempt: &RegisterAttempt,
) -> Option<Story> {
    let (device, registrar) = (scene.node(attempt.source), scene.node(attempt.registrar));
    if scene.is_one_directional(device, registrar) || !was_waited_for(scene, registration, attempt)
    {
        return None;
    }
    let name = scene.name(attempt.registrar);
    let what = if attempt.challenges > 0 {
        format!(
            "{name} asked for a login and did not answer the REGISTER that carried it, sent {}",
            counted(attempt.last_sends, "time")
        )
    } else {
        format!("{name} answered none of {} REGISTERs", attempt.sends)
    };
    Some(story(
        Confidence::Likely,
        Proof::Timing,
        "The registrar does not answer".to_owned(),
        format!(
            "{} could not register: {what}.{}",
            who(scene, attempt),
            others(scene, attempt)
        ),
        format!(
            "1. Check that {name} is up and is the right address and port. 2. Check that its answers get back to the device: firewall, NAT, routing."
        ),
    ))
}

/// Whether the device itself got no answer: it went on sending, as over UDP only a client does that waits
/// (RFC 3261 section 17.1.2.2). One REGISTER without an answer may as well be an answer that the capture lost.
fn was_waited_for(scene: &Scene<'_>, registration: &Registration, last: &RegisterAttempt) -> bool {
    let is_reliable = scene
        .book
        .messages
        .get(last.leg.start as usize)
        .is_some_and(|message| message.transport.is_reliable());
    let tries = || {
        let tries = registration.attempts.iter().rev();
        tries
            .filter_map(|index| scene.attempts.get(*index as usize))
            .take_while(|attempt| attempt.outcome == RegistrationOutcome::TimedOut)
            .take(SENDS_MIN as usize)
    };
    // What a stream lacks may be the answer.
    let is_whole = scene.sight.cut_messages == 0 && scene.sight.missing_bytes == 0;
    let sends: u32 = tries().map(|attempt| attempt.last_sends).sum();
    is_reliable && is_whole || sends >= SENDS_MIN && tries().any(|attempt| attempt.last_sends > 1)
}
