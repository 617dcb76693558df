//! The staircase: captures in, an [`Analysis`] out; the library's front door.

mod result;

pub use result::{Analysis, CallEntry, CaptureEntry, Fitness, Peer, RegistrationEntry, Undecoded};
