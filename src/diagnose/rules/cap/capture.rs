//! Statements about the capture as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::{Message, NodeId, OneDirection, Outcome};
use crate::capture::{FrameRef, Timestamp, WeaknessKind};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::{counted, was};
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::input::Sight;
use crate::diagnose::rule::Claim;
use crate::sip::Method;

/// Second copies of a hundred SIP packets that are worth a word.
const COPIES_PERCENT_MIN: u64 = 5;
/// Second copies that are worth a word.
const COPIES_MIN: u64 = 5;
/// No INVITE from before the capture is still being answered then: timer C of RFC 3261 section 16.6, and some slack.
const LONGEST_RING: Duration = Duration::from_secs(200);
/// Servers that a sentence names.
const NAMES_MAX: usize = 5;
/// Copies that evidence names.
const EXAMPLES_MAX: usize = 4;

pub(super) fn claim(capture: &CaptureContext<'_>, observation: Observation, count: u64) -> Claim {
    Claim {
        said: observation.beside(),
        calls: Vec::new(),
        count: u32::try_from(count).unwrap_or(u32::MAX),
        first_at: capture.start,
        last_at: capture.end,
        scope: String::new(),
    }
}

/// What was captured of a pair of which one side is not heard.
#[derive(Default)]
struct Half<'a> {
    messages: u64,
    first: Option<&'a Message>,
    calls: u64,
}

/// One statement for each pair of which one side is not heard.
pub(super) fn cap_one_direction(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let pairs = &capture.sight.one_direction;
    if pairs.is_empty() {
        return Vec::new();
    }
    let halves = halves(capture);
    let claims = pairs.iter().filter_map(|OneDirection { speaker, silent, is_known }| {
        let is_known = *is_known;
        let half = halves.get(&(capture.node(*speaker), capture.node(*silent)))?;
        let (here, there) = (capture.name(*speaker), capture.name(*silent));
        let observation = Observation::new(
            // Habits of a sender are a pattern; what it can know from the other side alone is proof.
            if is_known { Confidence::Certain } else { Confidence::Likely },
            if is_known { Proof::Protocol } else { Proof::Timing },
        )
            .titled(format!("Only one direction of {here} <-> {there} was captured"))
            .happened(format!(
                "The capture holds {} from {here} to {there} and none back, although {here} {}.{}",
                counted(half.messages, "message"),
                if is_known { "acts on what the other side said" } else { "behaves as if it were answered" },
                match half.calls {
                    0 => String::new(),
                    calls => format!(" Findings about missing answers are left out for {} between them.", counted(calls, "call")),
                }
            ))
            .remedy(
                "Mirror both directions (SPAN rx and tx), capture on one of the two hosts, or capture on both links and give both files.",
            )
            .at(*speaker, &there)
            .maybe_shown_by(half.first.map(|first| Evidence::seen(
                first.at,
                crate::diagnose::start_line(&capture.store.tables, first),
                "the first message of the direction that was captured",
            )));
        Some(claim(capture, observation, half.calls))
    });
    claims.collect()
}

fn halves<'a>(capture: &CaptureContext<'a>) -> BTreeMap<(NodeId, NodeId), Half<'a>> {
    let pairs = capture.sight.one_direction.iter();
    let mut halves: BTreeMap<(NodeId, NodeId), Half<'_>> =
        pairs.map(|pair| ((capture.node(pair.speaker), capture.node(pair.silent)), Half::default())).collect();
    let store = capture.store;
    for message in &store.messages {
        let key = (capture.node(message.source), capture.node(message.destination));
        if let Some(half) = halves.get_mut(&key) {
            half.messages += 1;
            let is_earlier = half.first.is_none_or(|known| message.order() < known.order());
            half.first = if is_earlier { Some(message) } else { half.first };
        }
    }
    for call in capture.calls {
        let mut ends: Vec<(NodeId, NodeId)> = call
            .hops
            .iter()
            .map(|hop| (capture.node(hop.source), capture.node(hop.destination)))
            .flat_map(|(a, b)| [(a, b), (b, a)])
            .collect();
        ends.sort_unstable();
        ends.dedup();
        for pair in ends {
            if let Some(half) = halves.get_mut(&pair) {
                half.calls += 1;
            }
        }
    }
    halves
}

