//! TCP segments in any order, cut, repeated, lost; connections opened, refused, closed.

use super::direction::{HOLE_WAIT, STREAM_BYTES_MAX};
use super::*;
use crate::net::test_support::{Got, TestNetwork, ack, data, flow, syn, syn_ack};
use crate::net::{Payload, StreamId, Transport};

const OPTIONS: &[u8] = b"OPTIONS sip:bob@example.com SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n";

fn up() -> Flow {
    flow(40_000, 5060)
}

fn send(wire: &mut TestNetwork, flow: Flow, segment: Segment<'_>) {
    wire.send(flow, Payload::Segment(segment));
}

fn opened(sequence: u32) -> TestNetwork {
    let mut wire = TestNetwork::new();
    send(&mut wire, up(), syn(sequence.wrapping_sub(1)));
    send(&mut wire, up().reversed(), syn_ack(899, sequence));
    wire
}

fn id(wire: &TestNetwork) -> StreamId {
    match wire.entries[0].got {
        Got::Stream(id, _) => id,
        _ => panic!("a stream begins with bytes: {:?}", wire.entries),
    }
}

#[test]
fn segments_in_sequence_are_delivered_one_by_one() {
    let mut wire = opened(1);
    send(&mut wire, up(), data(1, OPTIONS));
    send(&mut wire, up(), data(1 + OPTIONS.len() as u32, OPTIONS));
    let stream = || Got::Stream(StreamId(1), OPTIONS.to_vec());
    assert_eq!(vec![stream(), stream()], wire.got());
    assert_eq!([3, 4], [wire.entries[0].frame, wire.entries[1].frame]);
}

#[test]
fn bytes_behind_a_hole_come_with_the_segment_that_fills_it() {
    let mut wire = opened(1);
    let (first, rest) = OPTIONS.split_at(50);
    let (second, third) = rest.split_at(10);
    send(&mut wire, up(), data(1, first));
    send(&mut wire, up(), data(61, third));
    assert_eq!(1, wire.entries.len());
    send(&mut wire, up(), data(51, second));
    assert_eq!(OPTIONS, wire.bytes_of(up()));
    assert_eq!(vec![3, 5, 5], wire.entries.iter().map(|entry| entry.frame).collect::<Vec<_>>());
}

#[test]
fn sequence_numbers_wrap_in_the_middle_of_a_message() {
    let start = u32::MAX - 20;
    let mut wire = opened(start);
    let (first, second) = OPTIONS.split_at(30);
    send(&mut wire, up(), data(start.wrapping_add(30), second));
    send(&mut wire, up(), data(start, first));
    assert_eq!(OPTIONS, wire.bytes_of(up()));
}

#[test]
fn first_copy_of_a_byte_wins() {
    let mut wire = opened(1);
    send(&mut wire, up(), data(1, &OPTIONS[..40]));
    send(&mut wire, up(), data(51, &OPTIONS[50..]));
    let mut other = OPTIONS[30..].to_vec();
    other[25] ^= 1;
    send(&mut wire, up(), data(31, &other));
    assert_eq!(OPTIONS, wire.bytes_of(up()));
    let counters = wire.network.stream_counters().segments;
    assert_eq!((1, 1), (counters.overlapping, counters.conflicting));
}

#[test]
fn repeated_segments_and_keep_alive_probes_deliver_nothing() {
    let mut wire = opened(1);
    send(&mut wire, up(), data(1, OPTIONS));
    send(&mut wire, up(), data(1, OPTIONS));
    send(&mut wire, up(), data(OPTIONS.len() as u32, b"\0"));
    assert_eq!(1, wire.entries.len());
    let counters = wire.network.stream_counters().segments;
    assert_eq!((1, 1), (counters.retransmitted, counters.keep_alives));
}

