//! sdp-precondition: resources that a session demanded before ringing were refused, or never came about.
//!
//! Sources: RFC 3312 sections 5 to 8, RFC 4032; 3GPP TS 24.229 (Reason with RELEASE_CAUSE and FAILURE_CAUSE).

use std::time::Duration;

use crate::call::outcome::negotiation::is_whole;
use crate::call::{Message, NodeId, Outcome};
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity};
use crate::diagnose::rules::sdp::refused::refusal::{is_refused, values};
use crate::sip::{HeaderName, Method, StatusCode};

/// How long nothing moves in a set-up before it is stuck rather than slow: a bearer comes up within two seconds.
const STUCK: Duration = Duration::from_secs(4);

/// Preconditions of an offer that a sentence quotes.
const QUOTED_MAX: usize = 4;

/// The rule about preconditions.
pub fn sdp_precondition(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome().is_answered() {
        return None;
    }
    refused(context).or_else(|| never_met(context))
}

/// What a response says of preconditions.
enum PreconditionRefusal {
    /// One was not met; the demands of the offer, as sent.
    Unmet { offered: Vec<String> },
    /// The refuser does not know them.
    Unknown,
    /// The refuser insists on them.
    Demanded,
}

/// A response that speaks of preconditions.
fn refused(context: &CallContext<'_>) -> Option<Observation> {
    let code = context.refusal_code();
    if !is_refused(context) {
        return None;
    }
    let (refuser, request, response) = (context.refuser()?, context.refused_request()?, context.refusal()?);
    let names_it =
        |header| values(context, response, header).iter().any(|value| value.eq_ignore_ascii_case("precondition"));
    let refusal = match code {
        580 => {
            let sdp = context.tables().sessions.shape(request.session);
            let offered = sdp.medias.iter().flat_map(|media| &media.preconditions);
            PreconditionRefusal::Unmet { offered: offered.take(QUOTED_MAX).cloned().collect() }
        }
        420 if names_it(HeaderName::Unsupported) => PreconditionRefusal::Unknown,
        421 if names_it(HeaderName::Require) => PreconditionRefusal::Demanded,
        _ => return None,
    };
    let (offerer, peer) = (context.capture.name(request.source), context.capture.name(refuser));
    let (title, why, remedy) = refusal.words(&offerer, &peer);
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .titled(title)
            .happened(format!("{} refused the call with {code}", context.name(refuser)))
            .because(format!("{why}."))
            .remedy(remedy)
            .shown_by(context.shows(response, "the refusal"))
            .at(refuser, code),
    )
}

impl PreconditionRefusal {
    /// Title, reason and remedy.
    fn words(&self, offerer: &str, refuser: &str) -> (&'static str, String, String) {
        match self {
            Self::Unmet { offered } => (
                "Resources were not reserved",
                match offered.is_empty() {
                    true => "a precondition of the session was not met".to_owned(),
                    false => format!("a precondition was not met; the offer says `{}`", offered.join("`, `")),
                },
                format!(
                    "Look at the bearer and policy control of {refuser} for this call; and on {offerer}: make the precondition \
                     optional where the other side is no IMS device."
                ),
            ),
            Self::Unknown => (
                "Preconditions are not supported",
                "the INVITE requires preconditions, which it does not know".to_owned(),
                format!("On {offerer}: do not put `precondition` into Require towards {refuser}."),
            ),
            Self::Demanded => (
                "Preconditions are required",
                "it requires preconditions, which the INVITE does not offer".to_owned(),
                format!("On {offerer}: support preconditions (RFC 3312), or on {refuser}: make them optional."),
            ),
        }
    }
}

/// What one side says of its own resources, and what is demanded of them.
struct Reserved<'a> {
    /// The last description in which it spoke of them.
    last: &'a Message,
    /// The line as sent, such as `curr:qos local none`.
    current: String,
    /// Directions that it has: send, receive.
    has: (bool, bool),
    /// Directions that are mandatory before ringing.
    wanted: (bool, bool),
}

impl Reserved<'_> {
    fn is_unmet(&self) -> bool {
        self.wanted.0 && !self.has.0 || self.wanted.1 && !self.has.1
    }
}

