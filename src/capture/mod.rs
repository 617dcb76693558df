//! Capture files and pipes become frames; the only floor that opens input.

mod frame;

pub use frame::{Frame, FrameRef, LinkType, Timestamp};
