//! Sightings: where and when something was seen.

use crate::capture::{FrameRef, Timestamp};
use crate::net::delivery::Moment;

/// Where and when something was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sighting {
    /// Capture time.
    pub time: Timestamp,
    /// File and frame number.
    pub at: FrameRef,
}

impl Sighting {
    pub(in crate::net) fn of(moment: Moment) -> Self {
        Self { at: moment.at, time: moment.time }
    }
}
