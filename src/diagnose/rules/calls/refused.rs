//! Calls that the callee refused: busy, and declined by a person or a system.
//!
//! Sources: RFC 3261 sections 21.4.24, 21.6.1, 21.6.2 and 16.7 (a 6xx ends all branches).

use std::time::Duration;

use crate::call::{Cause, EndpointId, Message, Outcome, is_network_block, ring};
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::{CallContext, Confidence, Observation, Proof, Severity, Steps};
use crate::sip::HeaderName;
use crate::sip::number::user_of;

/// A refusal this soon, without ringing, is no person's.
const MACHINE_WAIT: Duration = Duration::from_millis(500);
/// Different numbers that one node declined at once, from which on it is a policy and not these people.
const POLICY_MIN: usize = 3;
/// Ringing after which a refusal of the ringing device itself, if only 480, was a hand.
const HAND_RING: Duration = Duration::from_secs(1);

pub fn call_busy(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome() != Outcome::Busy {
        return None;
    }
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let request = context.refused_request()?;
    let callee = context.capture.text(context.call.callee);
    let name = user_of(callee);
    let talk = context.capture.talk_of(callee, context.index, refusal.time);
    let mut explanation = format!(
        "{} answered {} after {}",
        context.name(refuser),
        context.start_line(refusal).trim_start_matches("SIP/2.0 "),
        duration(refusal.time.since(request.time)),
    );
    match talk.map(|talk| (talk, &context.capture.calls[talk as usize])) {
        Some((talk, other)) => {
            let parties = [other.caller, other.callee].map(|party| user_of(context.capture.text(party)));
            let with = if parties[0] == name { parties[1] } else { parties[0] };
            explanation += &format!("; {name} was in call {} with {with} at that moment.", talk + 1);
        }
        None => {
            explanation += "; whether the person was on the phone or the device does not take calls (do not disturb, line limit) is not visible here.";
            explanation += &retry_after(context, refusal);
        }
    }
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .titled(format!("{} answered busy for ", context.capture.name(refuser)))
            .naming(name, "user", "")
            .happened(explanation)
            .remedy(format!(
                "Nothing is broken. Call waiting, a hunt group or voicemail on busy at {name} would take such calls."
            ))
            .shown_by(context.shows(refusal, "the busy answer"))
            .at(refuser, context.refusal_code()),
    )
}

/// A device that names a time to call again refuses by a setting or a limit: persons do not know when they hang up.
fn retry_after(context: &CallContext<'_>, refusal: &Message) -> String {
    let wait = context.header(refusal, HeaderName::RetryAfter);
    let seconds = wait.and_then(|wait| wait.split([';', ' ', '(']).next()?.parse::<u32>().ok());
    seconds.map_or(String::new(), |seconds| {
        format!(
            " It asks to be called again after {} (Retry-After), as a setting or a limit does rather than a person.",
            duration(Duration::from_secs(u64::from(seconds)))
        )
    })
}

/// A call that was declined.
struct Declined<'a> {
    decliner: Decliner,
    refuser: EndpointId,
    refusal: &'a Message,
    code: u16,
    /// From the first ringing to the end of it.
    rang: Duration,
    /// From the request to its refusal.
    after: Duration,
    /// The code is 480, which says that nobody is there; the device had been ringing.
    is_unavailable: bool,
    /// Devices that had to stop ringing for it.
    silenced: usize,
}

/// Who declined.
enum Decliner {
    Person,
    /// Media, such as an announcement, had run for so long; no 180 had come.
    Script(Duration),
    System,
    /// A rule or account: so many numbers were declined at once by this node.
    Policy(usize),
    /// The words that it gives.
    Account(String),
    Unknown,
}

pub fn call_declined(context: &CallContext<'_>) -> Option<Observation> {
    let declined = declined(context)?;
    let Declined { decliner, refuser, refusal, code, rang, .. } = &declined;
    let callee = user_of(context.capture.text(context.call.callee));
    let (title, of_callee) = match decliner {
        Decliner::Person if declined.is_unavailable => (String::new(), " may have declined the call"),
        Decliner::Person => (String::new(), " declined the call"),
        _ => (format!("{} declined the call to ", context.capture.name(*refuser)), ""),
    };
    let (confidence, remedy) = remedy(context, &declined, callee);
    let observation = Observation::new(confidence, Proof::OwnWords)
        .severity(if declined.silenced > 0 { Severity::Warn } else { Severity::Info })
        .titled(title)
        .naming(callee, "user", of_callee)
        .happened(how(context, &declined) + &reach(context, &declined))
        .remedy(remedy)
        .shown_by(context.shows(refusal, "the refusal"))
        .at(*refuser, code);
    if *code != 486 || !matches!(decliner, Decliner::Person) {
        return Some(observation);
    }
    let rang = duration(*rang);
    Some(observation.not("call-busy", format!("the device that answered 486 had been ringing for {rang}")))
}

fn declined<'a>(context: &CallContext<'a>) -> Option<Declined<'a>> {
    let is_unavailable = context.outcome() == Outcome::Rejected && context.code() == 480;
    if context.outcome() != Outcome::Declined && !is_unavailable {
        return None;
    }
    let rang = rang_for(context);
    if is_unavailable && rang < HAND_RING {
        return None;
    }
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let phrase = context.capture.text(refusal.line);
    if is_network_block(&context.transactions, refusal, &phrase.to_ascii_lowercase()) {
        return None;
    }
    let decliner = decliner(context, rang);
    let silenced = if matches!(decliner, Decliner::Person) { 0 } else { silenced(context, refusal) };
    let after = refusal.time.since(context.refused_request()?.time);
    let code = context.refusal_code();
    Some(Declined { decliner, refuser, refusal, code, rang, after, is_unavailable, silenced })
}

