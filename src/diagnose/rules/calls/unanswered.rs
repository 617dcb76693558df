//! Calls that nobody took: rung out, without a reachable device, or ended behind an announcement.
//!
//! Sources: RFC 3261 sections 16.8 and 21.4.18, Q.850 causes 18, 19 and 20, RFC 3960 (early media).

use std::time::Duration;

use crate::call::beside::binding::BindingState;
use crate::call::beside::registration::address_of;
use crate::call::{Cause, Message, NodeId, Outcome, proxy_cancel, ring};
use crate::capture::FrameRef;
use crate::diagnose::finding::words::duration;
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::sip::HeaderName;
use crate::sip::number::user_of;

/// A 408 that comes sooner was not preceded by waiting: timers of SIP last for several seconds.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// Early media that lasts less is a tone rather than speech.
const ANNOUNCEMENT_MIN: Duration = Duration::from_secs(1);
/// Q.850 causes that speak of the number, of a route or of a caller that withholds its own: no device is missing.
const OTHER_CAUSES: [u16; 6] = [1, 2, 3, 22, 24, 28];
/// Q.850 causes that say that no device responds, or that it is not there.
const NO_DEVICE_CAUSES: [u16; 2] = [18, 20];
/// Products that are phones: their 480 means that somebody set them so.
const PHONES: [&str; 14] = [
    "yealink",
    "snom",
    "polycom",
    "poly",
    "grandstream gxp",
    "grandstream grp",
    "cisco-cp",
    "fanvil",
    "linphone",
    "zoiper",
    "microsip",
    "gigaset",
    "mitel",
    "bria",
];

pub fn call_no_answer(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome() != Outcome::NoAnswer {
        return None;
    }
    let last = context.transactions.last_step()?;
    let step = context.transactions.transaction(last);
    let answer = context.message(step.final_response?)?;
    let (start, end) = ring(&context.transactions)?;
    let (rang, ringing) = (end.since(start), context.message(step.ringing.or(step.alerting)?)?);
    let callee = user_of(context.capture.text(context.call.callee));
    // The last hop on which it rang shows whether the phone did or a box in front of it.
    let seen_at_callee =
        context.path().last().is_some_and(|(hop, _)| context.transactions.transaction(*hop).alerting.is_some());
    let canceller = proxy_cancel(&context.transactions, last)
        .map(|cancel| context.transactions.transaction(cancel))
        .and_then(|cancel| Some((cancel.source, context.message(cancel.request?)?)));
    let ended = match canceller {
        Some((proxy, _)) => format!("{} stopped the ringing and answered {}", context.name(proxy), context.code()),
        None => format!("{} ended it with {}", context.name(context.refuser()?), context.code()),
    };
    let behind = if seen_at_callee {
        ""
    } else {
        " The ringing was signalled by a node in front of the phone; whether the phone itself rang is not visible."
    };
    let who = canceller.map_or(context.refuser()?, |(proxy, _)| proxy);
    let timer = context.capture.timers.ring(context.capture.node(who), rang.as_secs_f64() * 1000.0);
    let timed = timer.map_or(String::new(), |timer| {
        format!(
            " Its ring timer is about {}: {} of the {} calls that rang that long end there.",
            duration(rang),
            timer.ended,
            timer.lasted
        )
    });
    let confidence = if seen_at_callee { Confidence::Certain } else { Confidence::Likely };
    Some(
        Observation::new(confidence, Proof::Protocol)
            .titled("")
            .naming(callee, "user", " did not answer")
            .happened(format!("{callee} rang for {} and nobody answered; {ended}.{timed}{behind}", duration(rang)))
            .remedy(format!(
                "Nothing is broken. A longer ring time on {} or forwarding on no answer at {callee} would save such calls.",
                context.name(who)
            ))
            .shown_by(context.shows(answer, "the end of the ringing"))
            .shown_by(context.shows(ringing, "the ringing"))
            .at(who, context.code())
            .maybe_shown_by(
                canceller.map(|(_, cancel)| context.shows(cancel, "the CANCEL that the caller did not send")),
            )
            .not("call-unreachable", "the callee's side was ringing"),
    )
}

/// Why no device could be reached.
enum Absence {
    /// The callee's registration leads to no device.
    Unbound(LostBinding),
    /// The refusal has a Q.850 cause that says so.
    Cause(u16),
    /// 430: the connection to the device is gone.
    FlowFailed,
    /// 408, so soon that nothing can have been waited for.
    TimedOutAtOnce,
    /// 408 of a node that waited for something that is not seen.
    TimedOut,
    /// The device itself refused.
    Phone,
    /// Nothing in the capture shows it.
    Unclear,
}

