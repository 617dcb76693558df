//! From a ladder to what the analysis says of it.

use std::io::Cursor;
use std::path::PathBuf;

use sipscan::analysis::{Analysis, Options, analyze_sources};
use sipscan::capture::Source;

use super::{capture, parse, sip};

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
