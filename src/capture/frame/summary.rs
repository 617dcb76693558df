//! What is known of a file after its last frame.

use crate::capture::{Interface, LinkType, Pause, Timestamp, Weakness};

/// What is known of a capture after its last frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// Records that Wireshark numbers, frames and a few others.
    pub frames: u64,
    /// Bytes of the file or pipe, as stored.
    pub bytes: u64,
    /// Bytes of capture read, after decompression.
    pub capture_bytes: u64,
    /// The earliest frame; `None` where there is none.
    pub first_at: Option<Timestamp>,
    /// The latest frame.
    pub last_at: Option<Timestamp>,
    /// Times in which it holds nothing although it was busy before and behind.
    pub pauses: Vec<Pause>,
    /// Link types in the order of their first packet, each once.
    pub link_types: Vec<LinkType>,
    /// Interfaces of all sections; their index is [`Frame::interface`](super::Frame::interface). Empty for classic pcap.
    pub interfaces: Vec<Interface>,
    /// Packets lost on the capturing machine, as far as it says so.
    pub dropped: u64,
    /// TLS key logs that the capture brings along, in the format of SSLKEYLOGFILE.
    pub secrets: Vec<u8>,
    /// What the capture cannot show.
    pub weaknesses: Vec<Weakness>,
}
