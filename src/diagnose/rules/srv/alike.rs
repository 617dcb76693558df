//! Failures that are alike: those of one node with one code, and the claim about them.

use std::collections::BTreeMap;

use crate::call::{Call, Message, NodeId, Origin};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::Observation;
use crate::diagnose::finding::words::part_of;
use crate::diagnose::rule::Claim;

/// Calls of each kind that are quoted.
const EXAMPLES_MAX: usize = 3;

/// The failures to look at, by the node that failed and the code that it gave.
pub(in crate::diagnose::rules) fn by_origin(
    capture: &CaptureContext<'_>,
    is_wanted: impl Fn(&Call, Origin) -> bool,
) -> BTreeMap<(NodeId, u16), Vec<u32>> {
    let mut groups: BTreeMap<(NodeId, u16), Vec<u32>> = BTreeMap::new();
    for (index, call) in (0..).zip(capture.calls) {
        if let Some(origin) = call.origin.filter(|origin| is_wanted(call, *origin)) {
            let key = (capture.node(origin.endpoint), origin.code);
            groups.entry(key).or_default().push(index);
        }
    }
    groups
}

/// Shows one message of some calls, of the first few.
pub(in crate::diagnose::rules) fn with_examples(
    capture: &CaptureContext<'_>,
    mut observation: Observation,
    calls: &[u32],
    message: impl for<'c, 'a> Fn(&'c CallContext<'a>) -> Option<&'a Message>,
    shows: &str,
) -> Observation {
    for call in calls.iter().take(EXAMPLES_MAX) {
        let context = CallContext::new(capture, *call as usize);
        observation = observation.maybe_shown_by(message(&context).map(|message| context.shows(message, shows)));
    }
    observation
}

/// A claim about failures, in the order of time, and how many of the calls through the node they are.
pub(in crate::diagnose::rules) fn claim(
    capture: &CaptureContext<'_>,
    observation: Observation,
    calls: Vec<u32>,
    good: usize,
) -> Option<Claim> {
    let first = capture.calls.get(*calls.first()? as usize)?;
    let last = capture.calls.get(*calls.last()? as usize)?;
    let name = capture.name(first.origin?.endpoint);
    Some(Claim {
        said: observation,
        count: calls.len() as u32,
        first_at: first.started,
        last_at: last.ended,
        scope: format!("{} through {name}", part_of(calls.len(), calls.len() + good, "call")),
        calls,
    })
}
