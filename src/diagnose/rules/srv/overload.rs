//! Overload: a node that says it is overloaded, or whose answers slowed down before it refused.
//!
//! Sources: RFC 3261 section 21.5.4 (503 and Retry-After), RFC 6357 (design), RFC 7339 (the `oc` parameter).

use std::collections::HashMap;

use crate::call::FastMap;
use crate::call::survey::load::{Attempt, CountedCalls, Destination, Fate};
use crate::capture::Timestamp;
use crate::diagnose::background::refusal_causes::{RefusalCause, Slowing, median};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::part_of;
use crate::diagnose::finding::{Confidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::refusals::{Refusals, list, seconds};
use crate::sip::number::user_of;

/// Length of the spans in which what came is compared with what was taken.
const SPAN_SECONDS: i64 = 10;
/// Refusals from which on it is said how much came meanwhile.
const REFUSALS_MIN: usize = 5;
/// Answers before the first refusal that are compared with as many or more before them.
const ANSWERS_MIN: usize = 20;
/// A span is one in which the node refused where that many attempts at most came to one refusal.
const ATTEMPTS_A_REFUSAL: u32 = 10;

/// A node that refuses for load.
pub fn srv_overload(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (destination, explained) in capture.refusal_causes() {
        for explained in explained {
            if let RefusalCause::Overload(slowing) = explained.cause {
                let refusals = Refusals { capture, destination, places: &explained.places };
                claims.push(refusals.claim(observation(&refusals, slowing)));
            }
        }
    }
    claims
}

fn observation(refusals: &Refusals<'_>, slowing: Slowing) -> Observation {
    let (capture, destination) = (refusals.capture, refusals.destination);
    let name = capture.name(destination.endpoint);
    let demands = Demands::of(refusals);
    let is_stated = slowing == Slowing::default();
    let (confidence, proof) =
        if is_stated { (Confidence::Certain, Proof::OwnWords) } else { (Confidence::Likely, Proof::Timing) };
    let mut explanation = format!(
        "{name} refused {} with {} {}{}.",
        part_of(refusals.places.len(), destination.attempts.len(), "call"),
        refusals.codes(),
        refusals.span_words(),
        demands.words(),
    );
    let levels = destination.levels(CountedCalls::To);
    let pusher = pusher(refusals);
    explanation += &load_words(refusals, &levels, pusher.as_ref());
    explanation += &slow_words(refusals, slowing);
    let early = refusals.sent_too_early();
    if demands.pause.is_some() {
        explanation += &match early {
            0 => " No sender sent another INVITE inside the pause.".to_owned(),
            1 => " One INVITE was sent to it inside a pause that it had asked for.".to_owned(),
            n => format!(" {n} INVITEs were sent to it inside the pauses that it had asked for."),
        };
    }
    // Where another route carried every call, nobody but the node was troubled.
    let severity = if refusals.calls().is_empty() { Severity::Warn } else { Severity::Error };
    let observation = Observation::new(confidence, proof)
        .severity(severity)
        .titled(if is_stated {
            format!("{name} says that it is overloaded or unavailable")
        } else {
            format!("{name} is overloaded")
        })
        .happened(explanation)
        .remedy(remedy(refusals, &demands, early, pusher.as_ref()))
        .at(destination.endpoint, "overload")
        .maybe_shown_by(refusals.evidence(demands.shows()));
    with_refuted(observation, refusals, &levels)
}

/// Says that no number of calls is the limit, where it is none; `levels` are the calls that were up at each attempt.
fn with_refuted(observation: Observation, refusals: &Refusals<'_>, levels: &[u32]) -> Observation {
    let up = |place: &u32| levels.get(*place as usize).copied().unwrap_or_default();
    let least = refusals.places.iter().map(up).min().unwrap_or_default();
    let most = (0..)
        .zip(&refusals.destination.attempts)
        .filter(|(_, attempt)| attempt.fate == Fate::Taken)
        .map(|(place, _)| up(&place) + 1)
        .max()
        .unwrap_or_default();
    if most <= least + 1 {
        return observation;
    }
    observation
        .not("srv-capacity-ceiling", format!("it refused with {least} calls up and took calls until {most} were up"))
}

/// What refusals ask for.
struct Demands {
    /// Shortest and longest Retry-After in seconds.
    pause: Option<(u32, u32)>,
    /// Largest share that the node wanted kept back, in percent.
    oc_percent: Option<u8>,
    says_overload: bool,
    q850: Option<u16>,
}

impl Demands {
    fn of(refusals: &Refusals<'_>) -> Self {
        let words = || refusals.attempts().map(|attempt| attempt.words);
        let pauses = || words().filter_map(|words| words.retry_after_seconds);
        Self {
            pause: pauses().min().zip(pauses().max()),
            oc_percent: words().filter_map(|words| words.oc_percent).max(),
            says_overload: words().any(|words| words.says_overload || words.says_limit),
            q850: words().find_map(|words| words.q850),
        }
    }

    fn words(&self) -> String {
        let pause = self.pause.map(|(low, high)| match low == high {
            true => format!(", asking for a pause of {low} s (Retry-After)"),
            false => format!(", asking for pauses of {low} to {high} s (Retry-After)"),
        });
        let kept_back =
            self.oc_percent.map(|percent| format!(", asking to keep back {percent} % of requests (oc, RFC 7339)"));
        let cause = match self.q850 {
            Some(42) => Some(", naming congestion (Q.850 cause 42)".to_owned()),
            Some(cause @ (34 | 44)) => Some(format!(", naming missing channels (Q.850 cause {cause})")),
            _ => self.says_overload.then(|| ", saying so in its own words".to_owned()),
        };
        [pause, kept_back, cause].into_iter().flatten().collect()
    }

    fn shows(&self) -> &'static str {
        match self.pause {
            Some(_) => "refused, with the pause that it asks for",
            None => "refused for load",
        }
    }
}

