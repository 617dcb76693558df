//! ICMP errors joined to the calls whose datagrams they quote.
//!
//! Sources: RFC 792, RFC 4443; RFC 3261 section 18.4 (what a client makes of them).

use std::net::IpAddr;

use crate::call::store::message::GroupId;
use crate::capture::{FrameRef, Timestamp};
use crate::net::{Flow, IcmpError};
use crate::sip::{Method, StatusCode};

/// An ICMP error about a datagram of signalling or media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IcmpReport {
    /// Frame of the report.
    pub at: FrameRef,
    /// When it was captured.
    pub time: Timestamp,
    /// Who reported it.
    pub reporter: IpAddr,
    /// ICMPv6 rather than ICMPv4.
    pub is_v6: bool,
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// IP protocol of the quoted datagram: 17 UDP, 6 TCP.
    pub protocol: u8,
    /// Sender and receiver of the quoted datagram.
    pub quoted: Flow,
    /// The Call-ID that it quotes, where it quotes that much of a message that the capture holds.
    pub group: Option<GroupId>,
    /// Method of the quoted request.
    pub method: Option<Method>,
    /// Status of the quoted response.
    pub status: Option<StatusCode>,
}

impl IcmpReport {
    /// What the report means for the quoted destination, in the words of the protocol.
    pub fn meaning(&self) -> &'static str {
        match (self.is_v6, self.kind, self.code) {
            (false, 3, 0) | (true, 1, 0) => "network unreachable",
            (false, 3, 1) | (true, 1, 3) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) | (true, 1, 4) => "port unreachable",
            (false, 3, 4) | (true, 2, _) => "packet too big",
            (false, 3, 9 | 10 | 13) | (true, 1, 1 | 5 | 6) => "administratively prohibited",
            (false, 11, _) | (true, 3, _) => "time exceeded",
            (false, 3, _) | (true, 1, _) => "destination unreachable",
            _ => "error",
        }
    }

    /// A report about the datagram that `error` quotes.
    pub fn new(at: FrameRef, time: Timestamp, error: &IcmpError<'_>) -> Self {
        Self {
            at,
            time,
            reporter: error.reporter,
            is_v6: error.is_v6,
            kind: error.kind,
            code: error.code,
            protocol: error.protocol,
            quoted: error.quoted,
            group: None,
            method: None,
            status: None,
        }
    }
}
