//! Frames become deliveries: link layers, tunnels, IP, fragments, UDP, TCP, SCTP and ICMP.

mod bystander;
mod decode;
mod delivery;
mod dns;
mod flow;
mod fragment;
mod joint;
mod network;
mod packet;
mod sctp;
mod sighting;
mod sign;
mod skip;
mod stream;
#[cfg(test)]
mod test_support;
mod tls;
mod websocket;

pub use bystander::bystander;
pub use decode::decode;
pub use delivery::{Delivery, Piece, StreamEnd, StreamId};
pub use dns::{DnsKind, DnsMessage, DnsRecord, is_dns, read_dns};
pub use flow::{Endpoint, EndpointText, Flow, Transport};
pub use fragment::{FRAGMENT_WAIT, FragmentCounters, IncompleteDatagram, Reassembled};
pub use joint::network;
pub use network::{DecodeTransport, Network};
pub use packet::{IcmpError, Packet, Payload, Segment, Trace};
pub use sctp::SctpCounters;
pub use sighting::Sighting;
pub use skip::{Layer, Skip};
pub use stream::{Close, Connection, SegmentCounters, StreamCounters};
pub use tls::{Certificate, TlsAlert, TlsCounters, TlsHandshake};
pub use websocket::WebSocketCounters;
