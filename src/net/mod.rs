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
pub use fragment::{
    FRAGMENT_BYTES_MAX, FRAGMENT_WAIT, FRAGMENTED_DATAGRAMS_MAX, FragmentCounters, INCOMPLETE_DATAGRAMS_MAX,
    IncompleteDatagram, Reassembled,
};
pub use joint::network;
pub use network::{DecodeTransport, Network};
pub use packet::{IcmpError, Packet, Payload, Segment, Skip, Trace};
pub use sctp::{SCTP_BYTES_MAX, SCTP_FLOWS_MAX, SCTP_HELD_BYTES_MAX, SCTP_PIECES_MAX, SctpCounters};
pub use sighting::Sighting;
pub use stream::{
    ACKED_HOLE_WAIT, CONNECTIONS_MAX, Close, Connection, FAILED_CONNECTIONS_MAX, FOLLOWED_CONNECTIONS_MAX,
    HELD_BYTES_MAX, HOLE_WAIT, STREAM_BYTES_MAX, STREAM_SEGMENTS_MAX, SegmentCounters, StreamCounters,
};
pub use tls::{
    Certificate, OTHER_HANDSHAKES_MAX, SIGNALLING_HANDSHAKES_MAX, TLS_SECRETS_MAX, TlsAlert, TlsCounters, TlsHandshake,
};
pub use websocket::{WEBSOCKET_MESSAGE_BYTES_MAX, WebSocketCounters};
