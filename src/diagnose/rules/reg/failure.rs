//! A try to register that failed: its messages, and what is said of it.
//!
//! Source: RFC 3261 section 10.2.

use std::time::Duration;

use crate::call::Message;
use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::diagnose::context::call_context::start_line;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Proof, Steps};
use crate::sip::Method;

/// How long behind the end of a try its last messages may stand: repeats of its answer.
const LATE_ANSWER: Duration = Duration::from_secs(1);
/// Tries of the whole capture among which those of others at one registrar are counted.
const ATTEMPTS_MAX: usize = 10_000;

/// The first and last message of a try: what was asked last, and what came back.
pub(super) struct Exchange<'a> {
    pub(super) attempt: &'a RegisterAttempt,
    pub(super) request: &'a Message,
    pub(super) answer: Option<&'a Message>,
}

/// What is said of one failure.
pub(super) struct RegisterFailure {
    pub(super) confidence: Confidence,
    pub(super) proof: Proof,
    pub(super) title: String,
    pub(super) explanation: String,
    pub(super) remedy: Steps,
    /// What shows it beside the REGISTER and its answer.
    pub(super) shown: Option<Evidence>,
}

/// A failure that its REGISTER and the answer show, if anything does.
pub(super) fn failure(
    (confidence, proof): (Confidence, Proof),
    title: impl Into<String>,
    explanation: String,
    remedy: impl Into<Steps>,
) -> RegisterFailure {
    RegisterFailure { confidence, proof, title: title.into(), explanation, remedy: remedy.into(), shown: None }
}

/// Evidence in one message.
pub(super) fn shows(capture: &CaptureContext<'_>, message: &Message, what: impl Into<String>) -> Evidence {
    Evidence::seen(message.at, start_line(&capture.store.tables, message), what)
}

/// The last request of a try on its first hop, with its final answer.
pub(super) fn exchange<'a>(capture: &CaptureContext<'a>, attempt: &'a RegisterAttempt) -> Option<Exchange<'a>> {
    let messages = capture.store.messages_of(&attempt.leg);
    let during = || {
        let first = messages.partition_point(|message| message.time < attempt.started);
        messages[first..].iter().take_while(|message| message.time <= attempt.ended.plus(LATE_ANSWER))
    };
    let answer = during().find(|message| Some(message.at) == attempt.answered_at);
    let request = during()
        .filter(|message| {
            message.is_request(Method::Register)
                && message.source == attempt.source
                && answer.is_none_or(|answer| message.cseq == answer.cseq)
        })
        .last()?;
    Some(Exchange { attempt, request, answer })
}

/// Who tried, and from where.
pub(super) fn who(capture: &CaptureContext<'_>, attempt: &RegisterAttempt) -> String {
    format!("{} from {}", capture.text(attempt.aor), capture.name(attempt.source))
}

/// Whether others could register at the same registrar.
pub(super) fn others(capture: &CaptureContext<'_>, attempt: &RegisterAttempt) -> String {
    let node = capture.node(attempt.registrar);
    let near = capture.attempts.iter().take(ATTEMPTS_MAX).filter(|other| {
        capture.node(other.registrar) == node
            && other.aor != attempt.aor
            && other.outcome == RegistrationOutcome::Registered
    });
    match near.count() {
        0 => String::new(),
        good => format!(" {good} other registrations there succeeded in this capture."),
    }
}
