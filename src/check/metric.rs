//! Limits on the metrics of a set of calls: what was measured, and which calls count against it.

use crate::analysis::Analysis;
use crate::call::metrics::Metrics;
use crate::call::{Call, Outcome};
use crate::check::limit::{Bound, Limit, Metric, shown};
use crate::check::verdict::{Kind, PROOFS_MAX, Proof, Verdict};
use crate::check::view::call_view;

/// Judges a limit of `[metrics]`; with fewer than `min_sample` calls of known outcome a ratio or delay fails.
pub(super) fn verdict(limit: &Limit<Metric>, analysis: &Analysis, min_sample: u32) -> Verdict {
    let metrics = &analysis.metrics;
    let key = limit.key();
    let wanted = shown(&key, limit.value);
    let side = match limit.bound {
        Bound::Min => "at least",
        Bound::Max => "at most",
    };
    let is_count = matches!(
        limit.number.0,
        "calls" | "answered" | "partial" | "retransmissions"
    );
    let (holds, said) = match limit.measure(metrics) {
        _ if !is_count && metrics.calls < min_sample => (
            false,
            format!("{} calls, min_sample asks for {min_sample}", metrics.calls),
        ),
        None => (
            false,
            format!("nothing to measure it by, {side} {wanted} is needed"),
        ),
        Some(value) => {
            let holds = limit.bound.holds(value, limit.value);
            let said = format!("{}, {side} {wanted} is needed", shown(&key, value));
            (holds, said)
        }
    };
    let verdict = Verdict::new(Kind::Metric, key, holds, said).at_line(limit.line);
    if holds {
        return verdict;
    }
    verdict.shown_by(culprits(limit, 1..=analysis.calls.len() as u32, analysis))
}

/// What a limit on a group of calls came to: `Ok` with the number, or `Err` with what is wrong.
pub(super) fn of_group(limit: &Limit<Metric>, metrics: &Metrics) -> Result<String, String> {
    let (key, name) = (limit.key(), limit.number.0);
    let wanted = shown(&key, limit.value);
    match limit.measure(metrics) {
        None => Err(format!(
            "{name} is not known of any call, so {key} = {wanted} cannot hold"
        )),
        Some(value) if limit.bound.holds(value, limit.value) => {
            Ok(format!("{name} {}", shown(&key, value)))
        }
        Some(value) => Err(format!(
            "{name} is {}, {key} is {wanted}",
            shown(&key, value)
        )),
    }
}

/// The calls that count most against a limit, at most [`PROOFS_MAX`] of them; none where no call in particular does.
pub(super) fn culprits(
    limit: &Limit<Metric>,
    ids: impl Iterator<Item = u32>,
    analysis: &Analysis,
) -> Vec<Proof> {
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
    worst
        .filter_map(|(_, id)| proof(limit, *id, analysis))
        .collect()
}

fn proof(limit: &Limit<Metric>, id: u32, analysis: &Analysis) -> Option<Proof> {
    let call = call_view(analysis, (id as usize).checked_sub(1)?)?;
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
    } else if metric.starts_with("srd_failed_") && is_refused {
        let failed_after = times.concluded?.millis_since(times.invited?);
        Some(("srd_failed_ms", failed_after))
    } else {
        None
    }
}
