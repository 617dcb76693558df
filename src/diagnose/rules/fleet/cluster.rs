//! Clusters: failures of one kind at one node that share a feature which good calls through it do not have.
//!
//! Source: RFC 6076 section 5.1 (dimensions of a comparison).

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::call::{NodeId, Step};
use crate::diagnose::apart::{good_calls, separates};
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Finding, Proof, Severity};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::sorting::explained_calls;
use crate::diagnose::scene::Scene;

/// Failures needed.
const CLUSTER_MIN: usize = 5;
/// Calls that are quoted.
const EXAMPLES_MAX: usize = 3;

/// Failures that share a feature.
pub fn fleet_cluster(scene: &Scene<'_>) -> Vec<Claim> {
    let mut groups: BTreeMap<(NodeId, u16), Vec<u32>> = BTreeMap::new();
    for (index, call) in (0..).zip(scene.calls) {
        if let Some(origin) = call.origin.filter(|_| call.outcome.is_failure()) {
            let key = (scene.node(origin.endpoint), origin.code);
            groups.entry(key).or_default().push(index);
        }
    }
    let large: Vec<((NodeId, u16), Vec<u32>)> = groups
        .into_iter()
        .filter(|(_, calls)| calls.len() >= CLUSTER_MIN)
        .collect();
    large
        .into_par_iter()
        .filter_map(|((node, code), calls)| claim(scene, node, code, calls))
        .collect()
}

fn claim(scene: &Scene<'_>, node: NodeId, code: u16, calls: Vec<u32>) -> Option<Claim> {
    if is_explained(scene, node, &calls) {
        return None;
    }
    let good = good_calls(scene, node);
    let apart = separates(scene, node, &calls, &good)?;
    let first = scene.calls.get(*calls.first()? as usize)?;
    let last = scene.calls.get(*calls.last()? as usize)?;
    let origin = first.origin?;
    if (500..600).contains(&code) && apart.is_sharp() && origin.step == Step::Relayed {
        // The fault itself is told with this feature: srv-internal-error.
        return None;
    }
    let name = scene.name(origin.endpoint);
    let what = if code == 0 {
        "get no answer".to_owned()
    } else {
        format!("get {code}")
    };
    let mut finding = Finding::new(
        "fleet-cluster",
        Severity::Error,
        Confidence::Likely,
        Proof::Comparison,
    )
    .beside()
    .says(
        format!("Calls that {} {what} at {name}", apart.feature),
        format!(
            "At {name}, {}. Calls with this feature fail in {:.0} % of cases, others in {:.0} %.",
            apart.sentence(),
            percent(apart.failed_in, apart.failed_in + apart.good_in),
            percent(apart.failed - apart.failed_in, apart.failed - apart.failed_in + apart.good_out),
        ),
        format!(
            "Look first at what treats calls that {} differently at {name}. Compare the INVITE of a failed and of a good call.",
            apart.feature
        ),
    )
    .at(origin.endpoint, format!("{code} {}", apart.feature));
    for call in calls.iter().take(EXAMPLES_MAX) {
        let case = Case::new(scene, *call as usize);
        if let Some(request) = case.refused_request() {
            finding = finding.shown_by(case.shows(request, "one of the calls that failed"));
        }
    }
    if let Some(call) = good.first() {
        let case = Case::new(scene, *call as usize);
        if let Some(request) = case.refused_request() {
            finding = finding.shown_by(case.shows(request, "a good call to compare with"));
        }
    }
    Some(Claim {
        finding,
        count: calls.len() as u32,
        first_at: first.started,
        last_at: last.ended,
        scope: format!(
            "{} of {} calls through {name}",
            calls.len(),
            calls.len() + good.len()
        ),
        calls,
    })
}

/// Whether most of these failures have an explanation that names its feature itself: a limit, load, an outage, a route.
fn is_explained(scene: &Scene<'_>, node: NodeId, calls: &[u32]) -> bool {
    let known = explained_calls(scene, node);
    calls.iter().filter(|call| known.contains(call)).count() * 2 >= calls.len()
}

fn percent(part: u32, whole: u32) -> f64 {
    if whole == 0 {
        0.0
    } else {
        100.0 * f64::from(part) / f64::from(whole)
    }
}
