//! Another way of writing a refused number that its receiver accepts.
//!
//! Sources: RFC 3966, E.164, RFC 3261 sections 21.4.5, 21.4.22 and 21.6.3; Q.850 causes 1, 3 and 28.

use crate::call::Cause;
use crate::call::survey::number_acceptance::{AcceptanceCount, NumberAcceptance, ReceivedInvite};
use crate::diagnose::finding::words::counted;
use crate::diagnose::rules::route::ringing::has_rung;
use crate::diagnose::{CallContext, Confidence};
use crate::sip::number::Number;

/// Accepted numbers of the other way of writing that a contrast needs.
const ACCEPTED_MIN: u32 = 3;
/// Refused numbers of one way of writing that a contrast needs: one may simply not exist.
const REFUSED_MIN: u32 = 3;
/// Chance below which equal luck does not explain that all numbers of one way of writing were refused.
const CHANCE_MAX: f64 = 0.02;

/// A way of writing that the node accepts, and why it is known to be the right one.
pub(super) struct OtherSpelling {
    /// A number that was accepted in it.
    pub(super) accepted: ReceivedInvite,
    /// How sure.
    pub(super) confidence: Confidence,
    /// Why, as a sentence.
    pub(super) proof: String,
}

/// The refused call's number, where the node accepts it or others like it in another way of writing.
pub(super) fn accepted_spelling(context: &CallContext<'_>) -> Option<OtherSpelling> {
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
        return Some(OtherSpelling {
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
fn same_region(reception: &NumberAcceptance, number: &Number<'_>) -> Option<OtherSpelling> {
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
    Some(OtherSpelling {
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
