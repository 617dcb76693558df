//! Numbers that a node does not know, or knows when they are written in another way.
//!
//! Sources: RFC 3966, E.164, RFC 3261 sections 21.4.5, 21.4.22 and 21.6.3; Q.850 causes 1, 2, 3, 22 and 28.

use crate::call::survey::number_acceptance::{AcceptanceCount, NumberAcceptance, ReceivedInvite};
use crate::call::{Call, Cause, Message, NodeId, Transaction};
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::rules::route::incomplete;
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof, Steps};
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
    accepted: ReceivedInvite,
    confidence: Confidence,
    proof: String,
}

pub fn route_number_format(context: &CallContext<'_>) -> Option<Observation> {
    let Some(better) = better(context) else {
        return incomplete::incomplete(context);
    };
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let request = context.refused_request()?;
    let (own, good) = (context.capture.text(request.line), context.capture.text(better.accepted.uri));
    let (own_number, good_number) = (Number::of(own)?, Number::of(good)?);
    let difference = own_number.unlike(&good_number);
    let caller = context.name(request.source);
    let node = context.name(refuser);
    Some(
        Observation::new(better.confidence, Proof::Comparison)
            .titled(format!("{} wants the number written in another way", context.capture.name(refuser)))
            .happened(format!(
                "{node} refused {} with {} but accepts numbers written as {}: {difference}. {}",
                own_number.text,
                context.refusal_code(),
                good_number.text,
                better.proof
            ))
            .remedy(format!(
                "On {caller}: translate the number before it is sent to {}, from the form {} to the form {}.",
                context.capture.name(refuser),
                own_number.text,
                good_number.text
            ))
            .shown_by(context.shows(refusal, "the refusal"))
            .shown_by(context.shows(request, "the number as it was sent"))
            .shown_by(Evidence::seen(
                better.accepted.at,
                format!("INVITE {good} SIP/2.0"),
                "a number that was accepted",
            ))
            .at(refuser, difference)
            .not("route-number-unknown", "the number is known in the other way of writing, or others like it are"),
    )
}

/// The refused call's number, where the node accepts it or others like it in another way of writing.
fn better(context: &CallContext<'_>) -> Option<Better> {
    if context.outcome().is_answered() {
        return None;
    }
    let code = context.refusal_code();
    if !matches!(code, 400 | 403 | 404 | 410 | 480 | 484 | 503 | 604) {
        return None;
    }
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let (_, root) = context.root()?;
    if has_rung(context, root) {
        return None;
    }
    let number = Number::of(context.capture.text(context.refused_request()?.line))?;
    let reception = context.capture.reception(refuser)?;
    // The same number in the same way of writing was accepted: the way of writing is not it.
    if reception.users.get(number.text.as_ref()).is_some_and(|same| same.accepted > 0)
        && reception.shapes.get(&number.shape).is_some_and(|(same, _)| same.accepted > 0)
    {
        return None;
    }
    if let Some(accepted) = same_subscriber(context, reception, &number) {
        return Some(Better {
            accepted,
            confidence: Confidence::Certain,
            proof: format!("The same subscriber was accepted that way in call {}.", accepted.call.id()),
        });
    }
    let cause = Cause::of(context.tables(), refusal).q850;
    let is_about_number = matches!(code, 404 | 484 | 604) || matches!(cause, Some(1 | 3 | 28));
    if !is_about_number {
        return None;
    }
    same_region(reception, &number)
}

fn same_subscriber(
    context: &CallContext<'_>,
    reception: &NumberAcceptance,
    number: &Number<'_>,
) -> Option<ReceivedInvite> {
    let tally = reception.subscribers.get(number.subscriber()?)?;
    let others = [tally.first, tally.last];
    others.into_iter().flatten().find(|other| {
        Number::of(context.capture.text(other.uri))
            .is_some_and(|other| !other.unlike(number).is_empty() && is_same_line(&other, number))
    })
}

/// Whether two ways of writing can mean one line: the digits of the shorter one end the longer one.
fn is_same_line(a: &Number<'_>, b: &Number<'_>) -> bool {
    let (a, b) = (&a.core, &b.core);
    a.ends_with(b.as_ref()) || b.ends_with(a.as_ref())
}

