//! Requests that nothing answered.
//!
//! Sources: RFC 3261 sections 8.1.3.1 and 17.1 (timers); RFC 9293 section 3.8 (what TCP delivers).

use std::time::Duration;

use crate::call::detail::silence::follows_timer;
use crate::call::{Message, Transaction, TransactionIndex};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::{counted, duration, times, was};
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rules::net::carried::Carried;
use crate::diagnose::rules::net::message_evidence::sends;
use crate::diagnose::rules::net::silent_request::silent_request;

/// Sends after which a request counts as unanswered rather than as given up.
const SENDS_MIN: usize = 3;
/// Sends after which a request was repeated to the end: SIPp stops after six, RFC 3261 after seven.
const WHOLE_SENDS: usize = 6;
/// Time after which a request was repeated to the end: half of 64 × T1.
const WHOLE_SPAN: Duration = Duration::from_secs(15);
/// How late a repeat may be.
const REPEAT_SLACK: Duration = Duration::from_millis(500);
/// How long a request over a stream must have waited.
const STREAM_WAIT: Duration = Duration::from_secs(5);

/// A request over UDP on its timer, or a request that TCP delivered, and nothing came back.
pub(super) fn net_no_response(context: &CallContext<'_>) -> Option<Observation> {
    let (hop, t) = silent_request(context)?;
    if context.capture.store.tables.endpoint(t.destination).address.is_multicast() {
        return None;
    }
    if t.transport.is_reliable() {
        return unanswered_stream(context, t);
    }
    let messages: Vec<&Message> = context.transactions.sends_of(hop).map(|(_, m)| m).collect();
    let moments: Vec<_> = messages.iter().map(|message| message.time).collect();
    let (first, last) = (messages.first()?, messages.last()?);
    if messages.len() < SENDS_MIN || !follows_timer(&moments) {
        return None;
    }
    let span = last.time.since(first.time).as_secs_f64();
    let name = context.name(t.destination);
    let device = context.capture.device_at(t.destination, first.time);
    let (title, known, remedy) = match &device {
        Some(device) => (
            format!("The device of {} does not answer", device.user()),
            device.sentence(),
            device.remedy(&context.capture.name(t.source)),
        ),
        None => (
            format!("No answer at all from {}", context.capture.name(t.destination)),
            history(context, t, first),
            remedy(context, t),
        ),
    };
    let explanation = format!(
        "{name} never answered: {} was sent {} in {span:.1} s and nothing came back. {known}",
        t.method.text(),
        times(messages.len())
    );
    let (confidence, doubt) = match given_up(context, hop, &moments) {
        GivenUp::AtTheEnd | GivenUp::ForAnother => (Confidence::Certain, ""),
        GivenUp::Early => {
            (Confidence::Likely, " Its sender stopped before the timer ended, as far as the capture shows.")
        }
        GivenUp::AndWaited => (
            Confidence::Possible,
            " Its sender stopped repeating it and went on waiting, as one does that has heard something: possibly the capture lacks an answer.",
        ),
    };
    let explanation = format!("{explanation}{doubt}");
    let mut observation =
        Observation::new(confidence, Proof::Protocol).titled(title).happened(explanation).remedy(remedy).at(
            t.destination,
            device.as_ref().map_or(t.transport.word().to_owned(), |device| device.signature(t.transport.word())),
        );
    observation = observation.maybe_shown_by(sends(context, hop, "sent on the timer of an unanswered request"));
    observation = observation.shown_by(Evidence::Missing {
        expected: format!("any response from {}", context.capture.name(t.destination)),
        after: last.at,
        watched: context.capture.watched_since(last.time),
    });
    Some(match &device {
        Some(device) => observation.shown_by(device.evidence()),
        None => observation,
    })
}

/// How the sender of a silent request stopped.
enum GivenUp {
    /// It repeated the request until its timer ended.
    AtTheEnd,
    /// It answered its own caller, or tried another way, soon after the last send.
    ForAnother,
    /// Nothing shows why it stopped.
    Early,
    /// It did not repeat the request any more although it still waited, and cancelled it later.
    AndWaited,
}

