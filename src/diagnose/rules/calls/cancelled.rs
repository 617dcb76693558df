//! Calls that the caller gave up: cancelled, and cancelled just as they were answered.
//!
//! Sources: RFC 3261 sections 9.1 and 15, RFC 5407 section 3.1.2, RFC 3326 (Reason in a CANCEL).

use std::time::Duration;

use crate::call::survey::fixed_timers::FixedTimer;
use crate::call::{Cause, Message, Outcome, Transaction, cancel_of, proxy_cancel, ring};
use crate::diagnose::finding::words::duration;
use crate::diagnose::rules::calls::forked::taken_elsewhere;
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof};
use crate::sip::number::user_of;
use crate::sip::{HeaderName, Method};

/// How much time may lie between an answer and a CANCEL that crossed.
const RACE: Duration = Duration::from_secs(2);
/// How long a caller may take to hang up on an answer that it did not want.
const GHOST_WAIT: Duration = Duration::from_secs(5);
/// How close together a route is given up and the next one tried.
const NEXT_ROUTE_WAIT: Duration = Duration::from_secs(1);
/// Calls behind a cancelled one among which the next try is looked for.
const CALLS_MAX: usize = 64;
/// Silence after dialling from which on callers hang up (order of ITU-T E.721).
const SLOW_SETUP: Duration = Duration::from_secs(6);
/// Values of RELEASE_CAUSE that are no person's (3GPP TS 24.229 section 7.2A.18.11): no more media, no radio bearer for them,
/// and a set-up that took too long.
const RELEASED_BY_NETWORK: [Option<u16>; 3] = [Some(2), Some(3), Some(6)];

pub fn call_cancelled(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome() != Outcome::Cancelled || taken_elsewhere(context).is_some() {
        return None;
    }
    let last = context.transactions.last_step()?;
    let cancel = cancel_of(&context.transactions, last)
        .and_then(|cancel| context.message(context.transactions.transaction(cancel).request?));
    match cancel {
        Some(cancel) => by_caller(context, cancel),
        None => by_another(context),
    }
}

/// A call that the caller's side cancelled.
struct CallerGaveUp<'a> {
    step: &'a Transaction,
    cancel: &'a Message,
    /// From the INVITE to the CANCEL.
    dialled: Duration,
    stage: Stage,
    /// The timer of the caller that cancelled, and the time of ringing or since dialling that it limits.
    timer: Option<(Duration, FixedTimer)>,
    /// The CANCEL says that the caller's network released the call.
    is_by_network: bool,
}

/// How far the call had got.
enum Stage {
    /// It rang for so long.
    Ringing(Duration),
    /// It was announced in another way than by ringing.
    Alerted,
    /// Nothing had been heard for long.
    Slow,
    /// Nothing had been heard.
    Early,
}

fn by_caller(context: &CallContext<'_>, cancel: &Message) -> Option<Observation> {
    let dialled = cancel.time.since(context.call.milestones.invited?);
    let rang = ring(&context.transactions).map(|(start, end)| end.since(start));
    let step = context.transactions.transaction(context.transactions.last_step()?);
    if rang.is_none()
        && step.alerting.is_none()
        && let Some(other) = went_on(context, step, cancel)
    {
        return Some(other);
    }
    let stage = match rang {
        Some(rang) => Stage::Ringing(rang),
        None if step.alerting.is_some() => Stage::Alerted,
        None if dialled >= SLOW_SETUP => Stage::Slow,
        None => Stage::Early,
    };
    let timer = timer(context, step, dialled, rang);
    let is_by_network = RELEASED_BY_NETWORK.contains(&Cause::of(context.tables(), cancel).release);
    Some(observation(context, &CallerGaveUp { step, cancel, dialled, stage, timer, is_by_network }))
}

