//! Fragments that come in any order, twice, wrongly or never.

use proptest::prelude::*;

use super::*;
use crate::net::test_support::{Got, TestNetwork, flow};
use crate::net::{Payload, Transport};

const SIP: &[u8] = b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\n\r\n";

/// Source and destination port 5060, a length, no checksum, then `payload`.
fn udp(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).expect("test payloads are short").to_be_bytes();
    [&[0x13, 0xc4, 0x13, 0xc4, length[0], length[1], 0, 0], payload].concat()
}

fn pieces(whole: &[u8], size: usize) -> Vec<(u32, bool, Vec<u8>)> {
    let last = whole.len().saturating_sub(1) / size;
    let cut = |(index, piece): (usize, &[u8])| ((index * size) as u32, index < last, piece.to_vec());
    whole.chunks(size).enumerate().map(cut).collect()
}

fn send(wire: &mut TestNetwork, id: u32, (offset, more, bytes): &(u32, bool, Vec<u8>)) {
    let payload = Payload::Fragment { id, protocol: 17, offset: *offset, more: *more, bytes };
    wire.send(flow(0, 0), payload);
}

fn sip_datagram() -> Got {
    Got::Datagram(Transport::Udp, SIP.to_vec())
}

#[test]
fn invite_in_three_fragments_is_delivered_with_the_last_of_them() {
    let mut wire = TestNetwork::new();
    for piece in pieces(&udp(SIP), 40) {
        send(&mut wire, 7, &piece);
    }
    let [entry] = wire.entries.as_slice() else { panic!("one delivery, not {:?}", wire.entries) };
    assert_eq!((3, 3, false, false), (entry.frame, entry.fragments, entry.is_cut, entry.lacks_fragments));
    assert_eq!((flow(5060, 5060), sip_datagram()), (entry.flow, entry.got.clone()));
}

#[test]
fn second_copy_of_all_fragments_opens_no_second_datagram() {
    let mut wire = TestNetwork::new();
    let pieces = pieces(&udp(SIP), 40);
    for piece in pieces.iter().chain(&pieces) {
        send(&mut wire, 7, piece);
    }
    wire.finish();
    assert_eq!(vec![sip_datagram()], wire.got());
    let counters = wire.network.fragment_counters();
    assert_eq!((3, 0), (counters.duplicates, counters.incomplete));
}

#[test]
fn same_identification_is_used_again_for_another_datagram() {
    let mut wire = TestNetwork::new();
    for text in [&b"REGISTER sip:a SIP/2.0\r\n\r\n"[..], SIP] {
        for piece in pieces(&udp(text), 24) {
            send(&mut wire, 7, &piece);
        }
    }
    assert_eq!(2, wire.entries.len());
}

#[test]
fn start_of_an_invite_is_delivered_where_its_last_fragment_never_came() {
    let mut wire = TestNetwork::new();
    let pieces = pieces(&udp(SIP), 40);
    send(&mut wire, 7, &pieces[0]);
    send(&mut wire, 7, &pieces[1]);
    wire.millis += 31_000;
    send(&mut wire, 8, &pieces[0]);
    let [entry] = wire.entries.as_slice() else { panic!("one delivery, not {:?}", wire.entries) };
    assert_eq!((1, 2, true, true), (entry.frame, entry.fragments, entry.is_cut, entry.lacks_fragments));
    assert_eq!(Got::Datagram(Transport::Udp, SIP[..72].to_vec()), entry.got);
    let lost = wire.network.incomplete_datagrams();
    assert_eq!(vec![(true, 2)], lost.iter().map(|one| (one.has_first, one.fragments)).collect::<Vec<_>>());
}

#[test]
fn datagram_without_its_first_fragment_is_listed_and_not_delivered() {
    let mut wire = TestNetwork::new();
    send(&mut wire, 7, &pieces(&udp(SIP), 40)[1]);
    wire.finish();
    assert!(wire.entries.is_empty());
    assert_eq!(vec![false], wire.network.incomplete_datagrams().iter().map(|one| one.has_first).collect::<Vec<_>>());
}

