//! Clocks of capture points that disagree, and clocks that were set.
//!
//! Source: RFC 3261 section 17 (a response follows its request).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::call::Message;
use crate::capture::WeaknessKind;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::input::SeenWeakness;
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::cap::capture::{capitalized, claim};

/// By how much an answer must stand before its request: less is the order in which packets were written.
const EARLY_MIN: Duration = Duration::from_millis(1);
/// Answers before their requests that show a clock rather than an odd pair.
const ANSWERS_MIN: u32 = 3;
/// Messages of one Call-ID before and behind an answer among which its request is looked for.
const LOOK_MAX: usize = 32;

/// Clocks of capture points that disagree, and clocks that were set back.
pub(super) fn cap_clock(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let of_clock = |kind| matches!(kind, WeaknessKind::ClockOffset | WeaknessKind::TimeStepsBack);
    let facts: Vec<&SeenWeakness> =
        capture.sight.weaknesses.iter().filter(|weakness| of_clock(weakness.kind)).collect();
    let early = early(capture);
    if facts.is_empty() && early.is_empty() {
        return Vec::new();
    }
    let mut details: Vec<String> = facts.iter().map(|fact| fact.detail.clone()).collect();
    details.extend(early.iter().map(|early| early.words(capture)));
    let mut observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .titled("The clocks of the capture points differ, or were set")
        .happened(format!(
            "{}. Times within one capture point are exact; durations across them are not.",
            capitalized(&details.join("; "))
        ))
        .remedy("Keep the clocks of capture hosts in step (NTP or PTP); `editcap -t` corrects a file.");
    for fact in &facts {
        let evidence = |frame| Evidence::seen(frame, fact.detail.clone(), fact.kind.word());
        observation = observation.maybe_shown_by(fact.at.map(evidence));
    }
    for early in &early {
        let quote = crate::diagnose::start_line(&capture.store.tables, early.answer);
        observation = observation.shown_by(Evidence::in_frames(
            vec![early.answer.at, early.request.at],
            quote,
            "an answer that stands before its request",
        ));
    }
    vec![claim(capture, observation, (facts.len() + early.len()) as u64)]
}

/// Answers that one capture point saw before another one saw their requests.
struct Early<'a> {
    count: u32,
    by: Duration,
    request: &'a Message,
    answer: &'a Message,
}

impl Early<'_> {
    fn words(&self, capture: &CaptureContext<'_>) -> String {
        let place = |message: &Message| {
            let (file, interface) = capture.store.taps.get(usize::from(message.tap)).copied().unwrap_or_default();
            format!("interface {interface} of file {}", file + 1)
        };
        format!(
            "{} answers were captured before their requests, by up to {:.3} s: the clock of {} is behind that of {}",
            self.count,
            self.by.as_secs_f64(),
            place(self.answer),
            place(self.request)
        )
    }
}

/// For each pair of capture points of which one saw requests and the other one answers: answers that came too soon.
fn early<'a>(capture: &CaptureContext<'a>) -> Vec<Early<'a>> {
    if capture.store.taps.len() < 2 {
        return Vec::new();
    }
    let mut pairs: BTreeMap<(u16, u16), Early<'a>> = BTreeMap::new();
    for group in capture.store.messages.by_call_id() {
        for (place, answer) in group.iter().enumerate() {
            let Some(request) = late_request(group, place) else {
                continue;
            };
            let by = request.time.since(answer.time);
            let early = pairs.entry((request.tap, answer.tap)).or_insert(Early { count: 0, by, request, answer });
            early.count += 1;
            early.by = early.by.max(by);
        }
    }
    pairs.into_values().filter(|early| early.count >= ANSWERS_MIN).collect()
}

/// The first send of the request of a response, where another capture point saw it after the response.
fn late_request(group: &[Message], place: usize) -> Option<&Message> {
    let answer = group.get(place)?;
    answer.status().filter(|_| !answer.flags.is_copy())?;
    let around = group.get(place.saturating_sub(LOOK_MAX)..(place + LOOK_MAX).min(group.len()))?;
    let request = around.iter().find(|message| {
        message.is_request(answer.cseq_method)
            && message.via == answer.via
            && message.source == answer.destination
            && message.destination == answer.source
    })?;
    let is_early = request.tap != answer.tap && request.time > answer.time.plus(EARLY_MIN);
    is_early.then_some(request)
}
