//! Every variant of pcap and pcapng gives the same frames.

use super::build::{
    End, START, block, enhanced, interface, obsolete, options, packet, pcap, pcap_header, pcap_record, pcapng, section,
    simple, ticks,
};
use super::{read, read_windows, source, words};

const SECOND: i64 = 1_000_000_000;
const START_NANOSECONDS: i64 = START as i64 * SECOND;

#[test]
fn classic_pcap_is_read_in_both_byte_orders_and_both_resolutions() {
    for end in [End::Little, End::Big] {
        for (magic, nanoseconds) in [(0xa1b2_c3d4, 7_000), (0xa1b2_3c4d, 7)] {
            let mut file = pcap_header(end, magic, 1);
            file.extend(pcap_record(end, START, 7, b"abc", 1500));
            let (frames, summary) = read(file);
            assert_eq!(1, frames.len());
            assert_eq!(START_NANOSECONDS + nanoseconds, frames[0].nanoseconds);
            assert_eq!((&b"abc"[..], 1500), (&frames[0].bytes[..], frames[0].wire_length));
            assert!(summary.weaknesses.is_empty());
            assert_eq!("ETHERNET", summary.link_types[0].to_string());
        }
    }
}

#[test]
fn kuznetzov_pcap_has_record_heads_of_24_bytes() {
    for end in [End::Little, End::Big] {
        let mut file = pcap_header(end, 0xa1b2_cd34, 113);
        for second in 0..3 {
            let mut record = pcap_record(end, START + second, 0, b"abc", 3);
            record.splice(16..16, [9; 8]);
            file.extend(record);
        }
        let (frames, _) = read(file);
        assert_eq!([1, 2, 3], *frames.iter().map(|frame| frame.number).collect::<Vec<_>>());
        assert!(frames.iter().all(|frame| frame.bytes == b"abc" && frame.link_type == 113));
    }
}

#[test]
fn frame_check_sequence_bits_are_no_part_of_the_link_type() {
    let mut file = pcap_header(End::Little, 0xa1b2_c3d4, 0x1400_0001);
    file.extend(pcap_record(End::Little, START, 0, b"abc", 3));
    assert_eq!(1, read(file).0[0].link_type);
}

#[test]
fn times_after_2038_are_not_before_1970() {
    let mut file = pcap_header(End::Little, 0xa1b2_c3d4, 1);
    file.extend(pcap_record(End::Little, u32::MAX, 999_999, b"abc", 3));
    assert_eq!(4_294_967_295_999_999_000, read(file).0[0].nanoseconds);
}

#[test]
fn sections_of_different_byte_order_follow_one_another() {
    let mut file = pcapng(End::Big, 2);
    file.extend(pcapng(End::Little, 2));
    file.extend(pcapng(End::Big, 1));
    for window_bytes in [1, 100, 1 << 20] {
        let (frames, summary) = read_windows(&source(file.clone()).expect("pcapng"), window_bytes);
        let seen: Vec<_> = frames.iter().map(|frame| (frame.number, frame.interface, frame.nanoseconds)).collect();
        let at = |second: i64| START_NANOSECONDS + second * SECOND;
        assert_eq!([(1, 0, at(0)), (2, 0, at(1)), (3, 1, at(0)), (4, 1, at(1)), (5, 2, at(0))], *seen);
        assert_eq!(3, summary.interfaces.len());
        assert!(summary.weaknesses.is_empty(), "each section has clocks of its own");
    }
}

