//! Fitness: what the input can and cannot prove.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::analysis::collector::Tally;
use crate::analysis::result::{CaptureEntry, Fitness};
use crate::analysis::undecoded;
use crate::call::{Call, CallSet, Census, MessageStore, Outcome};
use crate::capture::{FrameRef, Pause, Weakness, WeaknessKind};
use crate::diagnose::{SeenWeakness, Sight};
use crate::net::{Connection, Endpoint, IncompleteDatagram, Network};

/// What reading saw beside messages.
pub(super) struct Seen<'a> {
    pub(super) census: &'a Census,
    pub(super) tally: &'a Tally,
    pub(super) missing_bytes: u64,
    pub(super) incomplete: &'a [IncompleteDatagram],
    pub(super) connections: &'a [Connection],
    pub(super) networks: &'a [Network],
    pub(super) pauses: Vec<Pause>,
}

/// Between captures so much time shows that nobody captured; less may be a quiet moment between two files of a ring.
const HOLE_MIN: Duration = Duration::from_secs(300);

/// Times in which no capture holds anything: a pause of one that no other covers, or a hole between two. In the order of time.
pub(super) fn pauses(captures: &[CaptureEntry]) -> Vec<Pause> {
    let mut spans: Vec<Pause> = captures
        .iter()
        .filter_map(|capture| Some(Pause { from: capture.first_at?, until: capture.last_at? }))
        .collect();
    spans.sort_by_key(|span| span.from);
    let mut pauses = Vec::new();
    let mut known = spans.first().map(|span| span.until);
    for span in &spans {
        if let Some(end) = known.filter(|end| span.from.since(*end) >= HOLE_MIN) {
            pauses.push(Pause { from: end, until: span.from });
        }
        known = known.max(Some(span.until));
    }
    for (place, capture) in captures.iter().enumerate() {
        let is_covered = |pause: &&Pause| {
            let mut others = captures.iter().take(CAPTURES_MAX).enumerate();
            others.any(|(other, known)| {
                other != place
                    && known.first_at.is_some_and(|first| first <= pause.from)
                    && known.last_at.is_some_and(|last| last >= pause.until)
            })
        };
        let own = capture.pauses.iter().filter(|pause| !is_covered(pause));
        pauses.extend(own.copied());
    }
    pauses.sort_by_key(|pause| pause.from);
    pauses
}

/// Captures that may cover a pause of another.
const CAPTURES_MAX: usize = 64;
/// Servers of encrypted signalling, or other places, that one capture's weaknesses name.
const PLACES_MAX: usize = 16;

/// Says what the input cannot show, to the report and to the rules; weaknesses are added to the captures that have them.
pub(super) fn assess(
    store: &MessageStore,
    set: &CallSet,
    captures: &mut [CaptureEntry],
    seen: &Seen<'_>,
) -> (Fitness, Sight) {
    let census = seen.census;
    add_cuts(census, captures);
    add_missing(captures, seen);
    let encrypted = add_encrypted(captures, seen);
    add_left(captures, seen);
    add_clocks(store, captures);
    add_halves(&set.calls, captures);
    let one_direction = crate::call::one_direction_pairs(store, &set.calls, &set.attempts, census);
    let endpoint = |id| store.tables.endpoint(id);
    let fitness = Fitness {
        sip_messages: census.by_transport.clone(),
        copies: store.copies,
        media_packets: seen.tally.media_packets,
        undecoded: undecoded::undecoded(&seen.tally.skips, seen.networks.iter()),
        one_direction_pairs: one_direction.iter().map(|pair| (endpoint(pair.speaker), endpoint(pair.silent))).collect(),
    };
    let weaknesses = captures.iter().enumerate().flat_map(|(file, capture)| {
        let at = move |frame: u32| FrameRef { file: file as u16, frame };
        capture.weaknesses.iter().map(move |weakness| SeenWeakness {
            kind: weakness.kind,
            at: weakness.frame.map(at),
            detail: weakness.detail.clone(),
        })
    });
    let sight = Sight {
        one_direction,
        cut_messages: seen.tally.cut_messages,
        missing_bytes: seen.missing_bytes,
        dropped: captures.iter().map(|capture| capture.dropped).sum(),
        copies: store.copies,
        fragmented: census.fragmented.clone(),
        pauses: seen.pauses.clone(),
        shifts: store.shifts.clone(),
        weaknesses: weaknesses.collect(),
        encrypted,
    };
    (fitness, sight)
}

fn add(captures: &mut [CaptureEntry], file: usize, kind: WeaknessKind, frame: Option<u32>, detail: String) {
    if let Some(capture) = captures.get_mut(file) {
        capture.weaknesses.push(Weakness { kind, frame, detail });
    }
}

fn add_cuts(census: &Census, captures: &mut [CaptureEntry]) {
    for (&file, &(frame, count)) in &census.cut {
        let detail = format!(
            "{count} SIP messages are cut short: the capture kept only the first bytes of their packets (snap length)"
        );
        add(captures, usize::from(file), WeaknessKind::SnaplenCut, Some(frame), detail);
    }
}