fn observation(context: &CallContext<'_>, given_up: &CallerGaveUp<'_>) -> Observation {
    let CallerGaveUp { step, cancel, dialled, stage, timer, .. } = given_up;
    let caller = context.name(step.source);
    let when = match stage {
        Stage::Ringing(rang) => format!("after {} of ringing", duration(*rang)),
        Stage::Slow => format!("having heard nothing for {}", duration(*dialled)),
        Stage::Alerted | Stage::Early => "before it rang".to_owned(),
    };
    let timed = timer.map_or(String::new(), |(span, timer)| {
        format!(
            "; {} of the {} calls of this node that lasted that long end at {}, so this is a timer and not a person",
            timer.ended,
            timer.lasted,
            duration(span)
        )
    });
    let reason = context
        .header(cancel, HeaderName::Reason)
        .map_or(String::new(), |reason| format!(" Its CANCEL gives the reason {reason}."));
    let confidence = if timer.is_some() { Confidence::Likely } else { Confidence::Certain };
    let (title, remedy) = title_and_remedy(context, given_up, &caller);
    let ringing = step.ringing.or(step.alerting).and_then(|ringing| context.message(ringing));
    Observation::new(confidence, Proof::Protocol)
        .titled(title)
        .happened(format!("{caller} cancelled the call {} after dialling, {when}{timed}.{reason}", duration(*dialled)))
        .remedy(remedy)
        .shown_by(context.shows(cancel, "the caller's CANCEL"))
        .at(step.source, "")
        .maybe_shown_by(ringing.map(|ringing| context.shows(ringing, "it was ringing")))
}

fn title_and_remedy(context: &CallContext<'_>, given_up: &CallerGaveUp<'_>, caller: &str) -> (&'static str, String) {
    if given_up.is_by_network {
        let remedy = format!(
            "No person gave up: look at what the operator of {caller} logged for this call, such as lost radio coverage."
        );
        return ("The caller's network gave the call up", remedy);
    }
    if given_up.timer.is_some() {
        let remedy = format!("Raise the ring or dial timeout of {caller}, where calls shall ring for longer.");
        return ("The caller's ring timer ended the call", remedy);
    }
    let nothing = "Nothing is broken.".to_owned();
    match given_up.stage {
        Stage::Ringing(_) => ("The caller hung up while it was ringing", nothing),
        Stage::Alerted => ("The caller hung up before an answer", nothing),
        Stage::Early => ("The caller hung up before it rang", nothing),
        Stage::Slow => (
            "The caller hung up before it rang",
            format!(
                "Find what delays the call behind {}: callers hang up when it does not ring within {}.",
                context.name(given_up.step.destination),
                duration(SLOW_SETUP)
            ),
        ),
    }
}

/// The caller is a machine with several routes: as it gave this one up it called the same number on another one.
fn went_on(context: &CallContext<'_>, step: &Transaction, cancel: &Message) -> Option<Observation> {
    let capture = context.capture;
    let callee = user_of(capture.text(context.call.callee));
    let behind = capture.calls.iter().enumerate().skip(context.index + 1);
    let (index, next) = behind.take(CALLS_MAX).find(|(_, call)| {
        let gap = call.started.since(cancel.time).max(cancel.time.since(call.started));
        // What began together with this call rang beside it.
        gap <= NEXT_ROUTE_WAIT
            && call.started.since(context.call.started) > gap
            && call.milestones.answered.is_none_or(|answered| answered > cancel.time)
            && call.caller == context.call.caller
            && capture.node(call.source) == capture.node(step.source)
            && capture.node(call.destination) != capture.node(step.destination)
            && !callee.is_empty()
            && user_of(capture.text(call.callee)) == callee
    })?;
    let (caller, silent) = (context.name(step.source), context.name(step.destination));
    let waited = duration(cancel.time.since(context.call.milestones.invited?));
    Some(
        Observation::new(Confidence::Likely, Proof::Protocol)
            .titled(format!("{silent} did not ring in time, and the next route was tried"))
            .happened(format!(
                "{caller} gave the call up after {waited} without ringing and at once called {callee} at {} (call {}): most likely a timer of its routes, not a person.",
                capture.name(next.destination),
                index + 1
            ))
            .remedy(format!("On {silent}: find why it did not ring {callee} within {waited}."))
            .remedy(format!(
                "On {caller}: while that lasts, take {silent} out of the route, for example by OPTIONS pings."
            ))
            .shown_by(context.shows(cancel, "the route was given up"))
            .at(step.destination, "next route"),
    )
}