#[test]
fn interfaces_have_their_own_link_type_resolution_and_offset() {
    for end in [End::Little, End::Big] {
        let name = |text: &str| (2, text.as_bytes().to_vec());
        let mut file = section(end);
        file.extend(interface(end, 1, 0, &[name("eth0"), (3, b"to the carrier".to_vec())]));
        file.extend(interface(end, 276, 0, &[(9, vec![9])]));
        file.extend(interface(end, 101, 0, &[(9, vec![0x80 | 10]), (14, end.u64(3600).to_vec())]));
        file.extend(interface(end, 1, 0, &[(9, vec![0]), (14, end.u64(-3600i64 as u64).to_vec())]));
        let stamps = [1_500_000, 1_500_000_000, 1536, 2];
        for (index, stamp) in stamps.into_iter().enumerate() {
            file.extend(enhanced(end, index as u32, stamp, b"abc", 3));
        }
        let (frames, summary) = read(file);
        let seen: Vec<_> = frames.iter().map(|frame| (frame.link_type, frame.nanoseconds)).collect();
        let half = 1_500_000_000;
        assert_eq!([(1, half), (276, half), (101, 3600 * SECOND + half), (1, -3598 * SECOND)], *seen);
        assert_eq!(Some("eth0"), summary.interfaces[0].name.as_deref());
        assert_eq!(Some("to the carrier"), summary.interfaces[0].description.as_deref());
        let names: Vec<_> = summary.link_types.iter().map(ToString::to_string).collect();
        assert_eq!(["ETHERNET", "LINUX_SLL2", "RAW"], *names);
    }
}

#[test]
fn simple_packets_take_the_time_of_the_frame_before_even_across_windows() {
    for end in [End::Little, End::Big] {
        let mut file = section(end);
        file.extend(interface(end, 1, 5, &[]));
        file.extend(enhanced(end, 0, ticks(4), b"timed", 5));
        file.extend(simple(end, b"abc", 3));
        file.extend(simple(end, b"abcde", 900));
        for window_bytes in [1, 1 << 20] {
            let (frames, _) = read_windows(&source(file.clone()).expect("pcapng"), window_bytes);
            let at = START_NANOSECONDS + 4 * SECOND;
            assert!(frames.iter().all(|frame| frame.nanoseconds == at));
            assert_eq!((&b"abc"[..], 3), (&frames[1].bytes[..], frames[1].wire_length));
            assert_eq!((&b"abcde"[..], 900), (&frames[2].bytes[..], frames[2].wire_length));
        }
    }
}

#[test]
fn obsolete_packet_blocks_are_frames() {
    for end in [End::Little, End::Big] {
        let mut file = section(end);
        file.extend(interface(end, 1, 0, &[]));
        file.extend(interface(end, 113, 0, &[]));
        file.extend(obsolete(end, 1, ticks(2), b"abcde", 700));
        let (frames, _) = read(file);
        assert_eq!((START_NANOSECONDS + 2 * SECOND, 113, 1, 700), {
            let frame = &frames[0];
            (frame.nanoseconds, frame.link_type, frame.interface, frame.wire_length)
        });
        assert_eq!(b"abcde", &frames[0].bytes[..]);
    }
}

#[test]
fn packets_keep_their_bytes_where_their_options_make_no_sense() {
    let end = End::Little;
    let mut body: Vec<u8> = [0, 0, 7, 4, 4].iter().flat_map(|&word| end.u32(word)).collect();
    body.extend(b"abcd");
    body.extend([0xff; 8]);
    let mut file = section(end);
    file.extend(interface(end, 1, 0, &[]));
    file.extend(block(end, 6, &body));
    assert_eq!(b"abcd", &read(file).0[0].bytes[..]);
}

#[test]
fn blocks_that_are_no_packets_are_left_out_and_numbered_as_wireshark_does() {
    let end = End::Little;
    let mut file = section(end);
    file.extend(interface(end, 1, 0, &[]));
    // Name resolution, unknown, process information: no numbers. Journal and custom blocks: one each.
    for block_type in [4, 0x77, 0x8000_0001, 9, 0xbad, 0x4000_0bad] {
        file.extend(enhanced(end, 0, ticks(0), b"abcd", 4));
        file.extend(block(end, block_type, &[0; 8]));
    }
    file.extend(enhanced(end, 0, ticks(0), b"abcd", 4));
    for window_bytes in [1, 100, 1 << 20] {
        let (frames, summary) = read_windows(&source(file.clone()).expect("pcapng"), window_bytes);
        assert_eq!([1, 2, 3, 4, 6, 8, 10], *frames.iter().map(|frame| frame.number).collect::<Vec<_>>());
        assert_eq!(10, summary.frames);
    }
}

