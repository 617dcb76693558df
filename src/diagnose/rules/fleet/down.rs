//! Destinations that fail everything from one moment on.
//!
//! Source: RFC 3263 section 4.3 (failover to another server).

use crate::call::survey::load::{Destination, NodeOutage};
use crate::diagnose::background::refusal_causes::RefusalCause;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::refusals::{Refusals, list, refusal_evidence, seconds};
use crate::sip::Method;

/// A destination that fails everything.
pub fn fleet_destination_down(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (destination, explained) in capture.refusal_causes() {
        for explained in explained {
            if let RefusalCause::Outage(outage) = &explained.cause {
                let refusals = Refusals { capture, destination, places: &explained.places };
                claims.push(refusals.claim(observation(&refusals, outage)));
            }
        }
    }
    claims
}

fn observation(refusals: &Refusals<'_>, outage: &NodeOutage) -> Observation {
    let (capture, destination) = (refusals.capture, refusals.destination);
    let name = capture.name(destination.endpoint);
    let count = refusals.places.len();
    let at = |place: usize| seconds(capture, destination.attempts[place].sent);
    let since = at(outage.first);
    let record = match outage.last_good {
        Some(last) => format!(
            "The last call that it took began at {}; before, {:.0} % went well",
            at(last),
            outage.share_before * 100.0
        ),
        None => "It took no call at all in this capture".to_owned(),
    };
    let until = match outage.recovered {
        Some(place) => format!(" It took calls again from {}.", at(place)),
        None => " It had not recovered when the capture ended.".to_owned(),
    };
    let others = refusals.others_with_room();
    let elsewhere = match others.as_slice() {
        [] => String::new(),
        others => format!(" Other destinations were well meanwhile: {}.", list(others)),
    };
    let witness = witness(capture, destination, outage);
    let confidence = if witness.is_some() { Confidence::Certain } else { Confidence::Likely };
    let mut observation = Observation::new(confidence, Proof::Comparison)
        .titled(format!("{name} fails everything since {since} of the capture"))
        .happened(format!(
            "All {count} of {count} calls to {name} from {since} of the capture failed ({}). {record}.{until}{elsewhere}",
            refusals.codes()
        ))
        .remedy(remedy(&name, &since, &others))
        .at(destination.endpoint, outage.first);
    if let Some(first) = destination.attempts.get(outage.first) {
        observation.evidence.extend(refusal_evidence(capture, first, "the first failure"));
    }
    if let Some(last) = outage.last_good.and_then(|place| destination.attempts.get(place)) {
        observation.evidence.extend(refusal_evidence(capture, last, "the last call that it took"));
    }
    observation.evidence.extend(witness);
    observation.not("srv-capacity-ceiling", "it refused with few calls up as with many, and took none in between")
}

fn remedy(name: &str, since: &str, others: &[(String, u32)]) -> String {
    let route = match others {
        [] => "take it out of routing meanwhile".to_owned(),
        others => format!("send its calls to {} meanwhile", list(others)),
    };
    format!(
        "Call the operator of {name} with the time ({since} of the capture) and the frames below, and {route}. If every destination failed together, look at this side first: routing, firewall, certificate."
    )
}

/// What else says that the node was gone: an ICMP error that names it, or a keep-alive without answer.
fn witness(capture: &CaptureContext<'_>, destination: &Destination, outage: &NodeOutage) -> Option<Evidence> {
    let first = destination.attempts.get(outage.first)?.sent;
    let last = destination.attempts.get(outage.last)?.sent;
    let during = |time| time >= first && time <= last;
    let address = capture.store.tables.endpoints.address(destination.node);
    let icmp = capture.errors.iter().find(|error| during(error.time) && error.quoted.destination.address == address);
    if let Some(error) = icmp {
        return Some(Evidence::seen(error.at, "ICMP destination unreachable", "it could not be reached"));
    }
    let request = capture.requests.iter().find(|request| {
        request.method == Method::Options
            && during(request.sent)
            && capture.node(request.destination) == destination.node
            && request.answer.is_none()
            && request.was_watched
    })?;
    Some(Evidence::seen(request.at, "OPTIONS", "a keep-alive that it did not answer"))
}
