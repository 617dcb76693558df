//! Times in which a peer left keep-alives without a good answer, and what the calls to it show of them.
//!
//! Sources: RFC 3261 section 11; RFC 5626 section 3.5.

use crate::call::beside::keepalive::{MissedKeepAlives, SENDS_IN_VAIN, Train};
use crate::call::beside::other_request::OtherRequest;
use crate::call::{Call, Message, OutcomeGroup};
use crate::capture::Timestamp;
use crate::diagnose::context::capture_context::CaptureContext;

/// Calls in an outage that are looked at.
const CALLS_MAX: usize = 50_000;

/// Whether the capture would show an answer: it shows others of this peer, or the sender repeats itself as one that hears none.
pub(super) fn is_visible(capture: &CaptureContext<'_>, train: &Train) -> bool {
    let (asker, peer) = (capture.node(train.source), capture.node(train.destination));
    let requests = || train.requests.iter().map(|index| &capture.requests[*index as usize]);
    !capture.is_one_directional(asker, peer)
        && requests().any(|request| request.answer.is_some() || request.sends >= SENDS_IN_VAIN)
}

/// One outage with the calls that it touched.
pub(super) struct Down<'a> {
    outage: MissedKeepAlives,
    /// When the first keep-alive was sent.
    pub from: Timestamp,
    /// When the first one behind it was sent.
    pub until: Option<Timestamp>,
    /// Calls to the peer that failed meanwhile.
    pub failed: Vec<u32>,
    /// Where calls of the same sender went meanwhile.
    pub moved: Vec<&'a Call>,
    /// The peer answered calls meanwhile: it only ignores OPTIONS.
    pub carried: bool,
}

impl Down<'_> {
    /// How many keep-alives it lasted.
    pub fn missed(&self) -> usize {
        self.outage.last - self.outage.first + 1
    }

    /// These keep-alives, the first one first.
    pub fn keepalives<'r>(
        &self,
        capture: &CaptureContext<'r>,
        train: &Train,
    ) -> impl DoubleEndedIterator<Item = &'r OtherRequest> {
        let requests = capture.requests;
        (self.outage.first..=self.outage.last).map(move |place| train.at(requests, place))
    }

    /// Whether the peer answered a later one.
    pub fn is_over(&self, capture: &CaptureContext<'_>, train: &Train) -> bool {
        let mut later = self.outage.last + 1..train.requests.len();
        later.any(|place| train.at(capture.requests, place).answer.is_some())
    }
}

/// What the calls of the capture show of an outage.
pub(super) fn down<'a>(capture: &CaptureContext<'a>, train: &Train, outage: MissedKeepAlives) -> Down<'a> {
    let from = train.at(capture.requests, outage.first).sent;
    let until = (outage.last + 1 < train.requests.len()).then(|| train.at(capture.requests, outage.last + 1).sent);
    let (asker, peer) = (capture.node(train.source), capture.node(train.destination));
    let mut down = Down { outage, from, until, failed: Vec::new(), moved: Vec::new(), carried: false };
    let first = capture.calls.partition_point(|call| call.started < from);
    let end = until.unwrap_or(capture.end);
    let during =
        capture.calls.iter().enumerate().skip(first).take(CALLS_MAX).take_while(|(_, call)| call.started <= end);
    for (index, call) in during {
        let mut hops = call.hops.iter().filter(|hop| capture.node(hop.source) == asker);
        let to_peer = hops.clone().find(|hop| capture.node(hop.destination) == peer);
        match to_peer {
            Some(hop) if hop.reply_ms.is_some() && !matches!(hop.final_code, 408 | 500..=599) => {
                down.carried = true;
            }
            Some(_) if call.outcome.group() == OutcomeGroup::Failure => down.failed.push(index as u32),
            Some(_) => down.moved.push(call),
            None if hops.next().is_some() => down.moved.push(call),
            None => {}
        }
    }
    down
}

/// The last message that a peer sent while it left keep-alives unanswered, where it spoke in the later half of that time.
pub(super) fn sign_of_life<'a>(capture: &CaptureContext<'a>, train: &Train, down: &Down<'_>) -> Option<&'a Message> {
    let sent = |place| train.at(capture.requests, place).sent;
    let (first, last) = (down.outage.first, down.outage.last);
    let peer = capture.node(train.destination);
    let spoke = capture.history().last_spoken(capture.store, peer, sent(last))?;
    // Behind one address may be several devices, each with a port of its own.
    let is_other = spoke.source != train.destination
        && (capture.device_at(train.destination, sent(first)).is_some()
            || capture.device_at(spoke.source, sent(last)).is_some());
    let spoke =
        if is_other { capture.history().last_from(capture.store, train.destination, sent(last))? } else { spoke };
    (spoke.time > sent(first + (last - first) / 2)).then_some(spoke)
}
