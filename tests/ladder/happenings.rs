//! What must not matter on ladders: how a message is written, what carries it, what other calls are captured beside it, copies,
//! rotated files, and the order of frames that keep their times.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sipscan::analysis::{Analysis, Options, analyze_sources};
use sipscan::call::detail::delay::{Stage, is_plain, only_stage, stages};
use sipscan::call::{Outcome, transactions_of};
use sipscan::capture::Source;

use super::capture::{Frame, Payload, WHOLE, write};
use super::variant::{self, Variant};
use super::{analyze_bytes, parse, sip};

/// The frames of every ladder that has calls enough to be compared and few enough to be quick, with its name.
fn ladders() -> Vec<(String, Vec<Frame>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ladders");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("tests/ladders exists")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "ladder"))
        .collect();
    files.sort();
    let framed = files.iter().map(|path| {
        let text = fs::read_to_string(path).expect("a ladder is text");
        let name = path.file_stem().unwrap_or_default();
        (name.to_string_lossy().into_owned(), sip::frames(&parse::parse(&text)))
    });
    // Statistics over many calls are told by the ladders themselves.
    framed.filter(|(_, frames)| frames.len() < 80).collect()
}

/// What happened in each call, in words that do not depend on frame numbers and addresses.
fn calls(analysis: &Analysis) -> Vec<String> {
    let each = analysis.calls.iter().map(|entry| {
        let call = &entry.call;
        let times = &call.milestones;
        let transactions = transactions_of(&analysis.store, &call.legs);
        let stages = stages(&transactions);
        if is_plain(call) {
            let only: Vec<Stage> = only_stage(call, &analysis.store).into_iter().collect();
            assert_eq!(stages, only, "a plain call has one stage");
        }
        let delay: Vec<String> =
            stages.iter().map(|stage| format!("{} {}", stage.kind.word(), stage.millis())).collect();
        let hops: Vec<(u16, Option<u16>)> = call.hops.iter().map(|hop| (hop.final_code, hop.parent)).collect();
        format!(
            "{} legs {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {hops:?} {} messages, {} repeats, {:?}",
            call.legs.len(),
            call.outcome.word(),
            call.final_code,
            call.ended_by,
            times.pdd_ms(),
            times.ring_ms(),
            times.setup_ms(),
            times.talk_ms(),
            times.teardown_ms(),
            delay,
            call.messages,
            call.retransmissions,
            call.origin.map(|origin| (origin.code, origin.beyond_capture)),
        )
    });
    each.collect()
}

fn beside(analysis: &Analysis) -> Vec<String> {
    let registrations = analysis
        .register_attempts
        .iter()
        .map(|attempt| format!("{} {:?} {}", attempt.outcome.word(), attempt.final_code, attempt.challenges));
    let others = analysis
        .other_requests
        .iter()
        .map(|request| format!("{} {:?}", request.method.text(), request.answer.map(|answer| answer.0)));
    registrations.chain(others).collect()
}

fn happened(frames: &[Frame]) -> (Vec<String>, Vec<String>) {
    let analysis = analyze_bytes(write(frames, WHOLE));
    (calls(&analysis), beside(&analysis))
}

fn fits(name: &str, frames: &[Frame], variant: Variant) -> bool {
    let mut payloads = frames.iter().map(|frame| &frame.payload);
    match variant {
        // A capture of TCP has no ICMP errors about SIP, and connections of its own.
        Variant::Tcp | Variant::TcpSplit => {
            let wants_udp = name.starts_with("cap-") || name.starts_with("msg-") || name.starts_with("net-");
            !wants_udp && payloads.all(|payload| matches!(payload, Payload::Udp(_)))
        }
        Variant::Ipv6 | Variant::Loopback => payloads.all(|payload| !matches!(payload, Payload::Icmp { .. })),
        // What is malformed stays so in its own spelling alone.
        _ => !name.starts_with("msg-malformed"),
    }
}

