//! The torture messages of RFC 4475 and RFC 5118: valid ones are not blamed, invalid ones by name.

use proptest::prelude::*;

use super::*;
use DefectKind::*;

macro_rules! rfc4475 {
    ($name:literal) => {
        ($name, &include_bytes!(concat!("../../../tests/fixtures/torture/rfc4475/", $name, ".dat"))[..])
    };
}

macro_rules! rfc5118 {
    ($name:literal) => {
        ($name, &include_bytes!(concat!("../../../tests/fixtures/torture/rfc5118/", $name, ".sip"))[..])
    };
}

fn defects(bytes: &[u8]) -> Vec<(DefectKind, String)> {
    let mut spans = Vec::new();
    let message = Message::parse(bytes, false, &mut spans).expect("a message");
    inspect(&message).iter().map(|defect| (defect.kind, defect.sentence(bytes).to_string())).collect()
}

fn assert_blamed(name: &str, bytes: &[u8], wanted: &[DefectKind]) {
    let found = defects(bytes);
    for kind in wanted {
        assert!(found.iter().any(|defect| defect.0 == *kind), "{name}: {found:?} lacks {kind:?}");
    }
}

#[test]
fn the_valid_torture_messages_are_not_blamed() {
    for (name, bytes) in [
        rfc4475!("wsinv"),
        rfc4475!("intmeth"),
        rfc4475!("esc01"),
        rfc4475!("escnull"),
        rfc4475!("esc02"),
        rfc4475!("lwsdisp"),
        rfc4475!("longreq"),
        rfc4475!("dblreq"),
        rfc4475!("semiuri"),
        rfc4475!("transports"),
        rfc4475!("mpart01"),
        rfc4475!("unreason"),
        rfc4475!("noreason"),
    ] {
        assert_eq!(Vec::<(DefectKind, String)>::new(), defects(bytes), "{name}");
    }
}

#[test]
fn messages_odd_only_in_what_they_ask_for_are_not_blamed() {
    for (name, bytes) in [
        rfc4475!("bcast"),
        rfc4475!("bext01"),
        rfc4475!("cparam01"),
        rfc4475!("cparam02"),
        rfc4475!("invut"),
        rfc4475!("regaut01"),
        rfc4475!("regescrt"),
        rfc4475!("sdp01"),
        rfc4475!("unksm2"),
        rfc4475!("zeromf"),
    ] {
        assert_eq!(Vec::<(DefectKind, String)>::new(), defects(bytes), "{name}");
    }
}

#[test]
fn the_invalid_torture_messages_are_blamed_by_name() {
    for ((name, bytes), wanted) in [
        (rfc4475!("badinv01"), &[BadVia, EmptyParameter][..]),
        (rfc4475!("clerr"), &[BodyTooShort]),
        (rfc4475!("ncl"), &[BadContentLength]),
        (rfc4475!("scalar02"), &[BadCSeq, BadMaxForwards, BadNumber]),
        (rfc4475!("scalarlg"), &[BadCSeq, BadNumber]),
        (rfc4475!("quotbal"), &[OpenQuote]),
        (rfc4475!("ltgtruri"), &[BracketedRequestUri]),
        (rfc4475!("lwsruri"), &[BlankInUri]),
        (rfc4475!("lwsstart"), &[StartLineBlanks]),
        (rfc4475!("trws"), &[StartLineBlanks]),
        (rfc4475!("escruri"), &[BadUri]),
        (rfc4475!("baddate"), &[BadDate]),
        (rfc4475!("regbadct"), &[MissingAngleBrackets]),
        (rfc4475!("badaspec"), &[BlankInUri]),
        (rfc4475!("baddn"), &[BadAddress]),
        (rfc4475!("badvers"), &[BadVersion]),
        (rfc4475!("mismatch01"), &[CSeqMethodMismatch]),
        (rfc4475!("mismatch02"), &[CSeqMethodMismatch]),
        (rfc4475!("bigcode"), &[BadStatus]),
        (rfc4475!("badbranch"), &[EmptyBranch]),
        (rfc4475!("insuf"), &[MissingCallId, MissingFrom, MissingTo]),
        (rfc4475!("unkscm"), &[UnknownScheme]),
        (rfc4475!("novelsc"), &[UnknownScheme]),
        (rfc4475!("multi01"), &[Duplicate]),
        (rfc4475!("mcl01"), &[Duplicate]),
        (rfc4475!("inv2543"), &[MissingBranch, MissingMaxForwards, MissingFromTag]),
    ] {
        assert_blamed(name, bytes, wanted);
    }
}

