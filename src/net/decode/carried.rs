//! What an IP packet carries, as a frame had it or as it came together from fragments.

use std::net::IpAddr;

use crate::capture::{FrameRef, Timestamp};
use crate::net::flow::{Endpoint, Flow};
use crate::net::packet::Trace;

/// What stands behind an IP header.
#[derive(Clone, Copy)]
pub(super) struct Carried<'a> {
    /// Marks of the packet, complete but for tunnels that it may carry.
    pub(super) trace: Trace,
    /// Sender's address.
    pub(super) source: IpAddr,
    /// Receiver's address.
    pub(super) destination: IpAddr,
    /// IP protocol number of `bytes`.
    pub(super) protocol: u8,
    /// What was captured of it.
    pub(super) bytes: &'a [u8],
    /// Bytes that were on the wire behind `bytes`.
    pub(super) missing: u32,
}

impl<'a> Carried<'a> {
    /// The flow between its addresses and these ports.
    pub(super) fn flow(&self, source_port: u16, destination_port: u16) -> Flow {
        Flow {
            source: Endpoint { address: self.source, port: source_port },
            destination: Endpoint { address: self.destination, port: destination_port },
        }
    }

    /// The same packet once a header is off: another protocol and what of the bytes belongs to it.
    pub(super) fn with(&self, protocol: u8, bytes: &'a [u8]) -> Self {
        Self { protocol, bytes, ..*self }
    }
}

/// An IP datagram that came together from its fragments.
#[derive(Debug, Clone, Copy)]
pub(in crate::net) struct IpDatagram<'a> {
    /// The frame that completed it.
    pub at: FrameRef,
    /// The time of that frame.
    pub time: Timestamp,
    /// Addresses; the ports are not looked at.
    pub flow: Flow,
    /// Marks of its fragments.
    pub trace: Trace,
    /// IP protocol of the datagram, as [`Payload::Fragment`] tells it.
    pub protocol: u8,
    /// Whether its end is missing.
    pub is_cut: bool,
    /// What is there of it behind its IP header.
    pub bytes: &'a [u8],
}
