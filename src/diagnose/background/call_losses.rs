//! Losses: nodes that answer requests of several calls with 481 within a minute, as after a restart.
//!
//! Source: RFC 3261 section 12.2.2, RFC 5057 section 5.

use std::time::Duration;

use crate::call::{FastMap, FastSet, GroupId, Message, MessageStore, NodeId};
use crate::capture::{FrameRef, Timestamp};
use crate::sip::Method;

/// Calls that a node must have lost together.
const CALLS_MIN: usize = 3;
/// Within which time they come to light: whoever holds the other ends refreshes or hangs up in between.
const WINDOW: Duration = Duration::from_secs(60);

/// When each node first said of a call that it does not know it, in the order of time.
#[derive(Debug, Default)]
pub struct CallLosses(FastMap<NodeId, Vec<(Timestamp, FrameRef)>>);

/// Calls that a node lost at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Lost {
    /// How many.
    pub calls: usize,
    /// The first refusal.
    pub first: FrameRef,
    /// From the first refusal to the last.
    pub span: Duration,
}

impl CallLosses {
    /// Reads every 481 of a run.
    pub(super) fn of(store: &MessageStore) -> Self {
        let mut losses = Self::default();
        let mut counted: FastSet<(NodeId, GroupId)> = FastSet::default();
        for message in &store.messages {
            let is_loss = message.status().is_some_and(|status| status.0 == 481)
                && matches!(message.cseq_method, Method::Invite | Method::Bye | Method::Update | Method::Info)
                && !message.flags.is_copy();
            if !is_loss {
                continue;
            }
            let node = store.tables.node(message.source);
            if counted.insert((node, message.group)) && !had_ended(store, message) {
                losses.0.entry(node).or_default().push((message.time, message.at));
            }
        }
        for all in losses.0.values_mut() {
            all.sort_unstable_by_key(|(time, _)| *time);
        }
        losses
    }

    /// The calls that a node lost within a minute of `time`; `None` where they are few, or where it had refused so before.
    pub fn at(&self, node: NodeId, time: Timestamp) -> Option<Lost> {
        let all = self.0.get(&node)?;
        let ((began, first), (ended, _)) = (*all.first()?, *all.last()?);
        // Calls that are lost now and then are not lost together.
        let is_burst = ended.since(began) <= WINDOW && time >= began && time <= ended;
        (is_burst && all.len() >= CALLS_MIN).then(|| Lost { calls: all.len(), first, span: ended.since(began) })
    }
}

/// Whether another request of the call had ended it before.
fn had_ended(store: &MessageStore, refusal: &Message) -> bool {
    store.messages_of_group(refusal.group).iter().any(|other| {
        other.is_request(Method::Bye)
            && other.time <= refusal.time
            && (other.cseq != refusal.cseq || other.from_tag != refusal.from_tag)
    })
}