/// Second captures of packets, where they are many.
pub(super) fn cap_duplicates(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let (copies, all) = (capture.sight.copies, capture.store.messages.len() as u64);
    if copies < COPIES_MIN || copies * 100 < all * COPIES_PERCENT_MIN {
        return Vec::new();
    }
    let marked = || capture.store.messages.iter().filter(|message| message.flags.is_copy());
    let frames: Vec<FrameRef> = marked().take(EXAMPLES_MAX).map(|message| message.at).collect();
    let quote =
        marked().next().map_or(String::new(), |message| crate::diagnose::start_line(&capture.store.tables, message));
    let taps: std::collections::BTreeSet<u16> = marked().map(|message| message.tap).collect();
    let kind = if capture.store.taps.len() > 1 && !taps.is_empty() {
        "several capture points"
    } else {
        "one capture point, such as a mirror of both ports, a bridge, or `-i any`"
    };
    let observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .titled("Packets were captured more than once")
        .happened(format!(
            "{copies} of {all} captured SIP messages ({:.0} %) are further captures of the same packet, by {kind}. They are left out of everything that is counted.",
            copies as f64 * 100.0 / all.max(1) as f64
        ))
        .remedy("Capture one interface or one mirror direction; or remove copies with `editcap -d` before.")
        .shown_by(Evidence::in_frames(frames, quote, "seen before"));
    vec![claim(capture, observation, copies)]
}

/// What the capture lacks of packets that were sent.
struct Damage<'a> {
    sight: &'a Sight,
    /// Messages without all their fragments that were answered all the same.
    fragments: u64,
    /// First messages of calls that begin with an answer.
    lost: Vec<&'a Message>,
}

impl Damage<'_> {
    /// Each kind of it, in the words of a sentence; empty where nothing is missing.
    fn words(&self) -> Vec<String> {
        let Sight { cut_messages, missing_bytes, dropped, .. } = *self.sight;
        let mut facts = Vec::new();
        if cut_messages > 0 {
            facts.push(format!(
                "{} {} cut short (snap length)",
                counted(cut_messages, "SIP message"),
                is(cut_messages)
            ));
        }
        if missing_bytes > 0 {
            let bytes = counted(missing_bytes, "byte");
            facts.push(format!("{bytes} of TCP streams with SIP {} missing", is(missing_bytes)));
        }
        if self.fragments > 0 {
            facts.push(format!(
                "{} without all {} fragments {} answered all the same",
                counted(self.fragments, "SIP message"),
                if self.fragments == 1 { "its" } else { "their" },
                was(self.fragments as usize)
            ));
        }
        if dropped > 0 {
            facts.push(format!("the capturing machine dropped {}", counted(dropped, "packet")));
        }
        if let Some(first) = self.lost.first() {
            facts.push(format!(
                "{} with an answer although the capture had run for minutes (first in frame {}): what was asked is missing",
                match self.lost.len() {
                    1 => "1 call begins".to_owned(),
                    count => format!("{count} calls begin"),
                },
                first.at.frame
            ));
        }
        facts
    }

    /// Packets that are missing or cut, the bytes of streams once.
    fn count(&self) -> u64 {
        let sight = self.sight;
        let packets = self.lost.len() as u64 + sight.cut_messages + self.fragments + sight.dropped;
        packets + u64::from(sight.missing_bytes > 0)
    }
}

