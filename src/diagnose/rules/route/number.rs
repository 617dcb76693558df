//! Numbers that a node does not know, or knows when they are written in another way.
//!
//! Sources: RFC 3966, E.164, RFC 3261 sections 21.4.5, 21.4.22 and 21.6.3; Q.850 causes 1, 2, 3, 22 and 28.

use crate::call::survey::number_acceptance::{Received, Reception, Tally};
use crate::call::{Call, Cause, Message, NodeId, Transaction};
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::rules::route::incomplete;
use crate::diagnose::{Case, Confidence, Evidence, Finding, Proof, Severity};
use crate::sip::HeaderName;
use crate::sip::number::{Number, host_of, user_of};

/// Accepted numbers of the other way of writing that a contrast needs.
const ACCEPTED_MIN: u32 = 3;
/// Refused numbers of one way of writing that a contrast needs: one may simply not exist.
const REFUSED_MIN: u32 = 3;
/// Chance below which equal luck does not explain that all numbers of one way of writing were refused.
const CHANCE_MAX: f64 = 0.02;

/// A way of writing that the node accepts, and why it is known to be the right one.
struct Better {
    accepted: Received,
    confidence: Confidence,
    proof: String,
}

pub fn format(case: &Case<'_>) -> Option<Finding> {
    let Some(better) = better(case) else {
        return incomplete::incomplete(case);
    };
    let (refuser, refusal) = (case.refuser()?, case.refusal()?);
    let request = case.refused_request()?;
    let (own, good) = (case.scene.text(request.line), case.scene.text(better.accepted.uri));
    let (own_number, good_number) = (Number::of(own)?, Number::of(good)?);
    let difference = own_number.unlike(&good_number);
    let caller = case.name(request.source);
    let node = case.name(refuser);
    let finding = Finding::new("route-number-format", Severity::Error, better.confidence, Proof::Comparison)
        .says(
            format!("{} wants the number written in another way", case.scene.name(refuser)),
            format!(
                "{node} refused {} with {} but accepts numbers written as {}: {difference}. {}",
                own_number.text,
                case.refusal_code(),
                good_number.text,
                better.proof
            ),
            format!(
                "On {caller}: translate the number before it is sent to {}, from the form {} to the form {}.",
                case.scene.name(refuser),
                own_number.text,
                good_number.text
            ),
        )
        .shown_by(case.shows(refusal, "the refusal"))
        .shown_by(case.shows(request, "the number as it was sent"))
        .shown_by(Evidence::seen(better.accepted.at, format!("INVITE {good} SIP/2.0"), "a number that was accepted"))
        .at(refuser, difference)
        .not("route-number-unknown", "the number is known in the other way of writing, or others like it are");
    Some(finding)
}

/// The refused call's number, where the node accepts it or others like it in another way of writing.
fn better(case: &Case<'_>) -> Option<Better> {
    if case.outcome().is_answered() {
        return None;
    }
    let code = case.refusal_code();
    if !matches!(code, 400 | 403 | 404 | 410 | 480 | 484 | 503 | 604) {
        return None;
    }
    let (refuser, refusal) = (case.refuser()?, case.refusal()?);
    let (_, root) = case.root()?;
    if has_rung(case, root) {
        return None;
    }
    let number = Number::of(case.scene.text(case.refused_request()?.line))?;
    let reception = case.scene.reception(refuser)?;
    // The same number in the same way of writing was accepted: the way of writing is not it.
    if reception.users.get(number.text.as_ref()).is_some_and(|same| same.accepted > 0)
        && reception.shapes.get(&number.shape).is_some_and(|(same, _)| same.accepted > 0)
    {
        return None;
    }
    if let Some(accepted) = same_subscriber(case, reception, &number) {
        return Some(Better {
            accepted,
            confidence: Confidence::Certain,
            proof: format!("The same subscriber was accepted that way in call {}.", accepted.call + 1),
        });
    }
    let cause = Cause::of(case.tables(), refusal).q850;
    let is_about_number = matches!(code, 404 | 484 | 604) || matches!(cause, Some(1 | 3 | 28));
    if !is_about_number {
        return None;
    }
    same_region(reception, &number)
}

fn same_subscriber(case: &Case<'_>, reception: &Reception, number: &Number<'_>) -> Option<Received> {
    let tally = reception.subscribers.get(number.subscriber()?)?;
    let others = [tally.first, tally.last];
    others.into_iter().flatten().find(|other| {
        Number::of(case.scene.text(other.uri))
            .is_some_and(|other| !other.unlike(number).is_empty() && is_same_line(&other, number))
    })
}

