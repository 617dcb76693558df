//! What must not matter: frames captured twice, frames written out of order, and captures cut into rotated files.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sipscan::analysis::{Analysis, Options, analyze_sources};
use sipscan::capture::Source;

/// File header and records of a classic pcap in the byte order of this test's samples.
type Records = (Vec<u8>, Vec<Vec<u8>>);

/// The little-endian classic samples, each a capture of real stacks.
fn samples() -> Vec<Records> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("samples exist").filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    paths.sort();
    let read: Vec<Records> = paths.iter().filter_map(|path| records(&fs::read(path).expect("a sample"))).collect();
    assert!(read.len() > 5, "samples were read");
    read
}

fn records(bytes: &[u8]) -> Option<Records> {
    let (header, mut rest) = bytes.split_at_checked(24)?;
    if header.get(..4)? != [0xd4, 0xc3, 0xb2, 0xa1] {
        return None;
    }
    let mut records = Vec::new();
    while let Some(length) = rest.get(8..12) {
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let (record, behind) = rest.split_at_checked(16 + length)?;
        records.push(record.to_vec());
        rest = behind;
    }
    Some((header.to_vec(), records))
}

fn source(name: &str, header: &[u8], records: &[Vec<u8>]) -> Source {
    let bytes: Vec<u8> = header.iter().copied().chain(records.iter().flatten().copied()).collect();
    Source::from_read(PathBuf::from(name), Box::new(Cursor::new(bytes))).expect("a capture")
}

fn analyze(sources: &[Source]) -> Analysis {
    let options = Options { workers: 1, ..Options::default() };
    analyze_sources(sources, &options, &mut |_| {}).expect("captures in memory can be read")
}

/// What happened, in words that do not depend on frame numbers.
fn happenings(analysis: &Analysis) -> Vec<String> {
    let tables = &analysis.store.tables;
    let calls = analysis.calls.iter().map(|entry| {
        let call = &entry.call;
        let ids: Vec<&str> = call.legs.iter().map(|leg| tables.text(leg.call_id)).collect();
        let times = &call.milestones;
        format!(
            "{ids:?} {} {:?} {:?} {:?} {:?} {:?} {} messages, {} repeats",
            call.outcome.word(),
            call.final_code,
            call.ended_by,
            times.pdd_ms(),
            times.setup_ms(),
            times.talk_ms(),
            call.messages,
            call.retransmissions,
        )
    });
    let registrations = analysis.registrations.iter().map(|entry| {
        let registration = &entry.registration;
        format!("{} {}", tables.text(registration.aor), registration.outcome.word())
    });
    calls.chain(registrations).collect()
}

/// The microseconds of a record's time moved later.
fn later(record: &[u8], microseconds: u32) -> Vec<u8> {
    let mut record = record.to_vec();
    let field = |at: usize| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
    let sum = field(4) + microseconds;
    let (seconds, rest) = (field(0) + sum / 1_000_000, sum % 1_000_000);
    record[..4].copy_from_slice(&seconds.to_le_bytes());
    record[4..8].copy_from_slice(&rest.to_le_bytes());
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_capture_cut_into_rotated_files_tells_the_same(share in 0.0_f64..1.0) {
        for (header, records) in samples() {
            let whole = happenings(&analyze(&[source("whole.pcap", &header, &records)]));
            let (first, second) = records.split_at((records.len() as f64 * share) as usize);
            if first.is_empty() || second.is_empty() {
                continue;
            }
            let parts = [source("1.pcap", &header, first), source("2.pcap", &header, second)];
            prop_assert_eq!(&whole, &happenings(&analyze(&parts)));
        }
    }

    #[test]
    fn packets_captured_twice_are_counted_once(doubled in proptest::collection::vec(any::<bool>(), 64), after in 1_u32..400) {
        for (header, records) in samples() {
            let whole = happenings(&analyze(&[source("whole.pcap", &header, &records)]));
            let has_identification = |record: &[u8]| record.get(16 + 18..16 + 20).is_some_and(|id| id != [0, 0]);
            let twice: Vec<Vec<u8>> = records
                .iter()
                .zip(doubled.iter().cycle())
                .flat_map(|(record, twice)| {
                    let copy = (*twice && has_identification(record)).then(|| later(record, after));
                    std::iter::once(record.clone()).chain(copy)
                })
                .collect();
            prop_assert_eq!(&whole, &happenings(&analyze(&[source("twice.pcap", &header, &twice)])));
        }
    }

    #[test]
    fn frames_written_out_of_order_tell_the_same(swaps in proptest::collection::vec(0_usize..200, 12)) {
        for (header, mut records) in samples() {
            let whole = happenings(&analyze(&[source("whole.pcap", &header, &records)]));
            for place in &swaps {
                let place = place % records.len().saturating_sub(1).max(1);
                if records.len() > place + 1 {
                    records.swap(place, place + 1);
                }
            }
            prop_assert_eq!(&whole, &happenings(&analyze(&[source("swapped.pcap", &header, &records)])));
        }
    }
}
