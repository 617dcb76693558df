//! What proves a finding: frames that a reader can open, what did not come, and the look-alikes that were tested.

use std::time::Duration;

use crate::capture::FrameRef;

/// What a reader can open in Wireshark.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// Frames that show something.
    Seen {
        /// Decisive one first.
        frames: Vec<FrameRef>,
        /// The line as sent.
        quote: String,
        /// What it shows, in a few words.
        shows: String,
    },
    /// Something that did not come while the capture watched.
    Missing {
        /// What should have come.
        expected: String,
        /// After which frame.
        after: FrameRef,
        /// How long the capture ran on.
        watched: Duration,
    },
}

impl Evidence {
    /// Evidence in one frame.
    pub fn seen(frame: FrameRef, quote: impl Into<String>, shows: impl Into<String>) -> Self {
        Self::Seen { frames: vec![frame], quote: quote.into(), shows: shows.into() }
    }

    /// The frames that it is about.
    pub fn frames(&self) -> &[FrameRef] {
        match self {
            Self::Seen { frames, .. } => frames,
            Self::Missing { after, .. } => std::slice::from_ref(after),
        }
    }

    /// Evidence in several frames.
    pub fn in_frames(frames: Vec<FrameRef>, quote: impl Into<String>, shows: impl Into<String>) -> Self {
        Self::Seen { frames, quote: quote.into(), shows: shows.into() }
    }
}

/// A look-alike that was tested and does not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct RuledOut {
    /// The rule that was considered.
    pub rule: &'static str,
    /// Why it does not hold here.
    pub because: String,
}
