//! From ordered bytes of a connection to deliveries: which protocol each direction carries, and under which stream id.

use crate::net::delivery::{Delivery, Moment, Piece, StreamEnd, StreamId};
use crate::net::flow::{Flow, Transport};
use crate::net::sighting::Sighting;
use crate::net::stream::content::{Content, ContentPart, Kind};
use crate::net::stream::direction::Run;
use crate::net::tls::{self, Session, Surroundings, Tls, TlsHandshake};
use crate::net::websocket::WebSocketCounters;

/// One of the two directions of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net) enum Side {
    /// From the smaller to the larger endpoint.
    Low,
    /// The opposite.
    High,
}

impl Side {
    pub(super) fn of(flow: Flow) -> Self {
        if flow.source <= flow.destination { Self::Low } else { Self::High }
    }
}

/// What all connections share while they deliver.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) next_id: u32,
    pub(super) websocket: WebSocketCounters,
    pub(super) tls: Tls,
}

#[derive(Debug)]
struct CarriedSide {
    content: Content,
    id: Option<StreamId>,
    has_messages: bool,
}

/// The contents of both directions.
#[derive(Debug)]
pub(super) struct Carrier {
    low: CarriedSide,
    high: CarriedSide,
    tls: Option<Box<Session>>,
    pub(super) missing_bytes: u64,
}

impl Carrier {
    pub(super) fn new() -> Self {
        let lane = || CarriedSide { content: Content::new(), id: None, has_messages: false };
        Self { low: lane(), high: lane(), missing_bytes: 0, tls: None }
    }

    fn lanes(&mut self, side: Side) -> (&mut CarriedSide, &mut CarriedSide) {
        match side {
            Side::Low => (&mut self.low, &mut self.high),
            Side::High => (&mut self.high, &mut self.low),
        }
    }

    /// Whether `side`, whose direction is `flow`, is passed over: it shows no sign of signalling, or cannot be decrypted.
    pub(super) fn passes_over(&self, side: Side, flow: Flow) -> bool {
        if let Some(session) = &self.tls {
            return session.is_opaque(flow);
        }
        let lane = if side == Side::Low { &self.low } else { &self.high };
        lane.content.kind() == Kind::Nothing
    }

    /// Bytes that wait for the rest of a message.
    pub(super) fn buffered_bytes(&self) -> usize {
        let session = self.tls.as_ref().map_or(0, |session| session.buffered_bytes());
        self.low.content.buffered_bytes() + self.high.content.buffered_bytes() + session
    }

    /// What was recognised.
    pub(super) fn carries(&self) -> Option<Transport> {
        if self.low.has_messages || self.high.has_messages {
            return Some(Transport::Ws);
        }
        let has_sip = [&self.low, &self.high].iter().any(|lane| lane.content.kind() == Kind::Sip);
        match &self.tls {
            Some(session) => session.facts().is_signalling().then_some(Transport::Tls),
            None => has_sip.then_some(Transport::Tcp),
        }
    }

    /// What was seen of TLS; nothing is read afterwards.
    pub(super) fn take_handshake(&mut self) -> Option<TlsHandshake> {
        self.tls.take().map(|session| session.into_facts())
    }

    /// Takes what `side`, whose direction is `flow`, yields next.
    pub(super) fn take(
        &mut self,
        side: Side,
        flow: Flow,
        run: Run<'_>,
        shared: &mut Shared,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        match run {
            Run::Bytes(bytes, moment) => self.read(side, flow, bytes, moment, shared, sink),
            Run::Gap(missing, moment) => self.lose(side, flow, missing, moment, sink),
            Run::Fin(moment) => self.end(side, flow, StreamEnd::Fin, moment, sink),
        }
    }

    fn read(
        &mut self,
        side: Side,
        flow: Flow,
        bytes: &[u8],
        moment: Moment,
        shared: &mut Shared,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        let sighting = Sighting::of(moment);
        let is_undecided = [&self.low, &self.high].iter().all(|lane| lane.content.kind() == Kind::Undecided);
        if self.tls.is_none() && is_undecided && tls::starts_with_record(bytes) {
            shared.tls.counters.connections += 1;
            self.tls = Some(Box::new(Session::new(flow, sighting)));
            self.low.content = Content::new();
            self.high.content = Content::new();
        }
        let Shared { next_id, websocket, tls } = shared;
        let Some(mut session) = self.tls.take() else {
            return self.sift(side, (flow, Transport::Tcp), bytes, moment, (next_id, websocket), sink);
        };
        let mut around = Surroundings { secrets: &tls.secrets, counters: &mut tls.counters, sighting };
        session.push(flow, bytes, &mut around, &mut |plain| {
            self.sift(side, (flow, Transport::Tls), plain, moment, (next_id, websocket), sink);
        });
        if matches!(self.lanes(side).0.content.kind(), Kind::Sip | Kind::WebSocket) {
            session.carries_sip();
        }
        self.tls = Some(session);
    }

    // Tells signalling from everything else in bytes that are readable as they are.
    fn sift(
        &mut self,
        side: Side,
        (flow, transport): (Flow, Transport),
        bytes: &[u8],
        moment: Moment,
        (next_id, websocket): (&mut u32, &mut WebSocketCounters),
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        let (own, peer) = self.lanes(side);
        let before = own.content.kind();
        let CarriedSide { content, id, has_messages } = own;
        content.push(bytes, websocket, &mut |part| {
            *has_messages |= matches!(part, ContentPart::Message(_));
            deliver(part, (flow, transport), moment, id, next_id, sink);
        });
        let after = own.content.kind();
        if after != before {
            let id = &mut peer.id;
            let back = (flow.reversed(), transport);
            peer.content.follow(after, &mut |part| deliver(part, back, moment, id, next_id, sink));
        }
    }

    fn lose(&mut self, side: Side, flow: Flow, missing: u64, moment: Moment, sink: &mut dyn FnMut(Delivery<'_>)) {
        let transport = self.transport();
        let is_signalling = self.carries().is_some();
        if let Some(session) = &mut self.tls {
            session.lose(flow);
        }
        let (own, _) = self.lanes(side);
        own.content.lose();
        if let Some(id) = own.id {
            sink(moment.deliver(flow, transport, Piece::Gap { id, missing }));
        }
        if is_signalling {
            self.missing_bytes = self.missing_bytes.saturating_add(missing);
        }
    }

    fn transport(&self) -> Transport {
        if self.tls.is_some() { Transport::Tls } else { Transport::Tcp }
    }

    /// Ends the stream of `side`, if it ever began.
    pub(super) fn end(
        &mut self,
        side: Side,
        flow: Flow,
        how: StreamEnd,
        moment: Moment,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        let transport = self.transport();
        if let Some(id) = self.lanes(side).0.id.take() {
            sink(moment.deliver(flow, transport, Piece::End { id, how }));
        }
    }
}

fn deliver(
    part: ContentPart<'_>,
    (flow, transport): (Flow, Transport),
    moment: Moment,
    id: &mut Option<StreamId>,
    next_id: &mut u32,
    sink: &mut dyn FnMut(Delivery<'_>),
) {
    match part {
        ContentPart::Bytes(bytes) => {
            let id = *id.get_or_insert_with(|| {
                *next_id = next_id.wrapping_add(1);
                StreamId(*next_id)
            });
            sink(moment.deliver(flow, transport, Piece::Stream { id, bytes }));
        }
        ContentPart::Message(bytes) => sink(moment.deliver(flow, Transport::Ws, Piece::Datagram(bytes))),
    }
}
