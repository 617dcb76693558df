//! Calls that were redirected: followed, followed on the way, or left where they were.
//!
//! Source: RFC 3261 sections 8.1.3.4, 16.7 step 4 and 21.3; RFC 4694 (number portability queries answered by 3xx).

use std::time::Duration;

use crate::call::beside::registration::address_of;
use crate::call::{Message, Outcome, Transaction, is_private};
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::net::Endpoint;
use crate::sip::number::{host_of, is_same_target, user_of};
use crate::sip::{HeaderName, Uri};

/// How long a caller may take to follow.
const FOLLOW_WAIT: Duration = Duration::from_secs(5);
/// Redirections of one call that make it a circle.
const CIRCLE_MIN: usize = 3;
/// Calls before and behind a redirected one among which one to its target is looked for.
const CALLS_MAX: usize = 64;
/// Targets named in a text.
const TARGETS_SHOWN: usize = 3;

pub fn call_redirected(context: &CallContext<'_>) -> Option<Observation> {
    let redirects = || {
        context
            .transactions
            .invites()
            .filter(|(_, t)| context.transactions.final_status(t).is_some_and(crate::sip::StatusCode::is_redirection))
    };
    if context.outcome() == Outcome::Redirected {
        let (_, root) = context.root()?;
        return unfollowed(context, root);
    }
    let (_, first) = redirects().next()?;
    let answer = context.message(first.final_response?)?;
    let targets = targets(context, answer);
    let who = if first.parent.is_none() { "the caller" } else { "a proxy" };
    let next = context.transactions.invites().find(|(_, t)| {
        t.request.is_some_and(|request| Some(request) > first.final_response)
            && context.message(t.first).is_some_and(|invite| {
                targets.iter().any(|target| user_of(target) == user_of(context.capture.text(invite.line)))
            })
    });
    next?;
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .info()
            .titled("The call was redirected and went on")
            .happened(format!(
                "{} redirected the call to {}, and {who} followed.",
                context.name(first.destination),
                shown(&targets)
            ))
            .remedy("Nothing is broken.")
            .shown_by(context.shows(answer, "the redirection"))
            .at(first.destination, answer.status()?.0)
            .beside(),
    )
}

fn unfollowed(context: &CallContext<'_>, hop: &Transaction) -> Option<Observation> {
    let answer = context.message(hop.final_response?)?;
    let request = context.message(hop.last_request?)?;
    let code = answer.status()?.0;
    let targets = targets(context, answer);
    let dialled = context.capture.text(request.line);
    let node = context.name(hop.destination);
    let number = user_of(dialled);
    let caller = context.name(hop.source);
    let observation = |severity, confidence| {
        Observation::new(confidence, Proof::OwnWords)
            .severity(severity)
            .shown_by(context.shows(answer, "the redirection"))
            .shown_by(context.shows_header(answer, HeaderName::Contact, "where to"))
            .at(hop.destination, code)
    };
    if is_query(context, answer, dialled, &targets) {
        return Some(
            observation(Severity::Info, Confidence::Likely)
                .titled("A routing query was answered")
                .happened(format!(
                    "{node} answered {code} with the same number and routing data for it: a query, not a call."
                ))
                .remedy("Nothing is broken."),
        );
    }
    let tried: Vec<&str> = context
        .transactions
        .invites()
        .filter_map(|(_, t)| Some(context.capture.text(context.message(t.first)?.line)))
        .collect();
    let redirects = context.transactions.chain.iter().filter(|step| {
        context
            .transactions
            .final_status(context.transactions.transaction(**step))
            .is_some_and(crate::sip::StatusCode::is_redirection)
    });
    let circle = targets
        .iter()
        .find(|target| tried.iter().any(|tried| is_same_target(tried, target)))
        .filter(|_| redirects.count() >= CIRCLE_MIN || tried.len() > 1 || targets.len() == 1);
    if circle.is_none() && context.capture.watched_since(answer.time) < FOLLOW_WAIT {
        return Some(
            observation(Severity::Info, Confidence::Possible)
                .titled("The call was redirected when the capture ended")
                .happened(format!(
                    "{node} redirected {number} to {}; the capture ends before {caller} could follow.",
                    shown(&targets)
                ))
                .remedy("Capture longer to see whether the caller follows."),
        );
    }
    let (what, remedy): (_, Steps) = if let Some(target) = circle {
        (
            format!("back to {target}, which had been called already, so the call went in a circle"),
            format!("On {node}: let the forwarding of {number} lead to another number or device.").into(),
        )
    } else if targets.is_empty() {
        (
            "without naming a target in Contact, so nobody could follow".to_owned(),
            format!("On {node}: name the target of the forwarding of {number} in Contact.").into(),
        )
    } else {
        let unreachable = targets.iter().any(|target| {
            let host = Uri::parse(target.as_bytes()).host_port.address();
            let own = context.tables().endpoint(hop.source).address;
            host.is_some_and(is_private) && !is_private(own)
        });
        let hint = if unreachable { " (a private address that the caller cannot reach)" } else { "" };
        (
            format!("to {}{hint}, and {caller} never tried it", shown(&targets)),
            Steps::from([
                format!("On {caller}: allow it to follow redirections, which many trunks do not."),
                format!("Or on {node}: forward the call itself instead of answering {code}."),
            ]),
        )
    };
    // Whoever follows a redirection may take a way past the capture.
    let is_untried = circle.is_none() && !targets.is_empty();
    let capture = context.capture;
    let called = targets.iter().find(|target| is_called(context, hop, target));
    let can_tell =
        || targets.iter().any(|target| is_seen(context, target)) && capture.is_alive_after(answer, FOLLOW_WAIT);
    let (confidence, besides) = match called {
        Some(_) if is_untried => (
            Confidence::Possible,
            " at once; it called there at another time, which may be the same call where a clock was set",
        ),
        _ if is_untried && !can_tell() => (Confidence::Likely, ""),
        _ => (Confidence::Certain, ""),
    };
    let observation = observation(Severity::Error, confidence)
        .titled("The call was redirected and nobody followed")
        .happened(format!("{node} redirected {number} {what}{besides} ({code})."))
        .remedy(remedy);
    if !is_untried {
        return Some(observation);
    }
    Some(observation.shown_by(Evidence::Missing {
        expected: "an INVITE to the new target".to_owned(),
        after: answer.at,
        watched: context.capture.watched_since(answer.time),
    }))
}

