//! Odd messages are read all the same.

use super::*;

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
        assert_eq!(
            Some(&b"abc@10.0.0.1"[..]),
            message.value(HeaderName::CallId)
        );
        assert_eq!(b"v=0\r\n", message.body());
        assert_eq!(ContentLength::Fits(5), message.content_length());
        assert!(message.defects().is_empty());
        assert_eq!(9, message.headers().count());
    });
}
