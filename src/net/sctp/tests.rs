//! DATA chunks alone, bundled, in pieces, repeated, and packets that lie.

use proptest::prelude::*;

use crate::net::Payload;
use crate::net::test_support::{TestNetwork, flow};

const SIP: &[u8] = b"OPTIONS sip:bob@example.com SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n";
const WHOLE: u8 = 3;

fn chunk(tsn: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 16).to_be_bytes();
    let mut chunk = [&[0, flags, length[0], length[1]][..], &tsn.to_be_bytes(), &[0; 8], payload].concat();
    chunk.resize(chunk.len().next_multiple_of(4), 0);
    chunk
}

fn packet(chunks: &[Vec<u8>]) -> Vec<u8> {
    [&[0x13, 0xc4, 0x13, 0xc4, 0, 0, 0, 9, 0, 0, 0, 0][..], &chunks.concat()].concat()
}

fn send(wire: &mut TestNetwork, bytes: &[u8]) {
    wire.send(flow(5060, 5060), Payload::Sctp(bytes));
}

#[test]
fn two_bundled_messages_are_both_delivered() {
    let mut wire = TestNetwork::new();
    let heartbeat = vec![4, 0, 0, 8, 1, 2, 3, 4];
    send(&mut wire, &packet(&[chunk(1, WHOLE, SIP), heartbeat, chunk(2, WHOLE, SIP), chunk(3, WHOLE, b"other")]));
    assert_eq!(vec![SIP, SIP], wire.datagrams());
    assert_eq!(1, wire.network.sctp_counters().other_messages);
}

#[test]
fn message_in_pieces_is_joined_across_the_end_of_the_numbers() {
    let mut wire = TestNetwork::new();
    let pieces = [(u32::MAX, 2, &SIP[..20]), (0, 0, &SIP[20..40]), (1, 1, &SIP[40..])];
    for (tsn, flags, payload) in [pieces[2], pieces[0], pieces[0], pieces[1]] {
        send(&mut wire, &packet(&[chunk(tsn, flags, payload)]));
    }
    assert_eq!(vec![SIP], wire.datagrams());
    assert_eq!((4, 1), (wire.entries[0].frame, wire.network.sctp_counters().duplicates));
}

#[test]
fn new_association_on_the_same_ports_may_use_the_same_numbers() {
    let mut wire = TestNetwork::new();
    send(&mut wire, &packet(&[chunk(1, WHOLE, SIP)]));
    let mut other = packet(&[chunk(1, WHOLE, SIP)]);
    other[7] = 10;
    send(&mut wire, &other);
    assert_eq!(2, wire.entries.len());
}

#[test]
fn packet_cut_at_any_byte_is_harmless_and_says_that_it_was_cut() {
    let whole = packet(&[chunk(1, WHOLE, SIP)]);
    for length in 0..whole.len() {
        let mut wire = TestNetwork::new();
        wire.send_cut(flow(5060, 5060), Payload::Sctp(&whole[..length]), true);
        assert!(wire.entries.iter().all(|entry| entry.is_cut || length >= 28 + SIP.len()));
        let mut wire = TestNetwork::new();
        send(&mut wire, &whole[..length]);
        assert!(wire.entries.is_empty() || length >= 28 + SIP.len());
    }
}

#[test]
fn flood_of_pieces_and_associations_stays_within_the_limits() {
    let mut wire = TestNetwork::new();
    for tsn in 0..4000 {
        send(&mut wire, &packet(&[chunk(tsn * 2, 2, &[b'x'; 1000])]));
    }
    assert!(wire.network.sctp_counters().dropped_pieces >= 2 * 1000);
    for port in 0..6000 {
        wire.send(flow(port, 5060), Payload::Sctp(&packet(&[chunk(1, 2, b"x")])));
    }
    assert!(wire.network.sctp_counters().evicted >= 4900);
}

proptest! {
    #[test]
    fn any_packet_is_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..200), is_cut in any::<bool>()) {
        let mut wire = TestNetwork::new();
        wire.send_cut(flow(5060, 5060), Payload::Sctp(&bytes), is_cut);
    }
}
