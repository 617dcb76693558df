//! What changes a shape, and what does not.

use proptest::prelude::*;

use super::*;

const OFFER: &str = "v=0\r\no=alice 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
m=audio 4000 RTP/SAVP 8 101\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\na=rtpmap:101 telephone-event/8000\r\n\
a=fingerprint:sha-256 AA:BB\r\na=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\na=sendrecv\r\n\
m=video 0 RTP/AVP 34\r\nc=IN IP6 2001:db8::1\r\n";

fn outline(body: &str) -> Outline {
    Outline::read(body.as_bytes(), &foldhash::fast::FixedState::default())
}

#[test]
fn places_are_the_media_s_own_or_the_session_s() {
    let outline = outline(OFFER);
    let [audio, video] = outline.places() else { panic!("two places") };
    assert_eq!((Some("10.0.0.1".parse().expect("an address")), 4000), (audio.address, audio.port));
    assert_eq!((Some("2001:db8::1".parse().expect("an address")), 0), (video.address, video.port));
    assert_eq!((Some(2), 2), (outline.origin_version, outline.media_count));
}

#[test]
fn volatile_values_leave_the_shape_alone() {
    for (from, to) in [
        ("alice 1 2", "bob 77 99"),
        ("c=IN IP4 10.0.0.1", "c=IN IP4 192.0.2.7"),
        ("4000", "31002"),
        ("inline:AAAA", "inline:BBBB"),
        ("AA:BB", "CC:DD"),
        ("s=-", "s=another name"),
        ("candidate:1 1 udp 1 10.0.0.1 5000", "candidate:9 1 udp 7 10.0.0.9 5002"),
        ("a=sendrecv", "a=sendrecv\r\na=ssrc:1 cname:x"),
    ] {
        assert_eq!(outline(OFFER).shape, outline(&OFFER.replace(from, to)).shape, "{to}");
    }
}

#[test]
fn what_a_rule_reads_changes_the_shape() {
    for (from, to) in [
        ("8 101", "0 101"),
        ("RTP/SAVP", "RTP/AVP"),
        ("audio 4000", "audio 0"),
        ("sendrecv", "sendonly"),
        ("SHA1_80", "SHA1_32"),
        ("sha-256", "sha-1"),
        ("c=IN IP4", "c=IN IP6"),
        ("telephone-event", "red"),
        ("1 10.0.0.1 5000", "1 2001:db8::1 5000"),
        ("t=0 0\r\n", ""),
        ("o=alice", "o=alice smith"),
    ] {
        assert_ne!(outline(OFFER).shape, outline(&OFFER.replace(from, to)).shape, "{to}");
    }
}

#[test]
fn the_origin_is_the_same_for_each_version_of_a_session() {
    let next = outline(&OFFER.replace("alice 1 2", "alice 1 3"));
    assert_eq!((outline(OFFER).origin, Some(3)), (next.origin, next.origin_version));
    assert_ne!(outline(OFFER).origin, outline(&OFFER.replace("alice 1 2", "alice 5 2")).origin);
}

#[test]
fn more_media_than_places_are_counted() {
    let body = "v=0\r\n".to_owned() + &"m=audio 1 RTP/AVP 0\r\n".repeat(20);
    assert_eq!((20, OUTLINE_MEDIAS_MAX), (outline(&body).media_count, outline(&body).places().len()));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        Outline::read(&body, &foldhash::fast::FixedState::default());
    }
}