fn add_missing(captures: &mut [CaptureEntry], seen: &Seen<'_>) {
    let mut missing: BTreeMap<u16, u64> = BTreeMap::new();
    for connection in seen.connections.iter().filter(|c| c.missing_bytes > 0) {
        *missing.entry(connection.first_seen.at.file).or_default() += connection.missing_bytes;
    }
    for file in seen.tally.holes.keys() {
        missing.entry(*file).or_default();
    }
    for (file, bytes) in missing {
        let (count, frame) = match seen.tally.holes.get(&file) {
            Some((count, first)) => (*count, Some(first.frame)),
            None => (0, None),
        };
        let detail = match (bytes, count) {
            (0, holes) => format!("TCP streams with SIP have {holes} holes"),
            (bytes, 0) => {
                format!("{bytes} bytes of TCP streams with signalling are not in the capture")
            }
            (bytes, holes) => format!(
                "{bytes} bytes of TCP streams with signalling are not in the capture; SIP goes on behind {holes} holes"
            ),
        };
        add(captures, usize::from(file), WeaknessKind::MissingSegment, frame, detail);
    }
    let mut incomplete: BTreeMap<u16, (u64, u32)> = BTreeMap::new();
    for datagram in seen.incomplete {
        let entry = incomplete.entry(datagram.at.file).or_insert((0, datagram.at.frame));
        *entry = (entry.0 + 1, entry.1.min(datagram.at.frame));
    }
    for (file, (count, frame)) in incomplete {
        let detail = format!("{count} datagrams lack at least one IP fragment");
        add(captures, usize::from(file), WeaknessKind::MissingFragment, Some(frame), detail);
    }
}

/// Names the servers whose encrypted signalling could not be read; gives each with the first frame of such data.
fn add_encrypted(captures: &mut [CaptureEntry], seen: &Seen<'_>) -> Vec<(Endpoint, FrameRef)> {
    let mut servers: BTreeMap<(u16, Endpoint), (u64, FrameRef)> = BTreeMap::new();
    let handshakes = seen.networks.iter().flat_map(|network| network.handshakes());
    for handshake in handshakes.filter(|handshake| handshake.is_unread()) {
        let data = handshake.client_data.or(handshake.server_data);
        let at = data.unwrap_or(handshake.first_seen).at;
        let server = (at.file, handshake.flow.destination);
        let entry = servers.entry(server).or_insert((0, at));
        *entry = (entry.0 + 1, entry.1.min(at));
    }
    let mut named: BTreeMap<u16, usize> = BTreeMap::new();
    for ((file, server), (count, at)) in &servers {
        let servers_named = named.entry(*file).or_default();
        *servers_named += 1;
        if *servers_named > PLACES_MAX {
            continue;
        }
        let detail = format!("{count} TLS connections with {server} cannot be read: their keys are not known");
        add(captures, usize::from(*file), WeaknessKind::Encrypted, Some(at.frame), detail);
    }
    for (file, count) in named.into_iter().filter(|(_, count)| *count > PLACES_MAX) {
        let detail = format!("TLS connections with {} more servers cannot be read", count - PLACES_MAX);
        add(captures, usize::from(file), WeaknessKind::Encrypted, None, detail);
    }
    servers.into_iter().map(|((_, server), (_, at))| (server, at)).collect()
}

/// What was passed over in streams, and what was let go to stay within a limit.
fn add_left(captures: &mut [CaptureEntry], seen: &Seen<'_>) {
    let mut details = undecoded::let_go(seen.networks.iter());
    if seen.tally.garbage_bytes > 0 {
        details.push(format!(
            "{} bytes of TCP streams with SIP are no SIP and were passed over",
            seen.tally.garbage_bytes
        ));
    }
    for detail in details {
        add(captures, 0, WeaknessKind::Undecoded, None, detail);
    }
}

fn add_clocks(store: &MessageStore, captures: &mut [CaptureEntry]) {
    for (tap, shift) in store.shifts.iter().enumerate().filter(|(_, shift)| **shift != 0) {
        let (file, interface) = store.taps.get(tap).copied().unwrap_or_default();
        let seconds = *shift as f64 / -1e9;
        let way = if seconds > 0.0 { "ahead of" } else { "behind" };
        let detail = format!(
            "the clock of interface {interface} is {:.3} s {way} the first capture point; its times were corrected",
            seconds.abs()
        );
        add(captures, usize::from(file), WeaknessKind::ClockOffset, None, detail);
    }
}

/// Calls that began before the capture or were going on at its end.
fn add_halves(calls: &[Call], captures: &mut [CaptureEntry]) {
    let partial = calls.iter().filter(|call| call.outcome == Outcome::Partial);
    let (without_start, without_end): (Vec<_>, Vec<_>) = partial.partition(|call| call.milestones.invited.is_none());
    let still_up = calls.iter().filter(|call| call.outcome == Outcome::StillUp).count();
    if !without_start.is_empty() {
        let detail = format!("{} calls began before the capture; their outcome is not judged", without_start.len());
        add(captures, 0, WeaknessKind::StartsMidCall, None, detail);
    }
    if !without_end.is_empty() || still_up > 0 {
        let detail =
            format!("{} calls were being set up and {still_up} were up when the capture ended", without_end.len());
        add(captures, captures.len().saturating_sub(1), WeaknessKind::EndsMidCall, None, detail);
    }
}
