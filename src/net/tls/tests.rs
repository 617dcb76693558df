//! TLS sessions made by OpenSSL (tests/fixtures/tls), whole, without keys, with losses, and broken on purpose.

use etherparse::SlicedPacket;
use proptest::prelude::*;

use crate::net::test_support::{Got, TestNetwork, data};
use crate::net::tls::hello;
use crate::net::tls::keylog::{Label, Secrets};
use crate::net::tls::record::RecordReader;
use crate::net::{Endpoint, Flow, Payload, Segment, TlsHandshake, Transport};

macro_rules! fixture {
    ($($name:literal),*) => {
        include_bytes!(concat!("../../../tests/fixtures/tls/", $($name),*)).as_slice()
    };
}

macro_rules! samples {
    ($($name:literal),*) => {
        [$(($name, fixture!($name, ".pcap"), fixture!($name, ".keys"))),*]
    };
}

type Sample = (&'static str, &'static [u8], &'static [u8]);

const SAMPLES: [Sample; 9] = samples![
    "tls12-gcm",
    "tls12-gcm256",
    "tls12-chacha",
    "tls12-cbc",
    "tls12-cbc-sha",
    "tls12-cbc-mac-first",
    "tls13-aes",
    "tls13-chacha",
    "tls13-keyupdate"
];

type Sent = (Flow, Segment<'static>);

/// The TCP segments of a classic pcap with Ethernet frames and IPv4.
fn segments(capture: &'static [u8]) -> Vec<Sent> {
    let mut rest = &capture[24..];
    let mut segments = Vec::new();
    while let Some((header, behind)) = rest.split_first_chunk::<16>() {
        let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let (frame, behind) = behind.split_at(length);
        rest = behind;
        let sliced = SlicedPacket::from_ethernet(frame).expect("the fixture holds whole frames");
        let (Some(etherparse::NetSlice::Ipv4(ip)), Some(etherparse::TransportSlice::Tcp(tcp))) =
            (sliced.net, sliced.transport)
        else {
            panic!("the fixture holds TCP over IPv4 alone");
        };
        let header = ip.header();
        let end = |address: std::net::Ipv4Addr, port| Endpoint { address: address.into(), port };
        let flow = Flow {
            source: end(header.source_addr(), tcp.source_port()),
            destination: end(header.destination_addr(), tcp.destination_port()),
        };
        let segment = Segment {
            acknowledgement: tcp.acknowledgment_number(),
            syn: tcp.syn(),
            ack: tcp.ack(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            window: tcp.window_size(),
            ..data(tcp.sequence_number(), tcp.payload())
        };
        segments.push((flow, segment));
    }
    segments
}

fn play(sent: &[Sent], keys: &[u8]) -> TestNetwork {
    let mut wire = TestNetwork::new();
    wire.network.add_secrets(keys);
    for (flow, segment) in sent {
        wire.send(*flow, Payload::Segment(*segment));
    }
    wire.finish();
    wire
}

/// Everything that was decrypted, both directions one after the other.
fn decrypted(wire: &TestNetwork) -> String {
    let texts = wire.entries.iter().filter_map(|entry| match &entry.got {
        Got::Stream(_, bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    });
    texts.collect()
}

fn only_handshake(wire: &TestNetwork) -> &TlsHandshake {
    let [handshake] = wire.network.handshakes() else { panic!("one TLS connection") };
    handshake
}

#[test]
fn options_and_its_answer_are_read_with_the_key_log() {
    for (name, capture, keys) in SAMPLES {
        let wire = play(&segments(capture), keys);
        let text = decrypted(&wire);
        assert!(text.starts_with("OPTIONS sip:bob@example.com SIP/2.0\r\n"), "{name}: {text}");
        assert_eq!(1, text.matches("SIP/2.0 200 OK\r\n").count(), "{name}: {text}");
        assert_eq!(2, text.matches("Content-Length: 0\r\n\r\n").count(), "{name}: {text}");
        assert!(wire.entries.iter().all(|entry| entry.transport == Transport::Tls), "{name}");
        let handshake = only_handshake(&wire);
        assert!(handshake.is_decrypted && handshake.carries_sip, "{name}");
        assert!(handshake.client_data.is_some() && handshake.server_data.is_some(), "{name}");
        assert_eq!(0, wire.network.tls_counters().unopened_records, "{name}");
        assert_eq!(Some(Transport::Tls), wire.network.connections()[0].carries, "{name}");
    }
}

#[test]
fn hello_tells_names_versions_and_suites_without_keys() {
    for (name, capture, _) in SAMPLES {
        let wire = play(&segments(capture), b"");
        assert!(wire.entries.is_empty(), "{name}");
        let handshake = only_handshake(&wire);
        let version = if name.starts_with("tls13") { 0x0304 } else { 0x0303 };
        assert_eq!(Some(version), handshake.chosen_version, "{name}");
        assert_eq!(Some("sip.example.com"), handshake.server_name.as_deref(), "{name}");
        assert_eq!(15_061, handshake.flow.destination.port, "{name}");
        assert!(handshake.is_signalling() && !handshake.is_decrypted, "{name}");
        assert_eq!(1, wire.network.tls_counters().without_keys, "{name}");
    }
}

#[test]
fn certificate_is_read_in_the_clear_by_tls12_and_with_keys_by_tls13() {
    let read = |index: usize, has_keys: bool| {
        let (_, capture, keys) = SAMPLES[index];
        let wire = play(&segments(capture), if has_keys { keys } else { b"" });
        only_handshake(&wire).server_certificate.clone()
    };
    assert_eq!(None, read(6, false));
    for certificate in [read(0, false), read(6, true)] {
        let certificate = certificate.expect("the server sent a certificate");
        assert_eq!("sip.example.com", &*certificate.subject);
        assert_eq!(["sip.example.com", "example.com"].map(Box::from).as_slice(), certificate.names);
        assert!(certificate.is_self_issued && !certificate.has_sha1_signature);
        let days = certificate.not_after.since(certificate.not_before).as_secs() / 86_400;
        assert_eq!(30, days);
    }
}

#[test]
fn alert_names_its_sender_and_reason() {
    let wire = play(&segments(fixture!("unknown-ca.pcap")), b"");
    let [alert] = only_handshake(&wire).alerts.as_slice() else { panic!("one alert") };
    assert_eq!((true, 2, 48, false), (alert.by_client, alert.level, alert.description, alert.is_after_data));
    assert_eq!(8, alert.sighting.at.frame);
    let wire = play(&segments(fixture!("no-cipher.pcap")), b"");
    let handshake = only_handshake(&wire);
    assert_eq!((false, 40), (handshake.alerts[0].by_client, handshake.alerts[0].description));
    assert_eq!((true, None), (handshake.client_hello.is_some(), handshake.server_hello));
}

#[test]
fn websocket_inside_tls_is_read_to_its_messages() {
    let wire = play(&segments(fixture!("tls13-websocket.pcap")), fixture!("tls13-websocket.keys"));
    assert_eq!(2, wire.datagrams().len());
    assert!(wire.entries.iter().all(|entry| entry.transport == Transport::Ws));
    assert_eq!(Some(Transport::Ws), wire.network.connections()[0].carries);
}

#[test]
fn later_records_are_read_although_one_is_missing_from_the_capture() {
    for (name, capture, keys) in SAMPLES {
        let mut sent = segments(capture);
        let first_data = sent.iter().rposition(|(_, segment)| segment.bytes.first() == Some(&23));
        let answer = first_data.expect("the server answers with application data");
        let server = sent[answer].0;
        // The record before the answer in its direction: a session ticket, a KeyUpdate, or the server's Finished.
        let before = sent[..answer].iter().rposition(|(flow, one)| *flow == server && one.bytes.first() == Some(&23));
        let Some(before) = before.filter(|_| name != "tls13-keyupdate") else {
            continue;
        };
        sent.remove(before);
        let wire = play(&sent, keys);
        assert!(decrypted(&wire).contains("SIP/2.0 200 OK\r\n"), "{name}");
    }
}

#[test]
fn connection_cut_short_at_any_byte_of_a_direction_is_harmless() {
    let (_, capture, keys) = SAMPLES[6];
    let sent = segments(capture);
    for number in 0..sent.len() {
        for length in 0..sent[number].1.bytes.len() {
            let mut cut = sent.clone();
            let segment = &mut cut[number].1;
            segment.bytes = &segment.bytes[..length];
            play(&cut, keys);
        }
    }
}

#[test]
fn hello_cut_at_any_byte_is_no_hello_or_a_shorter_one() {
    let sent = segments(SAMPLES[0].1);
    let client = &sent[3].1.bytes[9..];
    let server = &sent[5].1.bytes[9..];
    assert!(hello::read_client_hello(client).is_some() && hello::read_server_hello(server).is_some());
    for length in 0..client.len() {
        let hello = hello::read_client_hello(&client[..length]);
        assert!(hello.is_none_or(|hello| length > 40 && hello.ciphers > 0));
    }
    for length in 0..38 {
        assert_eq!(None, hello::read_server_hello(&server[..length]));
    }
}

#[test]
fn key_log_leaves_out_what_it_cannot_read() {
    let random = "ab".repeat(32);
    let text = format!(
        "# comment\r\nCLIENT_RANDOM {random} 0102\r\nCLIENT_RANDOM {random}\nCLIENT_RANDOM xyz 01\nRSA ab cd\n\
         SERVER_TRAFFIC_SECRET_0 {random} 0g\nCLIENT_TRAFFIC_SECRET_0 {random}  03\n{}",
        "f".repeat(1000)
    );
    let mut secrets = Secrets::default();
    secrets.add(text.as_bytes());
    let get = |label| secrets.get(&[0xab; 32], label);
    assert_eq!((Some(&[1, 2][..]), Some(&[3][..])), (get(Label::Master), get(Label::ClientTraffic)));
    assert_eq!(None, get(Label::ServerTraffic));
}

#[test]
fn records_are_the_same_however_the_stream_is_cut() {
    let stream = [&[22, 3, 1, 0, 2, 7, 7][..], &[23, 3, 3, 0, 1, 9], &[21, 3, 3, 0, 2, 1, 0]].concat();
    for size in 1..=stream.len() {
        let mut reader = RecordReader::default();
        let mut kinds = Vec::new();
        for piece in stream.chunks(size) {
            reader.push(piece, &mut |record| kinds.push((record.kind, record.body.len())));
        }
        assert_eq!(vec![(22, 2), (23, 1), (21, 2)], kinds);
    }
}

proptest! {
    #[test]
    fn damaged_sessions_are_harmless(
        index in 0..SAMPLES.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let (_, capture, keys) = SAMPLES[index];
        let sent = segments(capture);
        let mut texts: Vec<Vec<u8>> = sent.iter().map(|(_, segment)| segment.bytes.to_vec()).collect();
        for (segment, byte, value) in damage {
            let text = segment.get_mut(&mut texts);
            if !text.is_empty() {
                *byte.get_mut(text) = value;
            }
        }
        let mut wire = TestNetwork::new();
        wire.network.add_secrets(keys);
        for ((flow, segment), text) in sent.iter().zip(&texts) {
            wire.send(*flow, Payload::Segment(Segment { bytes: text, ..*segment }));
        }
        wire.finish();
    }
}