#[test]
fn losses_told_by_the_capturing_machine_are_a_weakness() {
    for end in [End::Little, End::Big] {
        let statistics = |lost: u64| {
            let mut body = [0, 0, 0].map(|word| end.u32(word)).concat();
            body.extend(options(end, &[(5, end.u64(lost).to_vec()), (7, end.u64(2).to_vec())]));
            block(end, 5, &body)
        };
        let mut file = section(end);
        file.extend(interface(end, 1, 0, &[(2, b"eth0".to_vec())]));
        file.extend(statistics(5));
        file.extend(statistics(10));
        let (_, summary) = read(file);
        assert_eq!((12, Some(10), Some(2)), {
            let interface = &summary.interfaces[0];
            (summary.dropped, interface.dropped_by_interface, interface.dropped_by_system)
        });
        assert_eq!(["capture-drops"], *words(&summary));
        assert_eq!("the capturing machine dropped packets: 12 on eth0", summary.weaknesses[0].detail);
    }
}

#[test]
fn tls_keys_within_the_capture_are_kept_without_padding() {
    let end = End::Big;
    let secrets = |kind: u32, keys: &[u8]| {
        let mut body = end.u32(kind).to_vec();
        body.extend(end.u32(keys.len() as u32));
        body.extend_from_slice(keys);
        block(end, 10, &body)
    };
    let mut file = section(end);
    file.extend(secrets(0x544c_534b, b"CLIENT_RANDOM 1 2"));
    file.extend(secrets(0x5747_4b4c, b"another protocol"));
    file.extend(secrets(0x544c_534b, b"CLIENT_RANDOM 3 4\n"));
    assert_eq!(b"CLIENT_RANDOM 1 2\nCLIENT_RANDOM 3 4\n", &read(file).1.secrets[..]);
}

#[test]
fn records_are_whole_whatever_the_window() {
    for file in [pcap(40), pcapng(End::Little, 40), pcapng(End::Big, 40)] {
        let (whole, _) = read(file.clone());
        assert_eq!(40, whole.len());
        assert!(whole.iter().zip(0..).all(|(frame, index)| frame.bytes == packet(index) && frame.number == index + 1));
        for window_bytes in 1..200 {
            let (frames, summary) = read_windows(&source(file.clone()).expect("a capture"), window_bytes);
            assert_eq!(whole, frames, "windows of {window_bytes} bytes");
            assert_eq!(file.len() as u64, summary.capture_bytes);
            assert!(summary.weaknesses.is_empty());
        }
    }
}

#[test]
fn clocks_that_step_back_are_told_once_with_the_worst_step() {
    let end = End::Little;
    let mut file = pcap_header(end, 0xa1b2_c3d4, 1);
    for second in [10, 12, 11, 20, 5, 6, 30, 28] {
        file.extend(pcap_record(end, START + second, 0, b"abc", 3));
    }
    for window_bytes in [1, 50, 1 << 20] {
        let (_, summary) = read_windows(&source(file.clone()).expect("pcap"), window_bytes);
        assert_eq!(["time-steps-back"], *words(&summary));
        assert_eq!(Some(5), summary.weaknesses[0].frame);
        assert!(summary.weaknesses[0].detail.starts_with("capture time steps back 2 times, at worst by 15.000 s"));
        assert_eq!(Some(START_NANOSECONDS + 5 * SECOND), summary.first_at.map(|time| time.nanoseconds()));
        assert_eq!(Some(START_NANOSECONDS + 30 * SECOND), summary.last_at.map(|time| time.nanoseconds()));
    }
}
