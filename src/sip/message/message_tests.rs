//! Odd messages are read all the same: each variant of one INVITE gives its Call-ID and CSeq.

use proptest::prelude::*;

use super::*;
use crate::sip::values::{CSeq, NameAddr, Via};

const INVITE: &str = "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\n\
Max-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@example.com>;tag=1\r\nTo: <sip:bob@example.com>\r\nCall-ID: abc@10.0.0.1\r\n\
CSeq: 1 INVITE\r\nContact: <sip:alice@10.0.0.1>\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";

fn with_message<R>(text: impl AsRef<[u8]>, test: impl FnOnce(&Message<'_>) -> R) -> R {
    let mut spans = Vec::new();
    let message = Message::parse(text.as_ref(), false, &mut spans).expect("a message");
    test(&message)
}

#[test]
fn a_plain_invite_has_all_its_parts_and_no_defect() {
    with_message(INVITE, |message| {
        assert_eq!(Some(Method::Invite), message.method());
        assert_eq!(Some(&b"sip:bob@example.com"[..]), message.request_uri());
        assert_eq!(Some(&b"abc@10.0.0.1"[..]), message.value(HeaderName::CallId));
        assert_eq!(b"v=0\r\n", message.body());
        assert_eq!(ContentLength::Fits(5), message.content_length());
        assert!(message.defects().is_empty());
        assert_eq!(9, message.headers().count());
        let call_id = message.value(HeaderName::CallId).expect("a Call-ID");
        assert!(message.bytes()[message.offset_of(call_id) as usize..].starts_with(b"abc@"));
        assert_eq!(0, message.offset_of(b"elsewhere"));
    });
}

#[test]
fn a_start_line_in_another_protocol_is_not_addressed() {
    with_message(INVITE, |message| assert!(message.is_addressed()));
    let http = "SIP/2.0 200 ok\r\nHTTP/1.1 200 ok\r\nContent-Type: text/plain\r\n\r\nhello";
    with_message(http, |message| assert!(!message.is_addressed()));
}

#[test]
fn every_spelling_of_one_invite_gives_the_same_facts() {
    let swap = |from: &str, to: &str| INVITE.replace(from, to).into_bytes();
    let mut latin = swap("Alice", "Al#ce");
    let at = latin.iter().position(|&byte| byte == b'#').expect("the mark");
    latin[at] = 0xef;
    let variants = [
        INVITE.as_bytes().to_vec(),
        swap("\r\n", "\n"),
        swap("Call-ID", "i"),
        swap("Call-ID", "I"),
        swap("Call-ID", "CALL-ID"),
        swap("Call-ID: ", "call-id:"),
        swap("Call-ID:", "Call-ID :"),
        swap("Call-ID:", "Call-ID \t :\t "),
        swap("Call-ID: abc", "Call-ID:\r\n abc"),
        swap("Call-ID: abc", "i:\n\tabc"),
        swap("CSeq: 1 INVITE", "CSeq: 1\r\n INVITE"),
        swap("CSeq: 1 INVITE", "cseq:1\tINVITE  "),
        swap("CSeq: 1 INVITE", "CSeq: 0001   INVITE"),
        swap("Via: ", "VIA:"),
        swap("\r\nContent-Type", "\r\nno colon here\r\nContent-Type"),
        swap("\r\nContent-Type", "\r\n: no name\r\nContent-Type"),
        swap("\r\nContent-Type", "\r\nX-Empty:\r\nContent-Type"),
        swap("\r\nContent-Type", "\r\n \r\nContent-Type"),
        swap("Max-Forwards", " folded at start\r\nMax-Forwards"),
        swap("SIP/2.0\r\nVia", "SIP/2.0\r\n stray\r\nVia"),
        swap("Content-Length: 5", "Content-Length: 5000"),
        swap("Content-Length: 5", "Content-Length: -5"),
        swap("Content-Length: 5", "l: 1"),
        swap("Content-Length: 5\r\n", ""),
        swap("application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n", "appl"),
        format!("\r\n\r\n{INVITE}").into_bytes(),
        format!("\0\0junk{INVITE}").into_bytes(),
        latin,
        swap("\"Alice\"", "\"Alice"),
    ];
    for variant in &variants {
        let shown = String::from_utf8_lossy(variant);
        with_message(variant, |message| {
            assert_eq!(Some(&b"abc@10.0.0.1"[..]), message.value(HeaderName::CallId), "{shown}");
            let cseq = CSeq::parse(message.value(HeaderName::CSeq).unwrap_or_default());
            assert_eq!((Some(1), Method::Invite), (cseq.number, cseq.method), "{shown}");
            let from = NameAddr::parse(message.value(HeaderName::From).unwrap_or_default());
            assert_eq!(b"sip:alice@example.com", from.uri, "{shown}");
        });
    }
}

#[test]
fn a_bad_call_id_byte_is_kept_as_sent() {
    let mut text = INVITE.as_bytes().to_vec();
    let at = INVITE.find("abc@").expect("the Call-ID");
    text[at] = 0xff;
    with_message(&text, |message| assert_eq!(Some(&b"\xffbc@10.0.0.1"[..]), message.value(HeaderName::CallId)));
}

#[test]
fn repeated_headers_and_commas_give_one_list() {
    let text = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b\r\nX: y\r\nv: SIP/2.0/TCP c\r\n\r\n";
    with_message(text, |message| {
        let hosts: Vec<_> = message.list(HeaderName::Via).map(|via| Via::parse(via).sent_by.host).collect();
        assert_eq!(vec![b"a", b"b", b"c"], hosts);
        assert_eq!(2, message.values(HeaderName::Via).count());
        assert_eq!(Some(&b"X"[..]), message.headers().nth(1).map(|header| header.raw_name));
        assert!(!message.has(HeaderName::Contact));
        assert_eq!(Some(StatusCode(200)), message.status());
    });
}

#[test]
fn content_length_cuts_the_body_and_says_whether_it_fits() {
    for (length, body, wanted) in [
        ("3", &b"v=0"[..], ContentLength::TooSmall(3)),
        ("9", b"v=0\r\n", ContentLength::TooLarge(9)),
        ("x", b"v=0\r\n", ContentLength::Malformed),
        ("99999999999", b"v=0\r\n", ContentLength::Malformed),
    ] {
        let text = INVITE.replace("Length: 5", &format!("Length: {length}"));
        with_message(text, |message| assert_eq!((body, wanted), (message.body(), message.content_length())));
    }
}

#[test]
fn a_body_that_the_capture_cut_is_no_defect() {
    let mut spans = Vec::new();
    let text = INVITE.replace("Length: 5", "Length: 50");
    let message = Message::parse(text.as_bytes(), true, &mut spans).expect("a message");
    assert!(message.defects().is_empty() && message.is_cut());
    let message = Message::parse(text.as_bytes(), false, &mut spans).expect("a message");
    assert!(message.defects().contains(DefectKind::BodyTooShort));
}

#[test]
fn the_header_that_the_end_cuts_is_marked() {
    let end = INVITE.find("@10.0.0.1\r\nCSeq").expect("the Call-ID");
    with_message(&INVITE[..end], |message| {
        let last = message.headers().last().expect("a header");
        assert_eq!((HeaderName::CallId, &b"abc"[..], true), (last.name, last.value, last.is_cut));
        assert!(message.defects().contains(DefectKind::NoBlankLine));
    });
}

#[test]
fn no_message_holds_more_headers_than_are_indexed() {
    let text = format!("INVITE sip:a SIP/2.0\r\n{}\r\nbody", "a:b\r\n".repeat(3000));
    with_message(text, |message| {
        assert_eq!(crate::sip::HEADERS_MAX, message.headers().count());
        assert_eq!(b"body", message.body());
        assert!(message.defects().contains(DefectKind::TooManyHeaders));
    });
}

#[test]
fn an_invite_cut_anywhere_is_read_or_left() {
    let mut spans = Vec::new();
    for length in 0..INVITE.len() {
        let message = Message::parse(&INVITE.as_bytes()[..length], true, &mut spans);
        assert_eq!(length >= "INVITE sip:".len(), message.is_some(), "{length}");
    }
}

proptest! {
    #[test]
    fn no_mutation_makes_it_panic(at in 0..INVITE.len(), byte in any::<u8>(), end in 0..INVITE.len()) {
        let mut text = INVITE.as_bytes().to_vec();
        text[at] = byte;
        text.truncate(end);
        let mut spans = Vec::new();
        if let Some(message) = Message::parse(&text, false, &mut spans) {
            message.headers().for_each(|header| {
                crate::sip::Uri::parse(NameAddr::parse(header.value).uri).number();
            });
            message.list(HeaderName::Via).for_each(|via| {
                Via::parse(via).overload();
            });
        }
    }
}
