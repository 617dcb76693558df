//! Selections: which messages of an analysis are meant, and what of the captures belongs to them.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::analysis::result::Analysis;
use crate::call::{CallId, CallIndex, Message};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::Evidence;
use crate::net::{Endpoint, Flow, Transport};

/// How long after a call's last message its media and the ICMP errors about it may still come.
const LATE_WAIT: Duration = Duration::from_secs(2);

/// What a user asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// A call: its number, a Call-ID, or a part of one that no other call has.
    Call(String),
    /// An incident by its place in the report, from 1.
    Incident(u32),
}

/// Why a [`Pick`] names nothing; prints as one line for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickError {
    /// No call has this number or Call-ID.
    #[error("no call has the number or Call-ID {0:?}")]
    NoCall(String),
    /// Several calls have a Call-ID with this part in it.
    #[error("{0:?} is part of the Call-IDs of {1} calls; give more of it")]
    ManyCalls(String, usize),
    /// There are fewer incidents.
    #[error("there is no incident {0}; the captures hold {1}")]
    NoIncident(u32, usize),
}

/// A time span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// Whether one of `spans`, which are in order and do not overlap, has this moment in it.
pub(super) fn has(spans: Option<&Vec<Span>>, time: Timestamp) -> bool {
    let Some(spans) = spans else { return false };
    let next = spans.partition_point(|span| span.from <= time);
    let last = next.checked_sub(1).and_then(|last| spans.get(last));
    last.is_some_and(|span| time <= span.to)
}

/// Puts spans in order and makes one of those that touch.
fn join(spans: &mut Vec<Span>) {
    spans.sort_unstable_by_key(|span| (span.from, span.to));
    spans.dedup_by(|later, earlier| {
        let touches = later.from <= earlier.to;
        if touches {
            earlier.to = earlier.to.max(later.to);
        }
        touches
    });
}

/// The messages that are meant, as far as frames are known by them.
#[derive(Debug, Default)]
pub struct Selection {
    /// Frames that completed a message.
    pub(super) frames: HashSet<FrameRef>,
    /// From the frame in which a message of a stream begins to the one that completed it, by direction.
    pub(super) pieces: HashMap<Flow, Vec<(FrameRef, FrameRef)>>,
    /// Connections that make sense as a whole alone: TLS and WebSocket begin with a handshake.
    pub(super) connections: HashSet<Flow>,
    /// Frames that completed a message in fragments.
    pub(super) fragmented: HashSet<FrameRef>,
    /// Senders and receivers of datagrams, and when; for ICMP errors.
    pub(super) flows: HashMap<(IpAddr, IpAddr), Vec<Span>>,
    /// Call-IDs of the messages.
    pub(super) call_ids: HashSet<Vec<u8>>,
    /// Where media was wanted, and when.
    pub(super) media: HashMap<Endpoint, Vec<Span>>,
    /// What to add to the time of a frame of this capture and interface.
    pub(super) shifts: HashMap<(u16, u16), i64>,
    /// Calls that are meant.
    pub calls: usize,
    /// Messages that are meant, copies included.
    pub messages: usize,
}

impl Selection {
    /// The messages of every pick together.
    ///
    /// # Errors
    /// The first pick that names nothing.
    pub fn of(analysis: &Analysis, picks: &[Pick], with_media: bool) -> Result<Self, PickError> {
        let mut selection = Self::default();
        let mut calls = HashSet::new();
        for pick in picks {
            match pick {
                Pick::Call(word) => {
                    calls.insert(find_call(analysis, word)?);
                }
                Pick::Incident(number) => {
                    let index = (*number as usize).checked_sub(1);
                    let incident = index.and_then(|index| analysis.incidents.get(index));
                    let Some(incident) = incident else {
                        return Err(PickError::NoIncident(*number, analysis.incidents.len()));
                    };
                    calls.extend(incident.calls.iter().filter_map(|id| id.index()));
                    for evidence in &incident.finding.seen.evidence {
                        if let Evidence::Seen { frames, .. } = evidence {
                            selection.frames.extend(frames);
                        }
                    }
                }
            }
        }
        let store = &analysis.store;
        let taps = store.taps.iter().copied().zip(store.shifts.iter().copied());
        selection.shifts = taps.collect();
        // Evidence outside calls is a message too, and may have come in pieces.
        let evidence: Vec<&Message> = if selection.frames.is_empty() {
            Vec::new()
        } else {
            let frames = &selection.frames;
            let all = store.messages.iter();
            all.filter(|message| frames.contains(&message.at)).collect()
        };
        for message in evidence {
            selection.add(analysis, message);
        }
        for index in calls {
            selection.add_call(analysis, index, with_media);
        }
        selection.flows.values_mut().for_each(join);
        selection.media.values_mut().for_each(join);
        selection.pieces.values_mut().for_each(|p| p.sort_unstable());
        Ok(selection)
    }

