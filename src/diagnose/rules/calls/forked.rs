//! Forks of which the capture shows one branch alone: a device that was called off because another one answered, and early
//! dialogs of several devices behind the last node that is seen.
//!
//! Sources: RFC 3261 sections 12.1 and 16.7 (each device has a To tag of its own), RFC 3326 (Reason in a CANCEL).

use crate::call::{Cause, Message, Outcome, Transaction, cancel_of};
use crate::diagnose::finding::words::duration;
use crate::diagnose::{CallContext, Confidence, Observation, Proof};
use crate::sip::number::user_of;
use crate::sip::{HeaderName, StatusCode};

/// Devices that evidence shows.
const DEVICES_SHOWN: usize = 3;

/// The CANCEL of the caller's side that says that another device took the call.
pub fn taken_elsewhere<'a>(context: &CallContext<'a>) -> Option<&'a Message> {
    if context.outcome() != Outcome::Cancelled {
        return None;
    }
    let cancel = cancel_of(&context.transactions, context.transactions.last_step()?)?;
    let cancel = context.message(context.transactions.transaction(cancel).request?)?;
    (Cause::of(context.tables(), cancel).sip == Some(200)).then_some(cancel)
}

/// The capture shows a device that rang and lost: nobody gave up.
pub fn elsewhere(context: &CallContext<'_>) -> Option<Observation> {
    let cancel = taken_elsewhere(context)?;
    let invited = context.call.milestones.invited?;
    let caller = context.name(cancel.source);
    let callee = user_of(context.capture.text(context.call.callee));
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .info()
            .titled("Answered on another device")
            .happened(format!(
                "{caller} called off {callee} {} after dialling it,",
                duration(cancel.time.since(invited))
            ))
            .because("another device had taken the call.")
            .remedy("Nothing is broken.")
            .shown_by(context.shows(cancel, "called off"))
            .shown_by(context.shows_header(cancel, HeaderName::Reason, "why"))
            .at(cancel.source, "elsewhere"),
    )
}

/// Several devices answered one INVITE provisionally, and what called them is behind the last node that is seen.
pub fn beyond(context: &CallContext<'_>) -> Option<Observation> {
    let leaf = context.transactions.invites().find_map(|(index, t)| {
        t.alerting?;
        if context.transactions.children(index).next().is_some() {
            return None;
        }
        let tags = early_tags(context, index);
        (tags > 1).then_some((*t, tags))
    });
    let (leaf, tags) = leaf?;
    let invite = context.message(leaf.request?)?;
    let forker = context.name(leaf.destination);
    let callee = user_of(context.capture.text(context.call.callee));
    let end = if context.transactions.final_status(&leaf).is_some_and(StatusCode::is_success) {
        "one of them answered"
    } else {
        "none answered"
    };
    let observation = Observation::new(Confidence::Likely, Proof::Protocol)
        .info()
        .titled("Several devices were rung")
        .happened(format!(
            "The ringing for {callee} came back through {forker} with {tags} To tags, one for each device that it reached, and {end}."
        ))
        .remedy("Nothing is broken.")
        .shown_by(context.shows(invite, "the call before it was forked"))
        .at(leaf.destination, "beyond");
    let rung = ringing(context, &leaf).map(|message| context.shows(message, "a device of its own To tag"));
    Some(observation.maybe_shown_by(rung.take(DEVICES_SHOWN)).beside())
}

/// The provisional responses that alert, and the answer.
fn ringing<'a>(context: &CallContext<'a>, leaf: &Transaction) -> impl Iterator<Item = &'a Message> {
    let first = leaf.first;
    let index = context.transactions.invites().find(|(_, t)| t.first == first).map(|(index, _)| index);
    let mut seen = Vec::new();
    let responses: Vec<&'a Message> = index
        .into_iter()
        .flat_map(|index| context.transactions.responses_of(index))
        .map(|(_, message)| message)
        .filter(|message| is_early(message))
        .filter(|message| {
            let is_new = !seen.contains(&message.to_tag);
            seen.push(message.to_tag);
            is_new
        })
        .collect();
    responses.into_iter()
}

fn is_early(message: &Message) -> bool {
    let alerts = |status: StatusCode| (180..200).contains(&status.0) || status.is_success();
    !message.to_tag.is_absent() && message.status().is_some_and(alerts)
}

/// How many To tags alerted or answered one INVITE.
fn early_tags(context: &CallContext<'_>, index: crate::call::TransactionIndex) -> usize {
    let early = || {
        let responses = context.transactions.responses_of(index);
        responses.map(|(_, message)| message).filter(|message| is_early(message))
    };
    let Some(first) = early().next() else {
        return 0;
    };
    // Nearly every call has one tag: nothing is gathered for it.
    if early().all(|message| message.to_tag == first.to_tag) {
        return 1;
    }
    let mut tags: Vec<_> = early().map(|message| message.to_tag).collect();
    tags.sort_unstable();
    tags.dedup();
    tags.len()
}
