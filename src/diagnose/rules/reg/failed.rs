//! A device whose last try to register failed, and what the registrar said. Refused logins (401, 403, 407) belong to family AUTH.
//!
//! Sources: RFC 3261 sections 10.2 and 10.3.

use crate::call::beside::registration::{Registration, RegistrationOutcome};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Evidence, Observation, Severity};
use crate::diagnose::rules::reg::failure::{exchange, shows};
use crate::diagnose::rules::reg::refused::refused;
use crate::diagnose::rules::reg::silent::unanswered;
use crate::diagnose::rules::reg::unbound::not_bound;

pub fn reg_failed(capture: &CaptureContext<'_>, registration: &Registration) -> Option<Observation> {
    let newest_first = || {
        let indices = registration.attempts.iter().rev();
        indices.filter_map(|index| capture.attempts.get(*index as usize))
    };
    let last = newest_first().find(|attempt| attempt.outcome != RegistrationOutcome::Partial)?;
    if last.is_removal {
        return None;
    }
    let exchange = exchange(capture, last)?;
    let code = last.final_code.map_or(0, |status| status.0);
    let failure = match last.outcome {
        RegistrationOutcome::Registered => not_bound(capture, &exchange)?,
        RegistrationOutcome::TimedOut => unanswered(capture, registration, last, exchange.request)?,
        RegistrationOutcome::Failed if !matches!(code, 401 | 403 | 407) => refused(capture, &exchange, code),
        _ => return None,
    };
    let since = newest_first()
        .find(|attempt| attempt.outcome == RegistrationOutcome::Registered && attempt.started < last.started);
    let history = match since {
        Some(good) => format!(" Its last success was {:.0} s before.", last.started.millis_since(good.ended) / 1000.0),
        None => String::new(),
    };
    let severity = if last.outcome == RegistrationOutcome::Registered { Severity::Warn } else { Severity::Error };
    let observation = Observation::new(failure.confidence, failure.proof)
        .severity(severity)
        .titled(failure.title)
        .happened(format!("{}{history}", failure.explanation))
        .remedy(failure.remedy)
        .at(last.registrar, code)
        .maybe_shown_by(failure.shown);
    let answer = match exchange.answer {
        Some(answer) => shows(capture, answer, "what the registrar said"),
        None => Evidence::Missing {
            expected: "an answer to the REGISTER".to_owned(),
            after: exchange.request.at,
            watched: capture.watched_since(exchange.request.time),
        },
    };
    Some(observation.shown_by(answer).shown_by(shows(capture, exchange.request, "the REGISTER")))
}
