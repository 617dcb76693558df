//! Limits on the metrics of a set of calls: what was measured, and which calls count against it.

use crate::analysis::Analysis;
use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::call::survey::metrics::{Metrics, RegistrationMetrics};
use crate::call::{Call, CallId, Outcome};
use crate::check::policy::{
    About, AboutTries, Bound, Counted, Delay, Limit, Metric, Number, RegistrationMetric, shown,
};
use crate::check::verdict::{Kind, PROOFS_MAX, Proof, Verdict};
use crate::check::view::call_view;

/// Judges a limit of `[metrics]`; with fewer than `min_sample` calls of known outcome a ratio or delay fails.
pub(super) fn verdict(limit: &Limit<Metric>, analysis: &Analysis, min_sample: u32) -> Verdict {
    let metrics = &analysis.metrics;
    let is_count = matches!(limit.number.about, About::Calls | About::Count(_));
    let few = (!is_count && metrics.calls < min_sample)
        .then(|| format!("{} calls, min_sample asks for {min_sample}", metrics.calls));
    let verdict = judged(limit, metrics, few);
    if !verdict.fails() {
        return verdict;
    }
    verdict.shown_by(culprits(limit, 1..=analysis.calls.len() as u32, analysis))
}

/// The same of a limit on registrations; with fewer than `min_sample` tries of known end a ratio or delay fails.
pub(super) fn registration_verdict(
    limit: &Limit<RegistrationMetric>,
    metrics: &RegistrationMetrics,
    analysis: &Analysis,
    min_sample: u32,
) -> Verdict {
    let is_count = limit.number.about == AboutTries::Tries;
    let few = (!is_count && metrics.attempts < min_sample)
        .then(|| format!("{} tries to register, min_sample asks for {min_sample}", metrics.attempts));
    let verdict = judged(limit, metrics, few);
    if !verdict.fails() {
        return verdict;
    }
    let mut tries: Vec<&RegisterAttempt> =
        analysis.register_attempts.iter().filter(|attempt| counts_against(limit, attempt)).collect();
    let took = |attempt: &RegisterAttempt| attempt.ended.since(attempt.started);
    tries.sort_by_key(|attempt| std::cmp::Reverse(took(attempt)));
    let proofs = tries.iter().take(PROOFS_MAX).map(|attempt| Proof {
        call: None,
        call_id: analysis.store.tables.text(attempt.leg.call_id).to_owned(),
        note: format!(
            "{} {} after {:.0} ms",
            analysis.store.tables.text(attempt.aor),
            attempt.outcome.word(),
            attempt.ended.millis_since(attempt.started)
        ),
        frames: std::iter::once(attempt.asked_at).chain(attempt.answered_at).collect(),
    });
    verdict.shown_by(proofs.collect())
}

/// Whether a try to register is one of those that break a limit.
fn counts_against(limit: &Limit<RegistrationMetric>, attempt: &RegisterAttempt) -> bool {
    let is_registered = attempt.outcome == RegistrationOutcome::Registered;
    let is_refused = matches!(attempt.outcome, RegistrationOutcome::Failed | RegistrationOutcome::TimedOut);
    match (limit.number.about, limit.bound) {
        (AboutTries::Refused, Bound::Max) => is_refused,
        (AboutTries::Delay, Bound::Max) => is_registered && attempt.ended.millis_since(attempt.started) > limit.value,
        _ => false,
    }
}

/// What a limit came to by the number alone; `few` is why it cannot be judged, where that is so.
fn judged<Of, About>(limit: &Limit<Number<Of, About>>, of: &Of, few: Option<String>) -> Verdict {
    let key = limit.key();
    let wanted = shown(&key, limit.value);
    let side = match limit.bound {
        Bound::Min => "at least",
        Bound::Max => "at most",
    };
    let (holds, said) = match (few, limit.measure(of)) {
        (Some(few), _) => (false, few),
        (None, None) => (false, format!("nothing to measure it by, {side} {wanted} is needed")),
        (None, Some(value)) => {
            let holds = limit.bound.holds(value, limit.value);
            let said = format!("{}, {side} {wanted} is needed", shown(&key, value));
            (holds, said)
        }
    };
    Verdict::new(Kind::Metric, key, holds, said).at_line(limit.line)
}

