//! Numbers that a node knows when they are written in another way.
//!
//! Sources: RFC 3966, E.164.

use crate::diagnose::rules::route::incomplete::incomplete;
use crate::diagnose::rules::route::spelling::{OtherSpelling, accepted_spelling};
use crate::diagnose::{CallContext, Evidence, Observation, Proof};
use crate::sip::number::Number;

pub fn route_number_format(context: &CallContext<'_>) -> Option<Observation> {
    match accepted_spelling(context) {
        Some(spelling) => misspelt(context, &spelling),
        None => incomplete(context),
    }
}

/// A number that is written in another way than its receiver accepts.
fn misspelt(context: &CallContext<'_>, spelling: &OtherSpelling) -> Option<Observation> {
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let request = context.refused_request()?;
    let (own, good) = (context.capture.text(request.line), context.capture.text(spelling.accepted.uri));
    let (own_number, good_number) = (Number::of(own)?, Number::of(good)?);
    let difference = own_number.unlike(&good_number);
    let caller = context.name(request.source);
    let node = context.name(refuser);
    Some(
        Observation::new(spelling.confidence, Proof::Comparison)
            .titled(format!("{} wants the number written in another way", context.capture.name(refuser)))
            .happened(format!(
                "{node} refused {} with {} but accepts numbers written as {}: {difference}. {}",
                own_number.text,
                context.refusal_code(),
                good_number.text,
                spelling.proof
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
                spelling.accepted.at,
                format!("INVITE {good} SIP/2.0"),
                "a number that was accepted",
            ))
            .at(refuser, difference)
            .not("route-number-unknown", "the number is known in the other way of writing, or others like it are"),
    )
}
