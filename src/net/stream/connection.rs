//! What a TCP connection did as a whole: opened, refused, carried something, closed.
//!
//! Source: RFC 9293 section 3.5 (opening) and section 3.6 (closing).

use std::time::Duration;

use crate::net::delivery::Moment;
use crate::net::flow::{Flow, Transport};
use crate::net::packet::Segment;
use crate::net::sighting::Sighting;

/// A SYN that comes again sooner is another capture of the same packet: senders wait a second (RFC 6298 section 2.1).
const SYN_COPY_WAIT: Duration = Duration::from_millis(100);
/// Ports on which connections are remembered although nothing was recognised in them.
const SIP_PORTS: std::ops::RangeInclusive<u16> = 5060..=5090;

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
    /// Whether a SYN showed who the client is.
    pub is_opening_seen: bool,
    /// SYN segments that the client sent, repeated ones included, second captures of one left out.
    pub syns: u32,
    /// The first of them.
    pub first_syn: Option<Sighting>,
    /// The last of them.
    pub last_syn: Option<Sighting>,
    /// SYN-ACK segments that the server sent, counted likewise.
    pub syn_acks: u32,
    /// The first of them.
    pub first_syn_ack: Option<Sighting>,
    /// The last of them.
    pub last_syn_ack: Option<Sighting>,
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
    /// Bytes of the client that the server's last acknowledgement leaves out; `None` where none was captured.
    pub client_unacknowledged_bytes: Option<u64>,
    /// Bytes of the server that the client's last acknowledgement leaves out, likewise.
    pub server_unacknowledged_bytes: Option<u64>,
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
            last_syn_ack: None,
            refused: None,
            fin: None,
            reset: None,
            client_payload: None,
            server_payload: None,
            client_zero_windows: 0,
            server_zero_windows: 0,
            client_unacknowledged_bytes: None,
            server_unacknowledged_bytes: None,
            missing_bytes: 0,
            carries: None,
        }
    }

    /// Whether the client asked for a connection and got none.
    pub fn has_failed(&self) -> bool {
        self.syns > 0 && self.syn_acks == 0 && self.client_payload.is_none() && self.server_payload.is_none()
    }

    /// Whether one of its ends has a port that is usual for SIP.
    pub(super) fn is_on_sip_port(&self) -> bool {
        SIP_PORTS.contains(&self.flow.source.port) || SIP_PORTS.contains(&self.flow.destination.port)
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
            count(sighting, &mut self.syn_acks, &mut self.first_syn_ack, &mut self.last_syn_ack);
        } else if segment.syn {
            count(sighting, &mut self.syns, &mut self.first_syn, &mut self.last_syn);
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
        Close { by_client, sighting, client_payload: self.client_payload, server_payload: self.server_payload }
    }
}

fn count(sighting: Sighting, number: &mut u32, first: &mut Option<Sighting>, last: &mut Option<Sighting>) {
    if last.is_some_and(|last| sighting.time.since(last.time) < SYN_COPY_WAIT) {
        return;
    }
    *number = number.saturating_add(1);
    first.get_or_insert(sighting);
    *last = Some(sighting);
}