    /// Whether a frame of a stream's direction carries a part of a selected message: those follow one another.
    pub(super) fn is_piece(&self, flow: Flow, at: FrameRef) -> bool {
        let Some(pieces) = self.pieces.get(&flow) else {
            return false;
        };
        let next = pieces.partition_point(|(begun, _)| *begun <= at);
        let last = next.checked_sub(1).and_then(|last| pieces.get(last));
        last.is_some_and(|(_, completed)| at <= *completed)
    }

    fn add_call(&mut self, analysis: &Analysis, index: CallIndex, with_media: bool) {
        let Some(entry) = analysis.calls.get(index.place()) else {
            return;
        };
        self.calls += 1;
        let (store, call) = (&analysis.store, &entry.call);
        let span = Span { from: call.started, to: call.ended.plus(LATE_WAIT) };
        for leg in &call.legs {
            for message in store.messages_of(leg) {
                self.add(analysis, message);
                if !with_media {
                    continue;
                }
                for endpoint in store.tables.sessions.media(message.session).iter().copied() {
                    let control = Endpoint { port: endpoint.port.saturating_add(1), ..endpoint };
                    // Port 0 refuses the stream (RFC 3264 section 6).
                    if endpoint.port > 0 {
                        self.media.entry(endpoint).or_default().push(span);
                        self.media.entry(control).or_default().push(span);
                    }
                }
            }
        }
    }

    fn add(&mut self, analysis: &Analysis, message: &Message) {
        let tables = &analysis.store.tables;
        self.messages += 1;
        self.frames.insert(message.at);
        let flow = Flow { source: tables.endpoint(message.source), destination: tables.endpoint(message.destination) };
        if message.flags.is_fragmented() {
            self.fragmented.insert(message.at);
        }
        match message.transport {
            Transport::Tls | Transport::Ws => {
                self.connections.extend([flow, flow.reversed()]);
            }
            Transport::Tcp => {
                if let Some(begun) = analysis.begun.get(&message.at) {
                    let pieces = self.pieces.entry(flow).or_default();
                    pieces.push((*begun, message.at));
                }
            }
            Transport::Udp | Transport::Hep | Transport::Sctp => {
                let ends = (flow.source.address, flow.destination.address);
                let spans = self.flows.entry(ends).or_default();
                let span = Span { from: message.time, to: message.time.plus(LATE_WAIT) };
                spans.push(span);
            }
        }
        self.call_ids.insert(tables.call_id(message).as_bytes().to_vec());
    }
}

fn find_call(analysis: &Analysis, word: &str) -> Result<CallIndex, PickError> {
    let numbered = word.parse().ok().and_then(|number| CallId(number).index());
    if let Some(index) = numbered.filter(|index| index.place() < analysis.calls.len()) {
        return Ok(index);
    }
    let with = |fits: &dyn Fn(&str) -> bool| -> Vec<CallIndex> {
        let all = (0..).map(CallIndex).zip(&analysis.calls);
        let fitting = all.filter(|(_, entry)| {
            let mut ids = entry.call.legs.iter().map(|leg| analysis.store.tables.text(leg.call_id));
            ids.any(fits)
        });
        fitting.map(|(index, _)| index).collect()
    };
    if let Some(index) = with(&|id| id == word).first() {
        return Ok(*index);
    }
    let with = with(&|id| id.contains(word));
    match with[..] {
        [] => Err(PickError::NoCall(word.to_owned())),
        [index] => Ok(index),
        _ => Err(PickError::ManyCalls(word.to_owned(), with.len())),
    }
}
