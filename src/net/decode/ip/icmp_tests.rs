//! Tests of ICMP errors and their quotes.

use super::*;
use crate::net::decode::bytes_for_tests::{SIP, decoded, hostile_at_every_length, ip4, ip6, udp4, udp6};

/// The only packet of a frame, as an ICMP error.
fn error(packet: &[u8]) -> IcmpError<'_> {
    hostile_at_every_length(101, packet);
    let decoded = decoded(101, packet);
    match decoded.packets[..] {
        [packet] => match packet.payload {
            Payload::Icmp(error) => error,
            other => panic!("{other:?}"),
        },
        _ => panic!("{:?}", decoded.skip),
    }
}

/// An ICMP message that quotes.
fn quoting(kind: u8, words: [u8; 2], quote: &[u8]) -> Vec<u8> {
    [&[kind, 3, 0, 0, words[0], words[1], 0, 0][..], quote].concat()
}

#[test]
fn port_unreachable_names_the_flow_of_the_request() {
    let packet = ip4(1, &quoting(3, [0, 0], &udp4(SIP)));
    let error = error(&packet);
    assert_eq!((3, 3, false, 17), (error.kind, error.code, error.is_v6, error.protocol));
    assert_eq!("192.0.2.1:5060", error.quoted.source.to_string());
    assert_eq!("192.0.2.2:5062", error.quoted.destination.to_string());
    assert_eq!(SIP, error.bytes);
    assert_eq!("192.0.2.1", error.reporter.to_string());
}

#[test]
fn a_quote_of_eight_bytes_still_names_the_ports() {
    let packet = ip4(1, &quoting(11, [0, 0], &udp4(SIP)[..28]));
    assert_eq!((5060, &b""[..]), (error(&packet).quoted.source.port, error(&packet).bytes));
}

#[test]
fn icmpv6_errors_quote_too() {
    let packet = ip6(58, &quoting(1, [0, 0], &udp6(SIP)));
    assert_eq!((1, true), (error(&packet).kind, error(&packet).is_v6));
    assert_eq!("[2001:db8::2]:5062", error(&packet).quoted.destination.to_string());
    assert_eq!(SIP, error(&packet).bytes);
}

#[test]
fn extensions_behind_the_quote_are_not_quoted() {
    let mut quote = udp4(SIP);
    quote[2] = 0x7f;
    quote.resize(128, 0);
    let length = quote.len();
    quote.extend_from_slice(&[0x20, 0, 0, 0, 0xee, 0xee]);
    let packet = ip4(1, &quoting(3, [0, 32], &quote));
    assert_eq!(length - 28, error(&packet).bytes.len());
}

#[test]
fn a_quoted_later_fragment_has_no_ports() {
    let mut quote = udp4(SIP);
    quote[7] = 40;
    let packet = ip4(1, &quoting(11, [0, 0], &quote));
    assert_eq!(0, error(&packet).quoted.source.port);
}

#[test]
fn a_quoted_tcp_segment_leaves_its_header() {
    let tcp = [&[0x13, 0xc4, 0x13, 0xc5, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0, 0, 0, 0, 0, 0][..], &[1; 4], b"SIP"];
    let packet = ip4(1, &quoting(3, [0, 0], &ip4(6, &tcp.concat())));
    let error = error(&packet);
    assert_eq!((6, 5060, 5061), (error.protocol, error.quoted.source.port, error.quoted.destination.port));
    assert_eq!(b"SIP", error.bytes);
}

#[test]
fn ping_is_skipped_by_name() {
    let skip = decoded(101, &ip4(1, &quoting(8, [0, 0], &udp4(SIP)))).skip;
    assert_eq!(Some(Skip::OtherProtocol(Layer::Icmp, 8)), skip);
    let skip = decoded(101, &ip6(58, &quoting(128, [0, 0], &udp6(SIP)))).skip;
    assert_eq!(Some(Skip::OtherProtocol(Layer::Icmpv6, 128)), skip);
}