/// Whether two ways of writing can mean one line: the digits of the shorter one end the longer one.
fn is_same_line(a: &Number<'_>, b: &Number<'_>) -> bool {
    let (a, b) = (&a.core, &b.core);
    a.ends_with(b.as_ref()) || b.ends_with(a.as_ref())
}

/// Another way of writing that is accepted for numbers of the region, while this one never is.
fn same_region(reception: &Reception, number: &Number<'_>) -> Option<Better> {
    let (own, _) = reception.shapes.get(&number.shape)?;
    if own.accepted > 0 || own.unknown < REFUSED_MIN {
        return None;
    }
    let others = reception.shapes.iter().filter(|(shape, _)| **shape != number.shape);
    let related = others.filter_map(|(_, (tally, samples))| {
        let sample = samples.iter().find(|(sample, _)| sample.shares_region(number))?;
        Some((tally, sample.1))
    });
    let (tally, accepted) = related
        .filter(|(tally, _)| tally.accepted >= ACCEPTED_MIN)
        .max_by_key(|(tally, accepted)| (tally.accepted, accepted.time))?;
    if chance(own, tally) > CHANCE_MAX {
        return None;
    }
    Some(Better {
        accepted,
        confidence: Confidence::Likely,
        proof: format!(
            "All {} written as here were refused, {} of {} written that way were accepted.",
            counted(own.unknown, "number"),
            tally.accepted,
            tally.accepted + tally.unknown
        ),
    })
}

/// How likely it is that all numbers of one way of writing do not exist, by the share of the other way that does not.
fn chance(own: &Tally, other: &Tally) -> f64 {
    let share = f64::from(other.unknown + 1) / f64::from(other.accepted + other.unknown + 2);
    share.powf(f64::from(own.unknown))
}

/// Whether a device alerted; an announcement in a 183 is how networks say that a number does not exist.
pub(super) fn has_rung(case: &Case<'_>, root: &Transaction) -> bool {
    let first = root.alerting.and_then(|alerting| case.message(alerting));
    let is_progress = |message: &Message| message.status().is_some_and(|status| status.0 == 183);
    root.ringing.is_some() || first.is_some_and(|first| !is_progress(first))
}

pub fn unknown(case: &Case<'_>) -> Option<Finding> {
    if case.outcome().is_answered() || case.call.final_code.is_none() {
        return None;
    }
    let (refuser, refusal) = (case.refuser()?, case.refusal()?);
    let code = case.refusal_code();
    let cause = Cause::of(case.tables(), refusal).q850;
    let by_cause = matches!(cause, Some(1 | 2 | 3 | 22)) && code >= 400;
    let by_code = matches!(code, 404 | 410 | 604 | 485);
    let (_, root) = case.root()?;
    if !(by_code || by_cause) || has_rung(case, root) || better(case).is_some() {
        return None;
    }
    let request = case.refused_request()?;
    let uri = case.scene.text(request.line);
    let nodes: Vec<NodeId> = case.call.hops.iter().map(|hop| case.scene.node(hop.destination)).collect();
    let to = case.scene.text(request.to);
    // A user that registers here exists; why its device cannot be reached is another rule's matter.
    if [uri, to].iter().any(|aor| case.scene.binding_at(aor, &nodes, refusal.time).is_some()) {
        return None;
    }
    let known = story(case, uri);
    let node = case.name(refuser);
    let user = user_of(uri);
    let who = match cause.filter(|_| by_cause) {
        Some(cause) => {
            format!("{code} with Q.850 cause {cause}, so the telephone network behind it says so")
        }
        None => format!("{code} {}", case.scene.text(refusal.line)),
    };
    let what = match code {
        _ if by_cause && matches!(cause, Some(2 | 3)) => format!("has no route to {user}"),
        _ if by_cause && cause == Some(22) => format!("says that {user} has another number now"),
        485 => format!("knows several users by the name {user}"),
        410 => format!("says that {user} is no longer in service"),
        _ => format!("does not know the number {user}"),
    };
    let kind = match cause.filter(|_| by_cause) {
        Some(2 | 3) => " no route",
        Some(22) => " moved",
        _ => "",
    };
    let proof = if by_cause { Proof::OwnWords } else { Proof::CodeMeaning };
    let confidence = match code {
        _ if known.is_contrast => Confidence::Likely,
        _ => Confidence::Certain,
    };
    let finding = Finding::new("route-number-unknown", Severity::Error, confidence, proof)
        .says(
            match code {
                _ if by_cause && matches!(cause, Some(2 | 3)) => {
                    format!("{} has no route to {user}", case.scene.name(refuser))
                }
                _ if by_cause && cause == Some(22) => {
                    format!("{} says that {user} moved to another number", case.scene.name(refuser))
                }
                410 => format!("{} no longer serves {user}", case.scene.name(refuser)),
                485 => format!("{} cannot tell whom {user} means", case.scene.name(refuser)),
                _ => format!("{} does not know {user}", case.scene.name(refuser)),
            },
            format!("{node} {what} ({uri}): it answered {who}.{}", known.sentence),
            known.remedy.unwrap_or_else(|| match kind {
                " no route" => format!("1. See whether the number was dialled as meant. 2. If so: give {node} a route to it, or send it to a box that has one."),
                " moved" => "Call the new number; its operator, or the answer where it has a Contact, tells it.".to_owned(),
                _ => format!("1. See whether the number was dialled as meant. 2. If so: create it on {node}, or correct the route that leads it there."),
            }),
        )
        .shown_by(case.shows(refusal, "the number is not known"))
        .shown_by(case.shows(request, "the number as it arrived"))
        .naming(user, "number")
        .at(
            refuser,
            format!("{}{kind}", signature(case, uri, known.is_contrast)),
        );
    Some(finding)
}

