//! From messages to bytes of a capture: Ethernet, IPv4 or IPv6, UDP, TCP and ICMP, with an IP identification for each packet.

use std::net::{IpAddr, SocketAddr};

/// One packet of a ladder.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Since the begin of the ladder, in microseconds.
    pub at_us: u64,
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Content.
    pub payload: Payload,
    /// The frame that this one is the second capture of.
    pub copy_of: Option<usize>,
}

/// Content of a packet.
#[derive(Debug, Clone)]
pub enum Payload {
    /// A UDP datagram.
    Udp(Vec<u8>),
    /// A TCP segment without options.
    Tcp {
        /// `syn`, `syn-ack`, `rst`, `fin`, `ack`, `zero-window` or `data`.
        flags: String,
        /// Of its first byte.
        sequence: u32,
        /// Of the first byte that its sender still waits for.
        acknowledged: u32,
        /// Payload.
        bytes: Vec<u8>,
    },
    /// Destination unreachable about a datagram.
    Icmp {
        /// ICMP code.
        code: u8,
        /// The datagram.
        quoted: Box<Frame>,
    },
}

/// First second of every ladder: 2026-01-05 09:00:00 UTC.
const START_SECONDS: u64 = 1_767_603_600;

/// The snap length that keeps packets whole.
pub const WHOLE: usize = 0;

/// A classic pcap with microseconds; `snap` bytes are kept of each packet, all where it is [`WHOLE`].
pub fn write(frames: &[Frame], snap: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for field in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    for (number, frame) in frames.iter().enumerate() {
        let id = frame.copy_of.unwrap_or(number) as u16 + 1;
        let bytes = ethernet(frame, id);
        let kept = bytes.get(..snap.max(1)).filter(|_| snap != WHOLE);
        let kept = kept.unwrap_or(&bytes);
        let time = START_SECONDS * 1_000_000 + frame.at_us;
        for field in [time / 1_000_000, time % 1_000_000, kept.len() as u64, bytes.len() as u64] {
            out.extend_from_slice(&(field as u32).to_le_bytes());
        }
        out.extend_from_slice(kept);
    }
    out
}

fn ethernet(frame: &Frame, id: u16) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let packet = ip(frame, id);
    out.extend_from_slice(if frame.source.is_ipv4() { &[0x08, 0x00] } else { &[0x86, 0xdd] });
    out.extend_from_slice(&packet);
    out
}

fn ip(frame: &Frame, id: u16) -> Vec<u8> {
    let (protocol, payload) = transport(frame);
    match (frame.source.ip(), frame.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut out = vec![0x45, 0];
            out.extend_from_slice(&((payload.len() + 20) as u16).to_be_bytes());
            out.extend_from_slice(&id.to_be_bytes());
            out.extend_from_slice(&[0, 0, 64, protocol, 0, 0]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&destination.octets());
            out.extend_from_slice(&payload);
            out
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let mut out = vec![0x60, 0, 0, 0];
            out.extend_from_slice(&(payload.len() as u16).to_be_bytes());
            out.extend_from_slice(&[protocol, 64]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&destination.octets());
            out.extend_from_slice(&payload);
            out
        }
        _ => panic!("a packet has one address family"),
    }
}

fn transport(frame: &Frame) -> (u8, Vec<u8>) {
    let mut out = Vec::new();
    out.extend_from_slice(&frame.source.port().to_be_bytes());
    out.extend_from_slice(&frame.destination.port().to_be_bytes());
    match &frame.payload {
        Payload::Udp(bytes) => {
            out.extend_from_slice(&((bytes.len() + 8) as u16).to_be_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(bytes);
            (17, out)
        }
        Payload::Tcp { flags, sequence, acknowledged, bytes } => {
            let bits = match flags.as_str() {
                "syn" => 0x02,
                "syn-ack" => 0x12,
                "rst" => 0x14,
                "fin" => 0x11,
                "ack" | "zero-window" => 0x10,
                _ => 0x18,
            };
            let window: u16 = if flags == "zero-window" { 0 } else { 0xffff };
            out.extend_from_slice(&sequence.to_be_bytes());
            out.extend_from_slice(&acknowledged.to_be_bytes());
            out.extend_from_slice(&[0x50, bits]);
            out.extend_from_slice(&window.to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 0]);
            out.extend_from_slice(bytes);
            (6, out)
        }
        Payload::Icmp { code, quoted } => {
            let mut out = vec![3, *code, 0, 0, 0, 0, 0, 0];
            out.extend_from_slice(&ip(quoted, 1));
            (1, out)
        }
    }
}
