//! Load: for each node that calls were sent to, what came when, how much was up, and what it did with it.

mod attempt;
mod bucket;
mod destination;
mod limit;
mod limit_search;
mod measure;
mod outage;
mod rate;
mod sent;
mod threshold;
mod trend;
mod words;

use rayon::prelude::*;

pub use attempt::{Attempt, Fate};
pub use bucket::Bucket;
pub use destination::Destination;
pub use limit::{Ceiling, CountedCalls, Pace};
pub use limit_search::CAPACITY_CODES;
pub use outage::{NodeOutage, outages};
pub use rate::{Counting, RateLimit, rate_limit};
pub use threshold::{Sample, Threshold, ceiling};
pub use trend::{Trend, trend};
pub use words::RefusalWords;

use crate::call::outcome::call::Call;
use crate::call::outcome::origin;
use crate::call::outcome::verdict::Outcome;
use crate::call::store::endpoint::NodeId;
use crate::call::store::message_store::MessageStore;
use crate::call::transaction::join::transactions_of;

/// The load of every node that calls were sent to.
#[derive(Debug, Default)]
pub struct Loads {
    /// In the order of the first call to each.
    pub destinations: Vec<Destination>,
    places: measure::DestinationIndex,
}

impl Loads {
    /// Measures the load of every node; `calls` are in the order of time.
    pub(in crate::call) fn of(calls: &[Call], store: &MessageStore) -> Self {
        let (mut destinations, places) = measure::destinations(calls, store);
        destinations.par_iter_mut().with_max_len(1).for_each(|destination| {
            destination.ceiling = limit_search::ceiling_of(destination);
            if destination.ceiling.is_none() {
                destination.pace = limit_search::pace_of(destination);
            }
        });
        Self { destinations, places }
    }

    /// The load of one node, where calls were sent to it.
    pub fn at(&self, node: NodeId) -> Option<&Destination> {
        self.destinations.get(*self.places.get(&node)?)
    }

    /// Corrects outcomes: a busy or refused answer of a node whose channels were all taken is the node's failure, not the callee's.
    pub(in crate::call) fn refine(&self, calls: &mut [Call], store: &MessageStore) {
        for destination in &self.destinations {
            let Some(ceiling) = &destination.ceiling else {
                continue;
            };
            for place in &ceiling.attempts {
                let attempt = &destination.attempts[*place as usize];
                let Some(call) = calls.get_mut(attempt.call.place()) else {
                    continue;
                };
                let is_open =
                    !call.outcome.is_answered() && !matches!(call.outcome, Outcome::Cancelled | Outcome::Partial);
                if attempt.decides && is_open && call.outcome != Outcome::ServerFailed {
                    call.outcome = Outcome::ServerFailed;
                    call.origin = origin::trace(&transactions_of(store, &call.legs));
                }
            }
        }
    }
}