/// Wrong numbers at one node are one problem, a wrong domain another.
fn signature(case: &Case<'_>, uri: &str, is_domain: bool) -> String {
    if is_domain { format!("{} {}", case.refusal_code(), host_of(uri)) } else { case.refusal_code().to_string() }
}

/// What other calls tell of an unknown number.
struct Known {
    sentence: String,
    remedy: Option<String>,
    is_contrast: bool,
}

fn story(case: &Case<'_>, uri: &str) -> Known {
    let plain = |sentence: String| Known { sentence, remedy: None, is_contrast: false };
    let (Some(refuser), Some(refusal)) = (case.refuser(), case.refusal()) else {
        return plain(String::new());
    };
    if case.refusal_code() == 485
        && let Some(contacts) = case.header(refusal, HeaderName::Contact)
    {
        return plain(format!(" It names {contacts}."));
    }
    let Some(reception) = case.scene.reception(refuser) else {
        return plain(String::new());
    };
    let same = reception.users.get(user_of(uri)).and_then(|same| same.last);
    if let Some(last) =
        same.filter(|last| last.time < refusal.time && host_of(case.scene.text(last.uri)) == host_of(uri))
    {
        let before = duration(refusal.time.since(last.time));
        let caller = |call: &Call| case.scene.node(call.source);
        let accepted = case.scene.calls.get(last.call as usize);
        // Who may call a number can depend on where the call comes from.
        if let Some(other) = accepted.filter(|other| caller(other) != caller(case.call)) {
            return plain(format!(
                " It accepted the same number {before} before from {}, in call {}.",
                case.scene.name(other.source),
                last.call + 1
            ));
        }
        return Known {
            sentence: format!(" It accepted the same number {before} before, in call {}.", last.call + 1),
            remedy: Some(format!(
                "On {}: see what changed for {} in the {before} before: a user or registration that was removed, or a route that now leads elsewhere.",
                case.name(refuser),
                user_of(uri)
            )),
            is_contrast: false,
        };
    }
    let host = host_of(uri);
    let own = reception.hosts.get(host).copied().unwrap_or_default();
    let other = reception.all.last.map(|last| host_of(case.scene.text(last.uri)));
    if let Some(other) =
        other.filter(|other| own.accepted == 0 && own.unknown > 1 && *other != host && reception.all.accepted > 1)
    {
        return Known {
            sentence: format!(
                " Every call to the host {host} fails there, calls to the host {other} work: it does not take {host} for its own."
            ),
            remedy: Some(format!(
                "1. On {}: send calls to the host {other}. 2. Or make {host} known to {}.",
                case.name(case.call.source),
                case.name(refuser)
            )),
            is_contrast: true,
        };
    }
    match reception.all.accepted {
        0 if reception.all.unknown > 1 && reception.users.len() > 1 => plain(format!(
            " It accepted no number in this capture and answered so to {}: its routes or users as a whole may be missing.",
            counted(reception.all.unknown, "call")
        )),
        0 => plain(String::new()),
        count => plain(format!(" It accepted {} for other numbers.", counted(count, "call"))),
    }
}
