//! Calls that one node ended all at once: a restart, a failover, or somebody who closed it.
//!
//! Source: RFC 3261 section 15 (a BYE speaks for one party of one call).

use std::collections::HashSet;
use std::time::Duration;

use crate::call::survey::chance::{binomial_tail, bound};
use crate::call::survey::load::Destination;
use crate::call::{EndpointId, Outcome};
use crate::capture::Timestamp;
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::rule::Claim;
use crate::diagnose::{CallContext, CaptureContext, Confidence, Evidence, Observation, Proof, Severity};
use crate::sip::Method;

/// How close together the ends are.
const WINDOW: Duration = Duration::from_secs(1);
/// Calls that must have ended.
const CALLS_MIN: usize = 5;
/// Share of the calls then up that must have ended.
const SHARE_MIN: f64 = 0.9;
/// How much the longest talk must exceed the shortest: calls that began together end together.
const SPREAD_MIN_MS: f64 = 10_000.0;
/// How long the capture must run on: whoever ends a load test ends all of its calls.
const AFTER: Duration = Duration::from_secs(5);
/// Chance at most that so many people hang up at once.
const CHANCE_MAX: f64 = 1e-6;
/// Calls whose BYE is looked at, and which are quoted.
const LOOK_MAX: usize = 32;
const EXAMPLES_MAX: usize = 3;

/// Every node that ended its calls all at once.
pub fn call_dropped_by_network_of_capture(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut ends: Vec<MassEnd> = Vec::new();
    for destination in &capture.loads.destinations {
        let end = ended_at_once(capture, destination).and_then(|ended| by_one_node(capture, ended));
        // A call passes several nodes; one of them ended it.
        ends.extend(end.filter(|end| ends.iter().all(|known| known.node != end.node)));
    }
    ends.into_iter().map(|end| claim(capture, end)).collect()
}

/// Calls that ended together by no chance.
struct EndedAtOnce {
    calls: Vec<u32>,
    /// That so many people hung up at once.
    chance: f64,
    /// Calls that came to the node afterwards.
    later: usize,
}

/// Calls that one node ended all at once.
struct MassEnd {
    node: EndpointId,
    ended: EndedAtOnce,
    first_at: Timestamp,
    last_at: Timestamp,
    /// The talks, in milliseconds.
    shortest: f64,
    longest: f64,
    examples: Vec<Evidence>,
}

/// Where the most calls of a node ended within the window, and how many.
fn densest(ends: &[Timestamp]) -> Option<(Timestamp, usize)> {
    let (mut first, mut best) = (0, None::<(Timestamp, usize)>);
    for (place, end) in ends.iter().enumerate() {
        while end.since(ends[first]) > WINDOW {
            first += 1;
        }
        let count = place + 1 - first;
        if best.is_none_or(|best| count > best.1) {
            best = Some((ends[first], count));
        }
    }
    best
}

fn ended_at_once(capture: &CaptureContext<'_>, destination: &Destination) -> Option<EndedAtOnce> {
    let known = destination.ends.partition_point(|end| *end <= capture.end);
    let (from, count) = densest(destination.ends.get(..known)?)?;
    let to = from.plus(WINDOW);
    if count < CALLS_MIN || capture.watched_since(to) < AFTER {
        return None;
    }
    let (mut up, mut ended) = (0_usize, Vec::new());
    let mut talk_seconds = 0.0;
    let mut talks = 0_usize;
    for attempt in &destination.attempts {
        let Some(call) = capture.calls.get(attempt.call.place()) else {
            continue;
        };
        let Some(answered) = call.milestones.answered else {
            continue;
        };
        if let Some(talk) = call.milestones.talk_ms() {
            talk_seconds += talk / 1000.0;
            talks += 1;
        }
        let is_up = answered < from && call.milestones.hung_up.is_none_or(|end| end >= from);
        up += usize::from(is_up);
        let has_ended = call.milestones.hung_up.is_some_and(|end| end <= to);
        if is_up && has_ended && call.outcome == Outcome::Completed {
            ended.push(attempt.call.0);
        }
    }
    ended.sort_unstable();
    ended.dedup();
    if ended.len() < CALLS_MIN || (ended.len() as f64) < SHARE_MIN * up as f64 || talks == 0 {
        return None;
    }
    // Each call that is up ends within the window with the chance that an average talk gives it.
    let p = (WINDOW.as_secs_f64() * talks as f64 / talk_seconds.max(1.0)).min(1.0);
    let windows = capture.watched_since(capture.start).as_secs_f64() / WINDOW.as_secs_f64();
    let chance = binomial_tail(up as u64, ended.len() as u64, p) * windows.max(1.0);
    // Who closes a node for good, or ends a load test, sends it no more calls.
    let later = destination.attempts.iter().filter(|attempt| attempt.sent > to).count();
    (chance < CHANCE_MAX).then_some(EndedAtOnce { calls: ended, chance, later })
}

