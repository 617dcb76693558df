//! How calls ended, in numbers, with the metrics that operators compare.

use std::io;

use crate::call::Outcome;
use crate::call::survey::metrics::{Metrics, Spread};
use crate::report::terminal::context::Context;
use crate::report::terminal::names::ink;
use crate::report::terminal::page::{Page, Span, plain, strong};
use crate::report::words::{count, duration, grouped};

/// Fewer calls make no ratio: one call more or less would change it by more than five points.
const RATIO_CALLS_MIN: u32 = 20;
/// Fewer calls stand in one line.
const BARS_CALLS_MIN: u32 = 10;
/// Columns of the longest bar.
const BAR_COLUMNS: usize = 30;

/// Writes outcomes and metrics.
pub(super) fn write(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let metrics = &context.analysis.metrics;
    let all = metrics.calls + metrics.partial;
    if all == 0 && context.analysis.narrowing.is_some() {
        return Ok(());
    }
    if all == 0 {
        page.blank()?;
        return page.line([strong("There is no call.")]);
    }
    page.blank()?;
    let outcomes: Vec<(Outcome, u32)> = Outcome::ALL
        .into_iter()
        .filter_map(|outcome| Some((outcome, metrics.outcomes.get(&outcome).copied()?)))
        .collect();
    if all < BARS_CALLS_MIN {
        in_one_line(&outcomes, all, page)?;
    } else {
        page.line([strong(count(u64::from(all), "call"))])?;
        for (outcome, calls) in &outcomes {
            bar(*outcome, *calls, all, page)?;
        }
    }
    ratios(metrics, page)?;
    delays(metrics, page)
}

fn in_one_line(outcomes: &[(Outcome, u32)], all: u32, page: &mut Page<'_>) -> io::Result<()> {
    let mut spans = vec![plain(": ")];
    for (place, (outcome, calls)) in outcomes.iter().enumerate() {
        if place > 0 {
            spans.push(plain(", "));
        }
        let text = if outcomes.len() == 1 { outcome.word().to_owned() } else { format!("{calls} {}", outcome.word()) };
        spans.push(Span::new(ink(*outcome), text));
    }
    page.wrapped(strong(count(u64::from(all), "call")), 2, spans)
}

fn bar(outcome: Outcome, calls: u32, all: u32, page: &mut Page<'_>) -> io::Result<()> {
    let share = f64::from(calls) / f64::from(all);
    let columns = ((share * BAR_COLUMNS as f64).round() as usize).max(1);
    page.line([
        plain(format!("  {:<14}", outcome.word())),
        plain(format!("{:>9}  {:>4} %  ", grouped(u64::from(calls)), percent(share * 100.0))),
        Span::new(ink(outcome), "█".repeat(columns)),
    ])
}

/// A share that is neither none nor all never reads `0` or `100`.
fn percent(value: f64) -> String {
    match value {
        value if value > 0.0 && value < 0.5 => "<1".to_owned(),
        value if value < 100.0 && value > 99.5 => ">99".to_owned(),
        value => format!("{value:.0}"),
    }
}

fn ratios(metrics: &Metrics, page: &mut Page<'_>) -> io::Result<()> {
    if metrics.calls < RATIO_CALLS_MIN {
        return Ok(());
    }
    let mut text = String::new();
    if let Some(asr) = metrics.asr_percent {
        text.push_str(&format!(
            "ASR {asr:.1} % ({} of {} calls answered)",
            grouped(u64::from(metrics.answered)),
            grouped(u64::from(metrics.calls))
        ));
    }
    if let Some(ner) = metrics.ner_percent {
        text.push_str(&format!(", NER {ner:.1} % (answered, or ended by the people)"));
    }
    if metrics.partial > 0 {
        let partial = count(u64::from(metrics.partial), "partial call");
        text.push_str(&format!("; {partial} left out"));
    }
    page.labelled("Ratios", [plain(text)])
}

fn delays(metrics: &Metrics, page: &mut Page<'_>) -> io::Result<()> {
    let mut parts = Vec::new();
    if let Some(pdd) = &metrics.pdd_ms {
        parts.push(format!("PDD {}", spread(pdd)));
    }
    if let Some(talk) = &metrics.talk_ms {
        let mean = duration(talk.mean);
        parts.push(format!("ACD {mean} ({})", count(u64::from(talk.count), "call")));
    }
    if metrics.retransmissions > 0 {
        parts.push(count(metrics.retransmissions, "retransmission"));
    }
    if parts.is_empty() {
        return Ok(());
    }
    page.labelled("Delays", [plain(parts.join("; "))])
}

/// `1.2 s median, 3.4 s p95 (40 calls)`; below 20 values the largest says more than a percentile.
fn spread(spread: &Spread) -> String {
    let calls = count(u64::from(spread.count), "call");
    match spread.count {
        1 => duration(spread.p50),
        2..RATIO_CALLS_MIN => format!("{} median, {} at most ({calls})", duration(spread.p50), duration(spread.max)),
        _ => format!("{} median, {} p95 ({calls})", duration(spread.p50), duration(spread.p95)),
    }
}
