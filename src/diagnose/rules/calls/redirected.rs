//! Calls that were redirected: followed, followed on the way, or left where they were.
//!
//! Source: RFC 3261 sections 8.1.3.4, 16.7 step 4 and 21.3; RFC 4694 (number portability queries answered by 3xx).

use std::time::Duration;

use crate::call::beside::registration::address_of;
use crate::call::{Message, Outcome, Transaction, is_private};
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::net::Endpoint;
use crate::sip::number::{is_same_target, user_of};
use crate::sip::{HeaderName, StatusCode, Uri};

/// How long a caller may take to follow.
const FOLLOW_WAIT: Duration = Duration::from_secs(5);
/// Redirections of one call that make it a circle.
const CIRCLE_MIN: usize = 3;
/// Calls before and behind a redirected one among which one to its target is looked for.
const CALLS_MAX: usize = 64;
/// Targets of one redirection that are looked at.
const TARGETS_MAX: usize = 16;
/// Targets named in a text.
const TARGETS_SHOWN: usize = 3;

pub fn call_redirected(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome() == Outcome::Redirected {
        let (_, root) = context.root()?;
        return Some(observation(context, &ended_by(context, root)?));
    }
    let mut invites = context.transactions.invites();
    let is_redirected = |t: &Transaction| context.transactions.final_status(t).is_some_and(StatusCode::is_redirection);
    let (_, first) = invites.find(|(_, t)| is_redirected(t))?;
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

/// A redirection that ended the call.
struct Redirection<'a> {
    hop: Transaction,
    answer: &'a Message,
    code: u16,
    /// The Request-URI that was redirected.
    dialled: &'a str,
    targets: Vec<String>,
    fate: Fate,
}

/// Why the call went no further.
enum Fate {
    /// It was a query, not a call.
    Query,
    /// The capture ends too soon to show it.
    CutOff,
    /// It led back to this target, which had been called already.
    Circle(String),
    /// It names no target.
    NoTarget,
    /// Nobody called a target.
    Untried(Untried),
}

/// How much the capture shows of a call that was not placed.
enum Untried {
    /// The caller called there at another time.
    AtOnce,
    /// It may have taken a way past the capture.
    InSight,
    /// It is seen alive behind the redirection, and so is a target.
    AtAll,
}

fn ended_by<'a>(context: &CallContext<'a>, hop: &Transaction) -> Option<Redirection<'a>> {
    let answer = context.message(hop.final_response?)?;
    let dialled = context.capture.text(context.message(hop.last_request?)?.line);
    let code = answer.status()?.0;
    let targets = targets(context, answer);
    let fate = if is_query(context, answer, dialled, &targets) {
        Fate::Query
    } else if let Some(target) = circle(context, &targets) {
        Fate::Circle(target.clone())
    } else if context.capture.watched_since(answer.time) < FOLLOW_WAIT {
        Fate::CutOff
    } else if targets.is_empty() {
        Fate::NoTarget
    } else {
        Fate::Untried(untried(context, hop, answer, &targets))
    };
    Some(Redirection { hop: *hop, answer, code, dialled, targets, fate })
}

/// The target that had been called before.
fn circle<'t>(context: &CallContext<'_>, targets: &'t [String]) -> Option<&'t String> {
    let tried: Vec<&str> = context
        .transactions
        .invites()
        .filter_map(|(_, t)| Some(context.capture.text(context.message(t.first)?.line)))
        .collect();
    let redirects = context.transactions.chain.iter().filter(|step| {
        let status = context.transactions.final_status(context.transactions.transaction(**step));
        status.is_some_and(StatusCode::is_redirection)
    });
    let is_circle = redirects.count() >= CIRCLE_MIN || tried.len() > 1 || targets.len() == 1;
    targets.iter().filter(|_| is_circle).find(|target| tried.iter().any(|tried| is_same_target(tried, target)))
}

fn untried(context: &CallContext<'_>, hop: &Transaction, answer: &Message, targets: &[String]) -> Untried {
    if targets.iter().any(|target| is_called(context, hop, target)) {
        return Untried::AtOnce;
    }
    let is_in_sight = targets.iter().any(|target| is_seen(context, target));
    if is_in_sight && context.capture.is_alive_after(answer, FOLLOW_WAIT) { Untried::AtAll } else { Untried::InSight }
}

