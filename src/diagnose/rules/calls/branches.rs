//! Calls with several branches: devices rung at once, and routes tried one after the other.
//!
//! Sources: RFC 3261 sections 13.2.2.4, 16.6 step 7 and 16.7; RFC 3263 section 4.3; RFC 3326 (Reason in a CANCEL).

use std::time::Duration;

use crate::call::{Cause, Hop, Transaction, TransactionIndex};
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::rules::calls::forked;
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::sip::number::user_of;
use crate::sip::{Method, StatusCode};

/// How long a second answer may stay up before somebody is left on the line.
const UNWANTED_WAIT: Duration = Duration::from_secs(5);
/// How soon after a failure the next route is tried.
const FAILOVER_WAIT: Duration = Duration::from_secs(5);
/// Delay that callers notice.
const SLOW_FAILOVER: Duration = Duration::from_secs(2);
/// Failures of one destination from which on it should not be tried first.
const DEAD_PEER_MIN: u32 = 3;
/// Branches named in a text.
const BRANCHES_SHOWN: usize = 6;
/// Branches of one call that are compared with each other; forged calls have more.
const BRANCHES_MAX: usize = 64;

/// The INVITEs that one node sent for one it received, in the order of time; challenged tries and their retries are one.
fn families(context: &CallContext<'_>) -> Vec<Vec<TransactionIndex>> {
    if is_chain(&context.call.hops) {
        return Vec::new();
    }
    let tried = context.transactions.invites().filter(|(_, t)| {
        let challenged = context.transactions.final_status(t).is_some_and(crate::call::is_step);
        t.request.is_some() && !challenged
    });
    let mut kids: Vec<(Option<TransactionIndex>, TransactionIndex)> =
        tried.map(|(index, t)| (t.parent, index)).collect();
    kids.sort_unstable();
    let families = kids.chunk_by(|(a, _), (b, _)| a == b);
    families
        .filter(|kids| kids.len() > 1)
        .take(BRANCHES_MAX)
        .map(|kids| {
            let kids = kids.iter().take(BRANCHES_MAX);
            kids.map(|(_, index)| *index).collect()
        })
        .collect()
}

/// Whether each hop relays the one before it, as in nearly every call.
fn is_chain(hops: &[Hop]) -> bool {
    let mut relays = hops.iter().skip(1).enumerate();
    relays.all(|(before, hop)| hop.parent.map(usize::from) == Some(before))
}

fn ended(context: &CallContext<'_>, hop: &Transaction) -> Option<crate::capture::Timestamp> {
    Some(context.message(hop.final_response?)?.time)
}

/// When a hop that never answered was tried last, where it was tried more than once: what is sent behind it is another try.
fn given_up(context: &CallContext<'_>, hop: &Transaction) -> Option<crate::capture::Timestamp> {
    let is_silent = hop.trying.is_none() && hop.alerting.is_none() && hop.final_response.is_none();
    (is_silent && hop.sends > 1).then(|| context.message(hop.last_request?).map(|last| last.time))?
}

fn began(context: &CallContext<'_>, hop: &Transaction) -> Option<crate::capture::Timestamp> {
    Some(context.message(hop.request?)?.time)
}

