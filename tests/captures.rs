//! Captures of every shape, built in memory and read back.

#[path = "captures/build.rs"]
mod build;
#[path = "captures/compression.rs"]
mod compression;
#[path = "captures/damage.rs"]
mod damage;
#[path = "captures/formats.rs"]
mod formats;
#[path = "captures/properties.rs"]
mod properties;
#[path = "captures/real_files.rs"]
mod real_files;
#[path = "captures/sources.rs"]
mod sources;

use std::io::Cursor;
use std::path::PathBuf;

use sipscan::capture::{FileSummary, Frame, OpenError, Reader, Source, Times, Window};

/// A frame that outlives its window.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    number: u32,
    nanoseconds: i64,
    link_type: u16,
    interface: u16,
    bytes: Vec<u8>,
    wire_length: u32,
}

impl From<Frame<'_>> for Seen {
    fn from(frame: Frame<'_>) -> Self {
        Self {
            number: frame.at.frame,
            nanoseconds: frame.time.nanoseconds(),
            link_type: frame.link_type.0,
            interface: frame.interface,
            bytes: frame.bytes.to_vec(),
            wire_length: frame.wire_length,
        }
    }
}

fn source(bytes: Vec<u8>) -> Result<Source, OpenError> {
    Source::from_read(PathBuf::from("memory"), Box::new(Cursor::new(bytes)))
}

/// Reads to the end with windows of `window_bytes`.
fn read_windows(source: &Source, window_bytes: usize) -> (Vec<Seen>, FileSummary) {
    let mut reader = Reader::with_window_bytes(source, 3, window_bytes).expect("it was a capture a moment ago");
    let mut window = Window::new();
    let mut times = Times::default();
    let mut frames = Vec::new();
    while reader.next_window(&mut window) {
        let mut of_window = Times::default();
        for frame in window.frames() {
            assert_eq!(3, frame.at.file, "frames carry the number of their file");
            of_window.push(&frame);
            frames.push(Seen::from(frame));
        }
        times.append(&of_window);
    }
    assert!(!reader.next_window(&mut window), "the end stays the end");
    (frames, reader.summary(&times))
}

fn read(bytes: Vec<u8>) -> (Vec<Seen>, FileSummary) {
    read_windows(&source(bytes).expect("a capture"), 1 << 20)
}

fn words(summary: &FileSummary) -> Vec<&'static str> {
    summary.weaknesses.iter().map(|weakness| weakness.kind.word()).collect()
}
