//! Fitness: what the input can and cannot prove.

use std::collections::BTreeMap;

use crate::analysis::collector::Tally;
use crate::analysis::result::{CaptureEntry, Fitness, Undecoded};
use crate::call::{Book, Happenings, Outcome};
use crate::capture::{FrameRef, Weakness, WeaknessKind};
use crate::diagnose::Sight;
use crate::net::{Endpoint, IncompleteDatagram, TlsHandshake};

/// What reading saw beside messages.
pub(super) struct Seen<'a> {
    pub(super) tally: &'a Tally,
    pub(super) missing_bytes: u64,
    pub(super) incomplete: &'a [IncompleteDatagram],
    pub(super) handshakes: &'a [TlsHandshake],
}

/// Says what the input cannot show, to the report and to the rules; weaknesses are added to the captures that have them.
pub(super) fn assess(
    book: &Book,
    happened: &Happenings,
    captures: &mut [CaptureEntry],
    seen: &Seen<'_>,
) -> (Fitness, Sight) {
    let mut sip_messages = BTreeMap::new();
    for message in book
        .messages
        .iter()
        .filter(|message| !message.flags.is_copy())
    {
        *sip_messages.entry(message.transport).or_default() += 1;
    }
    add_cuts(book, captures);
    add_missing(captures, seen);
    add_clocks(book, captures);
    add_halves(happened, captures);
    add_encrypted(captures, seen);
    let one_direction = crate::call::one_direction_pairs(book, happened);
    let endpoint = |id| book.tables.endpoint(id);
    let mut undecoded: Vec<Undecoded> = seen
        .tally
        .skips
        .iter()
        .map(|(skip, frames)| Undecoded {
            reason: skip.to_string(),
            frames: *frames,
        })
        .collect();
    undecoded.sort_by(|a, b| {
        b.frames
            .cmp(&a.frames)
            .then_with(|| a.reason.cmp(&b.reason))
    });
    let fitness = Fitness {
        sip_messages,
        copies: book.copies,
        media_packets: seen.tally.media_packets,
        undecoded,
        one_direction_pairs: one_direction
            .iter()
            .map(|(a, b)| (endpoint(*a), endpoint(*b)))
            .collect(),
    };
    let weaknesses = captures.iter().enumerate().flat_map(|(file, capture)| {
        let at = move |frame: u32| FrameRef {
            file: file as u16,
            frame,
        };
        capture.weaknesses.iter().map(move |weakness| {
            (
                weakness.kind.word(),
                weakness.frame.map(at),
                weakness.detail.clone(),
            )
        })
    });
    let sight = Sight {
        one_direction,
        cut_messages: seen.tally.cut_messages,
        missing_bytes: seen.missing_bytes,
        dropped: captures.iter().map(|capture| capture.dropped).sum(),
        copies: book.copies,
        shifts: book.shifts.clone(),
        weaknesses: weaknesses.collect(),
        encrypted: unread(seen.handshakes).collect(),
    };
    (fitness, sight)
}

fn add(
    captures: &mut [CaptureEntry],
    file: usize,
    kind: WeaknessKind,
    frame: Option<u32>,
    detail: String,
) {
    if let Some(capture) = captures.get_mut(file) {
        capture.weaknesses.push(Weakness {
            kind,
            frame,
            detail,
        });
    }
}

fn add_cuts(book: &Book, captures: &mut [CaptureEntry]) {
    let mut cut: BTreeMap<u16, (u32, u64)> = BTreeMap::new();
    for message in book
        .messages
        .iter()
        .filter(|message| message.flags.is_cut() && !message.flags.is_incomplete())
    {
        let entry = cut.entry(message.at.file).or_insert((message.at.frame, 0));
        *entry = (entry.0.min(message.at.frame), entry.1 + 1);
    }
    for (file, (frame, count)) in cut {
        let detail = format!(
            "{count} SIP messages are cut short: the capture kept only the first bytes of their packets (snap length)"
        );
        add(
            captures,
            usize::from(file),
            WeaknessKind::SnaplenCut,
            Some(frame),
            detail,
        );
    }
}

fn add_missing(captures: &mut [CaptureEntry], seen: &Seen<'_>) {
    if seen.missing_bytes > 0 {
        let detail = format!(
            "{} bytes of TCP streams are not in the capture",
            seen.missing_bytes
        );
        add(captures, 0, WeaknessKind::MissingSegment, None, detail);
    }
    if let Some(first) = seen.incomplete.first() {
        let detail = format!(
            "{} datagrams lack at least one IP fragment",
            seen.incomplete.len()
        );
        add(
            captures,
            usize::from(first.at.file),
            WeaknessKind::MissingFragment,
            Some(first.at.frame),
            detail,
        );
    }
}

fn add_clocks(book: &Book, captures: &mut [CaptureEntry]) {
    for (tap, shift) in book
        .shifts
        .iter()
        .enumerate()
        .filter(|(_, shift)| **shift != 0)
    {
        let (file, interface) = book.taps.get(tap).copied().unwrap_or_default();
        let seconds = *shift as f64 / -1e9;
        let way = if seconds > 0.0 { "ahead of" } else { "behind" };
        let detail = format!(
            "the clock of interface {interface} is {:.3} s {way} the first capture point; its times were corrected",
            seconds.abs()
        );
        add(
            captures,
            usize::from(file),
            WeaknessKind::ClockOffset,
            None,
            detail,
        );
    }
}

/// TLS connections with signs of signalling whose content could not be read, as server and first frame.
fn unread(handshakes: &[TlsHandshake]) -> impl Iterator<Item = (Endpoint, FrameRef)> {
    let unread = handshakes.iter().filter(|handshake| {
        handshake.is_signalling() && handshake.has_data() && !handshake.is_decrypted
    });
    unread.map(|handshake| (handshake.flow.destination, handshake.first_seen.at))
}

fn add_encrypted(captures: &mut [CaptureEntry], seen: &Seen<'_>) {
    let mut by_file: BTreeMap<u16, (u32, u64)> = BTreeMap::new();
    for (_, at) in unread(seen.handshakes) {
        let entry = by_file.entry(at.file).or_insert((at.frame, 0));
        *entry = (entry.0.min(at.frame), entry.1 + 1);
    }
    for (file, (frame, count)) in by_file {
        let detail = format!(
            "{count} TLS connections carry signalling that cannot be read without their keys"
        );
        add(
            captures,
            usize::from(file),
            WeaknessKind::Encrypted,
            Some(frame),
            detail,
        );
    }
}

/// Calls that began before the capture or were going on at its end.
fn add_halves(happened: &Happenings, captures: &mut [CaptureEntry]) {
    let partial = happened
        .calls
        .iter()
        .filter(|call| call.outcome == Outcome::Partial);
    let (without_start, without_end): (Vec<_>, Vec<_>) =
        partial.partition(|call| call.milestones.invited.is_none());
    let still_up = happened
        .calls
        .iter()
        .filter(|call| call.outcome == Outcome::StillUp)
        .count();
    if !without_start.is_empty() {
        let detail = format!(
            "{} calls began before the capture; their outcome is not judged",
            without_start.len()
        );
        add(captures, 0, WeaknessKind::StartsMidCall, None, detail);
    }
    if !without_end.is_empty() || still_up > 0 {
        let detail = format!(
            "{} calls were being set up and {still_up} were up when the capture ended",
            without_end.len()
        );
        add(
            captures,
            captures.len().saturating_sub(1),
            WeaknessKind::EndsMidCall,
            None,
            detail,
        );
    }
}
