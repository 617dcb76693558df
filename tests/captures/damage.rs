//! Captures that are cut, lie or end in garbage give what is whole, and say so.

use super::build::{End, START, block, enhanced, interface, packet, pcap, pcap_record, pcapng, ticks};
use super::{read, read_windows, source, words};

fn details(bytes: Vec<u8>) -> Vec<String> {
    read(bytes).1.weaknesses.into_iter().map(|weakness| weakness.detail).collect()
}

#[test]
fn a_capture_cut_at_any_byte_gives_the_frames_before_the_cut() {
    for file in [pcap(12), pcapng(End::Little, 12), pcapng(End::Big, 12)] {
        let (whole, _) = read(file.clone());
        for end in 0..file.len() {
            let cut = file[..end].to_vec();
            let Ok(source) = source(cut.clone()) else {
                assert!(end < 24, "only a cut file header is no capture");
                continue;
            };
            for window_bytes in [1, 64, 1 << 20] {
                let again = super::source(cut.clone()).expect("a capture");
                let (frames, summary) = read_windows(&again, window_bytes);
                assert_eq!(whole[..frames.len()], frames, "cut at byte {end}");
                assert!(summary.weaknesses.iter().all(|weakness| weakness.kind.word() == "truncated-file"));
                assert!(summary.weaknesses.len() <= 1);
                assert!(!summary.weaknesses.is_empty() || summary.capture_bytes == end as u64);
            }
            drop(source);
        }
    }
}

#[test]
fn a_cut_capture_says_where_it_ends_and_after_which_frame() {
    let mut file = pcap(2);
    file.truncate(file.len() - 5);
    let details = details(file);
    assert_eq!(
        [
            "the capture ends at byte 92 in the middle of the record that begins at byte 60, after frame 1; at least 5 bytes \
          are missing"
        ],
        *details
    );
}

#[test]
fn zeros_behind_the_last_record_end_the_capture() {
    for mut file in [pcap(3), pcapng(End::Little, 3), pcapng(End::Big, 3)] {
        let end = file.len();
        for zeros in [12, 16, 100, 5000] {
            file.resize(end + zeros, 0);
            for window_bytes in [1, 64, 1 << 20] {
                let (frames, summary) = read_windows(&source(file.clone()).expect("a capture"), window_bytes);
                assert_eq!(3, frames.len());
                assert_eq!(["truncated-file"], *words(&summary), "{zeros} zeros");
                assert!(summary.weaknesses[0].detail.contains("only zeros"), "{}", summary.weaknesses[0].detail);
            }
        }
    }
}

#[test]
fn classic_pcap_goes_on_behind_a_record_that_lies_about_its_length() {
    for lie in [100, 70_000, 0x000f_ffff, u32::MAX] {
        let mut file = pcap(40);
        let start = pcap(3).len();
        file[start + 8..start + 12].copy_from_slice(&lie.to_le_bytes());
        for window_bytes in [1, 256, 1 << 20] {
            let (frames, summary) = read_windows(&source(file.clone()).expect("pcap"), window_bytes);
            assert!(frames.len() >= 35, "length {lie}: {} frames", frames.len());
            let last = frames.last().expect("frames were found");
            assert_eq!(packet(39), last.bytes);
            // A record that swallowed others may bring a nonsense time as well.
            assert_eq!("damaged-record", words(&summary)[0]);
            assert_eq!(Some(START as i64 + 39), Some(last.nanoseconds / 1_000_000_000));
        }
    }
}

#[test]
fn pcapng_goes_on_at_the_next_block_behind_a_length_that_lies() {
    for end in [End::Little, End::Big] {
        for lie in [0, 4, 13, 40, 72, 0x0100_0000, 0xf000_0000] {
            let mut file = pcapng(end, 3);
            let start = file.len();
            for index in 3..30 {
                file.extend(enhanced(end, 0, ticks(index), &packet(index), 60));
            }
            file[start + 4..start + 8].copy_from_slice(&end.u32(lie));
            for window_bytes in [1, 256, 1 << 20] {
                let (frames, summary) = read_windows(&source(file.clone()).expect("pcapng"), window_bytes);
                assert_eq!(29, frames.len(), "length {lie} {window_bytes} {:?}", summary.weaknesses);
                assert_eq!(packet(4), frames[3].bytes);
                assert_eq!(["damaged-record"], *words(&summary));
            }
        }
    }
}

#[test]
fn a_packet_that_claims_more_than_its_block_is_skipped_alone() {
    let end = End::Little;
    let mut file = pcapng(end, 1);
    let start = file.len();
    file.extend(enhanced(end, 0, ticks(1), b"abcd", 4));
    file[start + 20..start + 24].copy_from_slice(&end.u32(3_000_000_000));
    file.extend(enhanced(end, 7, ticks(2), b"abcd", 4));
    file.extend(block(end, 6, b"cut"));
    file.extend(enhanced(end, 0, ticks(3), b"last", 4));
    let (frames, summary) = read(file.clone());
    assert_eq!([1, 2], *frames.iter().map(|frame| frame.number).collect::<Vec<_>>());
    assert_eq!(b"last", &frames[1].bytes[..]);
    assert_eq!(["damaged-record"; 3], *words(&summary));
    let details = details(file);
    assert!(details[0].contains("claims 3000000000 bytes, its block has room for 4"), "{}", details[0]);
    assert!(details[1].contains("interface 7, which the file does not describe"), "{}", details[1]);
    assert!(details[2].contains("has a block of only 16 bytes"), "{}", details[2]);
}

#[test]
fn garbage_without_an_end_stops_the_reading() {
    let mut file = pcap(3);
    file.extend(vec![0xff; 20 << 20]);
    file.extend(pcap_record(End::Little, START + 4, 0, b"abc", 3));
    let (frames, summary) = read(file);
    assert_eq!(3, frames.len());
    assert_eq!(["damaged-record"], *words(&summary));
    assert!(summary.weaknesses[0].detail.contains("its packet claims 4294967295 bytes"));
}

#[test]
fn damage_in_many_places_is_counted_not_listed() {
    let end = End::Little;
    let mut file = pcapng(end, 1);
    for _ in 0..100 {
        file.extend(enhanced(end, 9, ticks(2), b"abcd", 4));
    }
    let details = details(file);
    assert_eq!(17, details.len());
    assert_eq!("84 more places in the file are damaged", details[16]);
}

#[test]
fn a_block_longer_than_the_window_is_read_whole() {
    let end = End::Big;
    let mut file = pcapng(end, 1);
    file.extend(block(end, 4, &vec![7; 300_000]));
    file.extend(interface(end, 101, 0, &[]));
    file.extend(enhanced(end, 1, ticks(1), &vec![5; 200_000], 200_000));
    let (frames, summary) = read_windows(&source(file).expect("pcapng"), 4096);
    assert_eq!([101, 200_000], [usize::from(frames[1].link_type), frames[1].bytes.len()]);
    assert!(summary.weaknesses.is_empty());
}
