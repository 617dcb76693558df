//! Keep-alives: OPTIONS that a node sends to another at a regular interval, and the times in which nobody was there to answer.
//!
//! Sources: RFC 3261 section 11; RFC 5626 section 3.5.

use std::collections::BTreeMap;

use crate::call::beside::other_request::OtherRequest;
use crate::call::store::endpoint::EndpointId;
use crate::sip::Method;

/// OPTIONS after which an interval can be called regular.
const TRAIN_MIN: usize = 4;
/// OPTIONS after which an interval can be called regular where each was repeated in vain.
const REPEATED_TRAIN_MIN: usize = 3;
/// Sends of one keep-alive after which its sender has waited in vain.
pub const SENDS_IN_VAIN: u32 = 3;
/// How far an interval may be from the usual one.
const DEVIATION_MAX: f64 = 0.3;
/// The share of intervals that must be usual; a node that gets no answer often asks faster.
const USUAL_SHARE_MIN: f64 = 0.6;
/// Unanswered keep-alives in a row that are no chance loss.
pub(in crate::call) const OUTAGE_MIN: usize = 2;

/// Keep-alives from one node to another.
#[derive(Debug, Clone)]
pub struct Train {
    /// Who asks.
    pub source: EndpointId,
    /// Who is asked.
    pub destination: EndpointId,
    /// The usual time between two of them, in seconds.
    pub interval_s: f64,
    /// Indices of the requests, among all requests outside calls, in the order of time.
    pub requests: Vec<u32>,
}

/// Keep-alives in a row that were not answered, or answered by "not in service".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedKeepAlives {
    /// Place of its first request in [`Train::requests`].
    pub first: usize,
    /// Place of its last request.
    pub last: usize,
}

/// Whether a keep-alive says that its receiver is down; `None` where the capture does not show it.
///
/// 408 and 503 say so as silence does; every other answer shows that somebody is there.
pub(in crate::call) fn is_bad(request: &OtherRequest) -> Option<bool> {
    match request.answer {
        Some((status, _, _)) => Some(matches!(status.0, 408 | 503)),
        None if request.was_watched => Some(true),
        None => None,
    }
}

/// Whether the sender of a keep-alive repeated it in vain.
fn was_repeated(request: &OtherRequest) -> bool {
    request.answer.is_none() && request.sends >= SENDS_IN_VAIN
}

/// The regular OPTIONS among the requests outside calls.
pub fn trains(requests: &[OtherRequest]) -> Vec<Train> {
    let mut by_pair: BTreeMap<(EndpointId, EndpointId), Vec<u32>> = BTreeMap::new();
    for (index, request) in requests.iter().enumerate() {
        if request.method == Method::Options {
            by_pair.entry((request.source, request.destination)).or_default().push(index as u32);
        }
    }
    let regular = by_pair.into_iter().filter_map(|((source, destination), indices)| {
        let interval_s = interval(requests, &indices)?;
        Some(Train { source, destination, interval_s, requests: indices })
    });
    regular.collect()
}

/// The usual interval, where most are near it.
fn interval(requests: &[OtherRequest], indices: &[u32]) -> Option<f64> {
    let all_repeated = indices.iter().all(|index| was_repeated(&requests[*index as usize]));
    let least = if all_repeated { REPEATED_TRAIN_MIN } else { TRAIN_MIN };
    if indices.len() < least {
        return None;
    }
    let sent = |index: u32| requests[index as usize].sent;
    let mut gaps: Vec<f64> =
        indices.windows(2).map(|pair| sent(pair[1]).millis_since(sent(pair[0])) / 1000.0).collect();
    gaps.sort_by(f64::total_cmp);
    let usual = gaps[gaps.len() / 2];
    let near = gaps.iter().filter(|gap| (**gap - usual).abs() <= usual * DEVIATION_MAX).count();
    (usual >= 1.0 && near as f64 >= gaps.len() as f64 * USUAL_SHARE_MIN).then_some(usual)
}