impl Fate {
    /// How bad, how sure, and the title.
    fn judged(&self) -> (Severity, Confidence, &'static str) {
        let unfollowed = "The call was redirected and nobody followed";
        match self {
            Self::Query => (Severity::Info, Confidence::Likely, "A routing query was answered"),
            Self::CutOff => (Severity::Info, Confidence::Possible, "The call was redirected when the capture ended"),
            Self::Untried(Untried::AtOnce) => (Severity::Error, Confidence::Possible, unfollowed),
            Self::Untried(Untried::InSight) => (Severity::Error, Confidence::Likely, unfollowed),
            Self::Circle(_) | Self::NoTarget | Self::Untried(Untried::AtAll) => {
                (Severity::Error, Confidence::Certain, unfollowed)
            }
        }
    }
}

fn observation(context: &CallContext<'_>, redirection: &Redirection<'_>) -> Observation {
    let Redirection { hop, answer, code, fate, .. } = redirection;
    let (severity, confidence, title) = fate.judged();
    let observation = Observation::new(confidence, Proof::OwnWords)
        .severity(severity)
        .shown_by(context.shows(answer, "the redirection"))
        .shown_by(context.shows_header(answer, HeaderName::Contact, "where to"))
        .at(hop.destination, code)
        .titled(title)
        .happened(story(context, redirection))
        .remedy(remedy(context, redirection));
    match fate {
        Fate::Untried(_) => observation.shown_by(Evidence::Missing {
            expected: "an INVITE to the new target".to_owned(),
            after: answer.at,
            watched: context.capture.watched_since(answer.time),
        }),
        _ => observation,
    }
}

fn story(context: &CallContext<'_>, redirection: &Redirection<'_>) -> String {
    let Redirection { hop, code, targets, fate, .. } = redirection;
    let (node, caller, number) =
        (context.name(hop.destination), context.name(hop.source), user_of(redirection.dialled));
    match fate {
        Fate::Query => {
            format!("{node} answered {code} with the same number and routing data for it: a query, not a call.")
        }
        Fate::CutOff => {
            format!("{node} redirected {number} to {}; the capture ends before {caller} could follow.", shown(targets))
        }
        Fate::Circle(target) => format!(
            "{node} redirected {number} back to {target}, which had been called already, so the call went in a circle ({code})."
        ),
        Fate::NoTarget => {
            format!("{node} redirected {number} without naming a target in Contact, so nobody could follow ({code}).")
        }
        Fate::Untried(untried) => {
            let hint = match has_private(context, hop, targets) {
                true => " (a private address that the caller cannot reach)",
                false => "",
            };
            let besides = match untried {
                Untried::AtOnce => {
                    " at once; it called there at another time, which may be the same call where a clock was set"
                }
                Untried::InSight | Untried::AtAll => "",
            };
            format!(
                "{node} redirected {number} to {}{hint}, and {caller} never tried it{besides} ({code}).",
                shown(targets)
            )
        }
    }
}

fn remedy(context: &CallContext<'_>, redirection: &Redirection<'_>) -> Steps {
    let Redirection { hop, code, fate, .. } = redirection;
    let (node, caller, number) =
        (context.name(hop.destination), context.name(hop.source), user_of(redirection.dialled));
    match fate {
        Fate::Query => "Nothing is broken.".into(),
        Fate::CutOff => "Capture longer to see whether the caller follows.".into(),
        Fate::Circle(_) => {
            format!("On {node}: let the forwarding of {number} lead to another number or device.").into()
        }
        Fate::NoTarget => format!("On {node}: name the target of the forwarding of {number} in Contact.").into(),
        Fate::Untried(_) => Steps::from([
            format!("On {caller}: allow it to follow redirections, which many trunks do not."),
            format!("Or on {node}: forward the call itself instead of answering {code}."),
        ]),
    }
}

/// Whether a target has a private address, and the caller none.
fn has_private(context: &CallContext<'_>, hop: &Transaction, targets: &[String]) -> bool {
    let own = context.tables().endpoint(hop.source).address;
    let mut hosts = targets.iter().filter_map(|target| Uri::parse(target.as_bytes()).host_port.address());
    !is_private(own) && hosts.any(is_private)
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
    each.filter(|target| target.contains(':')).map(str::to_owned).take(TARGETS_MAX).collect()
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
    let lines = || context.tables().header_values(answer, HeaderName::Contact);
    let has_data = lines().any(|line| {
        let line = line.to_ascii_lowercase();
        [";rn=", ";npdi", ";verstat", ";cic="].iter().any(|part| line.contains(part))
    });
    has_data && targets.iter().all(|target| user_of(target) == user_of(dialled))
        || context.tables().header(answer, HeaderName::Identity).is_some()
}