/// A set-up in which one side's resources never became what was mandatory, until a timer or an error ended it.
fn never_met(context: &CallContext<'_>) -> Option<Observation> {
    let step = context.transactions.transaction(context.transactions.last_step()?);
    let may_be_stuck = context.outcome() == Outcome::Cancelled
        || context.outcome() == Outcome::TimedOut
        || matches!(context.code(), 408 | 480 | 487 | 500 | 503 | 504);
    if !may_be_stuck || step.ringing.is_some() {
        return None;
    }
    // Next to the caller alone: further on proxies pass on what either side says.
    let caller = context.capture.node(step.source);
    let last = |is_party: &dyn Fn(&Message) -> bool| spoken(context).rfind(|message| is_party(message));
    let mine = last(&|message| context.capture.node(message.source) == caller)?;
    let theirs = last(&|message| context.capture.node(message.destination) == caller)?;
    let sides = [reserved(context, mine, theirs), reserved(context, theirs, mine)];
    let unmet: Vec<Reserved<'_>> = sides.into_iter().flatten().filter(Reserved::is_unmet).collect();
    if unmet.is_empty() {
        return None;
    }
    let (end, quiet) = ending(context, step)?;
    let words = lost_bearer(context);
    let is_cancelled = context.outcome() == Outcome::Cancelled;
    let (confidence, proof) = match words {
        Some(_) => (Confidence::Certain, Proof::OwnWords),
        None if quiet >= STUCK => (Confidence::Likely, Proof::Protocol),
        None if is_cancelled => return None,
        None => (Confidence::Possible, Proof::Timing),
    };
    // A person who hangs up on a silent set-up ends it as well as a timer does.
    let is_beside = is_cancelled && words.is_none();
    let observation = observation(context, &unmet, (end, quiet), words, confidence, proof);
    Some(if is_beside { observation.beside() } else { observation })
}

