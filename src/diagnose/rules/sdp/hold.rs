//! sdp-hold: times on hold, and holds that nobody ended.
//!
//! Sources: RFC 3264 section 8.4, RFC 6337 section 5.3.

use std::time::Duration;

use crate::call::Outcome;
use crate::call::outcome::hold::{Hold, holds};
use crate::call::outcome::negotiation::changes;
use crate::diagnose::context::call_context::Case;
use crate::diagnose::finding::{Confidence, Evidence, Finding, Proof, Severity};
use crate::diagnose::rules::sdp::offer;

/// A hold that lasts until the end is called stuck from here on.
const STUCK: Duration = Duration::from_secs(60);

/// The rule.
pub fn sdp_hold(case: &Case<'_>) -> Option<Finding> {
    if !matches!(case.outcome(), Outcome::Completed | Outcome::StillUp | Outcome::Dropped) {
        return None;
    }
    // Without a change a call is held only where its first answer says so, which its INVITE shows at once.
    let answer = case.message(case.dialogs.first()?.answer)?;
    if answer.session.is_absent() && changes(&case.anatomy).next().is_none() {
        return None;
    }
    let holds = holds(&case.anatomy);
    let last = holds.last()?;
    let stuck = holds.iter().find(|hold| is_stuck(case, hold));
    Some(match stuck {
        Some(hold) => stuck_finding(case, hold),
        None => held_finding(case, &holds, last),
    })
}

fn end_of(case: &Case<'_>, hold: &Hold) -> crate::capture::Timestamp {
    let resumed = hold.ended.map(|at| case.anatomy.message(at).time);
    resumed.or(case.call.milestones.hung_up).unwrap_or(case.call.ended)
}

fn seconds(case: &Case<'_>, hold: &Hold) -> f64 {
    let began = case.anatomy.message(hold.began).time;
    end_of(case, hold).since(began).as_secs_f64()
}

/// Held until the end, longer than anybody waits, while neither side could send: not even music on hold.
fn is_stuck(case: &Case<'_>, hold: &Hold) -> bool {
    hold.ended.is_none()
        && case.call.milestones.hung_up.is_some()
        && (hold.is_mutual || hold.is_silent)
        && seconds(case, hold) >= STUCK.as_secs_f64()
}

fn shown(case: &Case<'_>, hold: &Hold) -> Evidence {
    let message = case.anatomy.message(hold.began);
    let lines = offer::media_lines(case.tables(), message.session);
    Evidence::seen(message.at, lines, "puts the other side on hold")
}

fn stuck_finding(case: &Case<'_>, hold: &Hold) -> Finding {
    let message = case.anatomy.message(hold.began);
    let holder = case.name(message.source);
    Finding::new("sdp-hold", Severity::Warn, Confidence::Certain, Proof::Protocol)
        .says(
            "On hold until the end, with no audio either way",
            format!(
                "{holder} put the call on hold {:.1} s after the INVITE and it was never resumed: for the last {:.0} s \
                 neither side was allowed to send audio.",
                case.seconds_in(message),
                seconds(case, hold)
            ),
            format!(
                "On {}: check that the resume sends a re-INVITE with a=sendrecv, and that a hold is answered with \
                 recvonly or inactive.",
                case.scene.name(message.source)
            ),
        )
        .shown_by(shown(case, hold))
        .at(message.source, "stuck")
        .beside()
}

fn held_finding(case: &Case<'_>, all: &[Hold], last: &Hold) -> Finding {
    let message = case.anatomy.message(last.began);
    let total: f64 = all.iter().map(|hold| seconds(case, hold)).sum();
    let times = match all.len() {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    let end = match last.ended {
        Some(_) => "and resumed it",
        None => "and did not resume it",
    };
    Finding::new("sdp-hold", Severity::Info, Confidence::Certain, Proof::Protocol)
        .says(
            "The call was on hold",
            format!(
                "The call was put on hold {times}, {total:.1} s in all; {} held it last, {:.1} s after the INVITE, {end}.",
                case.name(message.source),
                case.seconds_in(message)
            ),
            "Nothing is broken: hold is part of the call.",
        )
        .shown_by(shown(case, last))
        .at(message.source, "hold")
        .beside()
}