/// What is known of a registration that leads to no device.
struct LostBinding {
    state: BindingState,
    /// The Contact that was registered.
    contact: String,
    /// The last REGISTER, or its answer, and what to quote of it.
    frame: (FrameRef, String),
}

pub fn call_unreachable(context: &CallContext<'_>) -> Option<Observation> {
    let absence = absence(context)?;
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let callee = user_of(context.capture.text(context.call.callee));
    let name = context.name(refuser);
    let (severity, remedy): (_, Steps) = match absence {
        Absence::Phone => {
            (Severity::Info, format!("Look at the do-not-disturb and forwarding settings of {name}.").into())
        }
        _ => (
            Severity::Error,
            Steps::from([
                format!("On the device of {callee}: see that it registers and stays registered."),
                format!("On {name}: look at the registration of {callee} at the time of the call."),
                "For devices behind NAT, shorten the registration time or add keep-alives.".to_owned(),
            ]),
        ),
    };
    let (confidence, proof) = absence.judged();
    Some(
        Observation::new(confidence, proof)
            .severity(severity)
            .titled("")
            .naming(callee, "user", " could not be reached")
            .happened(format!(
                "{name} answered {} after {} without ringing.{}",
                context.start_line(refusal).trim_start_matches("SIP/2.0 "),
                duration(refusal.time.since(context.refused_request()?.time)),
                absence.words(refusal)
            ))
            .remedy(remedy)
            .shown_by(context.shows(refusal, "no device could be reached"))
            .at(refuser, context.refusal_code())
            .maybe_shown_by(match absence {
                Absence::Unbound(LostBinding { frame: (frame, quote), .. }) => {
                    Some(Evidence::seen(frame, quote, "the last registration"))
                }
                _ => None,
            }),
    )
}

fn absence(context: &CallContext<'_>) -> Option<Absence> {
    let code = context.refusal_code();
    let is_unreachable =
        context.outcome() == Outcome::Unreachable || context.outcome() == Outcome::ServerFailed && code == 503;
    if !is_unreachable {
        return None;
    }
    let refusal = context.refusal()?;
    let cause = Cause::of(context.tables(), refusal).q850;
    let lost = lost_binding(context);
    if lost.is_none() && cause.is_some_and(|cause| OTHER_CAUSES.contains(&cause)) {
        return None;
    }
    let by_cause = cause.filter(|cause| NO_DEVICE_CAUSES.contains(cause));
    let applies = match code {
        480 | 430 => true,
        408 => context.path().len() == 1,
        404 | 410 | 604 | 503 => lost.is_some() || by_cause.is_some(),
        _ => false,
    };
    if !applies {
        return None;
    }
    let waited = refusal.time.since(context.refused_request()?.time);
    Some(match (lost, by_cause) {
        (Some(lost), _) => Absence::Unbound(lost),
        (None, Some(cause)) => Absence::Cause(cause),
        (None, None) if code == 430 => Absence::FlowFailed,
        (None, None) if code == 408 && waited < WAIT_MIN => Absence::TimedOutAtOnce,
        (None, None) if code == 408 => Absence::TimedOut,
        (None, None) if is_phone(context) => Absence::Phone,
        (None, None) => Absence::Unclear,
    })
}

impl Absence {
    fn judged(&self) -> (Confidence, Proof) {
        match self {
            Self::Unbound(lost) => match lost.state {
                BindingState::Expired { .. } | BindingState::Removed { .. } => (Confidence::Certain, Proof::Comparison),
                BindingState::Refused => (Confidence::Likely, Proof::Comparison),
                BindingState::Active { .. } => (Confidence::Possible, Proof::Comparison),
            },
            Self::Cause(_) | Self::FlowFailed => (Confidence::Likely, Proof::OwnWords),
            Self::TimedOutAtOnce | Self::TimedOut | Self::Phone | Self::Unclear => {
                (Confidence::Possible, Proof::CodeMeaning)
            }
        }
    }