fn observation(
    context: &CallContext<'_>,
    unmet: &[Reserved<'_>],
    (end, quiet): (&Message, Duration),
    words: Option<&Message>,
    confidence: Confidence,
    proof: Proof,
) -> Observation {
    let sides: Vec<String> = unmet
        .iter()
        .map(|side| {
            format!(
                "{} stayed at `{}` while {} was mandatory",
                context.name(side.last.source),
                side.current,
                direction(side.wanted)
            )
        })
        .collect();
    let addresses: Vec<String> = unmet.iter().map(|side| context.capture.name(side.last.source)).collect();
    let what = match end.status() {
        Some(status) => format!("the set-up ended with {}", status.0),
        None => "the caller cancelled".to_owned(),
    };
    let instead = match confidence {
        Confidence::Possible => " Also consider a failure behind the node that answered so.",
        _ => "",
    };
    let severity = match context.outcome() {
        Outcome::Cancelled => Severity::Warn,
        _ => Severity::Error,
    };
    let mut observation = Observation::new(confidence, proof)
        .severity(severity)
        .titled("Resources were not reserved before ringing")
        .happened("The call never rang,")
        .because(format!(
            "{}; {:.1} s after the set-up had last moved {what}.{instead}",
            sides.join(" and "),
            quiet.as_secs_f64()
        ))
        .remedy(format!(
            "Bearer and policy control (PCRF or PCF) of the access of {}: was the bearer asked for and granted at that time?",
            addresses.join(" and ")
        ))
        .remedy("If it was: why did that side not confirm it (UPDATE with `curr` at the wanted value)?")
        .remedy("Towards a side that is no IMS device: make the precondition optional.");
    for side in unmet {
        observation = observation.shown_by(Evidence::seen(
            side.last.at,
            format!("a={}", side.current),
            "the last word of that side on its resources",
        ));
    }
    observation = observation.shown_by(context.shows(end, "the end of the set-up"));
    if let Some(first) = unmet.first() {
        observation = observation.at(first.last.source, "not met");
    }
    observation = observation.maybe_shown_by(
        words.map(|words| context.shows_header(words, HeaderName::Reason, "the bearer is named as the reason")),
    );
    observation
}

/// Descriptions with preconditions before the end of the set-up, each as its maker sent it.
fn spoken<'s, 'a>(context: &'s CallContext<'a>) -> impl DoubleEndedIterator<Item = &'a Message> + 's {
    let has_some = |message: &Message| {
        let sdp = context.tables().sessions.shape(message.session);
        let mut medias = sdp.medias.iter();
        medias.any(|media| !media.preconditions.is_empty())
    };
    let all = context.transactions.messages.iter().copied();
    all.filter(move |message| {
        let is_there = !message.session.is_absent() && !message.flags.is_copy();
        is_there && is_whole(message) && has_some(message)
    })
}

/// What `last` says of its sender's resources, and what the two sides demand of them; the first line of media alone.
fn reserved<'a>(context: &CallContext<'a>, last: &'a Message, other: &Message) -> Option<Reserved<'a>> {
    let lines = |message: &Message| {
        let sdp = context.tables().sessions.shape(message.session);
        let media = sdp.medias.iter().find(|media| !media.preconditions.is_empty());
        media.map_or(&[][..], |media| media.preconditions.as_slice())
    };
    let current = lines(last).iter().find_map(|line| {
        let rest = line.strip_prefix("curr:")?;
        let mut words = rest.split_whitespace();
        let is_own = words.next()? == "qos" && matches!(words.next()?, "local" | "e2e");
        let has = directions(words.next()?)?;
        is_own.then(|| (line.clone(), has))
    });
    let (current, has) = current?;
    let demanded = |message: &Message, of: &str| {
        let all = lines(message).iter().filter_map(|line| {
            let words: Vec<&str> = line.strip_prefix("des:")?.split_whitespace().collect();
            match words[..] {
                ["qos", "mandatory", which, direction] if which == of || which == "e2e" => directions(direction),
                _ => None,
            }
        });
        all.fold((false, false), |sum, one| (sum.0 || one.0, sum.1 || one.1))
    };
    let own = demanded(last, "local");
    // The other side names directions as it sees them: what it receives is sent here.
    let (received, sent) = demanded(other, "remote");
    Some(Reserved { last, current, has, wanted: (own.0 || sent, own.1 || received) })
}

fn directions(word: &str) -> Option<(bool, bool)> {
    match word {
        "none" => Some((false, false)),
        "send" => Some((true, false)),
        "recv" => Some((false, true)),
        "sendrecv" => Some((true, true)),
        _ => None,
    }
}

fn direction(wanted: (bool, bool)) -> &'static str {
    match wanted {
        (true, true) => "`sendrecv`",
        (true, false) => "`send`",
        (false, true) => "`recv`",
        (false, false) => "`none`",
    }
}

/// The message that ended the set-up, and how long nothing had moved in it before.
fn ending<'a>(context: &CallContext<'a>, step: &crate::call::Transaction) -> Option<(&'a Message, Duration)> {
    let node: NodeId = context.capture.node(step.source);
    let all = || context.transactions.originals().map(|(_, message)| message);
    let cancel =
        all().find(|message| message.is_request(Method::Cancel) && context.capture.node(message.source) == node);
    let end = cancel.or_else(|| context.message(step.final_response?))?;
    let moved: Timestamp = all()
        .filter(|message| {
            message.time < end.time
                && (matches!(message.method(), Some(Method::Prack | Method::Update))
                    || message.is_response_to(Method::Update)
                    || message.is_response_to(Method::Invite)
                        && message.status().is_some_and(StatusCode::is_provisional))
        })
        .map(|message| message.time)
        .max()?;
    Some((end, end.time.since(moved)))
}

/// A CANCEL or refusal that says that the bearer was lost.
fn lost_bearer<'a>(context: &CallContext<'a>) -> Option<&'a Message> {
    let all = context.transactions.originals().map(|(_, message)| message);
    all.filter(|message| {
        message.is_request(Method::Cancel)
            || message.is_response_to(Method::Invite) && message.status().is_some_and(|status| status.0 >= 400)
    })
    .find(|message| {
        let reasons = context.tables().header_values(message, HeaderName::Reason);
        reasons
            .map(|reason| reason.to_ascii_lowercase().replace(' ', ""))
            .any(|reason| reason.contains("release_cause;cause=3") || reason.contains("failure_cause;cause=1"))
    })
}
