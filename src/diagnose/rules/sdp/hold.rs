//! sdp-hold: times on hold, and holds that nobody ended.
//!
//! Sources: RFC 3264 section 8.4, RFC 6337 section 5.3.

use std::time::Duration;

use crate::call::Outcome;
use crate::call::outcome::hold::{Hold, holds};
use crate::call::outcome::negotiation::changes;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::sdp::offer;

/// A hold that lasts until the end is called stuck from here on.
const STUCK: Duration = Duration::from_secs(60);

/// The rule.
pub fn sdp_hold(context: &CallContext<'_>) -> Option<Observation> {
    if !matches!(context.outcome(), Outcome::Completed | Outcome::StillUp | Outcome::Dropped) {
        return None;
    }
    // Without a change a call is held only where its first answer says so, which its INVITE shows at once.
    let answer = context.message(context.dialogs.first()?.answer)?;
    if answer.session.is_absent() && changes(&context.transactions).next().is_none() {
        return None;
    }
    let holds = holds(&context.transactions);
    let last = holds.last()?;
    let stuck = holds.iter().find(|hold| is_stuck(context, hold));
    Some(match stuck {
        Some(hold) => stuck_finding(context, hold),
        None => held_finding(context, &holds, last),
    })
}

fn end_of(context: &CallContext<'_>, hold: &Hold) -> crate::capture::Timestamp {
    let resumed = hold.ended.map(|at| context.transactions.message(at).time);
    resumed.or(context.call.milestones.hung_up).unwrap_or(context.call.ended)
}

fn seconds(context: &CallContext<'_>, hold: &Hold) -> f64 {
    let began = context.transactions.message(hold.began).time;
    end_of(context, hold).since(began).as_secs_f64()
}

/// Held until the end, longer than anybody waits, while neither side could send: not even music on hold.
fn is_stuck(context: &CallContext<'_>, hold: &Hold) -> bool {
    hold.ended.is_none()
        && context.call.milestones.hung_up.is_some()
        && (hold.is_mutual || hold.is_silent)
        && seconds(context, hold) >= STUCK.as_secs_f64()
}

fn shown(context: &CallContext<'_>, hold: &Hold) -> Evidence {
    let message = context.transactions.message(hold.began);
    let lines = offer::media_lines(context.tables(), message.session);
    Evidence::seen(message.at, lines, "puts the other side on hold")
}

fn stuck_finding(context: &CallContext<'_>, hold: &Hold) -> Observation {
    let message = context.transactions.message(hold.began);
    let holder = context.name(message.source);
    Observation::new(Confidence::Certain, Proof::Protocol)
        .titled("On hold until the end, with no audio either way")
        .happened(format!(
            "{holder} put the call on hold {:.1} s after the INVITE and it was never resumed: for the last {:.0} s \
                 neither side was allowed to send audio.",
            context.seconds_in(message),
            seconds(context, hold)
        ))
        .remedy(format!(
            "On {}: check that the resume sends a re-INVITE with a=sendrecv, and that a hold is answered with \
                 recvonly or inactive.",
            context.capture.name(message.source)
        ))
        .shown_by(shown(context, hold))
        .at(message.source, "stuck")
        .beside()
}

fn held_finding(context: &CallContext<'_>, all: &[Hold], last: &Hold) -> Observation {
    let message = context.transactions.message(last.began);
    let total: f64 = all.iter().map(|hold| seconds(context, hold)).sum();
    let times = match all.len() {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    let end = match last.ended {
        Some(_) => "and resumed it",
        None => "and did not resume it",
    };
    Observation::new(Confidence::Certain, Proof::Protocol)
        .info()
        .titled("The call was on hold")
        .happened(format!(
            "The call was put on hold {times}, {total:.1} s in all; {} held it last, {:.1} s after the INVITE, {end}.",
            context.name(message.source),
            context.seconds_in(message)
        ))
        .remedy("Nothing is broken: hold is part of the call.")
        .shown_by(shown(context, last))
        .at(message.source, "hold")
        .beside()
}