#[test]
fn spelling_transport_and_address_family_change_nothing() {
    let mut failures = Vec::new();
    for (name, frames) in ladders() {
        let plain = happened(&frames);
        for variant in variant::ALL {
            if !fits(&name, &frames, variant) {
                continue;
            }
            let other = happened(&variant::written(&frames, variant));
            if other != plain {
                failures.push(format!("{name} {variant:?}:\n  {plain:#?}\n  {other:#?}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

/// Several captures in one, in the order of time.
fn merged(lists: &[Vec<Frame>]) -> Vec<Frame> {
    let mut all: Vec<Frame> = Vec::new();
    for list in lists {
        let base = all.len();
        all.extend(
            list.iter().map(|frame| Frame { copy_of: frame.copy_of.map(|original| original + base), ..frame.clone() }),
        );
    }
    sorted(&all)
}

fn sorted(frames: &[Frame]) -> Vec<Frame> {
    let mut order: Vec<usize> = (0..frames.len()).collect();
    order.sort_by_key(|place| frames[*place].at_us);
    let mut new_place = vec![0; frames.len()];
    for (new, old) in order.iter().enumerate() {
        new_place[*old] = new;
    }
    let moved = order
        .iter()
        .map(|old| Frame { copy_of: frames[*old].copy_of.map(|original| new_place[original]), ..frames[*old].clone() });
    moved.collect()
}

/// Whether how a call ended can be told without looking at the rest of the capture.
fn is_settled(analysis: &Analysis) -> bool {
    analysis
        .calls
        .iter()
        .all(|entry| !matches!(entry.call.outcome, Outcome::Partial | Outcome::TimedOut | Outcome::NoAnswer))
}

/// The frames of a capture in memory, cut into files.
fn rotated(frames: &[Frame], cuts: &[f64]) -> Analysis {
    let bytes = write(frames, WHOLE);
    let (header, mut rest) = bytes.split_at(24);
    let mut records: Vec<&[u8]> = Vec::new();
    while rest.len() >= 16 {
        let length = u32::from_le_bytes(rest[8..12].try_into().expect("four bytes")) as usize;
        let (record, behind) = rest.split_at(16 + length);
        records.push(record);
        rest = behind;
    }
    let mut places: Vec<usize> =
        cuts.iter().map(|share| (records.len() as f64 * share) as usize).chain([0, records.len()]).collect();
    places.sort_unstable();
    places.dedup();
    let sources: Vec<Source> = places
        .windows(2)
        .enumerate()
        .map(|(number, pair)| {
            let records = records[pair[0]..pair[1]].concat();
            let bytes = [header, &records].concat();
            let path = PathBuf::from(format!("{number}.pcap"));
            Source::from_read(path, Box::new(Cursor::new(bytes))).expect("a capture")
        })
        .collect();
    let options = Options { workers: 1, ..Options::default() };
    analyze_sources(&sources, &options, &mut |_| {}).expect("captures in memory can be read")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn calls_captured_beside_one_another_do_not_touch(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), 0_u64..3_000_000), 2..6),
    ) {
        let all = ladders();
        let (mut lists, mut expected) = (Vec::new(), Vec::new());
        for (number, (pick, later_us)) in picks.iter().enumerate() {
            let (name, frames) = pick.get(&all);
            let moved = variant::apart(frames, number as u8 + 1, *later_us);
            let alone = analyze_bytes(write(&moved, WHOLE));
            // What is counted over all calls, or quoted from header values, is no matter of one call.
            if name.starts_with("fleet-") || name.starts_with("sec-") || !is_settled(&alone) {
                continue;
            }
            expected.extend(calls(&alone));
            lists.push(moved);
        }
        let together = analyze_bytes(write(&merged(&lists), WHOLE));
        let mut found = calls(&together);
        expected.sort();
        found.sort();
        prop_assert_eq!(expected, found);
    }

    #[test]
    fn captured_copies_rotation_and_the_order_of_frames_change_nothing(
        pick in any::<prop::sample::Index>(),
        is_tcp in any::<bool>(),
        cuts in proptest::collection::vec(0.0_f64..1.0, 0..4),
        doubled in proptest::collection::vec(proptest::option::of(1_u64..400), 16),
        swaps in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let all = ladders();
        let (name, frames) = pick.get(&all);
        let frames = if is_tcp && fits(name, frames, Variant::Tcp) {
            variant::written(frames, Variant::Tcp)
        } else {
            frames.clone()
        };
        let plain = analyze_bytes(write(&frames, WHOLE));
        let copies = frames.iter().enumerate().zip(doubled.iter().cycle()).filter_map(|((place, frame), after)| {
            let is_message = matches!(frame.payload, Payload::Udp(_) | Payload::Tcp { .. });
            let after = after.filter(|_| is_message && frame.copy_of.is_none())?;
            Some(Frame { at_us: frame.at_us + after, copy_of: Some(place), ..frame.clone() })
        });
        let copies: Vec<Frame> = copies.collect();
        let mut frames = sorted(&[frames, copies].concat());
        for swap in swaps {
            let place = swap.index(frames.len());
            // Neighbours change places in the file and keep their times; a TCP stream is read as it was written.
            if !is_tcp && place + 1 < frames.len() && frames.iter().all(|frame| frame.copy_of.is_none()) {
                frames.swap(place, place + 1);
            }
        }
        let found = rotated(&frames, &cuts);
        prop_assert_eq!(calls(&plain), calls(&found), "{}", name);
        prop_assert_eq!(beside(&plain), beside(&found), "{}", name);
    }
}