impl Train {
    /// The request at a place.
    pub fn at<'r>(&self, requests: &'r [OtherRequest], place: usize) -> &'r OtherRequest {
        &requests[self.requests[place] as usize]
    }

    /// Whether the keep-alive at a place says that its receiver is down.
    ///
    /// One that was repeated and followed by the next was left unanswered, however soon after it the capture ends.
    fn is_bad_at(&self, requests: &[OtherRequest], place: usize) -> bool {
        let Some(index) = self.requests.get(place) else {
            return false;
        };
        let request = &requests[*index as usize];
        let was_left = was_repeated(request) && place + 1 < self.requests.len();
        is_bad(request).unwrap_or(was_left)
    }

    /// Every run of at least two bad keep-alives; one of which the capture does not show it ends a run.
    pub fn outages(&self, requests: &[OtherRequest]) -> Vec<MissedKeepAlives> {
        let mut outages = Vec::new();
        let mut begun: Option<usize> = None;
        for place in 0..=self.requests.len() {
            let bad = self.is_bad_at(requests, place);
            match (bad, begun) {
                (true, None) => begun = Some(place),
                (false, Some(first)) => {
                    if place - first >= OUTAGE_MIN {
                        outages.push(MissedKeepAlives { first, last: place - 1 });
                    }
                    begun = None;
                }
                _ => {}
            }
        }
        outages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::store::endpoint::Endpoints;
    use crate::call::store::messages::MessageRange;
    use crate::call::store::string_arena::TextId;
    use crate::capture::{FrameRef, Timestamp};
    use crate::sip::StatusCode;

    fn requests(answers: &[Option<u16>], gap_s: i64) -> Vec<OtherRequest> {
        let mut endpoints = Endpoints::default();
        let mut end = |text: &str| {
            endpoints.intern(crate::net::Endpoint { address: text.parse().expect("an address"), port: 5060 })
        };
        let (source, destination) = (end("10.0.0.1"), end("10.0.0.2"));
        let request = |(place, answer): (usize, &Option<u16>)| {
            let sent = Timestamp::from_nanoseconds(place as i64 * gap_s * 1_000_000_000);
            OtherRequest {
                method: Method::Options,
                source,
                destination,
                uri: TextId::default(),
                from: TextId::default(),
                sent,
                at: FrameRef::default(),
                sends: 1,
                answer: answer.map(|code| (StatusCode(code), sent, FrameRef::default())),
                was_watched: true,
                range: MessageRange::default(),
                software: TextId::default(),
            }
        };
        answers.iter().enumerate().map(request).collect()
    }

    #[test]
    fn two_unanswered_keep_alives_in_a_row_are_an_outage() {
        let requests = requests(&[Some(200), None, Some(404), None, Some(503), Some(200)], 30);
        let trains = trains(&requests);
        assert_eq!(1, trains.len());
        assert!((trains[0].interval_s - 30.0).abs() < 0.01);
        assert_eq!(vec![MissedKeepAlives { first: 3, last: 4 }], trains[0].outages(&requests));
    }

    #[test]
    fn keep_alives_repeated_in_vain_tell_before_the_timer_ends() {
        let unwatched = |sends: u32, count: usize| {
            let mut requests = requests(&vec![None; count], 8);
            for request in &mut requests {
                (request.sends, request.was_watched) = (sends, false);
            }
            requests
        };
        let outages = |requests: &[OtherRequest]| {
            let trains = trains(requests);
            trains.first().map(|train| train.outages(requests))
        };
        let down = vec![MissedKeepAlives { first: 0, last: 1 }];
        assert_eq!(Some(down), outages(&unwatched(3, 3)));
        assert_eq!(None, outages(&unwatched(1, 3)), "sent once each");
        assert_eq!(Some(Vec::new()), outages(&unwatched(2, 4)), "repeated once");
        assert_eq!(None, outages(&unwatched(4, 2)), "two are no train");
    }

    #[test]
    fn three_options_or_a_burst_are_no_keep_alives() {
        assert!(trains(&requests(&[None, None, None], 30)).is_empty());
        assert!(trains(&requests(&[None; 8], 0)).is_empty());
    }
}
