//! Devices that were rung at once, and calls that two of them answered.
//!
//! Sources: RFC 3261 sections 13.2.2.4, 16.6 step 7 and 16.7; RFC 3326 (Reason in a CANCEL).

use std::time::Duration;

use crate::call::{Cause, Dialog, Transaction, TransactionIndex};
use crate::diagnose::finding::words::duration;
use crate::diagnose::rules::calls::branches::{began, called_off, ended, families, given_up, same_branch};
use crate::diagnose::rules::calls::forked;
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof};
use crate::sip::number::user_of;
use crate::sip::{Method, StatusCode};

/// How long a second answer may stay up before somebody is left on the line.
const UNWANTED_WAIT: Duration = Duration::from_secs(5);
/// Branches named in a text.
const BRANCHES_SHOWN: usize = 6;
/// Further branches that evidence shows.
const BRANCHES_QUOTED: usize = 3;

pub fn call_fork(context: &CallContext<'_>) -> Option<Observation> {
    if let Some(observation) = forked::elsewhere(context) {
        return Some(observation);
    }
    if context.call.hops.len() < 2 && context.dialogs.len() < 2 {
        return forked::beyond(context);
    }
    let branches = rung_together(context);
    if branches.len() < 2 && context.dialogs.len() < 2 {
        return forked::beyond(context);
    }
    if let Some(observation) = double_answer(context) {
        return Some(observation);
    }
    if branches.len() < 2 {
        return None;
    }
    let first = branches.first()?;
    let invite = context.message(first.request?)?;
    let observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .info()
        .titled("Several devices were rung")
        .happened(story(context, &branches))
        .remedy(advice(context, &branches))
        .shown_by(context.shows(invite, "the first branch"))
        .at(first.source, branches.len());
    let others = branches.iter().skip(1).filter_map(|hop| context.message(hop.request?));
    let shown = others.take(BRANCHES_QUOTED).map(|invite| context.shows(invite, "another branch"));
    Some(observation.maybe_shown_by(shown).beside())
}

/// The branches of one node that were open at the same time.
fn rung_together(context: &CallContext<'_>) -> Vec<Transaction> {
    let hop = |index: &TransactionIndex| *context.transactions.transaction(*index);
    let families = families(context);
    let mut rung = families.iter().map(|kids| {
        let hops: Vec<Transaction> = kids.iter().map(hop).collect();
        let has_rival = |at: usize, hop: &Transaction| {
            hops.iter().enumerate().any(|(other, rival)| other != at && overlap(context, hop, rival))
        };
        let rung = hops.iter().enumerate().filter(|(at, hop)| has_rival(*at, hop));
        rung.map(|(_, hop)| *hop).collect::<Vec<_>>()
    });
    rung.find(|rung| rung.len() > 1).unwrap_or_default()
}

/// Whether two branches lead to different devices, and one was tried while the other was open.
fn overlap(context: &CallContext<'_>, a: &Transaction, b: &Transaction) -> bool {
    let (Some(since), Some(other)) = (began(context, a), began(context, b)) else {
        return false;
    };
    let (first, second) = if since <= other { (a, other) } else { (b, since) };
    let ends = called_off(context, first).filter(|_| first.alerting.is_none());
    ends.or_else(|| ended(context, first)).or_else(|| given_up(context, first)).is_none_or(|end| end > second)
        && (context.capture.node(a.destination) != context.capture.node(b.destination)
            || a.destination != b.destination
            || context.message(a.first).map(|m| m.line) != context.message(b.first).map(|m| m.line))
}

