//! Arbitrary bytes are read to an end.

use proptest::prelude::*;

use super::build::{End, pcap, pcapng};
use super::{read_windows, source};

fn a_capture() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(pcap(12)), Just(pcapng(End::Little, 12)), Just(pcapng(End::Big, 12))]
}

proptest! {
    #[test]
    fn any_bytes_come_to_an_end(
        start in a_capture(),
        kept in 0usize..500,
        rest in prop::collection::vec(any::<u8>(), 0..600),
        window_bytes in 1usize..300,
    ) {
        let mut bytes = start;
        bytes.truncate(kept);
        bytes.extend(rest);
        if let Ok(source) = source(bytes) {
            read_windows(&source, window_bytes);
        }
    }

    #[test]
    fn a_changed_byte_never_adds_frames_and_windows_do_not_matter(
        whole in a_capture(),
        at in 24usize..400,
        byte in any::<u8>(),
        window_bytes in 1usize..300,
    ) {
        let mut bytes = whole;
        bytes[at] = byte;
        let (frames, summary) = read_windows(&source(bytes.clone()).expect("its magic number is whole"), 1 << 20);
        prop_assert!(frames.len() <= 24);
        let (again, summary_again) = read_windows(&source(bytes).expect("its magic number is whole"), window_bytes);
        prop_assert_eq!(frames, again);
        prop_assert_eq!(summary, summary_again);
    }
}
