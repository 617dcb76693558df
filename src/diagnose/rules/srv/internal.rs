//! Faults of a server itself: 5xx with nothing visible behind it, and what the refused calls have in common.

use std::collections::BTreeMap;

use crate::call::{NodeId, Outcome, Step};
use crate::diagnose::apart::{self, Apart};
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Finding, Proof, Severity};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::sorting::explained_calls;
use crate::diagnose::scene::Scene;
use crate::diagnose::words::part_of;

/// Codes that other rules explain: features, versions, sizes and preconditions.
const EXPLAINED_CODES: [u16; 4] = [501, 505, 513, 580];
/// Calls whose refusal is quoted.
const EXAMPLES_MAX: usize = 3;
/// Failed and good calls needed to speak of a feature that parts them.
const CALLS_MIN: u32 = 5;

/// A server that reports a fault of its own.
pub fn srv_internal_error(scene: &Scene<'_>) -> Vec<Claim> {
    let mut groups: BTreeMap<(NodeId, u16), Vec<u32>> = BTreeMap::new();
    for (index, call) in (0..).zip(scene.calls) {
        let Some(origin) = call.origin else { continue };
        let is_fault = call.outcome == Outcome::ServerFailed
            && (500..600).contains(&origin.code)
            && !EXPLAINED_CODES.contains(&origin.code)
            && origin.step == Step::Relayed;
        if is_fault {
            let key = (scene.node(origin.endpoint), origin.code);
            groups.entry(key).or_default().push(index);
        }
    }
    groups
        .into_iter()
        .filter_map(|((node, code), calls)| claim(scene, node, code, calls))
        .collect()
}

fn claim(scene: &Scene<'_>, node: NodeId, code: u16, mut calls: Vec<u32>) -> Option<Claim> {
    let known = explained_calls(scene, node);
    calls.retain(|call| !known.contains(call));
    let first = scene.calls.get(*calls.first()? as usize)?;
    let last = scene.calls.get(*calls.last()? as usize)?;
    let origin = first.origin?;
    let name = scene.name(origin.endpoint);
    let good = apart::good_calls(scene, node);
    let apart = feature(scene, node, &calls, &good);
    let mut finding = Finding::new(
        "srv-internal-error",
        Severity::Error,
        if apart.is_some() {
            Confidence::Likely
        } else {
            Confidence::Possible
        },
        if apart.is_some() {
            Proof::Comparison
        } else {
            Proof::CodeMeaning
        },
    )
    .says(
        format!("{name} reported a fault of its own ({code})"),
        explanation(&name, code, calls.len(), &good, apart.as_ref()),
        remedy(scene, &name, *calls.first()?, apart.as_ref()),
    )
    .at(origin.endpoint, code);
    for call in calls.iter().take(EXAMPLES_MAX) {
        let case = Case::new(scene, *call as usize);
        if let Some(refusal) = case.refusal() {
            finding = finding.shown_by(case.shows(refusal, "the fault that it reports"));
        }
    }
    Some(Claim {
        finding,
        count: calls.len() as u32,
        first_at: first.started,
        last_at: last.ended,
        scope: format!(
            "{} through {name}",
            part_of(calls.len(), calls.len() + good.len(), "call")
        ),
        calls,
    })
}

/// The feature that parts the refused calls from good ones sharply.
fn feature(scene: &Scene<'_>, node: NodeId, calls: &[u32], good: &[u32]) -> Option<Apart> {
    apart::separates(scene, node, calls, good).filter(|apart| {
        apart.is_sharp() && apart.failed_in >= CALLS_MIN && apart.good_out >= CALLS_MIN
    })
}

fn explanation(name: &str, code: u16, calls: usize, good: &[u32], apart: Option<&Apart>) -> String {
    let mut text = format!(
        "{name} refused {} with {code}. Nothing behind it is visible in this capture",
        if calls == 1 {
            "this call".to_owned()
        } else {
            format!("{calls} calls")
        }
    );
    match apart {
        Some(apart) => text += &format!("; {}.", apart.sentence()),
        None if code == 503 && calls == 1 => {
            text += ": a refusal, load and a missing route cannot be told apart from one call.";
        }
        None if good.is_empty() => text += ", and no call through it went well to compare with.",
        None => {
            text += &format!(
                ", and nothing that was compared parts these calls from the {} that went well.",
                good.len()
            );
        }
    }
    text
}

fn remedy(scene: &Scene<'_>, name: &str, call: u32, apart: Option<&Apart>) -> String {
    let id = scene
        .calls
        .get(call as usize)
        .and_then(|call| call.legs.first())
        .map_or("", |leg| scene.text(leg.call_id));
    let compare = apart.map_or(String::new(), |apart| {
        format!(
            " Compare how {name} handles calls that {} with others.",
            apart.feature
        )
    });
    format!("Look up the Call-ID {id} in the log of {name}.{compare}")
}
