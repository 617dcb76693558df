//! Streams cut, swapped and repeated at will, and floods that must stay within the limits.

use proptest::prelude::*;

use super::*;
use crate::net::Payload;
use crate::net::test_support::{TestNetwork, data, flow, syn, syn_ack};

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

#[test]
fn flood_of_connections_stays_within_the_limits() {
    let mut wire = TestNetwork::new();
    for number in 0..40_000_u32 {
        let flow = flow((number % 60_000) as u16, 5060);
        send(&mut wire, flow, syn(number));
    }
    wire.finish();
    let counters = wire.network.stream_counters();
    assert_eq!((40_000, 40_000 - FOLLOWED_CONNECTIONS_MAX as u64), (counters.connections, counters.evicted));
    assert_eq!(FAILED_CONNECTIONS_MAX, wire.network.connections().len());
}

#[test]
fn flood_of_held_bytes_leaves_the_longest_idle_behind() {
    let mut wire = TestNetwork::new();
    let block = vec![b'x'; 60_000];
    for port in 0..1200 {
        send(&mut wire, flow(port, 5060), syn(0));
        send(&mut wire, flow(port, 5060), data(100, &block));
    }
    let most = HELD_BYTES_MAX / 60_128;
    assert_eq!(1200 - most as u64, wire.network.stream_counters().evicted);
}

proptest! {
    #[test]
    fn any_segments_are_harmless(
        segments in proptest::collection::vec(
            (any::<bool>(), any::<u8>(), any::<u32>(), any::<u32>(), 0_usize..100, 0_u32..70_000), 1..60),
    ) {
        let mut wire = TestNetwork::new();
        for (is_up, flags, sequence, acknowledgement, length, extra) in segments {
            let segment = Segment {
                syn: flags & 1 != 0,
                ack: flags & 2 != 0,
                fin: flags & 28 == 4,
                rst: flags & 56 == 8,
                acknowledgement: acknowledgement & 0xffff,
                wire_length: length as u32 + extra,
                ..data(sequence & 0xffff, OPTIONS.get(..length).unwrap_or(OPTIONS))
            };
            send(&mut wire, if is_up { up() } else { up().reversed() }, segment);
        }
        wire.finish();
    }

    #[test]
    fn any_cut_order_and_repetition_of_a_stream_delivers_the_same_bytes(
        body in proptest::collection::vec(any::<u8>(), 1..600),
        start in any::<u32>(),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 1_usize..200), 0..40),
    ) {
        let text = [OPTIONS, &body].concat();
        let mut wire = opened(start);
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        for (index, length) in &cuts {
            let from = index.index(text.len());
            pieces.push((from, (from + length).min(text.len())));
        }
        let middle = text.len() / 2;
        pieces.extend([(middle, text.len()), (0, middle)]);
        for (from, to) in pieces {
            send(&mut wire, up(), data(start.wrapping_add(from as u32), &text[from..to]));
        }
        prop_assert_eq!(text, wire.bytes_of(up()));
    }
}
