//! Deliveries: what the ordered half of the floor hands upwards, in capture order.

use crate::capture::{FrameRef, Timestamp};
use crate::net::flow::{Flow, Transport};
use crate::net::packet::Trace;

/// A datagram, or a part of a stream, that became readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// Who sent it to whom.
    pub flow: Flow,
    /// What carried it, outermost encryption or framing first: SIP in WebSocket in TLS is [`Transport::Ws`].
    pub transport: Transport,
    /// Capture time of the packet that completed it; for bytes behind a [`Piece::Gap`], of the packet that carried them.
    pub time: Timestamp,
    /// That packet's frame.
    pub at: FrameRef,
    /// That packet's marks.
    pub trace: Trace,
    /// IP fragments that it was put together from; 1 where there was no fragmentation.
    pub fragments: u16,
    /// Whether bytes at its end are missing, for whatever reason.
    pub is_cut: bool,
    /// Whether they are missing because IP fragments never came.
    pub lacks_fragments: bool,
    /// What it is.
    pub piece: Piece<'a>,
}

/// The content of a [`Delivery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A whole message of a transport that keeps message boundaries.
    Datagram(&'a [u8]),
    /// The next bytes of one direction of a stream, in order and without holes.
    Stream {
        /// Which direction of which connection.
        id: StreamId,
        /// Never empty.
        bytes: &'a [u8],
    },
    /// Bytes that the capture lacks; the stream goes on behind them.
    Gap {
        /// Which direction of which connection.
        id: StreamId,
        /// How many bytes by sequence number, at least 1.
        missing: u64,
    },
    /// Nothing more comes under this `id`.
    End {
        /// Which direction of which connection.
        id: StreamId,
        /// Why.
        how: StreamEnd,
    },
}

/// One direction of one connection; a reused port gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

/// Why a stream is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamEnd {
    /// The sender closed it.
    Fin,
    /// One of the two ends reset the connection.
    Reset,
    /// The same ports began another connection.
    Replaced,
    /// The streams that can be followed at a time were too many, and this one was idle longest.
    Evicted,
    /// The input is over.
    Input,
}

/// The frame-given facts of the packet that is being read; every delivery that it causes carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: FrameRef,
    pub(super) time: Timestamp,
    pub(super) trace: Trace,
    pub(super) fragments: u16,
}

impl Moment {
    pub(super) fn deliver<'a>(&self, flow: Flow, transport: Transport, piece: Piece<'a>) -> Delivery<'a> {
        Delivery {
            flow,
            transport,
            time: self.time,
            at: self.at,
            trace: self.trace,
            fragments: self.fragments,
            is_cut: false,
            lacks_fragments: false,
            piece,
        }
    }
}