/// Cut messages, missing bytes and fragments, packets that the capturing machine dropped.
pub(super) fn cap_damaged(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let sight = &capture.sight;
    let damage = Damage { sight, fragments: heard_without_fragments(capture), lost: answers_alone(capture) };
    let facts = damage.words();
    if facts.is_empty() {
        return Vec::new();
    }
    let mut observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .titled("Packets are missing or cut")
        .happened(format!(
            "{}. Findings that rest on what is missing are one level less sure.",
            capitalized(&facts.join("; "))
        ))
        .remedy(
            "Capture whole packets (`tcpdump -s 0`), with a larger buffer (`-B`), onto a fast disk, with a filter that keeps fragments.",
        );
    let of_kind = [
        WeaknessKind::SnaplenCut,
        WeaknessKind::MissingSegment,
        WeaknessKind::MissingFragment,
        WeaknessKind::CaptureDrops,
    ];
    for weakness in sight.weaknesses.iter().filter(|weakness| of_kind.contains(&weakness.kind)) {
        observation = observation.maybe_shown_by(
            weakness.at.map(|frame| Evidence::seen(frame, weakness.detail.clone(), weakness.kind.word())),
        );
    }
    if let Some(first) = damage.lost.first() {
        let quote = crate::diagnose::start_line(&capture.store.tables, first);
        observation = observation.shown_by(Evidence::seen(first.at, quote, "an answer without its request"));
    }
    vec![claim(capture, observation, damage.count())]
}

/// The first messages of calls that begin with an answer to INVITE long after the capture began, between nodes heard both ways.
fn answers_alone<'a>(capture: &CaptureContext<'a>) -> Vec<&'a Message> {
    let due = capture.start.plus(LONGEST_RING);
    let late = capture
        .calls
        .iter()
        .filter(|call| call.outcome == Outcome::Partial && call.milestones.invited.is_none() && call.started > due);
    late.filter_map(|call| capture.store.messages_of(call.legs.first()?).first())
        .filter(|message| {
            let (answerer, caller) = (capture.node(message.source), capture.node(message.destination));
            // What was never asked in the whole capture was not captured, rather than lost.
            let asked = capture.history().asked(caller, answerer);
            message.is_response_to(Method::Invite)
                && asked.answered + asked.silent > 0
                && !capture.is_one_directional(answerer, caller)
        })
        .collect()
}

/// Messages whose fragments the capture lacks but their receiver got: it answered them.
fn heard_without_fragments(capture: &CaptureContext<'_>) -> u64 {
    let store = capture.store;
    let incomplete = capture.fragmented().filter(|message| message.flags.is_incomplete() && !message.flags.is_copy());
    let heard = incomplete.filter(|message| {
        let around = store.messages_of_group(message.group);
        around.iter().any(|other| {
            message.method().is_some_and(|method| other.is_response_to(method)) && other.via == message.via
        })
    });
    heard.count() as u64
}

/// `is` of one, `are` of several.
fn is(count: u64) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// TLS connections with signalling that cannot be read.
pub(super) fn cap_encrypted(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let encrypted = &capture.sight.encrypted;
    let Some((_, first)) = encrypted.first() else {
        return Vec::new();
    };
    let mut servers: Vec<String> = encrypted.iter().map(|(server, _)| server.to_string()).collect();
    servers.sort_unstable();
    servers.dedup();
    let more = servers.len().saturating_sub(NAMES_MAX);
    servers.truncate(NAMES_MAX);
    let others = if more > 0 { format!(" and {}", counted(more as u32, "other")) } else { String::new() };
    let observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .titled("Signalling is encrypted")
        .happened(format!(
            "{} to {}{others} with signalling cannot be read, and the calls in there are not in this report. Only handshakes and alerts were looked at.",
            counted(encrypted.len() as u64, "TLS connection"),
            servers.join(", ")
        ))
        .remedy(
            "Let the client or server write a key log (SSLKEYLOGFILE) and give it along, mirror the signalling with HEP from the SBC or proxy, or capture behind the TLS end point.",
        )
        .shown_by(Evidence::seen(*first, "TLS", "the first of these connections"));
    let when: Option<Timestamp> = capture
        .handshakes
        .iter()
        .find(|handshake| handshake.first_seen.at == *first)
        .map(|handshake| handshake.first_seen.time);
    let mut claim = claim(capture, observation, encrypted.len() as u64);
    claim.first_at = when.unwrap_or(claim.first_at);
    vec![claim]
}