/// The timer of the caller that cancelled: hardly any of its calls outlasts this time of ringing, or since dialling.
fn timer(
    context: &CallContext<'_>,
    step: &Transaction,
    dialled: Duration,
    rang: Option<Duration>,
) -> Option<(Duration, FixedTimer)> {
    let (node, timers) = (context.capture.node(step.source), context.capture.timers);
    let millis = |span: Duration| span.as_secs_f64() * 1000.0;
    let by_ring = rang.and_then(|rang| Some((rang, timers.ring(node, millis(rang))?)));
    by_ring.or_else(|| Some((dialled, timers.setup(node, millis(dialled))?)))
}

/// The BYE of a caller that did not wait for the answer.
fn early_hang_up<'a>(context: &CallContext<'a>, end: &Message) -> Option<&'a Message> {
    let mut messages = context.transactions.originals().map(|(_, message)| message);
    messages.find(|message| {
        message.is_request(Method::Bye)
            && message.from_tag == context.transactions.caller_tag()
            && message.time <= end.time
    })
}

/// 487 although the caller's CANCEL is not in the capture.
fn by_another(context: &CallContext<'_>) -> Option<Observation> {
    let last = context.transactions.last_step()?;
    let answer = context.message(context.transactions.transaction(last).final_response?)?;
    let canceller = proxy_cancel(&context.transactions, last).map(|cancel| context.transactions.transaction(cancel));
    let callee = user_of(context.capture.text(context.call.callee));
    if let Some(bye) = early_hang_up(context, answer) {
        return Some(
            Observation::new(Confidence::Certain, Proof::Protocol)
                .titled("The caller hung up before an answer")
                .happened(format!(
                    "{} ended the unanswered call to {callee} with BYE instead of CANCEL.",
                    context.name(bye.source)
                ))
                .remedy("Nothing is broken: RFC 3261 section 15 allows it.")
                .shown_by(context.shows(bye, "the caller's BYE"))
                .shown_by(context.shows(answer, "the end of the call"))
                .at(bye.source, "bye"),
        );
    }
    let (who, confidence) = match canceller {
        Some(cancel) => {
            let elsewhere = context
                .message(cancel.request?)
                .is_some_and(|request| Cause::of(context.tables(), request).sip == Some(200));
            let why = if elsewhere { ": it was answered on another device" } else { "" };
            (format!("{} cancelled the call to {callee}{why}", context.name(cancel.source)), Confidence::Likely)
        }
        None => (
            format!(
                "{} says that the call was cancelled, and no CANCEL is in the capture: it was sent on a hop that was not captured, or the node that forked the call ended this branch",
                context.name(context.refuser()?)
            ),
            Confidence::Possible,
        ),
    };
    Some(Observation::new(confidence, Proof::Protocol)
        .titled("The call was cancelled on its way")
        .happened(format!("{who}."))
        .remedy(
            "Nothing is broken where the call was answered elsewhere; otherwise look at the node that cancelled it.",
        )
        .shown_by(context.shows(answer, "the end of the call"))
        .at(context.refuser()?, ""))
}