#[test]
fn hole_that_the_peer_acknowledged_is_a_gap_of_the_capture() {
    let mut wire = opened(1);
    let length = OPTIONS.len() as u32;
    send(&mut wire, up(), data(1, OPTIONS));
    send(&mut wire, up(), data(1 + 2 * length, OPTIONS));
    send(&mut wire, up().reversed(), ack(900, 1 + 3 * length));
    assert_eq!(1, wire.entries.len(), "packets may be swapped by a few milliseconds");
    wire.millis += 2_000;
    send(&mut wire, up().reversed(), ack(900, 1 + 3 * length));
    let id = id(&wire);
    assert_eq!(Got::Gap(id, u64::from(length)), wire.entries[1].got);
    assert_eq!((4, Got::Stream(id, OPTIONS.to_vec())), (wire.entries[2].frame, wire.entries[2].got.clone()));
    wire.finish();
    assert_eq!(u64::from(length), wire.network.stream_counters().missing_bytes);
    assert_eq!(u64::from(length), wire.network.connections()[0].missing_bytes);
}

#[test]
fn hole_is_given_up_after_its_wait_or_when_too_much_is_held() {
    let mut wire = opened(1);
    send(&mut wire, up(), data(1, OPTIONS));
    send(&mut wire, up(), data(1001, OPTIONS));
    wire.millis += HOLE_WAIT.as_millis() as i64;
    send(&mut wire, up(), data(5001, OPTIONS));
    assert_eq!(1, wire.network.stream_counters().segments.holes_expired);
    let block = vec![b'x'; 60_000];
    for number in 0..=STREAM_BYTES_MAX / block.len() {
        send(&mut wire, up(), data(10_000 + (number * block.len()) as u32, &block));
    }
    assert_eq!(2, wire.network.stream_counters().segments.holes_over_limit);
}

#[test]
fn bytes_that_the_snap_length_took_are_a_gap() {
    let mut wire = opened(1);
    send(&mut wire, up(), Segment { wire_length: 500, ..data(1, OPTIONS) });
    send(&mut wire, up(), data(501, OPTIONS));
    let id = id(&wire);
    let stream = || Got::Stream(id, OPTIONS.to_vec());
    assert_eq!(vec![stream(), Got::Gap(id, 500 - OPTIONS.len() as u64), stream()], wire.got());
}

#[test]
fn connection_without_its_opening_is_read_from_its_first_start_line() {
    let mut wire = TestNetwork::new();
    send(&mut wire, up(), data(7000, b"m=audio 4000 RTP/AVP 0\r\nOPTIO"));
    send(&mut wire, up(), data(7029, &OPTIONS[5..]));
    assert_eq!(OPTIONS, wire.bytes_of(up()));
}

#[test]
fn other_direction_is_read_as_soon_as_one_carries_sip() {
    let mut wire = opened(1);
    send(&mut wire, up().reversed(), data(900, b"SIP/2.0 200"));
    send(&mut wire, up(), data(1, b"\r\n\r\n"));
    assert_eq!(b"\r\n\r\n", wire.bytes_of(up()).as_slice());
}

#[test]
fn ports_used_again_begin_another_stream() {
    let mut wire = opened(1);
    send(&mut wire, up(), data(1, OPTIONS));
    send(&mut wire, up(), syn(999_999));
    send(&mut wire, up(), data(1_000_000, OPTIONS));
    let stream = |id| Got::Stream(StreamId(id), OPTIONS.to_vec());
    assert_eq!(vec![stream(1), Got::End(StreamId(1), StreamEnd::Replaced), stream(2)], wire.got());
    wire.finish();
    assert_eq!(2, wire.network.connections().len());
}

