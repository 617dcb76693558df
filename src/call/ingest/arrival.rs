//! Arrivals: where and how a message was captured.

use crate::capture::{FrameRef, Timestamp};
use crate::net::{Flow, Trace, Transport};

/// Where and how a message was captured.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Frame that completed it.
    pub at: FrameRef,
    /// Capture time.
    pub time: Timestamp,
    /// Sender and receiver.
    pub flow: Flow,
    /// What carried it.
    pub transport: Transport,
    /// Marks by which copies are known.
    pub trace: Trace,
    /// Place among the messages of its frame.
    pub place: u16,
    /// IP fragments that it came in.
    pub fragments: u16,
    /// The capture cut it.
    pub is_cut: bool,
    /// Fragments of it never came.
    pub is_incomplete: bool,
}