pub fn call_cancel_race(context: &CallContext<'_>) -> Option<Observation> {
    let (cancel_index, dialog) = match context.dialogs.first() {
        Some(dialog) => (cancel_of(&context.transactions, dialog.invite)?, dialog),
        None => return unmatched_cancel(context),
    };
    let transaction = context.transactions.transaction(cancel_index);
    let cancel = context.message(transaction.request?)?;
    let answer = context.message(dialog.answer)?;
    let gap = cancel.time.since(answer.time).max(answer.time.since(cancel.time));
    if gap > RACE {
        return None;
    }
    let order = if answer.time < cancel.time { "before" } else { "after" };
    let crossing = format!("The callee answered {} {order} the caller's CANCEL", duration(gap));
    let bye = dialog.bye.and_then(|bye| context.message(context.transactions.transaction(bye).request?));
    let settled = bye.is_some_and(|bye| bye.time.since(answer.time.max(cancel.time)) <= GHOST_WAIT);
    let watched = context.capture.watched_since(answer.time.max(cancel.time));
    let observation = if settled || context.outcome() == Outcome::CancelRace {
        Observation::new(Confidence::Certain, Proof::Protocol)
            .info()
            .titled("Answered and cancelled at the same moment")
            .happened(format!(
                "{crossing}; the call was ended at once. The called person may have heard nothing, and the call may be billed."
            ))
            .remedy("Nothing is broken: the two messages crossed, and the caller ended the call as it must.")
    } else if watched < GHOST_WAIT {
        return None;
    } else {
        Observation::new(Confidence::Likely, Proof::Protocol)
            .titled("A cancelled call stayed up")
            .happened(format!(
                "{crossing}, and {} did not end the call with BYE within {}: the called side stays connected to nobody.",
                context.name(transaction.source),
                duration(GHOST_WAIT)
            ))
            .remedy(format!(
                "{} must acknowledge an answer that crosses its CANCEL and send BYE at once.",
                context.name(transaction.source)
            ))
            .shown_by(Evidence::Missing { expected: "a BYE of the caller".to_owned(), after: answer.at, watched, })
    };
    let observation = observation
        .shown_by(context.shows(answer, "the answer"))
        .shown_by(context.shows(cancel, "the CANCEL"))
        .at(transaction.source, "");
    let explains = context.outcome() == Outcome::CancelRace;
    Some(if explains { observation } else { observation.beside() })
}

/// A CANCEL that the next node did not know although the INVITE that it means was pending.
fn unmatched_cancel(context: &CallContext<'_>) -> Option<Observation> {
    let last = context.transactions.last_step()?;
    let invite = context.transactions.transaction(last);
    let cancel = context.transactions.transaction(cancel_of(&context.transactions, last)?);
    let answer = context.message(cancel.final_response?)?;
    let request = context.message(cancel.request?)?;
    let was_pending = invite.final_response.is_none_or(|end| Some(end) > cancel.final_response);
    if answer.status()?.0 != 481 || !was_pending || cancel.method != Method::Cancel {
        return None;
    }
    let why = mismatch(context, invite, cancel)?;
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .titled("The CANCEL did not reach its call")
            .happened(format!(
                "{} answered the CANCEL with 481 although the INVITE was pending: {why}.",
                context.name(cancel.destination)
            ))
            .remedy(format!(
                "{} must send CANCEL with the Request-URI, Call-ID, CSeq number and top Via of the INVITE.",
                context.name(cancel.source)
            ))
            .shown_by(context.shows(answer, "the CANCEL was not matched"))
            .shown_by(context.shows(request, "the CANCEL"))
            .at(cancel.source, "481")
            .beside(),
    )
}

fn mismatch(context: &CallContext<'_>, invite: &Transaction, cancel: &Transaction) -> Option<&'static str> {
    let (asked, given) = (context.message(invite.last_request?)?, context.message(cancel.request?)?);
    // A CANCEL has the topmost value alone, whatever lies below it in the INVITE (RFC 3261 section 9.1).
    let vias = &context.tables().vias;
    if vias.key(invite.via) != vias.key(cancel.via) {
        Some("its top Via differs from the INVITE's")
    } else if asked.line != given.line {
        Some("its Request-URI differs from the INVITE's")
    } else if [invite.trying, invite.alerting].into_iter().flatten().all(|first| Some(first) > cancel.request) {
        Some(
            "it was sent before any provisional response, which RFC 3261 section 9.1 forbids since it may overtake the INVITE",
        )
    } else {
        Some("the next node had lost the call")
    }
}
