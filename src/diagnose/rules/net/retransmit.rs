//! Requests that had to be repeated although they were answered in the end: loss, or slow answers.
//!
//! Source: RFC 3261 section 17.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::{EndpointId, Leg, Message, NodeId, TextId, transactions_of};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rule::Claim;
use crate::sip::Method;

/// Repeated requests of one pair that are worth a word.
const REPEATED_MIN: u32 = 5;
/// The same where the pair has many requests.
const REPEATED_OF_MANY_MIN: u32 = 3;
/// Repeated requests of a hundred.
const REPEATED_PERCENT_MIN: u32 = 2;
/// How many requests are many.
const REQUESTS_MIN: u32 = 50;
/// An answer that comes so soon after a repeat was made by that repeat.
const QUICK_ANSWER: Duration = Duration::from_millis(300);
/// A repeat that was sent so soon after the answer had left before the answer could arrive.
const CROSSING: Duration = Duration::from_millis(100);
/// Responses to one request that are looked at.
const RESPONSES_MAX: usize = 16;
/// How soon a node answers that is not slow.
const USUAL_QUICK_MS: f64 = 300.0;
/// Other INVITEs whose answers tell how soon a node usually answers.
const USUAL_MAX: usize = 1_000;
/// Frames that evidence names.
const FRAMES_MAX: usize = 8;

/// Requests of one pair that were repeated and answered in the end.
#[derive(Default)]
struct Repeats {
    requests: u32,
    slow: u32,
    lost: u32,
    unheard: u32,
    /// Answers that the peer sent again, as one does that got every copy of the request.
    doubled: u32,
    delays_ms: Vec<f64>,
    frames: Vec<FrameRef>,
    first: Option<Timestamp>,
    last: Timestamp,
    example: String,
    ends: (EndpointId, EndpointId),
}

/// Pairs between which many requests had to be repeated.
pub(super) fn net_retransmit(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut pairs: BTreeMap<(NodeId, NodeId), Repeats> = BTreeMap::new();
    for call in capture.calls.iter().filter(|call| call.retransmissions > 0) {
        add(capture, &call.legs, |_| true, &mut pairs);
    }
    for leg in legs_beside_calls(capture) {
        add(capture, &[leg], is_beside_calls, &mut pairs);
    }
    let mut claims = Vec::new();
    for (pair, mut repeats) in pairs {
        let asked = capture.history().asked(pair.0, pair.1);
        let all = (asked.answered + asked.silent).max(repeats.requests);
        let enough = if all >= REQUESTS_MIN { REPEATED_OF_MANY_MIN } else { REPEATED_MIN };
        let is_share = repeats.requests * 100 >= all * REPEATED_PERCENT_MIN;
        if repeats.requests >= enough && is_share && !capture.is_hostile(repeats.ends.0) {
            claims.push(claim(capture, &mut repeats, all));
        }
    }
    claims
}

/// The Call-IDs of registrations and other requests outside calls of which one was repeated and answered, each once.
fn legs_beside_calls(capture: &CaptureContext<'_>) -> Vec<Leg> {
    let registered = capture
        .attempts
        .iter()
        .filter(|attempt| attempt.sends > attempt.challenges + 1 && attempt.final_code.is_some())
        .map(|attempt| attempt.leg);
    let asked = capture
        .requests
        .iter()
        .filter(|request| request.sends > 1 && request.answer.is_some())
        .map(|request| Leg { call_id: TextId::default(), messages: request.range });
    let mut legs: Vec<Leg> = registered.chain(asked).collect();
    legs.sort_unstable_by_key(|leg| leg.messages);
    legs.dedup_by_key(|leg| leg.messages);
    legs
}

/// Whether a request has its place outside calls.
fn is_beside_calls(method: Method) -> bool {
    matches!(
        method,
        Method::Register | Method::Options | Method::Subscribe | Method::Notify | Method::Publish | Method::Message
    )
}

/// Adds the repeated requests of some Call-IDs to their pairs.
fn add(
    capture: &CaptureContext<'_>,
    legs: &[Leg],
    is_wanted: fn(Method) -> bool,
    pairs: &mut BTreeMap<(NodeId, NodeId), Repeats>,
) {
    let transactions = transactions_of(capture.store, legs);
    for (index, t) in transactions.each() {
        let is_timed = !t.transport.is_reliable() && t.method != Method::Ack;
        if t.sends < 2 || !is_timed || !is_wanted(t.method) {
            continue;
        }
        let Some(answer) = transactions.responses_of(index).map(|(_, m)| m).next() else {
            continue;
        };
        let sends: Vec<&Message> = transactions.sends_of(index).map(|(_, m)| m).collect();
        // What is repeated behind an answer that went astray is another problem.
        if answer.destination != t.source {
            continue;
        }
        let key = (capture.node(t.source), capture.node(t.destination));
        let repeats = pairs.entry(key).or_default();
        let again = transactions.responses_of(index).map(|(_, m)| m).skip(1);
        let is_doubled = again.take(RESPONSES_MAX).any(|m| m.kind == answer.kind);
        note(repeats, &sends, answer, is_doubled);
        repeats.ends = (t.source, t.destination);
        if repeats.example.is_empty() {
            repeats.example = crate::diagnose::start_line(&capture.store.tables, sends[0]);
        }
    }
}

