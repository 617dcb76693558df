//! Limits: a ceiling of calls at the same time, and a pace of new calls, above which a node refuses.

use crate::call::survey::chance::bound;
use crate::call::survey::load::{CountedCalls, Counting, Destination, Fate, RateLimit};
use crate::diagnose::background::refusal_causes::RefusalCause;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::refusals::{Refusals, list};

/// Share of refusals whose words must name a limit for certainty.
const STATED_SHARE: f64 = 0.5;

/// A node that refuses whatever comes while so many calls are up.
pub fn srv_capacity_ceiling(capture: &CaptureContext<'_>) -> Vec<Claim> {
    claims(capture, &RefusalCause::Ceiling, ceiling)
}

/// A node that refuses whatever comes faster than so many calls a second.
pub fn srv_cps_limit(capture: &CaptureContext<'_>) -> Vec<Claim> {
    claims(capture, &RefusalCause::Pace, pace_limit)
}

fn claims(
    capture: &CaptureContext<'_>,
    cause: &RefusalCause,
    observe: fn(&Refusals<'_>) -> Option<Observation>,
) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (destination, explained) in capture.refusal_causes() {
        let limited = explained.iter().filter(|explained| explained.cause == *cause);
        for explained in limited {
            let refusals = Refusals { capture, destination, places: &explained.places };
            claims.extend(observe(&refusals).map(|observation| refusals.claim(observation)));
        }
    }
    claims
}

fn ceiling(refusals: &Refusals<'_>) -> Option<Observation> {
    let (capture, destination) = (refusals.capture, refusals.destination);
    let ceiling = destination.ceiling.as_ref()?;
    let found = &ceiling.threshold;
    let name = capture.name(destination.endpoint);
    let stated = refusals.attempts().filter(|attempt| attempt.words.is_limit()).count();
    let is_stated = stated as f64 >= STATED_SHARE * refusals.places.len() as f64;
    let confidence = if is_stated { Confidence::Certain } else { Confidence::Likely };
    let least = if destination.older > 0 || starts_full(destination) { "at least " } else { "" };
    let whose = match ceiling.view {
        CountedCalls::To => String::new(),
        CountedCalls::Both => ", those that it sent itself included".to_owned(),
        CountedCalls::From(_) => " from one sender".to_owned(),
    };
    let explanation = format!(
        "{name} takes {least}{} calls at the same time{whose}: {} of its {} refusals ({}) came while that many were up, and {} of the {} calls that came with fewer up were taken. Refusals began {}{} after calls had ended and others had taken their places.",
        found.limit,
        found.refused_at_limit,
        found.refused,
        refusals.codes(),
        found.taken_below,
        found.below,
        counted(found.episodes, "time"),
        if found.episodes == 1 { "," } else { ", each time" },
    );
    let observation = Observation::new(confidence, if is_stated { Proof::OwnWords } else { Proof::Comparison })
        .titled(format!("{name} has {} channels, and all were taken", found.limit))
        .happened(explanation)
        .remedy(ceiling_remedy(refusals))
        .at(destination.endpoint, found.limit)
        .not(
            "srv-cps-limit",
            format!(
                "calls were refused at the limit however slowly they came; chance of such a parting by calls up: {}",
                bound(found.chance)
            ),
        )
        .not("call-busy", "different numbers were refused alike, and taken as soon as a call had ended");
    Some(observation.maybe_shown_by(refusals.evidence("refused with all channels taken")))
}

/// Who changes what about a ceiling.
fn ceiling_remedy(refusals: &Refusals<'_>) -> String {
    let others = refusals.others_with_room();
    let overflow = if others.is_empty() {
        "Order more channels or licences for it, or give its senders an overflow route.".to_owned()
    } else {
        format!("Let its senders use {} as overflow, which had room meanwhile, or order more channels.", list(&others))
    };
    format!(
        "{overflow} Ask its operator for 503 with Q.850 cause 34 if it answers anything else, so that senders go on to another route."
    )
}

/// Whether calls may have been up before the first one of the capture: refusals come before enough calls were seen.
fn starts_full(destination: &Destination) -> bool {
    let first = destination.attempts.iter().position(|attempt| attempt.is_refused());
    let limit = destination.ceiling.as_ref().map_or(0, |ceiling| ceiling.threshold.limit);
    first.is_some_and(|first| (first as u32) < limit)
}

