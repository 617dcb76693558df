//! Ladders: calls in a small text notation that become a capture in memory, and what the analysis must say of it.
//!
//! A line is a comment (`#`), a declaration (`alice = 10.0.0.1:5060`), a message (`+41ms bob -> alice 488 Warning: ...`) or an
//! expectation (`expect outcome rejected`). docs/adding-a-rule.md explains all of it.

pub mod capture;
pub mod expect;
mod happenings;
mod lapses;
mod negotiation;
mod packets;
pub mod parse;
mod profile;
mod repeats;
pub mod run;
pub mod shown;
pub mod sip;
pub mod variant;

pub use run::{analyze, analyze_bytes, analyze_files};