#[test]
fn overlap_that_agrees_is_welcome() {
    let mut wire = TestNetwork::new();
    let whole = udp(SIP);
    send(&mut wire, 7, &(0, true, whole[..48].to_vec()));
    send(&mut wire, 7, &(40, false, whole[40..].to_vec()));
    assert_eq!(vec![sip_datagram()], wire.got());
}

#[test]
fn overlap_that_disagrees_drops_the_datagram() {
    let mut wire = TestNetwork::new();
    let whole = udp(SIP);
    let mut other = whole[40..].to_vec();
    other[0] ^= 1;
    send(&mut wire, 7, &(0, true, whole[..48].to_vec()));
    send(&mut wire, 7, &(40, false, other));
    send(&mut wire, 7, &(40, false, whole[40..].to_vec()));
    wire.finish();
    assert!(wire.entries.is_empty());
    let counters = wire.network.fragment_counters();
    assert_eq!((1, 0), (counters.conflicting, counters.incomplete));
}

#[test]
fn bytes_behind_the_last_fragment_drop_the_datagram() {
    let mut wire = TestNetwork::new();
    let whole = udp(SIP);
    send(&mut wire, 7, &(80, true, whole[80..].to_vec()[..8].to_vec()));
    send(&mut wire, 7, &(0, false, whole[..40].to_vec()));
    assert_eq!(1, wire.network.fragment_counters().conflicting);
}

#[test]
fn fragments_cut_by_the_snap_length_give_the_start_of_the_datagram() {
    let mut wire = TestNetwork::new();
    let whole = udp(SIP);
    let cut = |offset, more, bytes| Payload::Fragment { id: 7, protocol: 17, offset, more, bytes };
    wire.send_cut(flow(0, 0), cut(0, true, &whole[..30]), true);
    wire.send_cut(flow(0, 0), cut(48, false, &whole[48..]), false);
    let [entry] = wire.entries.as_slice() else { panic!("one delivery, not {:?}", wire.entries) };
    assert_eq!((true, false), (entry.is_cut, entry.lacks_fragments));
    assert_eq!(Got::Datagram(Transport::Udp, SIP[..22].to_vec()), entry.got);
}

#[test]
fn fragments_beyond_the_longest_datagram_are_malformed() {
    let mut wire = TestNetwork::new();
    send(&mut wire, 7, &(65_528, false, vec![0; 8]));
    send(&mut wire, 7, &(u32::MAX, false, vec![0; 8]));
    send(&mut wire, 7, &(0, true, vec![0; 7]));
    send(&mut wire, 7, &(0, true, vec![]));
    assert_eq!(4, wire.network.fragment_counters().malformed);
}

#[test]
fn flood_of_lone_fragments_stays_within_the_limits() {
    let mut wire = TestNetwork::new();
    for id in 0..10_000 {
        send(&mut wire, id, &(64_000, true, vec![1; 8]));
    }
    let fragments = FRAGMENT_BYTES_MAX / 64_008;
    let counters = wire.network.fragment_counters();
    assert_eq!(10_000 - fragments as u64, counters.evicted);
    for id in 10_000..20_000 {
        send(&mut wire, id, &(0, true, vec![1; 8]));
    }
    wire.finish();
    assert_eq!(20_000, wire.network.fragment_counters().incomplete);
    assert_eq!(INCOMPLETE_DATAGRAMS_MAX, wire.network.incomplete_datagrams().len());
}

proptest! {
    #[test]
    fn fragments_in_any_order_and_number_of_copies_give_one_datagram(
        payload in proptest::collection::vec(any::<u8>(), 1..400),
        size in 1_usize..8,
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..80),
    ) {
        let pieces = pieces(&udp(&payload), size * 8);
        let mut wire = TestNetwork::new();
        let shuffled = order.iter().map(|index| &pieces[index.index(pieces.len())]);
        for piece in shuffled.chain(&pieces) {
            send(&mut wire, 7, piece);
        }
        wire.finish();
        prop_assert_eq!(vec![Got::Datagram(Transport::Udp, payload)], wire.got());
    }
}
