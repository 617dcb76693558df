//! Compressed captures are read as plain ones are.

use std::io::Write;

use proptest::prelude::*;

use super::build::pcap;
use super::{Seen, read, source, words};
use sipscan::capture::Compression;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).expect("options");
    writer.write_all(bytes).expect("memory takes all");
    writer.finish().expect("memory takes all")
}

proptest! {
    #[test]
    fn damaged_compressed_data_comes_to_an_end(
        which in 0usize..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let (_, compress) = ALL[which];
        let mut stored = [compress(&pcap(200)), compress(&pcap(20))].concat();
        for (at, byte) in changes {
            let at = at.index(stored.len());
            stored[at] = byte;
        }
        if source(stored.clone()).is_ok() {
            read(stored);
        }
    }
}

type Compress = fn(&[u8]) -> Vec<u8>;

const ALL: [(Compression, Compress); 5] = [
    (Compression::Gzip, gzip),
    (Compression::Zstd, zstd),
    (Compression::Xz, xz),
    (Compression::Bzip2, bzip2),
    (Compression::Lz4, lz4),
];

fn plain() -> (Vec<u8>, Vec<Seen>) {
    let file = pcap(3000);
    let frames = read(file.clone()).0;
    (file, frames)
}

#[test]
fn several_members_are_one_capture() {
    let (file, frames) = plain();
    let (first, second) = file.split_at(file.len() / 3);
    for (compression, compress) in ALL {
        let stored = [compress(first), compress(second)].concat();
        let source = source(stored.clone()).expect("a capture");
        assert_eq!(Some(compression), source.compression);
        assert_eq!(frames.first().map(|frame| frame.nanoseconds), source.first_at.map(|time| time.nanoseconds()));
        let (found, summary) = read(stored.clone());
        assert_eq!(frames, found, "{compression:?}");
        assert!(summary.weaknesses.is_empty());
        assert_eq!((stored.len() as u64, file.len() as u64), (summary.bytes, summary.capture_bytes));
    }
}

#[test]
fn skippable_frames_are_left_out() {
    let (file, frames) = plain();
    let skippable = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let (first, second) = file.split_at(file.len() / 3);
    for (compression, compress) in [ALL[1], ALL[4]] {
        let stored = [&skippable[..], &compress(first), &skippable, &compress(second), &skippable].concat();
        let source = source(stored.clone()).expect("a capture");
        assert_eq!(Some(compression), source.compression);
        assert_eq!(frames, read(stored).0);
    }
}

#[test]
fn compressed_captures_cut_anywhere_give_what_came_before() {
    let (file, frames) = plain();
    for (compression, compress) in ALL {
        let (first, second) = file.split_at(file.len() / 2);
        let stored = [compress(first), compress(second)].concat();
        let mut most = 0;
        for end in (0..stored.len()).step_by(stored.len() / 60) {
            let Ok(_) = source(stored[..end].to_vec()) else {
                continue;
            };
            let (found, summary) = read(stored[..end].to_vec());
            assert_eq!(frames[..found.len()], found, "{compression:?} cut at {end}");
            assert_eq!(["truncated-file"], *words(&summary), "{compression:?} cut at {end}");
            most = most.max(found.len());
        }
        assert!(most >= 1400, "{compression:?} gives its first half: {most}");
    }
}

#[test]
fn compressed_twice_is_refused_with_advice() {
    let error = source(gzip(&xz(&pcap(3)))).expect_err("not followed");
    assert_eq!("memory: is xz within gzip; decompress it once and give what comes out", error.to_string());
}

#[test]
fn what_is_no_capture_behind_its_compression_says_so() {
    let error = source(zstd(b"INVITE sip:bob@example.com SIP/2.0\r\n")).expect_err("text");
    assert_eq!(
        "memory: holds, behind zstd, what looks like text, not like a capture (pcap or pcapng)",
        error.to_string()
    );
}
