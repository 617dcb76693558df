//! What is called plain has no defect, and everyday requests are plain.

use proptest::prelude::*;

use super::*;
use crate::sip::inspect;

const INVITE: &str = "INVITE sip:+4930123@gw.example.com:5080;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK77a;rport, SIP/2.0/TLS pc.example.com;branch=z9hG4bKb;received=192.0.2.9\r\n\
    Max-Forwards: 69\r\nFrom: \"Anna B.\" <sip:anna@example.com>;tag=81x2\r\nTo: Bob <sip:+4930123@example.com;user=phone>\r\n\
    Call-ID: 7f@192.0.2.1\r\nCSeq: 314159 INVITE\r\n\
    Contact: <sip:anna@192.0.2.1:5060;transport=udp>;+sip.instance=\"<urn:uuid:1>\"\r\n\
    Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\nSession-Expires: 1800;refresher=uac\r\n\
    Date: Sat, 13 Nov 2010 23:29:00 GMT\r\nX-Own: \"open\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";

fn is_plain_bytes(bytes: &[u8]) -> Option<(bool, usize)> {
    let mut spans = Vec::new();
    let message = Message::parse(bytes, false, &mut spans)?;
    let plain = is_plain(&message, is_plain_header);
    Some((plain, inspect(&message).len()))
}

#[test]
fn everyday_requests_are_plain() {
    assert_eq!(Some((true, 0)), is_plain_bytes(INVITE.as_bytes()));
    let register = "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK7\r\nMax-Forwards: 70\r\n\
        From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\
        Contact: <sip:a@192.0.2.1>;expires=60\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(Some((true, 0)), is_plain_bytes(register.as_bytes()));
}

#[test]
fn what_lacks_something_is_not_plain() {
    for (from, to) in [
        ("Max-Forwards: 69\r\n", ""),
        (";tag=81x2", ""),
        (";tag=81x2", ";x=\"1;tag=2\""),
        ("z9hG4bK77a", "z9hG4bK"),
        ("branch=z9hG4bK77a", "x=\"1;branch=z9hG4bK77a\""),
        ("314159 INVITE", "314159 OPTIONS"),
        ("Content-Length: 5", "Content-Length: 9"),
        ("Contact: <sip:anna", "Contact: <sip:an na"),
        ("gw.example.com:5080", "gw.example.com:99999"),
        ("2010 23:29:00 GMT", "2010"),
    ] {
        let changed = INVITE.replace(from, to);
        let (plain, defects) = is_plain_bytes(changed.as_bytes()).expect("a message");
        assert!(!plain && defects > 0, "{from} -> {to}: {plain}, {defects}");
    }
}

/// What a sender or a sloppy middlebox might put in the wrong place.
const PUTS: [&[u8]; 19] = [
    b"", b";", b"\"", b"<", b">", b",", b" ", b":", b"@", b"%", b"?", b"\\", b"=", b"[::1]", b"\r\n", b"\n", b"9",
    b"\xe9", b"a",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
    #[test]
    fn what_is_plain_has_no_defect(
        changes in proptest::collection::vec((0..INVITE.len(), 0..PUTS.len(), 0..4_usize), 1..4),
    ) {
        let mut bytes = INVITE.as_bytes().to_vec();
        for (at, put, taken) in changes {
            let end = (at + taken).min(bytes.len());
            bytes.splice(at.min(end)..end, PUTS[put].iter().copied());
        }
        if let Some((true, defects)) = is_plain_bytes(&bytes) {
            prop_assert_eq!(0, defects, "{}", String::from_utf8_lossy(&bytes));
        }
    }
}
