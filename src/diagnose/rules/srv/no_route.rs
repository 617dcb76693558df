//! Missing routes: a node that refuses certain numbers always and others never.
//!
//! Source: RFC 3398 section 7.2.4.1 (which codes gateways make of ISUP causes).

use std::time::Duration;

use crate::diagnose::background::refusal_causes::{Blocked, RefusalCause};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::{counted, duration, was};
use crate::diagnose::finding::{Confidence, Observation, Proof, Steps};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::telling::{Refusals, list};

/// A node without a route to some numbers.
pub fn srv_no_route(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (destination, explained) in capture.refusal_causes() {
        for explained in explained {
            if let RefusalCause::NoRoute(blocked) = &explained.cause {
                let refusals = Refusals { capture, destination, places: &explained.places };
                claims.push(refusals.claim(observation(&refusals, blocked)));
            }
        }
    }
    claims
}

fn observation(refusals: &Refusals<'_>, blocked: &Blocked) -> Observation {
    let (capture, destination) = (refusals.capture, refusals.destination);
    let name = capture.name(destination.endpoint);
    let count = refusals.places.len();
    let numbers = match blocked.prefix.as_str() {
        "" => "these numbers".to_owned(),
        prefix => prefix.to_owned(),
    };
    let slowest = refusals.attempts().filter_map(|attempt| attempt.final_ms).fold(0.0, f32::max);
    let codes = refusals.codes();
    let mut explanation = if blocked.same_taken > 0 {
        format!(
            "{name} refused {count} calls to {numbers} with {codes} and says that it has no route there, although it carried {} there in this capture: it knows the route, and has put everything at its end out of use.",
            counted(blocked.same_taken, "call")
        )
    } else if blocked.is_stated {
        format!(
            "{name} refused {} to {numbers} with {codes} and says that it has no route there.",
            counted(count as u32, "call")
        )
    } else {
        format!(
            "{name} has no working route for {numbers}: all {count} calls to it got {codes} within {}, while {} to other numbers {} taken around the same time.",
            duration(Duration::from_secs_f32((slowest / 1000.0).max(0.0))),
            counted(blocked.others_taken, "call"),
            was(blocked.others_taken as usize)
        )
    };
    if blocked.confidence == Confidence::Possible {
        explanation += " So few calls may also meet a fault of another kind, such as a short overload.";
    }
    let others = refusals.others_with_room();
    let reroute = if others.is_empty() {
        format!("Add or repair the route for {numbers} at {name}, or send these numbers elsewhere.")
    } else {
        format!("Add or repair the route for {numbers} at {name}, or send these numbers to {}.", list(&others))
    };
    let remedy: Steps = if blocked.same_taken > 0 {
        Steps::from([
            format!(
                "{name}: see which gateways of this route it has taken out of use and why, such as OPTIONS that they do not answer."
            ),
            "Bring those gateways back.".to_owned(),
        ])
    } else if blocked.is_stated {
        reroute.into()
    } else {
        format!(
            "{reroute} Ask its operator for 404 with Q.850 cause 3, so that senders can tell a missing route from load."
        )
        .into()
    };
    let title = if blocked.same_taken > 0 {
        format!("{name} has no gateway left for {numbers}")
    } else {
        format!("{name} has no route to {numbers}")
    };
    let proof = if blocked.is_stated { Proof::OwnWords } else { Proof::Comparison };
    let mut observation = Observation::new(blocked.confidence, proof)
        .titled(title)
        .happened(explanation)
        .remedy(remedy)
        .at(destination.endpoint, &blocked.prefix)
        .maybe_shown_by(refusals.evidence("refused: no route"));
    if !blocked.is_stated {
        observation = observation.not("srv-overload", "calls to other numbers were taken around the same time");
    }
    observation
}
