//! Numbers that end too early: 484, and overlap dialling, where each further digit is a new call.
//!
//! Sources: RFC 3261 section 21.4.22, RFC 3578 section 4 (overlap signalling), Q.850 cause 28.

use std::time::Duration;

use crate::call::{Call, Cause};
use crate::diagnose::rules::route::ringing::has_rung;
use crate::diagnose::{CallContext, Confidence, Observation, Proof};
use crate::sip::number::user_of;

/// How long after the first digits the next ones are dialled at most.
const DIGIT_WAIT: Duration = Duration::from_secs(20);
/// Q.850: the number is incomplete or its format is not valid.
const INVALID_NUMBER: u16 = 28;
/// Calls behind this one among which the longer number is looked for.
const LOOK_MAX: usize = 64;

/// A number that its receiver calls incomplete or malformed, where no other way of writing is known to work.
pub(super) fn incomplete(context: &CallContext<'_>) -> Option<Observation> {
    let code = context.call.final_code?.0;
    if context.outcome().is_answered() || code < 400 {
        return None;
    }
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let says_so = context.refusal_code() == 484;
    let (_, root) = context.root()?;
    if !says_so && Cause::of(context.tables(), refusal).q850 != Some(INVALID_NUMBER) || has_rung(context, root) {
        return None;
    }
    let request = context.refused_request()?;
    let uri = context.capture.text(request.line);
    let (node, user) = (context.name(refuser), user_of(uri));
    let says = format!("{} {}", context.refusal_code(), context.capture.text(refusal.line));
    let next = says_so.then(|| longer(context, user)).flatten();
    let observation = match next {
        Some((longer, call)) => Observation::new(Confidence::Likely, Proof::Protocol)
            .info()
            .titled("More digits were on their way")
            .happened(format!(
                "{node} answered {says} to {user}; the next digits came as call {call} to {longer}: overlap dialling."
            ))
            .remedy("Nothing is broken."),
        None => Observation::new(Confidence::Possible, Proof::CodeMeaning)
            .titled(format!("{} finds ", context.capture.name(refuser)))
            .naming(user, "number", " incomplete")
            .happened(format!(
                "{node} answered {says} to {user} ({uri}): digits are possibly missing, or it wants the number written in another way; no accepted call in this capture tells which."
            ))
            .remedy(format!("See whether {user} was dialled as a whole."))
            .remedy(format!(
                "If so: find out which form of numbers {} takes (with + or 00, with or without country and area code), and translate to it before the call is sent.",
                context.capture.name(refuser)
            )),
    };
    Some(
        observation
            .shown_by(context.shows(refusal, "the refusal"))
            .shown_by(context.shows(request, "the number as it was sent"))
            .at(refuser, "incomplete"),
    )
}

/// The number of a call of the same caller that goes on where this number ends, and that call's number in a report.
fn longer<'a>(context: &CallContext<'a>, user: &str) -> Option<(&'a str, usize)> {
    let capture = context.capture;
    let caller = capture.node(context.call.source);
    let ends = context.call.ended.plus(DIGIT_WAIT);
    let is_next = |call: &&(usize, &'a Call)| {
        let digits = user_of(capture.text(call.1.callee));
        call.1.started <= ends
            && capture.node(call.1.source) == caller
            && digits.len() > user.len()
            && digits.starts_with(user)
    };
    let behind: Vec<(usize, &'a Call)> =
        capture.calls.iter().enumerate().skip(context.index + 1).take(LOOK_MAX).collect();
    let (index, call) = behind.iter().find(is_next)?;
    Some((user_of(capture.text(call.callee)), index + 1))
}