/// How much came and how much was taken while it refused and before.
fn load_words(refusals: &Refusals<'_>, levels: &[u32], pusher: Option<&Pusher<'_>>) -> String {
    let destination = refusals.destination;
    if refusals.places.len() < REFUSALS_MIN {
        return String::new();
    }
    let span = |nanoseconds: i64| nanoseconds.div_euclid(SPAN_SECONDS * 1_000_000_000);
    let mut counts: FastMap<i64, (u32, u32, u32)> = HashMap::default();
    let span_of = |attempt: &Attempt| span(attempt.sent.nanoseconds());
    for attempts in destination.attempts.chunk_by(|a, b| span_of(a) == span_of(b)) {
        let taken = attempts.iter().filter(|attempt| attempt.fate == Fate::Taken);
        let count = (attempts.len() as u32, taken.count() as u32, 0);
        counts.insert(span_of(&attempts[0]), count);
    }
    for attempt in refusals.attempts() {
        counts.entry(span_of(attempt)).or_default().2 += 1;
    }
    let a_second = |count: f32| count / SPAN_SECONDS as f32;
    let full: Vec<(f32, f32)> = counts
        .values()
        .filter(|(all, _, refused)| refused * ATTEMPTS_A_REFUSAL >= *all && *refused > 0)
        .map(|(all, taken, _)| (*all as f32, *taken as f32))
        .collect();
    let calm = counts.values().filter(|(_, _, refused)| *refused == 0).map(|(all, _, _)| *all).max();
    let offered: Vec<f32> = full.iter().map(|(all, _)| *all).collect();
    let taken: Vec<f32> = full.iter().map(|(_, taken)| *taken).collect();
    let up: Vec<f32> =
        refusals.places.iter().filter_map(|place| levels.get(*place as usize)).map(|level| *level as f32).collect();
    let (up, offered) = (median(&up), median(&offered));
    if full.is_empty() {
        return format!(
            " Its refusals are spread thinly: they were never one in ten of what came within {SPAN_SECONDS} s, and about {up:.0} calls were up.",
        );
    }
    let mut words = format!(
        " While it refused, about {:.1} calls/s came, it took {:.1}/s, and about {up:.0} were up",
        a_second(offered),
        a_second(median(&taken)),
    );
    if let Some(calm) = calm {
        words += &format!("; in {SPAN_SECONDS} s without refusals at most {:.1} calls/s came", a_second(calm as f32));
        if calm as f32 >= offered {
            words += ", so it refused at a pace that it took at other times: load from elsewhere or a fault behind it may be the cause";
        }
    }
    if let Some(pusher) = pusher {
        words += &format!(
            "; {} of the {} INVITEs that came meanwhile were those of {}, and {} of the {} before",
            pusher.during.0,
            pusher.during.1,
            pusher.user,
            if pusher.before.0 == 0 { "none".to_owned() } else { pusher.before.0.to_string() },
            pusher.before.1
        );
    }
    words + "."
}

/// A caller whose calls make the load that is refused: how many of all were its own while the node refused, and before.
struct Pusher<'a> {
    user: &'a str,
    during: (usize, usize),
    before: (usize, usize),
}