/// Whether the caller calls a target at another time of the capture.
fn is_called(context: &CallContext<'_>, hop: &Transaction, target: &str) -> bool {
    let near = context.index.saturating_sub(CALLS_MAX)..context.index + CALLS_MAX;
    let calls = context.capture.calls.iter().enumerate();
    let mut others = calls.skip(near.start).take(near.len());
    let node = context.capture.node(hop.source);
    others.any(|(index, call)| {
        index != context.index
            && context.capture.node(call.source) == node
            && user_of(context.capture.text(call.callee)) == user_of(target)
    })
}

/// Whether the host of a target is in the capture.
fn is_seen(context: &CallContext<'_>, target: &str) -> bool {
    let uri = Uri::parse(target.as_bytes());
    let endpoint = |address| Endpoint { address, port: uri.host_port.port.unwrap_or(5060) };
    let address = uri.host_port.address();
    address.is_some_and(|address| context.capture.endpoint_of(endpoint(address)).is_some())
}

fn targets(context: &CallContext<'_>, answer: &Message) -> Vec<String> {
    let lines = context.tables().header_values(answer, HeaderName::Contact);
    let each = lines.flat_map(|line| line.split(',')).map(address_of);
    each.filter(|target| target.contains(':')).map(str::to_owned).take(16).collect()
}

fn shown(targets: &[String]) -> String {
    let mut text = targets.iter().take(TARGETS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if targets.len() > TARGETS_SHOWN {
        text += " and others";
    }
    text
}

/// A portability or signing server answers with the same number and more parameters.
fn is_query(context: &CallContext<'_>, answer: &Message, dialled: &str, targets: &[String]) -> bool {
    let same_user = |target: &String| user_of(target) == user_of(dialled);
    let lines = || context.tables().header_values(answer, HeaderName::Contact);
    let has_data = lines().any(|line| {
        let line = line.to_ascii_lowercase();
        [";rn=", ";npdi", ";verstat", ";cic="].iter().any(|part| line.contains(part))
    });
    let same_host = targets.iter().all(|target| host_of(target) == host_of(dialled));
    has_data && (same_user_number(targets, dialled) || targets.iter().all(same_user) && same_host)
        || context.tables().header(answer, HeaderName::Identity).is_some()
}

fn same_user_number(targets: &[String], dialled: &str) -> bool {
    !targets.is_empty() && targets.iter().all(|target| user_of(target) == user_of(dialled))
}
