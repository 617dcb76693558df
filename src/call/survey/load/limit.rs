//! Limits of a node: a ceiling of calls at the same time, a pace of new calls.

use crate::call::store::endpoint::NodeId;
use crate::call::survey::load::rate::RateLimit;
use crate::call::survey::load::threshold::Threshold;

/// Which calls share the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedCalls {
    /// All calls to the node.
    To,
    /// All calls to the node and those that came from it.
    Both,
    /// Calls to the node from one source.
    From(NodeId),
}

/// A limit of calls at the same time.
#[derive(Debug, Clone, PartialEq)]
pub struct Ceiling {
    /// The limit and how well refusals keep to it.
    pub threshold: Threshold,
    /// Which calls count.
    pub view: CountedCalls,
    /// Places of the refused attempts that it explains, rising.
    pub attempts: Vec<u32>,
    /// For each of the destination's attempts, the calls that were up.
    pub levels: Vec<u32>,
}

/// A limit of new calls in a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// The limit.
    pub rate: RateLimit,
    /// Which calls count.
    pub view: CountedCalls,
    /// Places of the refused attempts that it explains, rising.
    pub attempts: Vec<u32>,
}