#[test]
fn fin_ends_one_direction_and_rst_both() {
    let mut wire = opened(1);
    send(&mut wire, up(), Segment { fin: true, ..data(1, OPTIONS) });
    send(&mut wire, up().reversed(), data(900, b"SIP/2.0 200 OK\r\n\r\n"));
    send(&mut wire, up().reversed(), Segment { rst: true, ..data(918, b"") });
    assert_eq!(Got::End(StreamId(1), StreamEnd::Fin), wire.entries[1].got);
    assert_eq!(Got::End(StreamId(2), StreamEnd::Reset), wire.entries[3].got);
    wire.finish();
    let [connection] = wire.network.connections() else { panic!("one connection") };
    let fin = connection.fin.expect("the client sent a FIN");
    let reset = connection.reset.expect("the server sent a RST");
    assert_eq!((true, 3), (fin.by_client, fin.sighting.at.frame));
    assert_eq!((false, Some(4)), (reset.by_client, reset.server_payload.map(|one| one.at.frame)));
    assert_eq!((Some(Transport::Tcp), up()), (connection.carries, connection.flow));
}

#[test]
fn refused_and_unanswered_connections_are_listed() {
    let mut wire = TestNetwork::new();
    for wait in [0, 1000, 2000] {
        wire.millis += wait;
        send(&mut wire, up(), syn(5));
    }
    let other = flow(40_001, 5060);
    send(&mut wire, other, syn(5));
    send(&mut wire, other.reversed(), Segment { rst: true, ..ack(0, 6) });
    wire.finish();
    let [unanswered, refused] = wire.network.connections() else { panic!("two connections") };
    assert_eq!((3, None, true), (unanswered.syns, unanswered.refused, unanswered.has_failed()));
    assert_eq!(Some(5), refused.refused.map(|one| one.at.frame));
}

#[test]
fn stream_that_carries_no_sip_is_passed_over_until_it_does() {
    let mut wire = opened(1);
    let block = vec![b'x'; 9000];
    send(&mut wire, up(), data(1, &block));
    send(&mut wire, up(), data(20_001, &block));
    send(&mut wire, up(), data(29_001, OPTIONS));
    assert_eq!(OPTIONS, wire.bytes_of(up()));
    assert_eq!(0, wire.network.stream_counters().segments.out_of_order);
}

#[test]
fn second_capture_of_a_syn_is_not_counted_as_another_attempt() {
    let mut wire = TestNetwork::new();
    for wait in [0, 1, 1000, 1] {
        wire.millis += wait;
        send(&mut wire, up(), syn(5));
    }
    wire.finish();
    assert_eq!(2, wire.network.connections()[0].syns);
}

#[test]
fn request_that_tcp_acknowledged_is_told_from_one_that_nobody_took() {
    for (acknowledged, left) in [(1, OPTIONS.len() as u64), (1 + OPTIONS.len() as u32, 0)] {
        let mut wire = opened(1);
        send(&mut wire, up(), data(1, OPTIONS));
        send(&mut wire, up().reversed(), ack(900, acknowledged));
        wire.finish();
        assert_eq!(Some(left), wire.network.connections()[0].client_unacknowledged_bytes);
    }
}

#[test]
fn web_traffic_leaves_no_trace() {
    let mut wire = TestNetwork::new();
    let web = flow(40_000, 8080);
    send(&mut wire, web, syn(0));
    send(&mut wire, web.reversed(), syn_ack(0, 1));
    send(&mut wire, web, data(1, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    send(&mut wire, web.reversed(), data(1, b"HTTP/1.1 200 OK\r\n\r\n<p>What is SIP/2.0?</p>\n"));
    wire.finish();
    assert!(wire.entries.is_empty() && wire.network.connections().is_empty());
}

#[test]
fn lost_end_of_a_stream_is_known_by_the_last_acknowledgement() {
    let mut wire = opened(1);
    send(&mut wire, up(), data(1, OPTIONS));
    // One number more than the lost bytes, for a FIN that may be lost as well.
    let acknowledged = 1 + OPTIONS.len() as u32 + 200 + 1;
    send(&mut wire, up().reversed(), ack(900, acknowledged));
    wire.finish();
    let id = id(&wire);
    let end = Got::End(id, StreamEnd::Input);
    assert_eq!([Got::Gap(id, 200), end], wire.got()[1..]);
}
