//! Destinations: the nodes that calls were sent to, each with what came, what was up meanwhile, and the limit that it keeps.

use crate::call::store::endpoint::{EndpointId, NodeId};
use crate::call::survey::load::attempt::{Attempt, Channel};
use crate::call::survey::load::limit::{Ceiling, CountedCalls, Pace};
use crate::capture::Timestamp;

/// What happened at one node.
#[derive(Debug)]
pub struct Destination {
    /// The node.
    pub node: NodeId,
    /// Its endpoint that calls were sent to first.
    pub endpoint: EndpointId,
    /// In the order of time.
    pub attempts: Vec<Attempt>,
    /// When calls that it had taken ended, in order.
    pub ends: Vec<Timestamp>,
    /// Calls through it that were older than the capture.
    pub older: u32,
    /// The number of calls at the same time that explains its refusals, where one does.
    pub ceiling: Option<Ceiling>,
    /// The pace of new calls that explains its refusals, where one does.
    pub pace: Option<Pace>,
    pub(super) channels: Vec<Channel>,
}

impl Destination {
    /// Whether calls came from the node too.
    pub(in crate::call) fn has_calls_from(&self) -> bool {
        self.channels.iter().any(|channel| channel.is_from_node)
    }

    /// For each attempt the calls that were up or being set up when it came, itself not counted.
    pub fn levels(&self, view: CountedCalls) -> Vec<u32> {
        let counts = |channel: &&Channel| match view {
            CountedCalls::To => !channel.is_from_node,
            CountedCalls::Both => true,
            CountedCalls::From(source) => channel.source == Some(source),
        };
        let channels = || self.channels.iter().filter(counts);
        let mut ends: Vec<Timestamp> = channels().map(|channel| channel.end).collect();
        ends.sort_unstable();
        let mut starts = channels().map(|channel| channel.start).peekable();
        let mut ends = ends.into_iter().peekable();
        let (mut begun, mut over) = (0_usize, 0_usize);
        let level = |attempt: &Attempt| {
            while starts.next_if(|start| *start < attempt.sent).is_some() {
                begun += 1;
            }
            while ends.next_if(|end| *end <= attempt.sent).is_some() {
                over += 1;
            }
            begun.saturating_sub(over) as u32
        };
        self.attempts.iter().map(level).collect()
    }
}
