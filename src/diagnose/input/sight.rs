//! Sight: what the input cannot show, read by the gates, by the doubt about findings and by the rules about the capture.

use crate::call::OneDirection;
use crate::capture::{FrameRef, Pause, WeaknessKind};
use crate::net::Endpoint;

/// What the input cannot show.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Pairs of which one direction is missing.
    pub one_direction: Vec<OneDirection>,
    /// Frames of SIP messages that the snap length cut.
    pub cut_messages: u64,
    /// Bytes that TCP streams lack.
    pub missing_bytes: u64,
    /// Packets that the capturing machine says it dropped.
    pub dropped: u64,
    /// Captured copies of messages.
    pub copies: u64,
    /// Places of the messages that came in fragments, rising.
    pub fragmented: Vec<u32>,
    /// Times in which a capture holds nothing although it was busy before and behind.
    pub pauses: Vec<Pause>,
    /// What was added to the times of capture points so that they agree, in nanoseconds; 0 where nothing.
    pub shifts: Vec<i64>,
    /// The weaknesses of all captures, in the order of captures.
    pub weaknesses: Vec<SeenWeakness>,
    /// TLS connections on signalling ports that could not be read.
    pub encrypted: Vec<(Endpoint, FrameRef)>,
}

/// A weakness of one of the captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenWeakness {
    /// What sort of weakness.
    pub kind: WeaknessKind,
    /// The frame that shows it, where one does.
    pub at: Option<FrameRef>,
    /// One sentence for the reader, with the numbers.
    pub detail: String,
}