/// Another way of writing that is accepted for numbers of the region, while this one never is.
fn same_region(reception: &NumberAcceptance, number: &Number<'_>) -> Option<Better> {
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
fn chance(own: &AcceptanceCount, other: &AcceptanceCount) -> f64 {
    let share = f64::from(other.unknown + 1) / f64::from(other.accepted + other.unknown + 2);
    share.powf(f64::from(own.unknown))
}

/// Whether a device alerted; an announcement in a 183 is how networks say that a number does not exist.
pub(super) fn has_rung(context: &CallContext<'_>, root: &Transaction) -> bool {
    let first = root.alerting.and_then(|alerting| context.message(alerting));
    let is_progress = |message: &Message| message.status().is_some_and(|status| status.0 == 183);
    root.ringing.is_some() || first.is_some_and(|first| !is_progress(first))
}

pub fn route_number_unknown(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome().is_answered() || context.call.final_code.is_none() {
        return None;
    }
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let code = context.refusal_code();
    let cause = Cause::of(context.tables(), refusal).q850;
    let by_cause = matches!(cause, Some(1 | 2 | 3 | 22)) && code >= 400;
    let by_code = matches!(code, 404 | 410 | 604 | 485);
    let (_, root) = context.root()?;
    if !(by_code || by_cause) || has_rung(context, root) || better(context).is_some() {
        return None;
    }
    let request = context.refused_request()?;
    let uri = context.capture.text(request.line);
    let nodes: Vec<NodeId> = context.call.hops.iter().map(|hop| context.capture.node(hop.destination)).collect();
    let to = context.capture.text(request.to);
    // A user that registers here exists; why its device cannot be reached is another rule's matter.
    if [uri, to].iter().any(|aor| context.capture.binding_at(aor, &nodes, refusal.time).is_some()) {
        return None;
    }
    let known = story(context, uri);
    let node = context.name(refuser);
    let user = user_of(uri);
    let who = match cause.filter(|_| by_cause) {
        Some(cause) => {
            format!("{code} with Q.850 cause {cause}, so the telephone network behind it says so")
        }
        None => format!("{code} {}", context.capture.text(refusal.line)),
    };
    let (before, after) = match code {
        _ if by_cause && matches!(cause, Some(2 | 3)) => ("has no route to", ""),
        _ if by_cause && cause == Some(22) => ("says that", " moved to another number"),
        410 => ("no longer serves", ""),
        485 => ("cannot tell whom", " means"),
        _ => ("does not know", ""),
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
    Some(
        Observation::new(confidence, proof)
            .titled(format!("{} {before} ", context.capture.name(refuser)))
            .naming(user, "number", after)
            .happened(format!("{node} {what} ({uri}): it answered {who}.{}", known.sentence))
            .remedy(known.remedy.unwrap_or_else(|| match kind {
                " no route" => Steps::from([
                    "See whether the number was dialled as meant.".to_owned(),
                    format!("If so: give {node} a route to it, or send it to a box that has one."),
                ]),
                " moved" => "Call the new number; its operator, or the answer where it has a Contact, tells it.".into(),
                _ => Steps::from([
                    "See whether the number was dialled as meant.".to_owned(),
                    format!("If so: create it on {node}, or correct the route that leads it there."),
                ]),
            }))
            .shown_by(context.shows(refusal, "the number is not known"))
            .shown_by(context.shows(request, "the number as it arrived"))
            .at(refuser, format!("{}{kind}", signature(context, uri, known.is_contrast))),
    )
}

/// Wrong numbers at one node are one problem, a wrong domain another.
fn signature(context: &CallContext<'_>, uri: &str, is_domain: bool) -> String {
    if is_domain { format!("{} {}", context.refusal_code(), host_of(uri)) } else { context.refusal_code().to_string() }
}

/// What other calls tell of an unknown number.
struct Known {
    sentence: String,
    remedy: Option<Steps>,
    is_contrast: bool,
}

fn story(context: &CallContext<'_>, uri: &str) -> Known {
    let plain = |sentence: String| Known { sentence, remedy: None, is_contrast: false };
    let (Some(refuser), Some(refusal)) = (context.refuser(), context.refusal()) else {
        return plain(String::new());
    };
    if context.refusal_code() == 485
        && let Some(contacts) = context.header(refusal, HeaderName::Contact)
    {
        return plain(format!(" It names {contacts}."));
    }
    let Some(reception) = context.capture.reception(refuser) else {
        return plain(String::new());
    };
    let same = reception.users.get(user_of(uri)).and_then(|same| same.last);
    if let Some(last) =
        same.filter(|last| last.time < refusal.time && host_of(context.capture.text(last.uri)) == host_of(uri))
    {
        let before = duration(refusal.time.since(last.time));
        let caller = |call: &Call| context.capture.node(call.source);
        let accepted = context.capture.calls.get(last.call.place());
        // Who may call a number can depend on where the call comes from.
        if let Some(other) = accepted.filter(|other| caller(other) != caller(context.call)) {
            return plain(format!(
                " It accepted the same number {before} before from {}, in call {}.",
                context.capture.name(other.source),
                last.call.id()
            ));
        }
        return Known {
            sentence: format!(" It accepted the same number {before} before, in call {}.", last.call.id()),
            remedy: Some(format!(
                "On {}: see what changed for {} in the {before} before: a user or registration that was removed, or a route that now leads elsewhere.",
                context.name(refuser),
                user_of(uri)
            ).into()),
            is_contrast: false,
        };
    }
    let host = host_of(uri);
    let own = reception.hosts.get(host).copied().unwrap_or_default();
    let other = reception.all.last.map(|last| host_of(context.capture.text(last.uri)));
    if let Some(other) =
        other.filter(|other| own.accepted == 0 && own.unknown > 1 && *other != host && reception.all.accepted > 1)
    {
        return Known {
            sentence: format!(
                " Every call to the host {host} fails there, calls to the host {other} work: it does not take {host} for its own."
            ),
            remedy: Some(Steps::from([
                format!("On {}: send calls to the host {other}.", context.name(context.call.source)),
                format!("Or make {host} known to {}.", context.name(refuser)),
            ])),
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
