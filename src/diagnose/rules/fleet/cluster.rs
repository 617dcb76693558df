//! Clusters: failures of one kind at one node that share a feature which good calls through it do not have.
//!
//! Source: RFC 6076 section 5.1 (dimensions of a comparison).

use rayon::prelude::*;

use crate::call::survey::chance::share;
use crate::call::{NodeId, Step};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::alike::{by_origin, claim as claim_about, with_examples};

/// Failures needed.
const CLUSTER_MIN: usize = 5;

/// Failures that share a feature.
pub fn fleet_cluster(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let groups = by_origin(capture, |call, _| call.outcome.is_failure());
    let large: Vec<((NodeId, u16), Vec<u32>)> =
        groups.into_iter().filter(|(_, calls)| calls.len() >= CLUSTER_MIN).collect();
    large
        .into_par_iter()
        .with_max_len(1)
        .filter_map(|((node, code), calls)| claim(capture, node, code, calls))
        .collect()
}

fn claim(capture: &CaptureContext<'_>, node: NodeId, code: u16, calls: Vec<u32>) -> Option<Claim> {
    if is_explained(capture, node, &calls) {
        return None;
    }
    let good = capture.good_calls(node);
    let common = capture.separates(node, &calls, good)?;
    let first = capture.calls.get(*calls.first()? as usize)?;
    let origin = first.origin?;
    if (500..600).contains(&code) && common.is_sharp() && origin.step == Step::Relayed {
        // srv-internal-error names the fault itself, with this feature.
        return None;
    }
    let name = capture.name(origin.endpoint);
    let what = if code == 0 { "get no answer".to_owned() } else { format!("get {code}") };
    let mut observation = Observation::new(Confidence::Likely, Proof::Comparison)
        .beside()
        .titled(format!("Calls that {} {what} at {name}", common.feature))
        .happened(format!(
            "At {name}, {}. Calls with this feature fail in {:.0} % of cases, others in {:.0} %.",
            common.sentence(),
            100.0 * share(common.failed_in, common.failed_in + common.good_in),
            100.0 * share(common.failed - common.failed_in, common.failed - common.failed_in + common.good_out)
        ))
        .remedy(format!(
            "Look first at what treats calls that {} differently at {name}. Compare the INVITE of a failed and of a good call.",
            common.feature
        ))
        .at(origin.endpoint, format!("{code} {}", common.feature));
    for (calls, shows) in [
        (calls.as_slice(), "one of the calls that failed"),
        (good.get(..1).unwrap_or_default(), "a good call to compare with"),
    ] {
        observation = with_examples(capture, observation, calls, |context| context.refused_request(), shows);
    }
    claim_about(capture, observation, calls, good.len())
}

/// Whether most of these failures have an explanation that names its feature itself: a limit, load, an outage, a route.
fn is_explained(capture: &CaptureContext<'_>, node: NodeId, calls: &[u32]) -> bool {
    let known = capture.explained_calls(node);
    let explained = calls.iter().filter(|call| known.binary_search(call).is_ok());
    explained.count() * 2 >= calls.len()
}
