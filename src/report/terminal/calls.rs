//! The table of calls: all of a short capture, the failed ones of a long one, and how to see the others.

use std::collections::BTreeMap;
use std::io;

use crate::analysis::CallEntry;
use crate::call::Outcome;
use crate::diagnose::Severity;
use crate::report::terminal::context::Context;
use crate::report::terminal::names::{ink, party};
use crate::report::terminal::page::{Page, Span, faint, plain, strong};
use crate::report::terminal::table::{self, number, text};
use crate::report::words::{count, duration, grouped};

/// Captures with at most this many calls show all of them.
const ALL_MAX: usize = 12;
/// Rows shown of a longer capture.
const ROWS_MAX: usize = 6;
/// Rows shown of calls that failed alike.
const ALIKE_MAX: usize = 2;
/// Narrower pages have neither milliseconds nor delays in the table.
const WIDE_COLUMNS: usize = 96;
/// Columns of a telephone number with country code.
const PARTY_MIN: usize = 12;

/// Writes the table.
pub(super) fn write(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let analysis = context.analysis;
    let calls = analysis.reported_call_count();
    if calls == 0 {
        return Ok(());
    }
    let noteworthy = analysis.reported_calls().filter(|(_, entry)| is_noteworthy(entry));
    let failed: Vec<u32> = noteworthy.map(|(id, _)| id.0).collect();
    if failed.is_empty() {
        sound(context, page)?;
    }
    let shows_all = context.style.is_whole || calls <= ALL_MAX;
    let rows: Vec<u32> =
        if shows_all { analysis.reported_calls().map(|(id, _)| id.0).collect() } else { examples(context, &failed) };
    if rows.is_empty() {
        return Ok(());
    }
    page.blank()?;
    if !shows_all {
        let title = if rows.len() == failed.len() {
            "Calls with a fault".to_owned()
        } else {
            format!("Calls with a fault: {} of {}", rows.len(), grouped(failed.len() as u64))
        };
        page.line([strong(title)])?;
    }
    rows_of(context, &rows, page)
}

/// The first calls of each cause, in the order of time: a thousand alike need no list.
fn examples(context: &Context<'_>, failed: &[u32]) -> Vec<u32> {
    let mut seen: BTreeMap<(&str, u16), usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for id in failed.iter().copied() {
        let Some(entry) = context.entry(id) else {
            continue;
        };
        let rule = entry.primary().map_or("", |finding| finding.rule);
        let code = entry.call.final_code.map_or(0, |code| code.0);
        let alike = seen.entry((rule, code)).or_default();
        *alike += 1;
        if *alike <= ALIKE_MAX || failed.len() <= ROWS_MAX {
            rows.push(id);
        }
        if rows.len() == ROWS_MAX {
            break;
        }
    }
    rows
}

/// Whether a call belongs into a list of faults: it failed, or something in it is wrong.
fn is_noteworthy(entry: &CallEntry) -> bool {
    entry.call.outcome.is_failure() || entry.findings.iter().any(|finding| finding.severity == Severity::Error)
}

/// The line for captures without a fault.
fn sound(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let worst = context.analysis.reported_incidents().map(|(_, incident)| incident.finding.severity).max();
    let text = match worst {
        _ if context.analysis.metrics.calls == 0 => "No call can be judged: the captures show too little of each.",
        None | Some(Severity::Info) => "No fault was found in any call.",
        Some(_) => "No call failed.",
    };
    page.blank()?;
    page.line([strong(text)])
}

fn rows_of(context: &Context<'_>, rows: &[u32], page: &mut Page<'_>) -> io::Result<()> {
    let is_wide = page.width() >= WIDE_COLUMNS;
    let mut columns = vec![
        number("No"),
        text("Time", 12, 12),
        text("Caller", PARTY_MIN, 24),
        text("Callee", PARTY_MIN, 24),
        text("Outcome", 13, 13),
        number("Code"),
    ];
    if is_wide {
        columns.push(number("After"));
    }
    columns.push(text("Why", 0, usize::MAX));
    table::write(page, &columns, rows.len(), |row| {
        let id = rows.get(row).copied().unwrap_or(0);
        let entry = context.entry(id);
        entry.map_or(Vec::new(), |entry| cells(context, id, entry, is_wide))
    })
}

fn cells<'a>(context: &'a Context<'a>, id: u32, entry: &'a CallEntry, is_wide: bool) -> Vec<Span<'a>> {
    let call = &entry.call;
    let code = call.final_code.map_or(String::new(), |code| code.0.to_string());
    let zone = &context.style.zone;
    let mut cells = vec![
        plain(id.to_string()),
        plain(if is_wide { zone.clock_ms(call.started) } else { zone.clock(call.started) }),
        plain(party(context.text(call.caller))),
        plain(party(context.text(call.callee))),
        Span::new(ink(call.outcome), call.outcome.word()),
        plain(code),
    ];
    if is_wide {
        cells.push(plain(after(entry).map_or(String::new(), duration)));
    }
    cells.push(plain(why(context, entry)));
    cells
}

/// Milliseconds from the INVITE to the ending: the answer, the refusal or the CANCEL.
fn after(entry: &CallEntry) -> Option<f64> {
    let times = &entry.call.milestones;
    let end = times.answered.or(times.cancelled).or(times.concluded)?;
    Some(end.millis_since(times.invited?))
}

fn why<'a>(context: &'a Context<'a>, entry: &'a CallEntry) -> std::borrow::Cow<'a, str> {
    let is_failure = entry.call.outcome.is_failure();
    let telling = entry.primary().or_else(|| {
        let mut beside = entry.findings.iter().filter(|_| !is_failure);
        beside.find(|finding| finding.severity > Severity::Info)
    });
    if let Some(finding) = telling {
        return finding.title();
    }
    match entry.call.outcome {
        Outcome::Completed | Outcome::CancelRace => {
            let talk = entry.call.milestones.talk_ms().map(duration);
            talk.map_or(String::new(), |talk| format!("talk {talk}")).into()
        }
        Outcome::Dropped => {
            let talk = entry.call.milestones.talk_ms().map(duration);
            talk.map_or(String::new(), |talk| format!("cut after {talk} of talk")).into()
        }
        Outcome::StillUp => "".into(),
        _ => context.text(entry.call.phrase).into(),
    }
}

/// Writes how to see more.
pub(super) fn write_hint(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let calls = context.analysis.reported_call_count();
    if calls == 0 {
        return Ok(());
    }
    let shown = context.style.is_whole || calls <= ALL_MAX;
    let all = if shown { String::new() } else { format!("; -v lists all {}", count(calls as u64, "call")) };
    let text = format!("--call N shows one call with its ladder{all}; --csv FILE and --json FILE write them all.");
    page.blank()?;
    page.wrapped(plain(""), 0, [faint(text)])
}
