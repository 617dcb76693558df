//! Good calls: those through a node that went well, and what sets the failing ones through it apart.

use rayon::prelude::*;

use crate::call::{FastMap, NodeId, OutcomeGroup};
use crate::diagnose::background::distinguishing_feature::{DistinguishingFeature, FAILED_MIN, GoodSample};
use crate::diagnose::input::DiagnosisInput;

/// Nodes whose good calls are counted beforehand; a capture has few that fail often.
const COUNTED_MAX: usize = 16;
/// Failing calls at a node from which on its good calls are most likely compared with some of them.
const COUNTED_FAILURES_MIN: u32 = 5;

/// The calls through each node that went well.
#[derive(Debug, Default)]
pub struct GoodCalls<'a> {
    /// Answered, or ended as calls do; rising.
    by_node: FastMap<NodeId, Box<[u32]>>,
    /// The features of those through the nodes that fail most often: several comparisons share them.
    counted: FastMap<NodeId, GoodSample<'a>>,
}

impl<'a> GoodCalls<'a> {
    /// Looks through the load of every node.
    pub(super) fn of(input: &DiagnosisInput<'a>) -> Self {
        let destinations = input.loads.destinations.iter();
        let by_node: FastMap<NodeId, Box<[u32]>> = destinations
            .map(|destination| {
                let calls = destination.attempts.iter().map(|attempt| attempt.call.0);
                let mut good: Vec<u32> = calls.filter(|call| went_well(input, *call)).collect();
                good.sort_unstable();
                good.dedup();
                (destination.node, good.into())
            })
            .collect();
        let counted = failing_nodes(input).into_par_iter().with_max_len(1).filter_map(|node| {
            let good = by_node.get(&node).filter(|good| !good.is_empty())?;
            Some((node, GoodSample::of(input, node, good)))
        });
        Self { counted: counted.collect(), by_node }
    }

    /// Indices of the calls through a node that went well, rising.
    pub fn at(&self, node: NodeId) -> &[u32] {
        self.by_node.get(&node).map_or(&[], |good| good)
    }

    /// The feature that best sets failing calls through a node apart from good ones, where one does beyond chance.
    pub fn separates(
        &self,
        input: &DiagnosisInput<'a>,
        node: NodeId,
        failed: &[u32],
        good: &[u32],
    ) -> Option<DistinguishingFeature> {
        if failed.len() < FAILED_MIN || good.is_empty() {
            return None;
        }
        match self.counted.get(&node).filter(|counted| counted.is_of(good)) {
            Some(counted) => counted.separates(input, failed),
            None => GoodSample::of(input, node, good).separates(input, failed),
        }
    }
}

fn went_well(input: &DiagnosisInput<'_>, call: u32) -> bool {
    let group = input.calls.get(call as usize).map(|call| call.outcome.group());
    matches!(group, Some(OutcomeGroup::Answered | OutcomeGroup::Normal))
}

/// The nodes at which most calls failed.
fn failing_nodes(input: &DiagnosisInput<'_>) -> Vec<NodeId> {
    let mut failures: FastMap<NodeId, u32> = FastMap::default();
    for origin in input.calls.iter().filter_map(|call| call.origin) {
        *failures.entry(input.node(origin.endpoint)).or_default() += 1;
    }
    let mut failing: Vec<(u32, NodeId)> = failures
        .into_iter()
        .filter(|(_, count)| *count >= COUNTED_FAILURES_MIN)
        .map(|(node, count)| (count, node))
        .collect();
    failing.sort_unstable_by_key(|(count, node)| (std::cmp::Reverse(*count), *node));
    failing.into_iter().take(COUNTED_MAX).map(|(_, node)| node).collect()
}