fn how(context: &CallContext<'_>, declined: &Declined<'_>) -> String {
    let answered = format!(
        "{} answered {} {}",
        context.name(declined.refuser),
        declined.code,
        context.capture.text(declined.refusal.line)
    );
    let after = duration(declined.after);
    match &declined.decliner {
        Decliner::Person => format!(
            "{answered} after {} of ringing: somebody, or a setting of the phone, refused the call.",
            duration(declined.rang)
        ),
        Decliner::Script(played) => format!(
            "{answered} after {} of early media (183) without a 180: an announcement of a system, or a ringing tone in the media and a person who refused; the media tell which.",
            duration(*played)
        ),
        Decliner::System => {
            format!("{answered} after {after} without ringing: a system refused the call, not a person.")
        }
        Decliner::Policy(numbers) => format!(
            "{answered} without ringing, as it did for {}: a rule or the account there refuses, not one person.",
            counted(*numbers as u32, "called number")
        ),
        Decliner::Account(words) => format!("{answered} and gives the reason {words}."),
        Decliner::Unknown => format!(
            "{answered} after {after} without ringing; a person, a setting of the phone or a script may have refused."
        ),
    }
}

/// What else the refusal ended.
fn reach(context: &CallContext<'_>, declined: &Declined<'_>) -> String {
    let mut text = String::new();
    if declined.code >= 600 && context.call.hops.len() > 1 {
        text += " As a 6xx answer it also ended every other branch and route of the call.";
    }
    if declined.silenced > 0 {
        text += &format!(" {} had to stop ringing for it.", counted(declined.silenced as u64, "other device"));
    }
    text
}

fn remedy(context: &CallContext<'_>, declined: &Declined<'_>, callee: &str) -> (Confidence, Steps) {
    let (name, code) = (context.name(declined.refuser), declined.code);
    match &declined.decliner {
        Decliner::Person if declined.is_unavailable => (
            Confidence::Possible,
            format!(
                "Nothing to repair if {callee} refused the call; otherwise look at the forwarding and reject settings of {name}."
            )
            .into(),
        ),
        Decliner::Person => (
            Confidence::Likely,
            format!("Nothing is broken. Voicemail or forwarding on reject at {callee} would take such calls.").into(),
        ),
        Decliner::Script(_) => (
            Confidence::Possible,
            Steps::from([
                "Listen to the early media of the call.".to_owned(),
                format!(
                    "Where they are an announcement: see on {name} which step of its dial plan or which setting of {callee} plays it."
                ),
            ]),
        ),
        Decliner::Account(words) => (
            Confidence::Certain,
            format!("Take up the reason that {name} names ({words}) with its operator: it has to be cleared there.")
                .into(),
        ),
        Decliner::System | Decliner::Policy(_) | Decliner::Unknown => {
            let step = format!("On {name}: see which dial-plan step or account setting hangs up on {callee}.");
            let other = format!("If other routes shall be tried, let it answer 4xx or 5xx instead of {code}.");
            // The first of a list, even where it is all of it.
            let steps = if code >= 600 { [step, other].into() } else { format!("1. {step}").into() };
            (Confidence::Likely, steps)
        }
    }
}

/// Devices that were ringing beside the one that refused with a 6xx, and were cancelled for it.
fn silenced(context: &CallContext<'_>, refusal: &Message) -> usize {
    let is_global = refusal.status().is_some_and(|status| status.0 >= 600);
    let Some((index, root)) = context.root().filter(|_| is_global) else {
        return 0;
    };
    let beside = context.transactions.invites().filter(|(other, t)| {
        let end = t.final_response.and_then(|end| context.message(end));
        *other != index
            && t.parent == root.parent
            && t.alerting.is_some()
            && end.is_some_and(|end| end.status().is_some_and(|status| status.0 == 487) && end.time >= refusal.time)
    });
    beside.count()
}

fn rang_for(context: &CallContext<'_>) -> Duration {
    ring(&context.transactions).map_or(Duration::ZERO, |(start, end)| end.since(start))
}

fn decliner(context: &CallContext<'_>, rang: Duration) -> Decliner {
    let step = context.transactions.last_step();
    let step = step.map(|step| context.transactions.transaction(step));
    let has_rung = step.is_some_and(|step| step.ringing.is_some());
    let is_early_media = step
        .and_then(|step| context.message(step.alerting?))
        .is_some_and(|early| early.status().is_some_and(|status| status.0 == 183) && !early.session.is_absent());
    if rang >= HAND_RING {
        let is_media_alone = !has_rung && is_early_media;
        return if is_media_alone { Decliner::Script(rang) } else { Decliner::Person };
    }
    let (Some(refuser), Some(refusal)) = (context.refuser(), context.refusal()) else {
        return Decliner::Unknown;
    };
    let tables = context.tables();
    let words = tables.header(refusal, HeaderName::Warning).or_else(|| tables.header(refusal, HeaderName::ErrorInfo));
    if let Some(words) = words {
        return Decliner::Account(words.to_owned());
    }
    let declined = context.capture.reception(refuser).map_or(0, |reception| reception.declined.len());
    if declined >= POLICY_MIN {
        return Decliner::Policy(declined);
    }
    let soon = context.refused_request().is_some_and(|request| refusal.time.since(request.time) < MACHINE_WAIT);
    let by_user = Cause::of(tables, refusal);
    if soon && !(by_user.q850 == Some(21) && by_user.is_user) { Decliner::System } else { Decliner::Unknown }
}
