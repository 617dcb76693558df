//! Requests outside calls: OPTIONS, SUBSCRIBE, NOTIFY, MESSAGE and their like, each with what came back.

use std::collections::BTreeMap;

use crate::call::outcome::verdict::Watch;
use crate::call::store::endpoint::EndpointId;
use crate::call::store::messages::MessageRange;
use crate::call::store::string_arena::TextId;
use crate::call::transaction::call_transactions::CallTransactions;
use crate::call::transaction::timer::TIMER_B;
use crate::capture::{FrameRef, Timestamp};
use crate::sip::{HeaderName, Method, StatusCode};

/// One request outside a call, on the first hop that the capture shows.
#[derive(Debug, Clone, Copy)]
pub struct OtherRequest {
    /// Its method.
    pub method: Method,
    /// Sender.
    pub source: EndpointId,
    /// Receiver.
    pub destination: EndpointId,
    /// Request-URI.
    pub uri: TextId,
    /// URI of From.
    pub from: TextId,
    /// First send.
    pub sent: Timestamp,
    /// Frame of the first send.
    pub at: FrameRef,
    /// How often it was sent.
    pub sends: u32,
    /// Final status and when it came; `None` where none came.
    pub answer: Option<(StatusCode, Timestamp, FrameRef)>,
    /// Whether the capture ran long enough after it to miss an answer.
    pub was_watched: bool,
    /// Where the messages of its part of the Call-ID lie.
    pub range: MessageRange,
    /// Product of the sender, absent where it does not name one.
    pub software: TextId,
}

/// The requests of one part of a Call-ID.
pub(in crate::call) fn requests(
    transactions: &CallTransactions<'_>,
    range: MessageRange,
    watch: &Watch,
) -> Vec<OtherRequest> {
    let roots = transactions.all().filter(|hop| hop.parent.is_none() && hop.method != Method::Ack);
    let requests = roots.filter_map(|hop| {
        let request = hop.request()?;
        let answer = hop.final_response();
        let software = transactions.tables.header_id(request, HeaderName::UserAgent);
        Some(OtherRequest {
            method: hop.method,
            source: hop.source,
            destination: hop.destination,
            uri: request.line,
            from: request.from,
            sent: request.time,
            at: request.at,
            sends: hop.sends,
            answer: answer.and_then(|answer| Some((answer.status()?, answer.time, answer.at))),
            was_watched: watch.since(request.time) >= TIMER_B,
            range,
            software,
        })
    });
    requests.collect()
}

/// Requests of one method between two endpoints, counted.
#[derive(Debug, Clone)]
pub struct OtherCount {
    /// Their method.
    pub method: Method,
    /// Sender.
    pub source: EndpointId,
    /// Receiver.
    pub destination: EndpointId,
    /// How many.
    pub count: u32,
    /// How many were never answered although the capture ran long enough.
    pub unanswered: u32,
    /// Final codes and how often each.
    pub final_codes: BTreeMap<u16, u32>,
}

/// Counts requests by method, sender and receiver, in the order of first sight.
pub fn count(requests: &[OtherRequest]) -> Vec<OtherCount> {
    let mut place: std::collections::HashMap<_, usize, foldhash::fast::RandomState> =
        std::collections::HashMap::default();
    let mut counts: Vec<OtherCount> = Vec::new();
    for request in requests {
        let key = (request.method, request.source, request.destination);
        let at = *place.entry(key).or_insert_with(|| {
            let (source, destination) = (request.source, request.destination);
            counts.push(OtherCount {
                method: request.method,
                source,
                destination,
                count: 0,
                unanswered: 0,
                final_codes: BTreeMap::new(),
            });
            counts.len() - 1
        });
        let entry = &mut counts[at];
        entry.count += 1;
        match request.answer {
            Some((status, _, _)) => *entry.final_codes.entry(status.0).or_default() += 1,
            None if request.was_watched => entry.unanswered += 1,
            None => {}
        }
    }
    counts
}
