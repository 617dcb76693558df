//! A device whose last try to register failed, and what the registrar said. Refused logins (401, 403, 407) are told by family AUTH.
//!
//! Sources: RFC 3261 sections 10.2, 10.3, 20.23 and 21.4.17; RFC 5626 section 11.6 (439).

use std::time::Duration;

use crate::call::beside::registration::{RegisterAttempt, Registration, RegistrationOutcome};
use crate::call::{Message, TextId};
use crate::diagnose::context::call_context::start_line;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rules::reg::silent;
use crate::diagnose::rules::reg::unbound::not_bound;
use crate::sip::{HeaderName, Method, Uri, Warning};

/// The first and last message of a try: what was asked last, and what came back.
pub(super) struct Exchange<'a> {
    pub(super) attempt: &'a RegisterAttempt,
    request: &'a Message,
    pub(super) answer: Option<&'a Message>,
}

/// What is said of one failure.
pub(super) struct Story {
    title: String,
    explanation: String,
    remedy: Steps,
    confidence: Confidence,
    proof: Proof,
    /// What shows it beside the REGISTER and its answer.
    shown: Option<Evidence>,
}

impl Story {
    pub(super) fn shown_by(self, evidence: Evidence) -> Self {
        Self { shown: Some(evidence), ..self }
    }
}

pub fn reg_failed(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    let last = registration
        .attempts
        .iter()
        .rev()
        .filter_map(|index| capture.attempts.get(*index as usize))
        .find(|attempt| attempt.outcome != RegistrationOutcome::Partial)?;
    if last.is_removal {
        return None;
    }
    let exchange = exchange(capture, last)?;
    let code = last.final_code.map_or(0, |status| status.0);
    let story = match last.outcome {
        RegistrationOutcome::Registered => not_bound(capture, &exchange)?,
        RegistrationOutcome::TimedOut => silent::unanswered(capture, registration, last, exchange.request)?,
        RegistrationOutcome::Failed if !matches!(code, 401 | 403 | 407) => refused(capture, &exchange, code),
        _ => return None,
    };
    let since = registration
        .attempts
        .iter()
        .rev()
        .filter_map(|index| capture.attempts.get(*index as usize))
        .find(|attempt| attempt.outcome == RegistrationOutcome::Registered && attempt.started < last.started);
    let history = match since {
        Some(good) => format!(" Its last success was {:.0} s before.", last.started.millis_since(good.ended) / 1000.0),
        None => String::new(),
    };
    let severity = if last.outcome == RegistrationOutcome::Registered { Severity::Warn } else { Severity::Error };
    let mut observation = Observation::new(story.confidence, story.proof)
        .severity(severity)
        .titled(story.title)
        .happened(format!("{}{history}", story.explanation))
        .remedy(story.remedy)
        .at(last.registrar, format!("{code}"));
    observation.evidence.extend(story.shown);
    match exchange.answer {
        Some(answer) => observation = observation.shown_by(shows(capture, answer, "what the registrar said")),
        None => {
            observation = observation.shown_by(Evidence::Missing {
                expected: "an answer to the REGISTER".to_owned(),
                after: exchange.request.at,
                watched: capture.watched_since(exchange.request.time),
            });
        }
    }
    Some(observation.shown_by(shows(capture, exchange.request, "the REGISTER")))
}

fn shows(capture: &CaptureContext<'_>, message: &Message, what: &str) -> Evidence {
    Evidence::seen(message.at, start_line(&capture.store.tables, message), what)
}