/// The fixtures of RFC 5118 have text line ends.
fn as_sent(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\n', "\r\n");
    let is_whole = text.contains("\r\n\r\n");
    let text = if is_whole { text } else { text.trim_end().to_owned() + "\r\n\r\n" };
    text.into_bytes()
}

#[test]
fn ipv6_in_its_places_is_not_blamed_and_out_of_place_is() {
    for (name, bytes) in [
        rfc5118!("4.1_ipv6-good"),
        rfc5118!("4.4_port-unambiguous"),
        rfc5118!("4.5_via-received-param-no-delim"),
        rfc5118!("4.5_via-received-param-with-delim"),
        rfc5118!("4.6_ipv6-in-sdp"),
        rfc5118!("4.7_mult-ip-in-header"),
        rfc5118!("4.8_mult-ip-in-sdp"),
        rfc5118!("4.9_ipv4-mapped-ipv6"),
        rfc5118!("4.10_ipv6-correct-abnf-2-colons"),
        rfc5118!("4.3_port-ambiguous"),
    ] {
        let found = defects(&as_sent(bytes));
        let kinds: Vec<_> =
            found.iter().map(|defect| defect.0).filter(|kind| !matches!(kind, BodyTooShort | BodyTooLong)).collect();
        assert_eq!(Vec::<DefectKind>::new(), kinds, "{name}: {found:?}");
    }
    let (name, bytes) = rfc5118!("4.2_ipv6-bad");
    assert_blamed(name, bytes, &[UnbracketedIpv6]);
    let (name, bytes) = rfc5118!("4.10_ipv6-bug-abnf-3-colons");
    assert_blamed(name, bytes, &[BadUri]);
}

#[test]
fn a_sentence_quotes_the_part_and_escapes_it() {
    let text = b"\x01\x02OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nCSeq: \x1b[31m OPTIONS\r\n\r\n";
    let sentences: Vec<String> = defects(text).into_iter().map(|defect| defect.1).collect();
    assert!(
        sentences.contains(&"CSeq is no number below 2^31 and a method: \"\\u{1b}[31m OPTIONS\"".to_owned()),
        "{sentences:?}"
    );
    assert!(sentences.contains(&"Call-ID is missing".to_owned()));
    assert_eq!("bytes that are no SIP stand before the start line: \"\\u{1}\\u{2}\"", sentences[0]);
}

#[test]
fn a_message_that_the_capture_cut_is_not_blamed_for_it() {
    let (_, bytes) = rfc4475!("wsinv");
    for length in 80..bytes.len() {
        let mut spans = Vec::new();
        let Some(message) = Message::parse(&bytes[..length], true, &mut spans) else {
            continue;
        };
        let found = inspect(&message);
        let blamed = found.iter().find(|defect| !matches!(defect.kind, MissingVia));
        assert_eq!(None, blamed, "cut at {length}");
    }
}

proptest! {
    #[test]
    fn no_mutation_makes_it_panic(at in 0..1001usize, bytes in prop::collection::vec(any::<u8>(), 0..4), cut in 0..1001usize, is_cut: bool) {
        let (_, original) = rfc4475!("wsinv");
        let mut text = original.to_vec();
        let at = at.min(text.len());
        text.splice(at..(at + bytes.len()).min(original.len()), bytes);
        text.truncate(cut.max(60));
        let mut spans = Vec::new();
        if let Some(message) = Message::parse(&text, is_cut, &mut spans) {
            for defect in inspect(&message) {
                prop_assert!((defect.offset + defect.length) as usize <= text.len());
                defect.sentence(&text).to_string();
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = [b"INVITE sip:a SIP/2.0\r\n", &tail[..]].concat();
        defects(&text);
        crate::sip::sift(&tail);
        Message::parse(&tail, false, &mut Vec::new());
    }
}