pub fn call_fork(context: &CallContext<'_>) -> Option<Observation> {
    if let Some(observation) = forked::elsewhere(context) {
        return Some(observation);
    }
    if context.call.hops.len() < 2 && context.dialogs.len() < 2 {
        return forked::beyond(context);
    }
    let hop = |index: &TransactionIndex| *context.transactions.transaction(*index);
    let overlap = |a: &Transaction, b: &Transaction| {
        let (Some(since), Some(other)) = (began(context, a), began(context, b)) else {
            return false;
        };
        let (first, second) = if since <= other { (a, other) } else { (b, since) };
        let ends = called_off(context, first).filter(|_| first.alerting.is_none());
        ends.or_else(|| ended(context, first)).or_else(|| given_up(context, first)).is_none_or(|end| end > second)
            && (context.capture.node(a.destination) != context.capture.node(b.destination)
                || a.destination != b.destination
                || context.message(a.first).map(|m| m.line) != context.message(b.first).map(|m| m.line))
    };
    let families = families(context);
    let branches: Vec<Transaction> = families
        .iter()
        .map(|kids| {
            let hops: Vec<Transaction> = kids.iter().map(hop).collect();
            let rung = hops
                .iter()
                .enumerate()
                .filter(|(at, a)| hops.iter().enumerate().any(|(other, b)| other != *at && overlap(a, b)));
            rung.map(|(_, hop)| *hop).collect::<Vec<_>>()
        })
        .find(|rung| rung.len() > 1)
        .unwrap_or_default();
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
    let observation = others
        .take(3)
        .fold(observation, |observation, invite| observation.shown_by(context.shows(invite, "another branch")));
    Some(observation.beside())
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

/// A CANCEL has the top Via of the INVITE that it means, and no other (RFC 3261 section 9.1).
fn same_branch(context: &CallContext<'_>, invite: &Transaction, cancel: &Transaction) -> bool {
    let vias = &context.tables().vias;
    vias.key(invite.via) == vias.key(cancel.via)
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
    let is_kept = |dialog: &&crate::call::Dialog| {
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
    let kept: Vec<&crate::call::Dialog> = context.dialogs.iter().filter(is_kept).collect();
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

/// When the node that had tried a route gave it up by CANCEL.
fn called_off(context: &CallContext<'_>, hop: &Transaction) -> Option<crate::capture::Timestamp> {
    let mut all = context.transactions.each();
    let (_, cancel) = all.find(|(_, t)| t.method == Method::Cancel && same_branch(context, hop, t))?;
    Some(context.message(cancel.request?)?.time)
}

/// Whether the capture holds both directions between the ends of a hop, so that silence there is silence.
fn is_heard(context: &CallContext<'_>, hop: &Transaction) -> bool {
    let capture = context.capture;
    !capture.is_one_directional(capture.node(hop.source), capture.node(hop.destination))
}

pub fn call_failover(context: &CallContext<'_>) -> Option<Observation> {
    if context.call.hops.len() < 2 {
        return None;
    }
    families(context).iter().find_map(|kids| serial(context, kids))
}

/// The first pair of routes of which the second was tried because the first had failed.
fn serial(context: &CallContext<'_>, kids: &[TransactionIndex]) -> Option<Observation> {
    let hop = |index: &TransactionIndex| context.transactions.transaction(*index);
    let carried = kids.iter().map(hop).find(|t| {
        let status = context.transactions.final_status(t);
        status.is_some_and(StatusCode::is_success) || status.is_none() && t.alerting.is_some()
    })?;
    let second = began(context, carried)?;
    let failed = kids.iter().map(hop).rfind(|t| {
        let called_off = called_off(context, t);
        let gone = match context.transactions.final_status(t).map(|status| status.0) {
            Some(487) => called_off.is_some(),
            Some(486 | 600 | 603) | Some(0..=399) => false,
            Some(_) => true,
            None => t.alerting.is_none() && t.sends > 1 && is_heard(context, t),
        };
        let over = called_off
            .or_else(|| ended(context, t))
            .or_else(|| Some(context.message(t.last_request?)?.time))
            .is_some_and(|end| end <= second && second.since(end) <= FAILOVER_WAIT);
        t.first < carried.first && gone && over && t.alerting.is_none() && t.destination != carried.destination
    })?;
    let cost = second.since(began(context, failed)?);
    let times = context.capture.failures_between(failed.source, failed.destination);
    let is_dead = times >= DEAD_PEER_MIN;
    let is_slow = cost > SLOW_FAILOVER;
    let severity = if is_slow || is_dead { Severity::Warn } else { Severity::Info };
    let (one, two) = (context.name(failed.destination), context.capture.name(carried.destination));
    let why = match context.transactions.final_status(failed) {
        Some(status) if status.0 == 487 => format!(
            "rang nobody and was called off after {}",
            duration(called_off(context, failed)?.since(began(context, failed)?))
        ),
        Some(status) => format!("answered {}", status.0),
        None => format!("did not answer within {}", duration(cost)),
    };
    let often = if is_dead {
        format!("; it failed in {} of this capture and is still tried first", counted(times, "call"))
    } else {
        String::new()
    };
    let remedy: Steps = if severity == Severity::Info {
        format!("Nothing is broken for the caller; look at why {one} failed.").into()
    } else {
        Steps::from([
            format!(
                "On {}: take {one} out of the route while it fails, for example by OPTIONS pings.",
                context.name(failed.source)
            ),
            "Shorten the time it waits for a route.".to_owned(),
        ])
    };
    let evidence = failed.final_response.or(failed.last_request).and_then(|index| context.message(index))?;
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .severity(severity)
            .titled("Another route carried the call")
            .happened(format!(
                "{one} {why}, then {two} carried the call; this cost the caller {}{often}.",
                duration(cost)
            ))
            .remedy(remedy)
            .shown_by(context.shows(evidence, "the first route failed"))
            .shown_by(context.shows(context.message(carried.request?)?, "the second route"))
            .at(failed.destination, context.transactions.final_status(failed).map_or(0, |status| status.0))
            .beside(),
    )
}
