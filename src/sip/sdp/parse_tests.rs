//! Descriptions of phones, browsers and fax machines, whole and broken.

use proptest::prelude::*;

use super::*;
use crate::sip::sdp::defect::SdpDefect;
use crate::sip::sdp::media::{Direction, Setup};
use crate::sip::sdp::partial::DEFECTS_MAX;

const OFFER: &str = "v=0\r\no=alice 1 2 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
m=audio 4000 RTP/AVP 8 0 18 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=fmtp:18 annexb=no\r\n\
a=ptime:20\r\na=sendrecv\r\n";

fn kinds(text: &str) -> Vec<SdpDefectKind> {
    Sdp::parse(text.as_bytes()).defects.iter().map(|defect| defect.kind).collect()
}

#[test]
fn a_plain_offer_is_read_without_defect() {
    let sdp = Sdp::parse(OFFER.as_bytes());
    assert_eq!(Vec::<SdpDefect>::new(), sdp.defects);
    let media = sdp.media(MediaKind::Audio).expect("an audio line");
    assert_eq!((Some(4000), Profile::RtpAvp), (media.port, media.profile));
    let names: Vec<_> = media.real_codecs().map(Codec::key).collect();
    assert_eq!(vec!["PCMA/8000", "PCMU/8000", "G729/8000"], names);
    assert_eq!(Some("no"), media.codecs[2].parameter("annexb"));
    assert_eq!((Direction::SendRecv, Some(20)), (media.direction(), media.common.ptime));
    assert_eq!("10.0.0.1", media.connection.as_ref().expect("the session's address").host);
    assert_eq!(Some(2), sdp.origin.expect("an origin").version);
}

#[test]
fn harmless_deviations_are_no_defects() {
    assert_eq!(Vec::<SdpDefectKind>::new(), kinds(&OFFER.replace("\r\n", "\n")));
    assert_eq!(Vec::<SdpDefectKind>::new(), kinds(&format!("{OFFER}\r\n\r\n")));
    assert_eq!(Vec::<SdpDefectKind>::new(), kinds(&OFFER.replace("a=sendrecv", "a=x-unknown:1")));
    assert_eq!(Vec::<SdpDefectKind>::new(), kinds(OFFER.trim_end()));
}

