//! Faults of a server itself: 5xx with nothing visible behind it, and what the refused calls have in common.

use crate::call::{NodeId, Outcome, Step};
use crate::diagnose::background::distinguishing_feature::DistinguishingFeature;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::alike::{by_origin, claim as claim_about, with_examples};

/// Codes that other rules explain: features, versions, sizes and preconditions.
const EXPLAINED_CODES: [u16; 4] = [501, 505, 513, 580];
/// Failed and good calls needed to speak of a feature that sets them off.
const CALLS_MIN: u32 = 5;

/// A server that reports a fault of its own.
pub fn srv_internal_error(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let groups = by_origin(capture, |call, origin| {
        call.outcome == Outcome::ServerFailed
            && (500..600).contains(&origin.code)
            && !EXPLAINED_CODES.contains(&origin.code)
            && origin.step == Step::Relayed
    });
    groups.into_iter().filter_map(|((node, code), calls)| claim(capture, node, code, calls)).collect()
}

fn claim(capture: &CaptureContext<'_>, node: NodeId, code: u16, mut calls: Vec<u32>) -> Option<Claim> {
    let known = capture.explained_calls(node);
    calls.retain(|call| known.binary_search(call).is_err());
    let first = capture.calls.get(*calls.first()? as usize)?;
    let origin = first.origin?;
    let name = capture.name(origin.endpoint);
    let good = capture.good_calls(node);
    let common = feature(capture, node, &calls, good);
    let observation = Observation::new(
        if common.is_some() { Confidence::Likely } else { Confidence::Possible },
        if common.is_some() { Proof::Comparison } else { Proof::CodeMeaning },
    )
    .titled(title(&name, code))
    .happened(explanation(&name, code, calls.len(), good, common.as_ref()))
    .remedy(remedy(capture, &name, *calls.first()?, common.as_ref()))
    .at(origin.endpoint, code);
    let shows = match code {
        500 => "the fault that it reports",
        _ => "the refusal",
    };
    let observation = with_examples(capture, observation, &calls, |context| context.refusal(), shows);
    claim_about(capture, observation, calls, good.len())
}

/// What the code says: 500 alone speaks of the server itself, the others of what it lacks (RFC 3261 section 21.5).
fn title(name: &str, code: u16) -> String {
    match code {
        500 => format!("{name} reported a fault of its own (500)"),
        502 => format!("{name} got no usable answer from behind it (502)"),
        503 => format!("{name} was not available and does not say why (503)"),
        504 => format!("{name} waited in vain for a server that it asked (504)"),
        _ => format!("{name} refused with {code} and does not say why"),
    }
}

/// The feature that sets the refused calls off from good ones sharply.
fn feature(capture: &CaptureContext<'_>, node: NodeId, calls: &[u32], good: &[u32]) -> Option<DistinguishingFeature> {
    capture
        .separates(node, calls, good)
        .filter(|common| common.is_sharp() && common.failed_in >= CALLS_MIN && common.good_out >= CALLS_MIN)
}

fn explanation(name: &str, code: u16, calls: usize, good: &[u32], common: Option<&DistinguishingFeature>) -> String {
    let mut text = format!(
        "{name} refused {} with {code}. Nothing behind it is visible in this capture",
        if calls == 1 { "this call".to_owned() } else { format!("{calls} calls") }
    );
    match common {
        Some(common) => text += &format!("; {}.", common.sentence()),
        None if code == 503 && calls == 1 => {
            text += ": a refusal, load and a missing route cannot be told apart from one call.";
        }
        None if good.is_empty() => text += ", and no call through it went well to compare with.",
        None => {
            text +=
                &format!(", and nothing that was compared parts these calls from the {} that went well.", good.len());
        }
    }
    text
}

fn remedy(capture: &CaptureContext<'_>, name: &str, call: u32, common: Option<&DistinguishingFeature>) -> String {
    let id =
        capture.calls.get(call as usize).and_then(|call| call.legs.first()).map_or("", |leg| capture.text(leg.call_id));
    let compare = common.map_or(String::new(), |common| {
        format!(" Compare how {name} handles calls that {} with others.", common.feature)
    });
    format!("Look up the Call-ID {id} in the log of {name}.{compare}")
}
