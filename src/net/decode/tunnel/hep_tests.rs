//! Tests of HEP of every version.

use super::*;
use crate::net::decode::bytes_for_tests::{Decoded, SIP, decoded, decoded_cut, hostile_at_every_length, ip4, udp};

/// A chunk of vendor 0.
fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 6).expect("short").to_be_bytes();
    [&[0, 0, 0, kind, length[0], length[1]][..], body].concat()
}

/// A HEP version 3 datagram to a collector.
fn hep3(chunks: &[(u8, &[u8])]) -> Vec<u8> {
    let body: Vec<u8> = chunks.iter().flat_map(|(kind, body)| chunk(*kind, body)).collect();
    let length = u16::try_from(body.len() + 6).expect("short").to_be_bytes();
    ip4(17, &udp(40_000, 9060, &[b"HEP3", &length[..], &body].concat()))
}

/// What an agent says of one SIP message over TCP.
fn version_3(kind: u8) -> Vec<u8> {
    hep3(&[
        (1, &[2]),
        (2, &[6]),
        (3, &[10, 0, 0, 1]),
        (4, &[10, 0, 0, 2]),
        (7, &[0x13, 0xc4]),
        (8, &[0x13, 0xc5]),
        (9, &[0x67, 0, 0, 0]),
        (10, &[0, 0, 0, 5]),
        (11, &[kind]),
        (12, &[0, 0, 0, 1]),
        (14, b"key"),
        (15, SIP),
    ])
}

/// The transport, flow and time of the only forwarded message.
fn forwarded(decoded: &Decoded<'_>) -> (Transport, String, i64) {
    let [packet] = decoded.packets[..] else {
        panic!("{:?}", decoded.skip);
    };
    let Payload::Forwarded { transport, .. } = packet.payload else {
        panic!("{:?}", packet.payload);
    };
    (transport, format!("{}>{}", packet.flow.source, packet.flow.destination), packet.time.nanoseconds())
}

#[test]
fn version_3_tells_addresses_transport_and_time() {
    let packet = version_3(1);
    let decoded = decoded(101, &packet);
    assert_eq!([SIP], decoded.datagrams()[..]);
    let expected = (Transport::Tcp, "10.0.0.1:5060>10.0.0.2:5061".into(), 0x6700_0000 * 1_000_000_000 + 5_000);
    assert_eq!(expected, forwarded(&decoded));
    hostile_at_every_length(101, &packet);
}

#[test]
fn version_3_of_ipv6_is_read() {
    let [a, b] = [1, 2].map(|last| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    let packet = hep3(&[(2, &[17]), (5, &a), (6, &b), (7, &[0, 9]), (8, &[0, 8]), (11, &[1]), (15, SIP)]);
    let (transport, flow, _) = forwarded(&decoded(101, &packet));
    assert_eq!((Transport::Udp, "[2001:db8::1]:9>[2001:db8::2]:8".into()), (transport, flow));
}

#[test]
fn what_an_agent_forwards_else_is_named() {
    assert_eq!(Some(Skip::OtherProtocol(Layer::Hep, 5)), decoded(101, &version_3(5)).skip);
    let packet = hep3(&[(11, &[1]), (16, b"zlib")]);
    assert_eq!(Some(Skip::OtherProtocol(Layer::CompressedHep, 1)), decoded(101, &packet).skip);
}

#[test]
fn a_chunk_shorter_than_its_header_contradicts_itself() {
    let packet = ip4(17, &udp(1, 9060, b"HEP3\0\x20\0\0\0\x01\0\x02\0\0\0\0"));
    assert_eq!(Some(Skip::Malformed("HEP chunk")), decoded(101, &packet).skip);
}

#[test]
fn chunks_of_another_vendor_say_nothing() {
    let mut foreign = chunk(15, b"not this");
    foreign[1] = 9;
    let body = [foreign, chunk(11, &[1]), chunk(15, SIP)].concat();
    let length = u16::try_from(body.len() + 6).expect("short").to_be_bytes();
    let packet = ip4(17, &udp(1, 9060, &[b"HEP3", &length[..], &body].concat()));
    assert_eq!([SIP], decoded(101, &packet).datagrams()[..]);
}

#[test]
fn a_forwarded_message_that_was_cut_is_marked() {
    let packet = version_3(1);
    assert!(decoded_cut(101, &packet, packet.len() - 5).packets[0].is_cut);
}

#[test]
fn version_1_tells_addresses() {
    let header = [1, 16, 2, 17, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2];
    let packet = ip4(17, &udp(1, 9060, &[&header[..], SIP].concat()));
    let (transport, flow, time) = forwarded(&decoded(101, &packet));
    assert_eq!((Transport::Udp, "10.0.0.1:5060>10.0.0.2:5061".into()), (transport, flow));
    assert_eq!(1_750_000_000_000_000_000, time);
    hostile_at_every_length(101, &packet);
}

#[test]
fn version_2_tells_the_time_in_either_byte_order_and_either_length() {
    let seconds = 1_749_999_999_u32;
    for (bytes, length) in [(seconds.to_le_bytes(), 16), (seconds.to_be_bytes(), 28)] {
        let header = [2, length, 2, 17, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 0, 1, 10, 0, 0, 2];
        let time = [&bytes[..], &[0, 0, 0, 0, 0, 1, 0, 0]].concat();
        let packet = ip4(17, &udp(1, 9060, &[&header[..], &time, SIP].concat()));
        let decoded = decoded(101, &packet);
        assert_eq!([SIP], decoded.datagrams()[..]);
        assert_eq!(i64::from(seconds) * 1_000_000_000, forwarded(&decoded).2);
    }
}

#[test]
fn a_datagram_that_only_begins_like_version_1_stays_one() {
    let stun = [1, 16, 2, 17, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let packet = ip4(17, &udp(40_000, 3478, &stun));
    let decoded = decoded(101, &packet);
    assert!(matches!(decoded.packets[0].payload, Payload::Datagram(bytes) if bytes == stun));
}