fn by_one_node(capture: &CaptureContext<'_>, at_once: EndedAtOnce) -> Option<MassEnd> {
    let ended = || at_once.calls.iter().filter_map(|call| capture.calls.get(*call as usize));
    let talks = || ended().filter_map(|call| call.milestones.talk_ms());
    let (shortest, longest) = (talks().fold(f64::INFINITY, f64::min), talks().fold(0.0, f64::max));
    // Everybody leaves a conference at its end.
    let callees: HashSet<_> = ended().map(|call| call.callee).collect();
    if longest - shortest < SPREAD_MIN_MS || callees.len() * 2 < at_once.calls.len() {
        return None;
    }
    let ends = || ended().filter_map(|call| call.milestones.hung_up);
    let (first_at, last_at) = (ends().min()?, ends().max()?);
    let mut node: Option<EndpointId> = None;
    let mut examples = Vec::new();
    for call in at_once.calls.iter().take(LOOK_MAX) {
        let context = CallContext::new(capture, *call as usize);
        let byes = context.transactions.each().filter(|(_, t)| t.method == Method::Bye);
        let (_, bye) = byes.min_by_key(|(_, t)| t.first)?;
        if *node.get_or_insert(bye.source) != bye.source {
            return None;
        }
        if examples.len() < EXAMPLES_MAX {
            let request = context.message(bye.request?)?;
            examples.push(context.shows(request, "one of the calls that were ended together"));
        }
    }
    Some(MassEnd { node: node?, ended: at_once, first_at, last_at, shortest, longest, examples })
}

fn claim(capture: &CaptureContext<'_>, end: MassEnd) -> Claim {
    let MassEnd { node: origin, ended: EndedAtOnce { calls, chance, later }, first_at, last_at, .. } = end;
    let node = capture.name(origin);
    let millis = |millis: f64| duration(Duration::from_secs_f64(millis / 1000.0));
    let (severity, since) = match later {
        0 => (Severity::Warn, String::new()),
        _ => (
            Severity::Error,
            format!(" {} came that way afterwards, so nobody had closed it for good.", counted(later as u64, "call")),
        ),
    };
    let said = Observation::new(Confidence::Likely, Proof::Timing)
        .severity(severity)
        .beside()
        .titled(format!("{node} ended all its calls at once"))
        .happened(format!(
            "{node} hung up on all {} calls that were up there within {}, {:.1} s into the capture, after talks of {} to {}: it most likely restarted, failed over or was closed (chance that people did so: {}).{since}",
            calls.len(),
            duration(last_at.since(first_at)),
            first_at.millis_since(capture.start) / 1000.0,
            millis(end.shortest),
            millis(end.longest),
            bound(chance)
        ))
        .remedy(format!(
            "Look at the log of {node} at that moment: a restart, a failover of its cluster, a lost connection to what it serves, or an operator."
        ))
        .not("call-cancelled", "calls of such different lengths do not end together by themselves")
        .at(origin, "all at once")
        .maybe_shown_by(end.examples);
    Claim { said, count: calls.len() as u32, calls, first_at, last_at, scope: String::new() }
}