/// What a limit on a group of calls came to: `Ok` with the number, or `Err` with what is wrong.
pub(super) fn of_group(limit: &Limit<Metric>, metrics: &Metrics) -> Result<String, String> {
    let (key, name) = (limit.key(), limit.number.name);
    let wanted = shown(&key, limit.value);
    match limit.measure(metrics) {
        None => Err(format!("{name} is not known of any call, so {key} = {wanted} cannot hold")),
        Some(value) if limit.bound.holds(value, limit.value) => Ok(format!("{name} {}", shown(&key, value))),
        Some(value) => Err(format!("{name} is {}, {key} is {wanted}", shown(&key, value))),
    }
}

/// The calls that count most against a limit, at most [`PROOFS_MAX`] of them; none where no call in particular does.
pub(super) fn culprits(limit: &Limit<Metric>, ids: impl Iterator<Item = u32>, analysis: &Analysis) -> Vec<Proof> {
    let honest = ids.filter(|id| !analysis.is_hostile(CallId(*id)));
    let mut found: Vec<(f64, u32)> = honest
        .filter_map(|id| {
            let entry = analysis.call(CallId(id))?;
            Some((against(limit, &entry.call)?, id))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let worst = found.iter().take(PROOFS_MAX);
    worst.filter_map(|(_, id)| proof(limit, *id, analysis)).collect()
}

fn proof(limit: &Limit<Metric>, id: u32, analysis: &Analysis) -> Option<Proof> {
    let call = call_view(analysis, id)?;
    let entry = analysis.call(CallId(id))?;
    let note = match limit.number.about {
        About::Delay(delay) => match delay_of(delay, &entry.call) {
            Some(value) => format!("{} is {}", delay.name(), shown(delay.name(), value)),
            None => call.note(),
        },
        About::Count(Counted::Retransmissions) => format!("{} retransmissions", call.retransmissions),
        _ => call.note(),
    };
    Some(Proof {
        call: Some(call.id),
        call_id: call.call_ids.first().cloned().unwrap_or_default(),
        note,
        frames: call.frames(),
    })
}

/// How much a call counts against a limit; `None` where it does not.
fn against(limit: &Limit<Metric>, call: &Call) -> Option<f64> {
    let code = call.final_code.map_or(0, |code| code.0);
    let counts = match (limit.number.about, limit.bound) {
        (About::Delay(delay), bound) => {
            let value = delay_of(delay, call)?;
            let excess = match bound {
                Bound::Max => value - limit.value,
                Bound::Min => limit.value - value,
            };
            return Some(excess).filter(|excess| *excess > 0.0);
        }
        (About::Count(Counted::Retransmissions), Bound::Max) => {
            return Some(f64::from(call.retransmissions)).filter(|repeats| *repeats > 0.0);
        }
        (About::Count(Counted::Partial), Bound::Max) => call.outcome == Outcome::Partial,
        _ if call.outcome == Outcome::Partial => false,
        (About::Count(Counted::Answered) | About::Share(Counted::Answered), Bound::Min) => !call.outcome.is_answered(),
        (About::Share(Counted::Completed), Bound::Min) => call.outcome != Outcome::Completed,
        (About::Share(Counted::Effective), Bound::Min) => call.outcome.is_failure(),
        (About::Share(Counted::Ineffective), Bound::Max) => matches!(code, 408 | 500 | 503 | 504),
        _ => false,
    };
    counts.then_some(0.0)
}

/// A delay of one call; `None` where it has none, or counts in no metric.
fn delay_of(delay: Delay, call: &Call) -> Option<f64> {
    let times = &call.milestones;
    if call.outcome == Outcome::Partial {
        return None;
    }
    match delay {
        Delay::Pdd => times.pdd_ms(),
        Delay::Setup => times.setup_ms(),
        Delay::Talk => times.talk_ms(),
        Delay::Sdd => times.teardown_ms(),
        Delay::SrdFailed if call.outcome.is_failure() && !call.outcome.is_answered() => {
            Some(times.concluded?.millis_since(times.invited?))
        }
        Delay::SrdFailed => None,
    }
}
