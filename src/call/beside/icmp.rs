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
    /// What the report means for the quoted destination.
    pub fn meaning(&self) -> IcmpMeaning {
        use IcmpMeaning as M;
        match (self.is_v6, self.kind, self.code) {
            (false, 3, 0) | (true, 1, 0) => M::NetworkUnreachable,
            (false, 3, 1) | (true, 1, 3) => M::HostUnreachable,
            (false, 3, 2) => M::ProtocolUnreachable,
            (false, 3, 3) | (true, 1, 4) => M::PortUnreachable,
            (false, 3, 4) | (true, 2, _) => M::TooBig,
            (false, 3, 9 | 10 | 13) | (true, 1, 1 | 5 | 6) => M::Prohibited,
            (false, 11, _) | (true, 3, _) => M::TimeExceeded,
            (false, 3, _) | (true, 1, _) => M::DestinationUnreachable,
            _ => M::Other,
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

/// What an ICMP error means for the destination of the datagram that it quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcmpMeaning {
    /// No route to its network.
    NetworkUnreachable,
    /// Nobody has its address.
    HostUnreachable,
    /// The host does not take UDP or TCP.
    ProtocolUnreachable,
    /// Nothing listens on its port.
    PortUnreachable,
    /// A link on the way takes no packet of that size.
    TooBig,
    /// A firewall or access list refused it.
    Prohibited,
    /// It went in a circle, or its fragments never joined.
    TimeExceeded,
    /// It was not delivered, for another reason.
    DestinationUnreachable,
    /// Any other error.
    Other,
}

impl std::fmt::Display for IcmpMeaning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NetworkUnreachable => "network unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::ProtocolUnreachable => "protocol unreachable",
            Self::PortUnreachable => "port unreachable",
            Self::TooBig => "packet too big",
            Self::Prohibited => "administratively prohibited",
            Self::TimeExceeded => "time exceeded",
            Self::DestinationUnreachable => "destination unreachable",
            Self::Other => "error",
        })
    }
}
