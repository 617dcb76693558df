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
pub mod sip;
pub mod variant;

use std::io::Cursor;
use std::path::PathBuf;

use sipscan::analysis::{Analysis, Options, analyze_sources};
use sipscan::capture::Source;

/// The analysis of the capture that a ladder describes.
pub fn analyze(ladder: &parse::Ladder) -> Analysis {
    analyze_bytes(capture::write(&sip::frames(ladder), ladder.snap))
}

/// The analysis of a capture in memory.
pub fn analyze_bytes(bytes: Vec<u8>) -> Analysis {
    analyze_files(vec![bytes])
}

/// The analysis of several captures in memory.
pub fn analyze_files(files: Vec<Vec<u8>>) -> Analysis {
    let named = files.into_iter().enumerate().map(|(place, bytes)| {
        let name = PathBuf::from(format!("ladder{place}.pcap"));
        Source::from_read(name, Box::new(Cursor::new(bytes))).expect("the writer makes captures")
    });
    let sources: Vec<Source> = named.collect();
    let options = Options { workers: 1, ..Options::default() };
    analyze_sources(&sources, &options, &mut |_| {}).expect("a capture in memory can be read")
}
