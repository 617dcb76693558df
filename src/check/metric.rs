//! Limits on the metrics of a set of calls: what was measured, and which calls count against it.

use crate::analysis::Analysis;
use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::call::survey::metrics::{Metrics, RegistrationMetrics};
use crate::call::{Call, Outcome};
use crate::check::policy::{Bound, Limit, Metric, Number, RegistrationMetric, shown};
use crate::check::verdict::{Kind, PROOFS_MAX, Proof, Verdict};
use crate::check::view::call_view;

/// Judges a limit of `[metrics]`; with fewer than `min_sample` calls of known outcome a ratio or delay fails.
pub(super) fn verdict(limit: &Limit<Metric>, analysis: &Analysis, min_sample: u32) -> Verdict {
    let metrics = &analysis.metrics;
    let is_count = matches!(limit.number.0, "calls" | "answered" | "partial" | "retransmissions");
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
    let is_count = limit.number.0 == "registration_attempts";
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
    match (limit.number.0, limit.bound) {
        ("ira_percent", Bound::Max) => is_refused,
        (name, Bound::Max) if name.starts_with("rrd_") => {
            is_registered && attempt.ended.millis_since(attempt.started) > limit.value
        }
        _ => false,
    }
}

/// What a limit came to by the number alone; `few` is why it cannot be judged, where that is so.
fn judged<Of>(limit: &Limit<Number<Of>>, of: &Of, few: Option<String>) -> Verdict {
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
    let (key, name) = (limit.key(), limit.number.0);
    let wanted = shown(&key, limit.value);
    match limit.measure(metrics) {
        None => Err(format!("{name} is not known of any call, so {key} = {wanted} cannot hold")),
        Some(value) if limit.bound.holds(value, limit.value) => Ok(format!("{name} {}", shown(&key, value))),
        Some(value) => Err(format!("{name} is {}, {key} is {wanted}", shown(&key, value))),
    }
}

/// The calls that count most against a limit, at most [`PROOFS_MAX`] of them; none where no call in particular does.
pub(super) fn culprits(limit: &Limit<Metric>, ids: impl Iterator<Item = u32>, analysis: &Analysis) -> Vec<Proof> {
    let honest = ids.filter(|id| {
        let place = id.saturating_sub(1);
        analysis.hostile_calls.binary_search(&place).is_err()
    });
    let mut found: Vec<(f64, u32)> = honest
        .filter_map(|id| {
            let entry = analysis.calls.get((id as usize).checked_sub(1)?)?;
            Some((against(limit, &entry.call)?, id))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let worst = found.iter().take(PROOFS_MAX);
    worst.filter_map(|(_, id)| proof(limit, *id, analysis)).collect()
}

fn proof(limit: &Limit<Metric>, id: u32, analysis: &Analysis) -> Option<Proof> {
    let call = call_view(analysis, id)?;
    let entry = analysis.calls.get((id as usize).checked_sub(1)?)?;
    let note = match delay(limit.number.0, &entry.call) {
        Some((name, value)) => format!("{name} is {}", shown(name, value)),
        None if limit.number.0 == "retransmissions" => {
            format!("{} retransmissions", call.retransmissions)
        }
        None => call.note(),
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
    let name = limit.number.0;
    let code = call.final_code.map_or(0, |code| code.0);
    if let Some((_, value)) = delay(name, call) {
        let excess = match limit.bound {
            Bound::Max => value - limit.value,
            Bound::Min => limit.value - value,
        };
        return Some(excess).filter(|excess| *excess > 0.0);
    }
    let counts = match (name, limit.bound) {
        ("retransmissions", Bound::Max) => {
            return Some(f64::from(call.retransmissions)).filter(|repeats| *repeats > 0.0);
        }
        ("partial", Bound::Max) => call.outcome == Outcome::Partial,
        _ if call.outcome == Outcome::Partial => false,
        ("answered" | "asr_percent", Bound::Min) => !call.outcome.is_answered(),
        ("scr_percent", Bound::Min) => call.outcome != Outcome::Completed,
        ("ner_percent" | "ser_percent" | "seer_percent", Bound::Min) => call.outcome.is_failure(),
        ("isa_percent", Bound::Max) => matches!(code, 408 | 500 | 503 | 504),
        _ => false,
    };
    counts.then_some(0.0)
}

/// The delay of one call that a metric is a mean or percentile of, with its name; `None` for other metrics.
fn delay(metric: &str, call: &Call) -> Option<(&'static str, f64)> {
    let times = &call.milestones;
    if call.outcome == Outcome::Partial {
        return None;
    }
    let is_refused = call.outcome.is_failure() && !call.outcome.is_answered();
    if metric.starts_with("pdd_") {
        Some(("pdd_ms", times.pdd_ms()?))
    } else if metric.starts_with("setup_") {
        Some(("setup_ms", times.setup_ms()?))
    } else if metric.starts_with("talk_") || metric == "acd_ms" {
        Some(("talk_ms", times.talk_ms()?))
    } else if metric.starts_with("sdd_") {
        Some(("sdd_ms", times.teardown_ms()?))
    } else if metric.starts_with("srd_failed_") && is_refused {
        let failed_after = times.concluded?.millis_since(times.invited?);
        Some(("srd_failed_ms", failed_after))
    } else {
        None
    }
}
