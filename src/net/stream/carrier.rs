//! From ordered bytes of a connection to deliveries: which protocol each direction carries, and under which stream id.

use crate::net::delivery::{Delivery, Moment, Piece, StreamEnd, StreamId};
use crate::net::flow::{Flow, Transport};
use crate::net::stream::content::{Content, Kind, Part};
use crate::net::stream::direction::Run;
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
        if flow.source <= flow.destination {
            Self::Low
        } else {
            Self::High
        }
    }
}

/// What all connections share while they deliver.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) next_id: u32,
    pub(super) websocket: WebSocketCounters,
}

#[derive(Debug)]
struct Lane {
    content: Content,
    id: Option<StreamId>,
}

/// The contents of both directions.
#[derive(Debug)]
pub(super) struct Carrier {
    low: Lane,
    high: Lane,
    pub(super) missing_bytes: u64,
}

impl Carrier {
    pub(super) fn new() -> Self {
        let lane = || Lane {
            content: Content::new(),
            id: None,
        };
        Self {
            low: lane(),
            high: lane(),
            missing_bytes: 0,
        }
    }

    fn lanes(&mut self, side: Side) -> (&mut Lane, &mut Lane) {
        match side {
            Side::Low => (&mut self.low, &mut self.high),
            Side::High => (&mut self.high, &mut self.low),
        }
    }

    /// Whether `side` has shown no sign of signalling for so long that it is passed over.
    pub(super) fn passes_over(&self, side: Side) -> bool {
        let lane = if side == Side::Low {
            &self.low
        } else {
            &self.high
        };
        lane.content.kind() == Kind::Nothing
    }

    /// What was recognised.
    pub(super) fn carries(&self) -> Option<Transport> {
        let kinds = [self.low.content.kind(), self.high.content.kind()];
        if kinds.contains(&Kind::WebSocket) {
            Some(Transport::Ws)
        } else {
            kinds.contains(&Kind::Sip).then_some(Transport::Tcp)
        }
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
        let (own, peer) = self.lanes(side);
        let before = own.content.kind();
        let Shared { next_id, websocket } = shared;
        let id = &mut own.id;
        own.content.push(bytes, websocket, &mut |part| {
            deliver(part, flow, moment, id, next_id, sink)
        });
        let after = own.content.kind();
        if after != before {
            let id = &mut peer.id;
            let back = flow.reversed();
            peer.content.follow(after, &mut |part| {
                deliver(part, back, moment, id, next_id, sink)
            });
        }
    }

    fn lose(
        &mut self,
        side: Side,
        flow: Flow,
        missing: u64,
        moment: Moment,
        sink: &mut dyn FnMut(Delivery<'_>),
    ) {
        let (own, _) = self.lanes(side);
        let is_signalling = matches!(own.content.kind(), Kind::Sip | Kind::WebSocket);
        own.content.lose();
        if let Some(id) = own.id {
            sink(moment.deliver(flow, Transport::Tcp, Piece::Gap { id, missing }));
        }
        if is_signalling {
            self.missing_bytes = self.missing_bytes.saturating_add(missing);
        }
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
        if let Some(id) = self.lanes(side).0.id.take() {
            sink(moment.deliver(flow, Transport::Tcp, Piece::End { id, how }));
        }
    }
}

fn deliver(
    part: Part<'_>,
    flow: Flow,
    moment: Moment,
    id: &mut Option<StreamId>,
    next_id: &mut u32,
    sink: &mut dyn FnMut(Delivery<'_>),
) {
    match part {
        Part::Bytes(bytes) => {
            let id = *id.get_or_insert_with(|| {
                *next_id = next_id.wrapping_add(1);
                StreamId(*next_id)
            });
            sink(moment.deliver(flow, Transport::Tcp, Piece::Stream { id, bytes }));
        }
        Part::Message(bytes) => sink(moment.deliver(flow, Transport::Ws, Piece::Datagram(bytes))),
    }
}