/// The last request of a try on its first hop, with its final answer.
fn exchange<'a>(capture: &CaptureContext<'a>, attempt: &'a RegisterAttempt) -> Option<Exchange<'a>> {
    let messages = capture.store.messages_of(&attempt.leg);
    let during = || {
        let first = messages.partition_point(|message| message.time < attempt.started);
        messages[first..].iter().take_while(|message| message.time <= attempt.ended.plus(Duration::from_secs(1)))
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

pub(super) fn who(capture: &CaptureContext<'_>, attempt: &RegisterAttempt) -> String {
    format!("{} from {}", capture.text(attempt.aor), capture.name(attempt.source))
}

pub(super) fn story(
    confidence: Confidence,
    proof: Proof,
    title: String,
    explanation: String,
    remedy: impl Into<Steps>,
) -> Story {
    Story { title, explanation, remedy: remedy.into(), confidence, proof, shown: None }
}

fn refused(capture: &CaptureContext<'_>, exchange: &Exchange<'_>, code: u16) -> Story {
    let who = who(capture, exchange.attempt);
    let registrar = capture.name(exchange.attempt.registrar);
    let phrase = exchange.answer.map_or("", |answer| capture.text(answer.line));
    let certain = |title: &str, explanation: String, remedy: Steps| {
        story(Confidence::Certain, Proof::OwnWords, title.to_owned(), explanation, remedy)
    };
    match code {
        423 => too_brief(capture, exchange, &who, &registrar),
        404 => {
            let domain = capture.text(exchange.request.line);
            certain(
                "The registrar does not know this address",
                format!(
                    "{who} could not register at {registrar}: 404 {phrase}. It asked `{domain}` to register {}.",
                    capture.text(exchange.attempt.aor)
                ),
                Steps::from([
                    format!("On the device: set user and domain as {registrar} has them."),
                    format!("Or create the user there.{}", domains(capture, exchange)),
                ]),
            )
        }
        400 | 416 => bad_request(capture, exchange, &who, &registrar, code),
        405 | 501 => certain(
            "This server takes no registrations",
            format!("{who} could not register: {registrar} does not take REGISTER ({code} {phrase})."),
            "On the device: set the registrar's address, which may differ from that of the outbound proxy.".into(),
        ),
        420 | 421 | 439 | 494 | 555 => certain(
            "The registrar demands or lacks a feature",
            format!("{who} could not register at {registrar}: {code} {phrase}.{}", feature(capture, exchange)),
            format!("Switch the feature on or off on both sides alike: on the device and on {registrar}.").into(),
        ),
        408 | 504 => story(
            Confidence::Likely,
            Proof::OwnWords,
            format!("{registrar} got no answer from behind it"),
            format!(
                "{who} could not register: {registrar} answered {code} {phrase}, as a proxy does that waited in vain for the registrar behind it, or a registrar for its database.{}",
                others(capture, exchange.attempt)
            ),
            Steps::from([
                format!("Behind {registrar}: is the registrar, or the database that it asks, up, and does it answer?"),
                format!("{registrar}: is that the right next hop for this domain?"),
            ]),
        ),
        500..=599 => story(
            Confidence::Likely,
            Proof::OwnWords,
            "The registrar failed".to_owned(),
            format!(
                "{who} could not register: {registrar} answered {code} {phrase}.{}",
                others(capture, exchange.attempt)
            ),
            format!(
                "{registrar}: look for the fault at this moment in its log and in the database or server behind it."
            ),
        ),
        300..=399 => certain(
            "The registrar sends the device elsewhere",
            format!("{who} was sent elsewhere by {registrar} ({code} {phrase}) and did not follow."),
            "On the device: set the registrar that the Contact of this answer names.".into(),
        ),
        _ => story(
            Confidence::Likely,
            Proof::CodeMeaning,
            format!("Registration refused with {code}"),
            format!("{who} could not register: {registrar} answered {code} {phrase}."),
            format!("Read the log of {registrar} for this REGISTER; nothing in it shows more than the code."),
        ),
    }
}

fn too_brief(capture: &CaptureContext<'_>, exchange: &Exchange<'_>, who: &str, registrar: &str) -> Story {
    let header = |message: &Message, name| capture.store.tables.header(message, name).map(str::trim);
    let least = exchange.answer.and_then(|answer| header(answer, HeaderName::MinExpires));
    let contact = capture.text(exchange.attempt.contact).to_ascii_lowercase();
    let asked = contact
        .rsplit_once("expires=")
        .map(|(_, value)| value.split([';', ',', '>']).next().unwrap_or_default().to_owned())
        .or_else(|| header(exchange.request, HeaderName::Expires).map(str::to_owned));
    let asked = asked.map_or(String::new(), |asked| format!(" It asked for {asked} s."));
    let least_text = least.map_or("does not say how much it wants, although RFC 3261 has it".to_owned(), |least| {
        format!("wants at least {least} s")
    });
    story(
        Confidence::Certain,
        Proof::OwnWords,
        "The expiry asked for is too short".to_owned(),
        format!(
            "{who} could not register: {registrar} answered 423 and {least_text}.{asked} The device did not try again with more."
        ),
        format!(
            "On the device: set the registration expiry to {} or more.",
            least.map_or("3600 s".to_owned(), |least| format!("{least} s"))
        ),
    )
}

fn bad_request(capture: &CaptureContext<'_>, exchange: &Exchange<'_>, who: &str, registrar: &str, code: u16) -> Story {
    let phrase = exchange.answer.map_or("", |answer| capture.text(answer.line));
    let expires = capture.store.tables.header(exchange.request, HeaderName::Expires);
    let is_star = capture.text(exchange.attempt.contact).trim() == "*";
    let defects = capture.defects(exchange.request);
    let (confidence, fault) = if is_star && expires.is_none_or(|expires| expires.trim() != "0") {
        (Confidence::Certain, "`Contact: *` may only come with `Expires: 0`".to_owned())
    } else if let Some(defect) = defects.first() {
        (Confidence::Likely, (*defect).to_owned())
    } else {
        (Confidence::Possible, "nothing that can be checked is wrong with it".to_owned())
    };
    story(
        confidence,
        Proof::Protocol,
        "The REGISTER is refused as malformed".to_owned(),
        format!("{who} could not register: {registrar} answered {code} {phrase}. In the REGISTER: {fault}."),
        "On the device, or on the router that rewrites its SIP: correct this part of the REGISTER.".to_owned(),
    )
}

/// The domain in which another device registered at the same registrar, where it differs.
fn domains(capture: &CaptureContext<'_>, exchange: &Exchange<'_>) -> String {
    let host = |id: TextId| {
        String::from_utf8_lossy(Uri::parse(capture.text(id).as_bytes()).host_port.host).to_ascii_lowercase()
    };
    let own = host(exchange.attempt.aor);
    let node = capture.node(exchange.attempt.registrar);
    let mut good = capture.attempts.iter().take(2_000).filter(|attempt| {
        attempt.outcome == RegistrationOutcome::Registered && capture.node(attempt.registrar) == node
    });
    good.find(|attempt| host(attempt.aor) != own)
        .map_or(String::new(), |attempt| format!(" Other devices register there in the domain {}.", host(attempt.aor)))
}

/// Whether others could register at the same registrar.
pub(super) fn others(capture: &CaptureContext<'_>, attempt: &RegisterAttempt) -> String {
    let node = capture.node(attempt.registrar);
    let near = capture.attempts.iter().take(10_000).filter(|other| {
        capture.node(other.registrar) == node
            && other.aor != attempt.aor
            && other.outcome == RegistrationOutcome::Registered
    });
    match near.count() {
        0 => String::new(),
        good => format!(" {good} other registrations there succeeded in this capture."),
    }
}

fn feature(capture: &CaptureContext<'_>, exchange: &Exchange<'_>) -> String {
    let tables = &capture.store.tables;
    let Some(answer) = exchange.answer else {
        return String::new();
    };
    let named = [HeaderName::Unsupported, HeaderName::Require]
        .into_iter()
        .find_map(|name| tables.header(answer, name))
        .map(|tag| format!(" It names `{tag}`."));
    let warned = || {
        let warning = tables.header(answer, HeaderName::Warning)?;
        let text = Warning::parse(warning.as_bytes()).text;
        Some(format!(" It warns: {}.", String::from_utf8_lossy(text)))
    };
    named.or_else(warned).unwrap_or_default()
}
