//! The staircase: captures in, an [`Analysis`] out; the library's front door.

mod batch;
mod collector;
mod fitness;
mod peers;
mod read;
mod result;
mod run;
mod undecoded;

pub use batch::IcmpSeen;
pub use result::{Analysis, CallEntry, CaptureEntry, Fitness, Peer, RegistrationEntry, Undecoded};
pub use run::{Options, Progress, analyze, analyze_sources};