fn story(context: &CallContext<'_>, branches: &[Transaction]) -> String {
    let forker = context.name(branches[0].source);
    let count = branches.len();
    let callee = user_of(context.capture.text(context.call.callee));
    let status = |hop: &Transaction| context.transactions.final_status(hop);
    let taken = context.dialogs.first().map(|dialog| dialog.to_tag);
    let answered = || {
        let successes = branches.iter();
        successes.filter(|hop| status(hop).is_some_and(StatusCode::is_success))
    };
    let is_taken = |hop: &&Transaction| {
        let answer = hop.final_response.and_then(|answer| context.message(answer));
        answer.map(|answer| answer.to_tag) == taken
    };
    let winner = answered().find(is_taken).or_else(|| answered().next());
    let Some(winner) = winner else {
        let ends: Vec<String> = branches
            .iter()
            .take(BRANCHES_SHOWN)
            .map(|hop| {
                let end = status(hop).map_or("no answer".to_owned(), |status| status.0.to_string());
                format!("{} {end}", context.capture.name(hop.destination))
            })
            .collect();
        return format!(
            "{forker} called {count} devices for {callee} and none answered: {}. Of several refusals a proxy passes on a 6xx, else one of the lowest class.",
            ends.join(", ")
        );
    };
    let cancelled = branches.iter().filter(|hop| status(hop).is_some_and(|status| status.0 == 487)).count();
    let after = ended(context, winner)
        .zip(context.call.milestones.invited)
        .map_or(String::new(), |(answered, invited)| format!(" after {}", duration(answered.since(invited))));
    let silent = if cancelled > 0 && !has_elsewhere(context, branches) {
        "; the CANCEL does not say that the call was answered elsewhere, so phones list it as missed"
    } else {
        ""
    };
    let late = match answered().count() {
        0 | 1 => String::new(),
        2 => ", another one answered too".to_owned(),
        n => format!(", {} others answered too", n - 1),
    };
    let rest = match cancelled {
        0 => String::new(),
        1 => " and 1 other was cancelled".to_owned(),
        n => format!(" and {n} others were cancelled"),
    };
    format!(
        "{forker} called {count} devices for {callee}; {} answered{after}{late}{rest}{silent}.",
        context.capture.name(winner.destination),
    )
}

fn has_elsewhere(context: &CallContext<'_>, branches: &[Transaction]) -> bool {
    let cancels = context
        .transactions
        .each()
        .filter(|(_, t)| t.method == Method::Cancel && branches.iter().any(|hop| same_branch(context, hop, t)));
    cancels
        .filter_map(|(_, t)| context.message(t.request?))
        .any(|cancel| Cause::of(context.tables(), cancel).sip == Some(200))
}

fn advice(context: &CallContext<'_>, branches: &[Transaction]) -> String {
    let is_silent =
        branches.iter().any(|hop| context.transactions.final_status(hop).is_some_and(|status| status.0 == 487))
            && context.outcome().is_answered()
            && !has_elsewhere(context, branches);
    if is_silent {
        format!(
            "On {}: add `Reason: SIP;cause=200;text=\"Call completed elsewhere\"` to the CANCELs.",
            context.name(branches[0].source)
        )
    } else {
        "Nothing is broken.".to_owned()
    }
}

/// Two answers of which nobody gave one up.
fn double_answer(context: &CallContext<'_>) -> Option<Observation> {
    let is_kept = |dialog: &&Dialog| {
        let answer = context.message(dialog.answer);
        let bye = dialog.bye.and_then(|bye| context.message(context.transactions.transaction(bye).request?));
        let acked = context
            .transactions
            .originals()
            .any(|(_, message)| message.is_request(Method::Ack) && message.to_tag == dialog.to_tag);
        answer.is_some_and(|answer| {
            acked
                && context.capture.watched_since(answer.time) >= UNWANTED_WAIT
                && bye.is_none_or(|bye| bye.time.since(answer.time) > UNWANTED_WAIT)
        })
    };
    let kept: Vec<&Dialog> = context.dialogs.iter().filter(is_kept).collect();
    let [first, second, ..] = kept[..] else {
        return None;
    };
    let (a, b) = (context.message(first.answer)?, context.message(second.answer)?);
    let caller = context.name(context.call.source);
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .titled("Two devices answered and both stayed on the line")
            .happened(format!(
                "{} devices answered this call and {caller} acknowledged each; it did not hang up on all but one within {}.",
                kept.len(),
                duration(UNWANTED_WAIT)
            ))
            .remedy(format!("{caller} must send BYE to all answers but one."))
            .remedy("The node that forks must cancel the other branches as soon as one answers.")
            .shown_by(context.shows(a, "the first answer"))
            .shown_by(context.shows(b, "the second answer"))
            .shown_by(Evidence::Missing {
                expected: "a BYE to all answers but one".to_owned(),
                after: b.at,
                watched: context.capture.watched_since(b.time),
            })
            .at(context.call.source, "double answer")
            .beside(),
    )
}