/// The caller that sent most of what came while the node refused, and far less of what came before.
fn pusher<'a>(refusals: &Refusals<'a>) -> Option<Pusher<'a>> {
    /// Attempts that make a share.
    const ATTEMPTS_MIN: usize = 20;
    let capture = refusals.capture;
    let (first, last) = refusals.span();
    let span = last.since(first);
    let attempts = &refusals.destination.attempts;
    let caller = |attempt: &Attempt| {
        let call = capture.calls.get(attempt.call.place())?;
        Some(user_of(capture.text(call.caller)))
    };
    let between = |from: Timestamp, to: Timestamp| {
        let start = attempts.partition_point(|attempt| attempt.sent < from);
        let end = attempts.partition_point(|attempt| attempt.sent <= to);
        attempts.get(start..end).unwrap_or_default()
    };
    let during = between(first, last);
    let mut counts: FastMap<&str, usize> = HashMap::default();
    for user in during.iter().filter_map(caller) {
        *counts.entry(user).or_default() += 1;
    }
    let (user, own) = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(a.0)))?;
    let share = |own: usize, all: usize| own as f64 / all.max(1) as f64;
    if during.len() < ATTEMPTS_MIN || share(own, during.len()) <= 0.5 || user.is_empty() {
        return None;
    }
    // The load rose some time before the first refusal.
    let calm = first.nanoseconds().saturating_sub(span.as_nanos() as i64);
    let calm = attempts.partition_point(|attempt| attempt.sent.nanoseconds() < calm);
    let before = attempts.get(..calm).unwrap_or_default();
    if before.len() < ATTEMPTS_MIN {
        return None;
    }
    let own_before = before.iter().filter(|attempt| caller(attempt) == Some(user)).count();
    let has_risen = share(own_before, before.len()) * 4.0 < share(own, during.len());
    has_risen.then_some(Pusher { user, during: (own, during.len()), before: (own_before, before.len()) })
}

/// How its answers slowed down before.
fn slow_words(refusals: &Refusals<'_>, slowing: Slowing) -> String {
    let slowing = if slowing == Slowing::default() {
        slowing_before(refusals.destination, refusals.places.first())
    } else {
        Some(slowing)
    };
    slowing.map_or(String::new(), |slowing| {
        format!(" Its answers had slowed from {:.0} ms to {:.0} ms before.", slowing.before_ms, slowing.after_ms)
    })
}

/// The slowing of the last answers before a place, where they take more than twice as long as before.
fn slowing_before(destination: &Destination, place: Option<&u32>) -> Option<Slowing> {
    let before = destination.attempts.get(..*place? as usize)?;
    let answers: Vec<f32> = before.iter().filter_map(|attempt| attempt.progress_ms).collect();
    let (early, late) = answers.split_at_checked(answers.len().checked_sub(ANSWERS_MIN)?)?;
    let slowing = Slowing { before_ms: median(early), after_ms: median(late) };
    (early.len() >= ANSWERS_MIN && slowing.after_ms > 2.0 * slowing.before_ms).then_some(slowing)
}

fn remedy(refusals: &Refusals<'_>, demands: &Demands, early: u32, pusher: Option<&Pusher<'_>>) -> Steps {
    let (capture, destination) = (refusals.capture, refusals.destination);
    let name = capture.name(destination.endpoint);
    let mut steps: Vec<String> = Vec::new();
    let others = refusals.others_with_room();
    if !others.is_empty() {
        let rescued = refusals.rescued();
        steps.push(if rescued > 0 {
            format!(
                "Keep the failover to {} ({rescued} of the refused calls got through), and spread calls before {name} refuses.",
                list(&others)
            )
        } else {
            format!("Let the senders fail over on 503: meanwhile there was room at {}.", list(&others))
        });
    }
    if demands.pause.is_some() && early > 0 {
        steps.push(format!("Make the senders heed Retry-After: no INVITE to {name} while the pause runs."));
    }
    if demands.oc_percent.is_some() {
        steps.push(
            "Switch on overload control (RFC 7339) at the senders, so that they keep back what it asks.".to_owned(),
        );
    }
    let last = recovery(refusals);
    steps.push(format!(
        "Pace {} below the rate that {name} takes, or give it more capacity.{last}",
        pusher.map_or("the senders", |pusher| pusher.user)
    ));
    steps.into()
}

/// When it took calls again after the last refusal.
fn recovery(refusals: &Refusals<'_>) -> String {
    let destination = refusals.destination;
    let Some(last) = refusals.places.last() else {
        return String::new();
    };
    let after = destination.attempts.get(*last as usize + 1..).unwrap_or_default();
    match after.iter().find(|attempt| attempt.fate == Fate::Taken) {
        Some(attempt) => {
            format!(" It took calls again from {} of the capture.", seconds(refusals.capture, attempt.sent))
        }
        None => String::new(),
    }
}
