//! The staircase: captures in, an [`Analysis`] out; the library's front door.

mod batch;
mod collector;
mod read;
mod result;

pub use batch::IcmpSeen;
pub use result::{Analysis, CallEntry, CaptureEntry, Fitness, Peer, RegistrationEntry, Undecoded};