fn given_up(context: &CallContext<'_>, hop: TransactionIndex, sends: &[crate::capture::Timestamp]) -> GivenUp {
    let (Some(first), Some(last)) = (sends.first(), sends.last()) else {
        return GivenUp::Early;
    };
    let transactions = &context.transactions;
    let t = transactions.transaction(hop);
    let before = sends.get(sends.len().saturating_sub(2)).unwrap_or(first);
    // The next repeat comes after twice the last gap at most.
    let due = last.plus(last.since(*before) * 3 + REPEAT_SLACK);
    if sends.len() >= WHOLE_SENDS || last.since(*first) >= WHOLE_SPAN {
        return GivenUp::AtTheEnd;
    }
    let parent = t.parent.map(|parent| transactions.transaction(parent));
    let answered_above = parent.is_some_and(|parent| parent.final_response.is_some());
    let tried_another =
        transactions.each().any(|(other, next)| other > hop && next.method == t.method && next.source == t.source);
    let is_cancelled = crate::call::cancel_of(transactions, hop)
        .and_then(|cancel| transactions.transaction(cancel).request)
        .map(|cancel| transactions.message(cancel).time);
    match is_cancelled {
        Some(cancelled) if cancelled > due => GivenUp::AndWaited,
        _ if answered_above || tried_another => GivenUp::ForAnother,
        _ => GivenUp::Early,
    }
}

/// What the rest of the capture says of the silent node.
fn history(context: &CallContext<'_>, t: &Transaction, first: &Message) -> String {
    let capture = context.capture;
    let (source, silent) = (capture.node(t.source), capture.node(t.destination));
    let past = capture.history();
    let asked = past.asked(source, silent);
    let (others_answered, _) = past.asked_by_others(source, silent);
    let spoke = match past.last_spoken(capture.store, silent, first.time) {
        Some(last) => {
            format!("It last spoke {} before (frame {}).", duration(first.time.since(last.time)), last.at.frame)
        }
        None if past.has_spoken(silent) => "It spoke later in this capture.".to_owned(),
        None => "It never speaks in this capture.".to_owned(),
    };
    let all = asked.answered + asked.silent;
    let share = match asked.answered {
        0 if all > 1 => format!(" None of the {all} requests sent to it from here was answered."),
        0 => String::new(),
        _ => format!(
            " {} of {all} requests sent to it from here {} not answered.",
            asked.silent,
            was(asked.silent as usize)
        ),
    };
    let elsewhere = if asked.answered == 0 && others_answered > 0 {
        format!(
            " It answered {} of other nodes: it, or a firewall before it, drops those of {}.",
            counted(others_answered, "request"),
            capture.store.tables.endpoint(t.source).address
        )
    } else {
        String::new()
    };
    format!("{spoke}{share}{elsewhere}")
}

fn remedy(context: &CallContext<'_>, t: &Transaction) -> Steps {
    let (there, here) =
        (context.capture.store.tables.endpoint(t.destination), context.capture.store.tables.endpoint(t.source));
    Steps::from([
        format!(
            "On {}: is it up, and does its SIP service listen on {} port {}?",
            there.address,
            t.transport.word(),
            there.port
        ),
        format!(
            "Firewalls and block lists between {} and {}: let {} through both ways.",
            here.address,
            there.address,
            t.transport.word()
        ),
        format!("Capture on {} itself to see on which half of the way the request is lost.", there.address),
    ])
}

/// The bytes of the request were acknowledged, so the host is up, and the application said nothing.
fn unanswered_stream(context: &CallContext<'_>, t: &Transaction) -> Option<Observation> {
    let carried = Carried::of(context, t)?;
    let (request, destination) = (carried.request, carried.destination);
    let is_broken = carried.connection.missing_bytes > 0 || carried.end().is_some();
    let is_taken = carried.unacknowledged_bytes() == Some(0);
    if !is_taken || is_broken || carried.watched(context) < STREAM_WAIT {
        return None;
    }
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .titled(format!("No answer at all from {}", context.capture.name(t.destination)))
            .happened(format!(
                "{} took the {} (TCP acknowledged all of it) and never answered: the host is up, its SIP application is not. {}",
                context.name(t.destination),
                t.method.text(),
                history(context, t, request)
            ))
            .remedy(format!(
                "On {}: look at the SIP application (its log, its load, whether it hangs); network and firewall let the request through.",
                destination.address
            ))
            .shown_by(context.shows(request, "delivered, and never answered"))
            .shown_by(carried.misses(context, format!("any response from {destination}")))
            .at(t.destination, t.transport.word()),
    )
}
