//! Frames become deliveries: link layers, tunnels, IP, fragments, UDP, TCP, SCTP and ICMP.

mod decode;
mod flow;
mod packet;

pub use decode::{IpDatagram, decode, decode_transport};
pub use flow::{Endpoint, Flow, Transport};
pub use packet::{IcmpError, Packet, Payload, Segment, Skip, Trace};