fn pace_limit(refusals: &Refusals<'_>) -> Option<Observation> {
    let (capture, destination) = (refusals.capture, refusals.destination);
    let rate = destination.pace.as_ref()?.rate;
    let name = capture.name(destination.endpoint);
    let stated = refusals.attempts().filter(|attempt| attempt.words.says_rate).count();
    let is_stated = stated as f64 >= STATED_SHARE * refusals.places.len() as f64;
    let confidence = if is_stated { Confidence::Certain } else { Confidence::Likely };
    let pace = pace(rate.per_second);
    let taken = destination.attempts.iter().filter(|attempt| attempt.fate == Fate::Taken).count();
    let at_once = at_once(&rate.counting);
    let how = pace_words(refusals, &rate);
    let observation = Observation::new(confidence, if is_stated { Proof::OwnWords } else { Proof::Comparison })
        .titled(format!("{name} takes {pace}, and more came"))
        .happened(format!("{name} takes {pace}{at_once}: {how}. It took {taken} calls in all."))
        .remedy(format!(
            "Pace the senders at {pace} towards {name}{}, or ask its operator for a higher rate.",
            no_more(&rate.counting)
        ))
        .at(destination.endpoint, &pace)
        .not(
            "srv-capacity-ceiling",
            format!(
                "refusals came with few and with many calls up; chance of such a parting by pace: {}",
                bound(rate.counting.chance())
            ),
        );
    Some(observation.maybe_shown_by(refusals.evidence("refused beyond the rate")))
}

/// What a limiter takes beyond its rate after a pause.
fn at_once(counting: &Counting) -> String {
    match counting {
        Counting::Window { .. } => String::new(),
        Counting::Tokens(bucket) if bucket.burst == 1 => {
            ", each at least as long after the one before as that rate asks".to_owned()
        }
        Counting::Tokens(bucket) if bucket.is_burst_least => {
            format!(", and after a pause bursts of at least {} (no pause was long enough to show more)", bucket.burst)
        }
        Counting::Tokens(bucket) => {
            format!(", and after a pause bursts of up to {}", bucket.burst)
        }
    }
}

/// What senders have to heed besides the rate.
fn no_more(counting: &Counting) -> String {
    match counting {
        Counting::Window { limit, length, .. } => {
            format!(", no more than {} in any {} s", counted(*limit, "call"), length.as_secs())
        }
        Counting::Tokens(bucket) => {
            format!(", no more than {} at once", counted(bucket.burst, "call"))
        }
    }
}

/// How refusals keep to a pace.
fn pace_words(refusals: &Refusals<'_>, rate: &RateLimit) -> String {
    let codes = refusals.codes();
    match &rate.counting {
        Counting::Window { limit, length, threshold } => format!(
            "{} of the {} refusals ({codes}) came when {} had been taken in the {} s before, and {} of the {} calls that came with fewer were taken",
            threshold.refused_at_limit,
            threshold.refused,
            counted(*limit, "call"),
            length.as_secs(),
            threshold.taken_below,
            threshold.below,
        ),
        Counting::Tokens(bucket) => format!(
            "counted like that, {} of the {} refusals ({codes}) came when nothing was left of the rate, and {} of the {} calls that it took came while something was",
            bucket.refused - bucket.refused_with_token,
            bucket.refused,
            bucket.taken - bucket.taken_without,
            bucket.taken,
        ),
    }
}

/// A rate as an operator says it: `5 calls per second`, `30 calls per minute`.
fn pace(per_second: f64) -> String {
    let (rate, unit) = if per_second < 1.0 { (per_second * 60.0, "minute") } else { (per_second, "second") };
    let rounded = (rate * 10.0).round() / 10.0;
    let noun = if rounded == 1.0 { "call" } else { "calls" };
    format!("{rounded} {noun} per {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_below_one_a_second_are_said_by_the_minute() {
        for (per_second, said) in [
            (5.0, "5 calls per second"),
            (1.02, "1 call per second"),
            (2.5, "2.5 calls per second"),
            (0.5, "30 calls per minute"),
        ] {
            assert_eq!(said, pace(per_second));
        }
    }
}