fn note(repeats: &mut Repeats, sends: &[&Message], answer: &Message, is_doubled: bool) {
    let Some(before) = sends.iter().rev().find(|send| send.time <= answer.time) else {
        return;
    };
    let (Some(first), Some(last)) = (sends.first(), sends.last()) else {
        return;
    };
    repeats.requests += 1;
    repeats.first = Some(repeats.first.map_or(first.time, |known| known.min(first.time)));
    repeats.last = repeats.last.max(last.time);
    if repeats.frames.len() < FRAMES_MAX {
        repeats.frames.push(last.at);
    }
    // Only who has not heard the answer repeats what was answered.
    let unheard = sends.get(1).is_some_and(|second| second.time.since(answer.time) > CROSSING);
    if unheard {
        repeats.unheard += 1;
    } else if before.at != first.at && answer.time.since(before.time) <= QUICK_ANSWER {
        repeats.lost += 1;
    } else {
        repeats.slow += 1;
        repeats.doubled += u32::from(is_doubled);
        repeats.delays_ms.push(answer.time.millis_since(first.time));
    }
}

/// Why requests of a pair had to be repeated.
enum RepeatCause {
    /// Answers that come late to a node that usually answers within `usual_ms`: it is slow at times, or the first send is lost.
    SlowOrLost { usual_ms: f64 },
    /// Requests are lost on the way there.
    Lost,
    /// Answers are lost on the way back.
    LostBack,
    /// The answering node is slow.
    Slow,
}

fn cause(capture: &CaptureContext<'_>, repeats: &Repeats) -> RepeatCause {
    let most = repeats.slow.max(repeats.lost).max(repeats.unheard);
    let usual = usual_ms(capture, repeats.ends).filter(|usual| *usual < USUAL_QUICK_MS);
    // A late answer to the first send and a soon one to its repeat look alike; who got both answers both.
    match usual.filter(|_| most == repeats.slow && repeats.doubled == 0) {
        Some(usual_ms) => RepeatCause::SlowOrLost { usual_ms },
        None if most == repeats.lost => RepeatCause::Lost,
        None if most == repeats.unheard => RepeatCause::LostBack,
        None => RepeatCause::Slow,
    }
}

impl RepeatCause {
    fn confidence(&self) -> Confidence {
        match self {
            Self::SlowOrLost { .. } => Confidence::Possible,
            _ => Confidence::Likely,
        }
    }

    fn signature(&self) -> &'static str {
        match self {
            Self::SlowOrLost { .. } => "slow or lost",
            Self::Lost => "lost",
            Self::LostBack => "lost-back",
            Self::Slow => "slow",
        }
    }

    /// What it looks like; `typical` is how late answers come, in milliseconds.
    fn words(&self, there: &str, typical: f64) -> String {
        match self {
            Self::SlowOrLost { usual_ms } => format!(
                "the first answer comes late, typically after {typical:.0} ms, although {there} usually answers an INVITE within {:.0} ms: it is slow at times, or the first send is lost on the way",
                usual_ms.max(1.0)
            ),
            Self::Lost => "answers come quickly after the repeat: requests are lost on the way there".to_owned(),
            Self::LostBack => {
                "the request is repeated although it was answered: answers are lost on the way back".to_owned()
            }
            Self::Slow => format!("answers come late, typically after {typical:.0} ms: {there} is slow"),
        }
    }

    fn remedy(&self, here: &str, there: &str) -> Steps {
        let loss = |from: &str, to: &str| {
            format!("The way from {from} to {to}: look for loss (interface errors, duplex, queues, rate limits).")
        };
        match self {
            Self::SlowOrLost { .. } => Steps::from([
                format!("{there}: what it waits for at these times (DNS, database, load)."),
                loss(here, there),
            ]),
            Self::Lost => loss(here, there).into(),
            Self::LostBack => loss(there, here).into(),
            Self::Slow => format!(
                "{there}: what it waits for before it answers (DNS, database, load); it should send 100 at once."
            )
            .into(),
        }
    }
}

fn claim(capture: &CaptureContext<'_>, repeats: &mut Repeats, all: u32) -> Claim {
    let (here, there) = (capture.name(repeats.ends.0), capture.name(repeats.ends.1));
    repeats.delays_ms.sort_by(f64::total_cmp);
    let typical = repeats.delays_ms.get(repeats.delays_ms.len() / 2).copied().unwrap_or(0.0);
    let cause = cause(capture, repeats);
    let observation = Observation::new(cause.confidence(), Proof::Timing)
        .titled(format!("Requests from {here} to {there} have to be repeated"))
        .happened(format!(
            "{} of {all} requests from {here} to {there} had to be repeated ({:.1} %); {}.",
            repeats.requests,
            f64::from(repeats.requests) * 100.0 / f64::from(all.max(1)),
            cause.words(&there, typical)
        ))
        .remedy(cause.remedy(&here, &there))
        .shown_by(Evidence::in_frames(repeats.frames.clone(), repeats.example.clone(), "repeated requests"))
        .beside()
        .at(repeats.ends.1, cause.signature());
    Claim {
        said: observation,
        calls: Vec::new(),
        count: repeats.requests,
        first_at: repeats.first.unwrap_or(capture.start),
        last_at: repeats.last,
        scope: String::new(),
    }
}

/// How soon a node usually answers the INVITEs of another, in milliseconds.
fn usual_ms(capture: &CaptureContext<'_>, (here, there): (EndpointId, EndpointId)) -> Option<f64> {
    let source = capture.node(here);
    let attempts = capture.loads.at(capture.node(there))?.attempts.iter();
    let own = attempts.filter(|attempt| attempt.source == source);
    let mut replies: Vec<f64> = own.take(USUAL_MAX).filter_map(|attempt| attempt.reply_ms.map(f64::from)).collect();
    replies.sort_by(f64::total_cmp);
    replies.get(replies.len() / 2).copied()
}