    /// A sentence, with a blank before it.
    fn words(&self, refusal: &Message) -> String {
        match self {
            Self::Unbound(lost) => lost.words(refusal),
            Self::Cause(cause) => format!(" Its Q.850 cause {cause} says that no device responds."),
            Self::FlowFailed => " 430 says that the connection to the registered device is gone.".to_owned(),
            Self::TimedOutAtOnce => " So soon nothing can have been waited for: it possibly knows that the device, or what is behind it, does not answer, or uses the code for another reason.".to_owned(),
            Self::TimedOut => " It had waited that long for something behind it, which this capture does not show: a device that is registered and gone, or a next hop that is silent.".to_owned(),
            Self::Phone => " The device itself says so: do not disturb, or no line free, rather than a missing registration.".to_owned(),
            Self::Unclear => " Usually no device is registered for the user; do not disturb or a forwarding without target give the same answer.".to_owned(),
        }
    }
}

impl LostBinding {
    fn words(&self, refusal: &Message) -> String {
        let contact = &self.contact;
        match self.state {
            BindingState::Expired { at } => {
                format!(" Its last registration ({contact}) had expired {} before.", duration(refusal.time.since(at)))
            }
            BindingState::Removed { at } => format!(
                " Its device took the registration ({contact}) away {} before.",
                duration(refusal.time.since(at))
            ),
            BindingState::Refused => " Every try of its device to register had failed before.".to_owned(),
            BindingState::Active { .. } => format!(
                " It was registered ({contact}) at that moment, so the device did not respond, or does not take calls."
            ),
        }
    }
}

/// The registration of the called user, where the capture holds it and it does not lead to a device.
fn lost_binding(context: &CallContext<'_>) -> Option<LostBinding> {
    let refusal = context.refusal()?;
    let nodes: Vec<NodeId> = context.call.hops.iter().map(|hop| context.capture.node(hop.destination)).collect();
    let invited = context.message(context.transactions.transaction(context.transactions.last_step()?).request?)?;
    let aors = [invited.line, invited.to];
    let binding =
        aors.iter().find_map(|aor| context.capture.binding_at(context.capture.text(*aor), &nodes, refusal.time))?;
    let attempt = context.capture.attempts.get(binding.attempt as usize)?;
    let is_active = matches!(binding.state, BindingState::Active { .. });
    if is_active && !matches!(context.refusal_code(), 480 | 430 | 408) {
        return None;
    }
    let contact = address_of(context.capture.text(attempt.contact)).to_owned();
    let quote = format!("REGISTER {}", context.capture.text(attempt.aor));
    let frame = (attempt.answered_at.unwrap_or(attempt.asked_at), quote);
    Some(LostBinding { state: binding.state, contact, frame })
}

fn is_phone(context: &CallContext<'_>) -> bool {
    let Some((refuser, refusal)) = context.refuser().zip(context.refusal()) else {
        return false;
    };
    let phrase = context.capture.text(refusal.line).to_ascii_lowercase();
    let software = context.software(refuser).unwrap_or_default().to_ascii_lowercase();
    phrase.contains("disturb") || phrase.contains("dnd") || PHONES.iter().any(|phone| software.starts_with(phone))
}

pub fn call_announcement(context: &CallContext<'_>) -> Option<Observation> {
    let is_over = context.outcome().is_failure() || context.outcome() == Outcome::Cancelled;
    if !is_over || context.outcome().is_answered() {
        return None;
    }
    let step = context.transactions.transaction(context.transactions.last_step()?);
    let early = context.message(step.alerting?)?;
    if step.ringing.is_some() || early.session.is_absent() || context.code() < 300 {
        return None;
    }
    let ended = context.message(step.final_response?)?;
    let played = ended.time.since(early.time);
    // Other codes come from timers and faults behind the media rather than from a network that explains itself.
    let is_explained = matches!(context.code(), 400..=407 | 409..=486 | 600..=699);
    let is_reliable = context.header(early, HeaderName::RSeq).is_some();
    if played < ANNOUNCEMENT_MIN || !is_explained || is_reliable {
        return None;
    }
    let words = context
        .header(early, HeaderName::Reason)
        .map_or(String::new(), |reason| format!(" Its Reason header says {reason}."));
    Some(
        Observation::new(Confidence::Possible, Proof::Timing)
            .titled("An announcement may have been played")
            .happened(format!(
                "{} opened early media {} before it ended the call with {}, without ringing.{words} What was played is not judged here.",
                context.name(step.destination),
                duration(played),
                context.code()
            ))
            .remedy(
                "Listen to the media between these two messages, where it was captured: it often tells the reason more exactly than the code.",
            )
            .shown_by(context.shows(early, "early media begins"))
            .shown_by(context.shows(ended, "the call ends"))
            .at(step.destination, context.code())
            .beside(),
    )
}
