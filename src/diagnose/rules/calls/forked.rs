//! Forks of which the capture shows one branch alone: a device that was called off because another one answered, and early
//! dialogs of several devices behind the last node that is seen.
//!
//! Sources: RFC 3261 sections 12.1 and 16.7 (each device has a To tag of its own), RFC 3326 (Reason in a CANCEL).

use crate::call::{Cause, Message, Outcome, Transaction, cancel_of};
use crate::diagnose::finding::words::duration;
use crate::diagnose::{Case, Confidence, Finding, Proof, Severity};
use crate::sip::number::user_of;
use crate::sip::{HeaderName, StatusCode};

/// The CANCEL of the caller's side that says that another device took the call.
pub fn called_off<'a>(case: &Case<'a>) -> Option<&'a Message> {
    if case.outcome() != Outcome::Cancelled {
        return None;
    }
    let cancel = cancel_of(&case.anatomy, case.anatomy.last_step()?)?;
    let cancel = case.message(case.anatomy.transaction(cancel).request?)?;
    (Cause::of(case.tables(), cancel).sip == Some(200)).then_some(cancel)
}

/// The capture shows a device that rang and lost: nobody gave up.
pub fn elsewhere(case: &Case<'_>) -> Option<Finding> {
    let cancel = called_off(case)?;
    let invited = case.call.milestones.invited?;
    let caller = case.name(cancel.source);
    let callee = user_of(case.scene.text(case.call.callee));
    let finding = Finding::new("call-fork", Severity::Info, Confidence::Certain, Proof::OwnWords)
        .says(
            "Answered on another device",
            format!(
                "{caller} called off {callee} {} after dialling it, because another device had taken the call.",
                duration(cancel.time.since(invited))
            ),
            "Nothing is broken.",
        )
        .shown_by(case.shows(cancel, "called off"))
        .shown_by(case.shows_header(cancel, HeaderName::Reason, "why"))
        .at(cancel.source, "elsewhere");
    Some(finding)
}

/// Several devices answered one INVITE provisionally, and what called them is behind the last node that is seen.
pub fn beyond(case: &Case<'_>) -> Option<Finding> {
    let leaf = case.anatomy.invites().find_map(|(index, t)| {
        t.alerting?;
        if case.anatomy.children(index).next().is_some() {
            return None;
        }
        let tags = early_tags(case, index);
        (tags > 1).then_some((*t, tags))
    });
    let (leaf, tags) = leaf?;
    let invite = case.message(leaf.request?)?;
    let forker = case.name(leaf.destination);
    let callee = user_of(case.scene.text(case.call.callee));
    let end = if case.anatomy.final_status(&leaf).is_some_and(StatusCode::is_success) {
        "one of them answered"
    } else {
        "none answered"
    };
    let finding = Finding::new(
        "call-fork",
        Severity::Info,
        Confidence::Likely,
        Proof::Protocol,
    )
    .says(
        "Several devices were rung",
        format!(
            "The ringing for {callee} came back through {forker} with {tags} To tags, one for each device that it reached, and {end}."
        ),
        "Nothing is broken.",
    )
    .shown_by(case.shows(invite, "the call before it was forked"))
    .at(leaf.destination, "beyond");
    let rung = ringing(case, &leaf).map(|message| case.shows(message, "a device of its own To tag"));
    Some(rung.take(3).fold(finding, Finding::shown_by).beside())
}

/// The provisional responses that alert, and the answer.
fn ringing<'a>(case: &Case<'a>, leaf: &Transaction) -> impl Iterator<Item = &'a Message> {
    let first = leaf.first;
    let index = case.anatomy.invites().find(|(_, t)| t.first == first).map(|(index, _)| index);
    let mut seen = Vec::new();
    let responses: Vec<&'a Message> = index
        .into_iter()
        .flat_map(|index| case.anatomy.responses_of(index))
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
fn early_tags(case: &Case<'_>, index: crate::call::TransactionIndex) -> usize {
    let early = || {
        let responses = case.anatomy.responses_of(index);
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
