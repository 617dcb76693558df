//! The metrics in full: every ratio and delay with its population, then by destination, source, product and time.

use std::io;

use crate::call::survey::metrics::{Metrics, Spread};
use crate::call::survey::profile::{Dimension, Profile};
use crate::report::terminal::context::Context;
use crate::report::terminal::page::{Page, Span, faint, plain, strong};
use crate::report::terminal::table::{self, Column, number, text};
use crate::report::words::{count, duration, grouped};

/// Rows of a table unless all are asked for.
const ROWS_MAX: usize = 10;
/// Columns of an address with port, or of a product's name.
const KEY_COLUMNS: usize = 40;

/// Writes the numbers and the tables.
pub(super) fn write(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let metrics = &context.analysis.metrics;
    page.blank()?;
    if metrics.calls + metrics.partial == 0 {
        page.line([strong("There is no call.")])?;
    } else {
        ratios(metrics, page)?;
        delays(metrics, page)?;
    }
    registrations(context, page)?;
    if metrics.calls + metrics.partial == 0 {
        return Ok(());
    }
    let profile = context.analysis.profile();
    dimension(context, "By destination", "Destination", &profile.destinations, page)?;
    dimension(context, "By source", "Source", &profile.sources, page)?;
    dimension(context, "By the caller's software", "Software", &profile.software, page)?;
    times(context, &profile, page)
}

fn percent(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.1} %"))
}

fn ratios(metrics: &Metrics, page: &mut Page<'_>) -> io::Result<()> {
    let partial = if metrics.partial > 0 {
        format!(", {} partial left out", grouped(u64::from(metrics.partial)))
    } else {
        String::new()
    };
    let calls = count(u64::from(metrics.calls), "call");
    let text = format!(
        ": {} answered, {} failed{partial}",
        grouped(u64::from(metrics.answered)),
        grouped(u64::from(metrics.failed))
    );
    page.wrapped(strong(calls), 2, [plain(text)])?;
    let ratios = [
        ("ASR", metrics.asr_percent),
        ("NER", metrics.ner_percent),
        ("SER", metrics.ser_percent),
        ("SEER", metrics.seer_percent),
        ("ISA", metrics.isa_percent),
        ("SCR", metrics.scr_percent),
    ];
    let ratios = ratios.map(|(name, value)| format!("{name} {}", percent(value)));
    page.labelled("Ratios", [plain(ratios.join(", "))])
}

/// `0.2 s median, 0.4 s p95, 2 s at most (40 calls)`.
fn spread(spread: &Spread, noun: &str) -> String {
    format!(
        "{} median, {} p95, {} at most ({})",
        duration(spread.p50),
        duration(spread.p95),
        duration(spread.max),
        count(u64::from(spread.count), noun)
    )
}

fn delays(metrics: &Metrics, page: &mut Page<'_>) -> io::Result<()> {
    let spreads = [
        ("PDD", &metrics.pdd_ms),
        ("Set-up", &metrics.setup_ms),
        ("Failed", &metrics.srd_failed_ms),
        ("Talk", &metrics.talk_ms),
        ("SDD", &metrics.sdd_ms),
    ];
    for (label, value) in spreads {
        if let Some(value) = value {
            page.labelled(label, [plain(spread(value, "call"))])?;
        }
    }
    match metrics.acd_ms {
        Some(mean) => page.labelled("ACD", [plain(duration(mean))]),
        None => Ok(()),
    }
}

fn registrations(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let metrics = context.analysis.registration_metrics();
    if metrics.attempts == 0 {
        return Ok(());
    }
    let noun = count(u64::from(metrics.attempts), "try");
    let text = format!(": {} registered, IRA {}", grouped(u64::from(metrics.registered)), percent(metrics.ira_percent));
    page.wrapped(strong(format!("{noun} to register")), 2, [plain(text)])?;
    match metrics.rrd_ms {
        Some(delay) => {
            let text = spread(&delay, "try");
            page.labelled("RRD", [plain(text)])
        }
        None => Ok(()),
    }
}

fn columns(key: Column) -> Vec<Column> {
    let mut columns = vec![key];
    columns.extend(["Calls", "Answered", "Failed", "ASR", "NER", "PDD", "p95", "ACD"].map(number));
    columns
}

fn cells<'a>(key: Span<'a>, metrics: &Metrics) -> Vec<Span<'a>> {
    let whole = |count: u32| plain(grouped(u64::from(count)));
    let time = |value: Option<f64>| plain(value.map_or("-".to_owned(), duration));
    vec![
        key,
        whole(metrics.calls),
        whole(metrics.answered),
        whole(metrics.failed),
        plain(percent(metrics.asr_percent)),
        plain(percent(metrics.ner_percent)),
        time(metrics.pdd_ms.map(|pdd| pdd.p50)),
        time(metrics.pdd_ms.map(|pdd| pdd.p95)),
        time(metrics.acd_ms),
    ]
}

fn dimension(
    context: &Context<'_>,
    title: &'static str,
    head: &'static str,
    dimension: &Dimension,
    page: &mut Page<'_>,
) -> io::Result<()> {
    page.blank()?;
    page.line([strong(title)])?;
    let limit = if context.style.is_whole { usize::MAX } else { ROWS_MAX };
    let shown = dimension.groups.get(..limit).unwrap_or(&dimension.groups);
    let others = dimension.others_metrics.as_ref();
    let rows = shown.len() + usize::from(others.is_some());
    table::write(page, &columns(text(head, 12, KEY_COLUMNS)), rows, |row| match (shown.get(row), others) {
        (Some(group), _) if group.key.is_empty() => cells(faint("(not told)"), &group.metrics),
        (Some(group), _) => cells(plain(group.key.as_str()), &group.metrics),
        (None, Some(metrics)) => {
            let name = format!("{} others", grouped(u64::from(dimension.others)));
            cells(faint(name), metrics)
        }
        (None, None) => Vec::new(),
    })?;
    let left = dimension.groups.len() - shown.len();
    if left > 0 {
        page.line([faint(format!("  and {left} more: -v"))])?;
    }
    Ok(())
}

fn times(context: &Context<'_>, profile: &Profile, page: &mut Page<'_>) -> io::Result<()> {
    page.blank()?;
    let peak = count(u64::from(profile.peak_calls), "call");
    let span = duration(profile.span.as_secs_f64() * 1000.0);
    page.line([strong("Over time"), plain(format!(", {span} a row; at most {peak} up at once"))])?;
    let zone = &context.style.zone;
    let spans: Vec<_> =
        profile.spans.iter().filter(|span| span.metrics.calls + span.metrics.partial + span.peak_calls > 0).collect();
    let is_long = profile.span.as_secs() * profile.spans.len() as u64 >= 86_400;
    let mut columns = columns(text("From", 8, 20));
    columns.push(number("Up"));
    table::write(page, &columns, spans.len(), |row| {
        let Some(span) = spans.get(row) else {
            return Vec::new();
        };
        let clock = zone.clock(span.from);
        let from = if is_long { format!("{} {clock}", zone.date(span.from)) } else { clock.to_string() };
        let mut cells = cells(plain(from), &span.metrics);
        cells.push(plain(grouped(u64::from(span.peak_calls))));
        cells
    })
}
