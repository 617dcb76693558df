//! Call statistics in words: the ratios with their populations, and the destinations by what failed at them.
//!
//! Sources: RFC 6076 sections 4 and 5; ITU-T E.411 and E.425. Formulas: docs/metrics.md.

use crate::call::survey::chance::{bound, wilson};
use crate::call::survey::load::{Destination, Fate, trend};
use crate::capture::Timestamp;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rule::Claim;

/// Calls below which no ratio says anything.
const CALLS_MIN: u32 = 20;
/// Destinations that are ranked.
const RANKED_MAX: usize = 5;
/// Chance at most that a node seems to have got worse.
const TREND_CHANCE_MAX: f64 = 0.001;

/// The statistics of the capture.
pub fn fleet_metrics(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let metrics = capture.honest_metrics();
    if metrics.calls < CALLS_MIN {
        return Vec::new();
    }
    let percent = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.1} %"));
    let mut text = format!(
        "{} attempts whose end is known, {} answered: ASR {}, NER {}, SEER {}, ISA {}.",
        metrics.calls,
        metrics.answered,
        percent(metrics.asr_percent),
        percent(metrics.ner_percent),
        percent(metrics.seer_percent),
        percent(metrics.isa_percent),
    );
    if let Some(pdd) = metrics.pdd_ms {
        text += &format!(" Half rang within {:.1} s, 95 % within {:.1} s.", pdd.p50 / 1000.0, pdd.p95 / 1000.0);
    }
    if let Some(talk) = metrics.acd_ms {
        text += &format!(" Mean talk {:.0} s.", talk / 1000.0);
    }
    if metrics.partial > 0 {
        text += &format!(
            " {} of which too little was captured {} left out.",
            counted(metrics.partial, "call"),
            if metrics.partial == 1 { "is" } else { "are" }
        );
    }
    text += &ranking(capture);
    text += &worse(capture);
    text += &format!(
        " Measured where the capture was taken, over {:.0} s; short captures make talk look short.",
        capture.end.millis_since(capture.start) / 1000.0
    );
    let observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .beside()
        .titled(format!("Statistics of {} calls", metrics.calls))
        .happened(text)
        .remedy("Nothing to change: compare with the same measuring point, direction and length of capture.");
    vec![Claim {
        said: observation,
        calls: Vec::new(),
        count: metrics.calls,
        first_at: capture.start,
        last_at: capture.end,
        scope: String::new(),
    }]
}

/// Destinations by failures that no user caused; of equal ones the one that is surer to fail more often.
fn ranking(capture: &CaptureContext<'_>) -> String {
    let mut ranked: Vec<(u64, f64, &Destination)> = capture
        .loads
        .destinations
        .iter()
        .map(|destination| {
            let failed = destination.attempts.iter().filter(|attempt| is_failure(attempt.fate, attempt.code));
            let failed = failed.count() as u64;
            let (low, _) = wilson(failed, destination.attempts.len() as u64);
            (failed, low, destination)
        })
        .filter(|(failed, _, _)| *failed > 0)
        .collect();
    let address = |destination: &Destination| capture.store.tables.endpoints.address(destination.node);
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then_with(|| address(a.2).cmp(&address(b.2))));
    let each: Vec<String> = ranked
        .iter()
        .take(RANKED_MAX)
        .map(|(failed, _, destination)| {
            format!("{} {failed} of {}", capture.name(destination.endpoint), destination.attempts.len())
        })
        .collect();
    if each.is_empty() {
        return String::new();
    }
    format!(" Failures that no user caused, by destination: {}.", each.join("; "))
}

/// The node that got worse most clearly while the capture ran.
fn worse(capture: &CaptureContext<'_>) -> String {
    let trends = capture.loads.destinations.iter().filter_map(|destination| {
        let attempts: Vec<(Timestamp, bool)> =
            destination.attempts.iter().map(|attempt| (attempt.sent, is_failure(attempt.fate, attempt.code))).collect();
        let mut trend = trend(&attempts)?;
        // Every node was a try.
        trend.chance *= capture.loads.destinations.len() as f64;
        (trend.chance < TREND_CHANCE_MAX).then_some((trend, destination))
    });
    let worst = trends.min_by(|a, b| a.0.chance.total_cmp(&b.0.chance));
    worst.map_or(String::new(), |(trend, destination)| {
        format!(
            " {} got worse at {:.1} s of the capture: {} of {} calls failed before and {} of {} from then on (chance {}).",
            capture.name(destination.endpoint),
            trend.since.millis_since(capture.start) / 1000.0,
            if trend.before.0 == 0 { "none".to_owned() } else { trend.before.0.to_string() },
            trend.before.1,
            trend.after.0,
            trend.after.1,
            bound(trend.chance)
        )
    })
}

fn is_failure(fate: Fate, code: u16) -> bool {
    match fate {
        Fate::Silent => true,
        Fate::Refused => !matches!(code, 404 | 410 | 433 | 480 | 484 | 486 | 600 | 603 | 604 | 607 | 608),
        _ => false,
    }
}
