//! What a TCP connection did as a whole: opened, refused, carried something, closed.
//!
//! Source: RFC 9293 section 3.5 (opening) and section 3.6 (closing).

use crate::capture::{FrameRef, Timestamp};
use crate::net::delivery::Moment;
use crate::net::flow::{Flow, Transport};
use crate::net::packet::Segment;

/// Where and when something was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// Capture time.
    pub time: Timestamp,
    /// File and frame number.
    pub at: FrameRef,
}

impl Sighting {
    pub(in crate::net) fn of(moment: Moment) -> Self {
        Self {
            at: moment.at,
            time: moment.time,
        }
    }
}

/// One end's part in closing a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// Whether the client sent it; otherwise the server.
    pub by_client: bool,
    /// Where it was seen.
    pub sighting: Sighting,
    /// When the client last sent payload before it.
    pub client_payload: Option<Sighting>,
    /// When the server last sent payload before it.
    pub server_payload: Option<Sighting>,
}

/// The facts about one TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// From the client, who opened it, to the server; from the first sender where the opening was not captured.
    pub flow: Flow,
    /// Its first segment.
    pub first_seen: Sighting,
    /// Whether a SYN told who the client is.
    pub is_opening_seen: bool,
    /// SYN segments of the client, repeated ones included.
    pub syns: u32,
    /// The first of them.
    pub first_syn: Option<Sighting>,
    /// The last of them.
    pub last_syn: Option<Sighting>,
    /// SYN-ACK segments of the server, repeated ones included.
    pub syn_acks: u32,
    /// The first of them.
    pub first_syn_ack: Option<Sighting>,
    /// The server's RST in answer to a SYN.
    pub refused: Option<Sighting>,
    /// The first FIN.
    pub fin: Option<Close>,
    /// The first RST of an open connection.
    pub reset: Option<Close>,
    /// When the client last sent payload.
    pub client_payload: Option<Sighting>,
    /// When the server last sent payload.
    pub server_payload: Option<Sighting>,
    /// Segments by which the client said that it can take no more bytes.
    pub client_zero_windows: u32,
    /// Segments by which the server said so.
    pub server_zero_windows: u32,
    /// Bytes of a signalling stream that the capture lacks.
    pub missing_bytes: u64,
    /// What was recognised in it; `None` where it is nothing that carries SIP.
    pub carries: Option<Transport>,
}

impl Connection {
    pub(super) fn new(flow: Flow, first_seen: Sighting) -> Self {
        Self {
            flow,
            first_seen,
            is_opening_seen: false,
            syns: 0,
            first_syn: None,
            last_syn: None,
            syn_acks: 0,
            first_syn_ack: None,
            refused: None,
            fin: None,
            reset: None,
            client_payload: None,
            server_payload: None,
            client_zero_windows: 0,
            server_zero_windows: 0,
            missing_bytes: 0,
            carries: None,
        }
    }

    /// Whether the client asked for a connection and got none.
    pub fn has_failed(&self) -> bool {
        self.syns > 0
            && self.syn_acks == 0
            && self.client_payload.is_none()
            && self.server_payload.is_none()
    }

    /// Takes down what `segment` tells; `flow` is its direction.
    pub(super) fn note(&mut self, flow: Flow, segment: &Segment<'_>, moment: Moment) {
        let sighting = Sighting::of(moment);
        if segment.syn && !self.is_opening_seen {
            self.is_opening_seen = true;
            self.flow = if segment.ack { flow.reversed() } else { flow };
        }
        let by_client = flow == self.flow;
        if segment.rst {
            self.note_reset(by_client, sighting);
            return;
        }
        if segment.syn && segment.ack {
            self.syn_acks = self.syn_acks.saturating_add(1);
            self.first_syn_ack.get_or_insert(sighting);
        } else if segment.syn {
            self.syns = self.syns.saturating_add(1);
            self.first_syn.get_or_insert(sighting);
            self.last_syn = Some(sighting);
        }
        let (payload, zero_windows) = if by_client {
            (&mut self.client_payload, &mut self.client_zero_windows)
        } else {
            (&mut self.server_payload, &mut self.server_zero_windows)
        };
        if segment.wire_length > 0 {
            *payload = Some(sighting);
        }
        if segment.window == 0 && segment.ack {
            *zero_windows = zero_windows.saturating_add(1);
        }
        if segment.fin && self.fin.is_none() {
            self.fin = Some(self.close(by_client, sighting));
        }
    }

    fn note_reset(&mut self, by_client: bool, sighting: Sighting) {
        if !by_client && self.has_failed() {
            self.refused.get_or_insert(sighting);
        } else if self.reset.is_none() {
            self.reset = Some(self.close(by_client, sighting));
        }
    }

    fn close(&self, by_client: bool, sighting: Sighting) -> Close {
        Close {
            by_client,
            sighting,
            client_payload: self.client_payload,
            server_payload: self.server_payload,
        }
    }
}