#[test]
fn each_broken_line_is_named() {
    use SdpDefectKind::*;
    for (from, to, kind) in [
        ("v=0\r\n", "", MissingLine('v')),
        ("s=-\r\n", "", MissingLine('s')),
        ("t=0 0\r\n", "", MissingLine('t')),
        ("o=alice 1 2 IN IP4 10.0.0.1\r\n", "", MissingLine('o')),
        ("o=alice 1", "o=alice smith 1", OriginFields),
        ("alice 1 2", "alice 1 18446744073709551616", OriginNumber),
        ("c=IN IP4 10.0.0.1\r\n", "", MissingConnection),
        ("c=IN IP4 10.0.0.1", "c=IN 10.0.0.1", BadConnection),
        ("audio 4000", "audio 66000", BadPort),
        ("8 0 18", "8 PCMU 18", BadFormat),
        ("8 0 18", "8 8 18", RepeatedFormat),
        ("rtpmap:101", "rtpmap:102", UnlistedMap),
        ("a=rtpmap:101 telephone-event/8000\r\n", "", MissingMap),
        ("a=ptime:20", "a=rtpmap:101 opus/48000/2", TwoCodecs),
        ("a=ptime:20", "a=rtpmap:0 PCMU", BadMap),
        ("a=ptime:20", "garbage", NotALine),
        ("a=ptime:20", "c=IN IP4 10.0.0.2", Order),
        ("RTP/AVP", "RTP/SAVP", MissingKey),
        ("a=ptime:20", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", BadCrypto),
        ("a=ptime:20", "a=crypto:1", BadCrypto),
    ] {
        let defects = kinds(&OFFER.replace(from, to));
        assert!(defects.contains(&kind), "{to}: {defects:?} lacks {kind:?}");
    }
    assert_eq!(vec![Empty], kinds("\r\n"));
    assert_eq!(vec![Empty], kinds(""));
}

#[test]
fn a_defect_says_line_and_text_and_hides_keys() {
    let sdp = Sdp::parse(OFFER.replace("a=ptime:20", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0").as_bytes());
    let sentence = sdp.defects[0].to_string();
    assert!(sentence.starts_with("line 10, `a=crypto:1 AES_CM_128_HMAC_SHA1_80 `: "), "{sentence}");
    let sdp = Sdp::parse(b"v=0\no=\xff\x1b[0m 1 2 IN IP4 a\ns=-\nt=0 0\n");
    assert_eq!(SdpDefectKind::NotUtf8, sdp.defects[0].kind);
    assert!(!sdp.defects[0].to_string().contains('\u{1b}'));
}

#[test]
fn a_browser_offer_keeps_its_keys_roles_and_bundle() {
    let text = "v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=ice-lite\r\na=fingerprint:SHA-256 AB:CD\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:x\r\na=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\n\
a=candidate:2 1 udp 1 2001:db8::1 5000 typ host\r\na=setup:actpass\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=bundle-only\r\na=rtpmap:96 VP8/90000\r\n";
    let sdp = Sdp::parse(text.as_bytes());
    assert_eq!(Vec::<SdpDefect>::new(), sdp.defects);
    let (audio, video) = (&sdp.medias[0], &sdp.medias[1]);
    assert_eq!(Some("sha-256"), audio.common.fingerprint_hash.as_deref());
    assert_eq!((Some(Setup::ActPass), Some(9), true), (audio.common.setup, audio.rtcp_port, audio.is_rtcp_mux));
    assert_eq!((2, true, true), (audio.common.ice.candidates, audio.common.ice.has_v4, audio.common.ice.has_v6));
    assert!(sdp.is_ice_lite && video.is_bundle_only && !video.is_refused());
    assert_eq!(vec!["BUNDLE 0 1"], sdp.groups);
    assert_eq!(Some("0"), audio.mid.as_deref());
}

#[test]
fn a_fax_line_keeps_its_attributes() {
    let text =
        OFFER.replace("m=audio 4000 RTP/AVP 8 0 18 101", "m=image 4002 udptl t38\r\na=T38FaxVersion:0\r\nb=AS:64");
    let sdp = Sdp::parse(text.as_bytes());
    let fax = sdp.media(MediaKind::Image).expect("an image line");
    assert_eq!((Profile::Udptl, "t38"), (fax.profile, fax.codecs[0].format.as_str()));
    assert_eq!(vec!["T38FaxVersion:0"], fax.fax);
    assert_eq!(vec!["AS:64"], fax.common.bandwidth);
}

#[test]
fn hold_shows_in_direction_or_address() {
    let is_held = |text: &str| Sdp::parse(text.as_bytes()).media(MediaKind::Audio).is_some_and(Media::is_held);
    assert!(!is_held(OFFER));
    assert!(is_held(&OFFER.replace("sendrecv", "inactive")));
    assert!(is_held(&OFFER.replace("c=IN IP4 10.0.0.1", "c=IN IP4 0.0.0.0")));
}

#[test]
fn preconditions_and_session_direction_reach_the_medium() {
    let text = OFFER
        .replace("t=0 0\r\n", "t=0 0\r\na=recvonly\r\n")
        .replace("a=sendrecv", "a=curr:qos local none\r\na=des:qos mandatory local sendrecv");
    let media = Sdp::parse(text.as_bytes()).medias.remove(0);
    assert_eq!(Direction::RecvOnly, media.direction());
    assert_eq!(vec!["curr:qos local none", "des:qos mandatory local sendrecv"], media.preconditions);
}

#[test]
fn an_offer_cut_anywhere_is_read() {
    for length in 0..OFFER.len() {
        Sdp::parse(&OFFER.as_bytes()[..length]);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_keep_too_much(body in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Sdp::parse(&body).defects.len() <= DEFECTS_MAX);
    }

    #[test]
    fn no_mutation_makes_it_panic(at in 0..OFFER.len(), byte in any::<u8>(), cut in 0..OFFER.len()) {
        let mut body = OFFER.as_bytes().to_vec();
        body[at] = byte;
        body.drain(cut..(cut + 3).min(OFFER.len()));
        Sdp::parse(&body);
    }
}
