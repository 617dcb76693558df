//! Messages come out of a stream the same, however it is cut into pieces.

use proptest::prelude::*;

use super::*;

const INVITE: &str =
    "INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
const RINGING: &str = "SIP/2.0 180 Ringing\r\nv: SIP/2.0/TCP a\r\nl:\r\n 0\r\n\r\n";
const NOTIFY: &str = "NOTIFY sip:b@c SIP/2.0\nContent-Type: message/sipfrag\nl: 17\n\nSIP/2.0 200 OK\r\n\n";

/// Bytes, framing, marks of the first and the last piece.
type Seen = (Vec<u8>, Framing, usize, usize);

fn frame(pieces: &[&[u8]]) -> (Vec<Seen>, u64) {
    let mut framer = Framer::default();
    let mut messages = Vec::new();
    let mut keep = |framed: Framed<'_, usize>| {
        messages.push((framed.bytes.to_vec(), framed.framing, framed.begun, framed.completed));
    };
    for (mark, piece) in pieces.iter().enumerate() {
        framer.push(piece, mark, &mut keep);
    }
    framer.finish(pieces.len(), &mut keep);
    (messages, framer.skipped_bytes())
}

fn texts(pieces: &[&[u8]]) -> Vec<String> {
    frame(pieces).0.into_iter().map(|message| String::from_utf8_lossy(&message.0).into_owned()).collect()
}

#[test]
fn several_messages_and_keep_alives_in_one_piece_all_come_out() {
    let stream = format!("\r\n\r\n{INVITE}{RINGING}\r\n\r\n{NOTIFY}");
    assert_eq!(vec![INVITE, RINGING, NOTIFY], texts(&[stream.as_bytes()]));
}

#[test]
fn a_message_over_three_pieces_has_the_mark_of_the_last() {
    let (start, rest) = INVITE.as_bytes().split_at(30);
    let (middle, end) = rest.split_at(50);
    let (messages, skipped) = frame(&[start, middle, end]);
    assert_eq!(vec![(INVITE.as_bytes().to_vec(), Framing::Length, 0, 2)], messages);
    assert_eq!(0, skipped);
}

#[test]
fn a_stream_joined_in_the_middle_starts_at_the_next_start_line() {
    let stream = format!("a=sendrecv\r\nrest of a body{RINGING}{INVITE}");
    assert_eq!(vec![INVITE], texts(&[stream.as_bytes()]));
    let stream = format!("a=sendrecv\r\nbody{INVITE}{RINGING}");
    let (messages, skipped) = frame(&[stream.as_bytes()]);
    assert_eq!((2, 16), (messages.len(), skipped));
}

#[test]
fn a_length_that_swallows_the_next_message_is_cut_there() {
    let wrong = INVITE.replace("Length: 5", "Length: 50");
    let stream = format!("{wrong}{RINGING}");
    let (messages, _) = frame(&[stream.as_bytes()]);
    assert_eq!(vec![Framing::BadLength, Framing::Length], messages.iter().map(|message| message.1).collect::<Vec<_>>());
    assert_eq!(wrong.as_bytes(), messages[0].0);
}

#[test]
fn a_missing_length_ends_a_message_at_the_next_start_line() {
    let without = INVITE.replace("Content-Length: 5\r\n", "");
    let stream = format!("{without}{RINGING}");
    let (messages, skipped) = frame(&[stream.as_bytes()]);
    assert_eq!((without.as_bytes(), Framing::NoLength), (&messages[0].0[..], messages[0].1));
    assert_eq!((RINGING.as_bytes(), 0), (&messages[1].0[..], skipped));
}

#[test]
fn a_length_too_small_skips_the_rest_of_the_body() {
    let wrong = INVITE.replace("Length: 5", "Length: 3");
    let stream = format!("{wrong}{INVITE}");
    assert_eq!(2, texts(&[stream.as_bytes()]).len());
}

#[test]
fn a_gap_hands_on_what_was_there_as_cut() {
    let mut framer = Framer::default();
    let mut seen = Vec::new();
    framer.push(&INVITE.as_bytes()[..INVITE.len() - 2], 1, |framed| seen.push(framed.framing));
    framer.gap(2, |framed| seen.push(framed.framing));
    framer.push(b"ext of another\r\n", 3, |framed| seen.push(framed.framing));
    framer.push(RINGING.as_bytes(), 4, |framed| seen.push(framed.framing));
    assert_eq!(vec![Framing::Cut, Framing::Length], seen);
    assert_eq!((0, 16), (framer.held.len(), framer.skipped_bytes()));
}

#[test]
fn endless_headers_and_lines_are_let_go() {
    let mut framer = Framer::default();
    framer.push(b"INVITE sip:b@c SIP/2.0\r\n", 0, |_| panic!("no message"));
    for _ in 0..200 {
        framer.push(&[b'x'; 1000], 0, |_| panic!("no message"));
        assert!(framer.held.len() <= HEADER_BYTES_MAX + 1000);
    }
    assert!(framer.skipped_bytes() > 100_000);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_messages(
        choice in prop::collection::vec(0..4usize, 1..8),
        cuts in prop::collection::vec(0..600usize, 0..20),
    ) {
        let stream: String = choice.iter().map(|&index| [INVITE, RINGING, NOTIFY, "\r\n\r\n"][index]).collect();
        let whole = texts(&[stream.as_bytes()]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.push(0);
        cuts.push(stream.len());
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream.as_bytes()[pair[0]..pair[1]]).collect();
        prop_assert_eq!(&whole, &texts(&pieces));
        let expected: Vec<_> = choice.iter().filter(|&&index| index < 3).collect();
        prop_assert_eq!(expected.len(), whole.len());
    }

    #[test]
    fn no_bytes_make_the_framer_panic_or_lose_count(
        pieces in prop::collection::vec(prop::collection::vec(prop::sample::select(b"SIP/2.0 \r\n:lLINVTE05a".to_vec()), 0..60), 0..20),
    ) {
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        frame(&pieces);
    }
}
