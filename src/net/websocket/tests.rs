//! WebSocket frames whole, in pieces, masked, compressed, lying.

use proptest::prelude::*;

use super::*;
use crate::net::test_support::{TestNetwork, data, flow};
use crate::net::{Flow, Payload, Segment, Transport};

const SIP: &[u8] = b"OPTIONS sip:bob@example.com SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n";
const GET: &[u8] = b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(masked | short as u8),
        middle @ 126..=65_535 => {
            frame.push(masked | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(masked | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(mask.iter().flatten());
    unmask(payload, mask, &mut frame);
    frame
}

fn up() -> Flow {
    flow(40_000, 80)
}

fn send(wire: &mut TestNetwork, flow: Flow, sequence: &mut u32, bytes: &[u8]) {
    let segment: Segment<'_> = data(*sequence, bytes);
    wire.send(flow, Payload::Segment(segment));
    *sequence += bytes.len() as u32;
}

#[test]
fn message_of_each_side_is_delivered_after_the_upgrade() {
    let mut wire = TestNetwork::new();
    let (mut client, mut server) = (1, 1);
    send(&mut wire, up(), &mut client, GET);
    send(&mut wire, up().reversed(), &mut server, &[SWITCH, &frame(0x81, None, SIP)].concat());
    send(&mut wire, up(), &mut client, &frame(0x81, Some([1, 2, 3, 4]), SIP));
    wire.finish();
    assert_eq!(vec![SIP, SIP], wire.datagrams());
    assert!(wire.entries.iter().all(|entry| entry.transport == Transport::Ws));
    assert_eq!(Some(Transport::Ws), wire.network.connections()[0].carries);
}

#[test]
fn stream_whose_upgrade_was_not_captured_is_known_by_its_frames() {
    let mut wire = TestNetwork::new();
    let mut sequence = 1;
    send(&mut wire, up(), &mut sequence, &frame(0x82, Some([9, 8, 7, 6]), SIP));
    send(&mut wire, up().reversed(), &mut 1, &frame(0x81, None, SIP));
    assert_eq!(vec![SIP, SIP], wire.datagrams());
}

#[test]
fn frames_are_found_again_behind_a_gap() {
    let mut wire = TestNetwork::new();
    let text = frame(0x81, None, SIP);
    send(&mut wire, up(), &mut 1, &text);
    let mut sequence = 1 + 2 * text.len() as u32;
    send(&mut wire, up(), &mut sequence, b"the rest of a frame");
    send(&mut wire, up(), &mut sequence, &text);
    wire.finish();
    assert_eq!(vec![SIP, SIP], wire.datagrams());
}

#[test]
fn direction_without_sip_is_not_read_for_ever() {
    let mut reader = WebSocketReader::default();
    let mut counters = WebSocketCounters::default();
    for _ in 0..200 {
        reader.push(&frame(0x81, None, b"{}"), &mut counters, &mut |_| {});
    }
    assert_eq!(u64::from(OTHER_MESSAGES_MAX), counters.other_messages);
}

#[test]
fn ping_between_the_pieces_of_a_message_is_left_out() {
    let mut reader = WebSocketReader::default();
    let mut counters = WebSocketCounters::default();
    let mut got = Vec::new();
    let parts = [
        frame(0x01, Some([1; 4]), &SIP[..10]),
        frame(0x89, Some([2; 4]), b"ping"),
        frame(0x80, Some([3; 4]), &SIP[10..]),
        frame(0x81, None, b"\r\n\r\n"),
        frame(0xc1, None, b"compressed"),
    ];
    reader.push(&parts.concat(), &mut counters, &mut |message| got.push(message.to_vec()));
    assert_eq!(vec![SIP.to_vec()], got);
    assert_eq!((1, 1, 1), (counters.control_frames, counters.other_messages, counters.compressed));
}

#[test]
fn message_beyond_the_limit_is_passed_over_and_the_next_one_read() {
    let mut reader = WebSocketReader::default();
    let mut counters = WebSocketCounters::default();
    let mut got = Vec::new();
    let long = frame(0x82, None, &vec![0; WEBSOCKET_MESSAGE_BYTES_MAX + 1]);
    for piece in [long, frame(0x81, None, SIP)].concat().chunks(1000) {
        reader.push(piece, &mut counters, &mut |message| got.push(message.to_vec()));
    }
    assert_eq!((vec![SIP.to_vec()], 1), (got, counters.too_long));
}

#[test]
fn length_that_lies_ends_the_reading_of_its_direction_alone() {
    let mut reader = WebSocketReader::default();
    let mut counters = WebSocketCounters::default();
    reader.push(&[0x81, 127, 0xff, 0, 0, 0, 0, 0, 0, 0, 1], &mut counters, &mut |_| {});
    reader.push(&frame(0x81, None, SIP), &mut counters, &mut |_| panic!("frame borders are lost"));
    assert_eq!(1, counters.malformed);
}

proptest! {
    #[test]
    fn messages_are_the_same_however_the_stream_is_cut(
        sizes in proptest::collection::vec(1_usize..50, 1..60),
        padding in 0_usize..70_000,
        mask in any::<Option<[u8; 4]>>(),
    ) {
        let text = [SIP, &vec![b'x'; padding]].concat();
        let (first, second) = text.split_at(text.len() / 2);
        let stream = [frame(0x01, mask, first), frame(0x80, mask, second), frame(0x81, mask, SIP)].concat();
        let mut reader = WebSocketReader::default();
        let mut counters = WebSocketCounters::default();
        let mut got = Vec::new();
        let mut rest = stream.as_slice();
        for size in sizes.iter().chain(std::iter::once(&usize::MAX)) {
            let (piece, behind) = rest.split_at((*size).min(rest.len()));
            rest = behind;
            reader.push(piece, &mut counters, &mut |message| got.push(message.to_vec()));
        }
        prop_assert_eq!(vec![text, SIP.to_vec()], got);
    }

    #[test]
    fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1_usize..20) {
        let mut reader = WebSocketReader::default();
        for piece in bytes.chunks(size) {
            reader.push(piece, &mut WebSocketCounters::default(), &mut |_| {});
        }
    }
}
