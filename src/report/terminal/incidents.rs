//! Why: incidents, most harmful first; the first ones in full, the others in a line each.

use std::io;

use crate::capture::Timestamp;
use crate::diagnose::{Evidence, Finding, Incident, RuledOut, Severity};
use crate::report::terminal::context::Context;
use crate::report::terminal::names::{calls, numbers, severity_ink};
use crate::report::terminal::page::{Ink, Page, Span, faint, plain, strong};
use crate::report::words::{count, grouped, silence};

/// The rule whose incident holds the numbers of the whole run.
const STATISTICS_RULE: &str = "fleet-metrics";
/// Incidents shown in full, where there are few.
const BLOCKS_MAX: usize = 3;
/// Incidents that are few.
const FEW_MAX: usize = 4;
/// Incidents shown in full, where there are many.
const BLOCKS_OF_MANY: usize = 2;
/// Further incidents shown in a line each.
const LINES_MAX: usize = 4;
/// Pieces of evidence shown of one incident.
const PROOFS_MAX: usize = 2;

/// Writes the incidents.
pub(super) fn write(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let all = context.analysis.reported_incidents();
    // The numbers above say all of it already.
    let incidents: Vec<(usize, &Incident)> =
        all.filter(|(_, incident)| incident.finding.rule != STATISTICS_RULE).collect();
    if incidents.is_empty() {
        return Ok(());
    }
    let is_whole = context.style.is_whole;
    let most = if incidents.len() <= FEW_MAX { BLOCKS_MAX } else { BLOCKS_OF_MANY };
    // What is only worth knowing gets no block while something is wrong.
    let worst = incidents.first().map(|(_, incident)| incident.finding.severity);
    let in_full = incidents
        .iter()
        .take(if is_whole { usize::MAX } else { most })
        .take_while(|(_, incident)| {
            is_whole
                || incident.finding.severity > Severity::Info
                || worst == Some(Severity::Info) && incidents.len() == 1
        })
        .count();
    for (number, incident) in incidents.iter().take(in_full) {
        page.blank()?;
        block(context, *number, incident, page)?;
    }
    let rest = incidents.get(in_full..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    page.blank()?;
    // One line more than allowed takes no more room than the line that says so.
    let lines = if rest.len() == LINES_MAX + 1 { rest.len() } else { LINES_MAX };
    for (number, incident) in rest.iter().take(lines) {
        one_line(context, *number, incident, page)?;
    }
    if rest.len() > lines {
        let more = rest.len() - lines;
        page.line([faint(format!("   and {more} more: -v shows all of them"))])?;
    }
    Ok(())
}

fn head(number: usize, incident: &Incident) -> Vec<Span<'_>> {
    let finding = &incident.finding;
    let word = match finding.severity {
        Severity::Error => "ERROR",
        Severity::Warn => "WARN",
        Severity::Info => "NOTE",
    };
    vec![
        plain(format!("{number:>2} ")),
        Span::new(severity_ink(finding.severity), format!("{word:<5}  ")),
        strong(incident.title()),
    ]
}

/// How many it concerns, and where no call is concerned at which node.
fn how_many(context: &Context<'_>, incident: &Incident) -> String {
    let count_of_all = u64::from(incident.count);
    let mut about = Vec::new();
    if incident.calls.is_empty() {
        if let Some(origin) = incident.finding.seen.origin {
            about.push(context.endpoint(origin));
        }
        if count_of_all > 1 {
            about.push(format!("{} times", grouped(count_of_all)));
        }
    } else {
        about.push(count(incident.calls.len() as u64, "call"));
        if count_of_all > incident.calls.len() as u64 {
            about.push(format!("{} times in all", grouped(count_of_all)));
        }
    }
    about.join(", ")
}

fn one_line(context: &Context<'_>, number: usize, incident: &Incident, page: &mut Page<'_>) -> io::Result<()> {
    let mut spans = head(number, incident);
    let about = match incident.calls.as_slice() {
        [] => how_many(context, incident),
        [call] => format!("call {call}"),
        several => format!("{}: {}", count(several.len() as u64, "call"), numbers(several)),
    };
    spans.push(plain(format!("   {about}")));
    page.line(spans)
}

fn block(context: &Context<'_>, number: usize, incident: &Incident, page: &mut Page<'_>) -> io::Result<()> {
    let finding = &incident.finding;
    let mut spans = head(number, incident);
    spans.push(plain(format!("   {}", how_many(context, incident))));
    page.line(spans)?;
    page.labelled("Why", [plain(incident.explanation())])?;
    if let Some(origin) = finding.seen.origin {
        let who = context.endpoint_and_software(origin);
        if !incident.explanation().contains(&who) {
            page.labelled("Who", [plain(who)])?;
        }
    }
    proof(context, finding, PROOFS_MAX, page)?;
    sure(finding, finding.seen.ruled_out.first(), page)?;
    next(finding, page)?;
    scope(context, incident, page)
}

/// Evidence, one piece a line: frames, the line as sent, what it shows.
pub(super) fn proof(context: &Context<'_>, finding: &Finding, limit: usize, page: &mut Page<'_>) -> io::Result<()> {
    let limit = if context.style.is_whole { usize::MAX } else { limit };
    for (place, evidence) in finding.seen.evidence.iter().take(limit).enumerate() {
        let label = if place == 0 { "Proof" } else { "" };
        let text = match evidence {
            Evidence::Seen { frames, quote, shows } => {
                let frames = context.frames(frames);
                match (quote.is_empty(), shows.is_empty()) {
                    (true, _) => format!("{frames}: {shows}"),
                    (false, true) => format!("{frames}: {quote}"),
                    (false, false) => format!("{frames}: {quote} ({shows})"),
                }
            }
            Evidence::Missing { expected, after, watched } => {
                format!("after {}: {}", context.frames(&[*after]), silence(expected, *watched))
            }
        };
        page.labelled(label, [plain(text)])?;
    }
    if finding.seen.evidence.len() > limit {
        let more = finding.seen.evidence.len() - limit;
        let pieces = count(more as u64, "further piece");
        page.labelled("", [faint(format!("and {pieces} of evidence: -v"))])?;
    }
    Ok(())
}

/// How sure, in the words of the report; with the look-alike that was refuted, where it has no line of its own.
pub(super) fn sure(finding: &Finding, not: Option<&RuledOut>, page: &mut Page<'_>) -> io::Result<()> {
    use crate::diagnose::Confidence;
    let text = match finding.seen.confidence {
        Confidence::Certain => "certain",
        Confidence::Likely => "likely: several observations agree and none speaks against it",
        Confidence::Possible => "possible: other causes fit too",
    };
    let not = not.map_or(String::new(), |not| format!("; not {}: {}", not.rule, not.because));
    page.labelled("Sure?", [plain(text), plain(not)])
}

/// What else it could have been, and why it is not.
pub(super) fn not(finding: &Finding, limit: usize, page: &mut Page<'_>) -> io::Result<()> {
    for (place, ruled_out) in finding.seen.ruled_out.iter().take(limit).enumerate() {
        let label = if place == 0 { "Not" } else { "" };
        let text = format!("{}: {}", ruled_out.rule, ruled_out.because);
        page.labelled(label, [plain(text)])?;
    }
    Ok(())
}

/// What to do, one step a line where the steps are numbered.
pub(super) fn next(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    for (place, step) in finding.steps().enumerate() {
        let label = if place == 0 { "Next" } else { "" };
        page.labelled(label, [plain(step)])?;
    }
    Ok(())
}

fn scope(context: &Context<'_>, incident: &Incident, page: &mut Page<'_>) -> io::Result<()> {
    let mut parts = Vec::new();
    if !incident.calls.is_empty() {
        parts.push(calls(&incident.calls));
    }
    if !incident.scope.is_empty() {
        parts.push(incident.scope.clone());
    }
    parts.push(when(context, incident.first_at, incident.last_at));
    let mut text = parts.join("; ");
    if !incident.distinction.is_empty() {
        text.push_str(&format!(". {}", incident.distinction));
    }
    page.labelled("Scope", [plain(text)])
}

/// `at 11:06:25`, `11:06:25 to 11:06:29`, with dates where they differ.
fn when(context: &Context<'_>, first: Timestamp, last: Timestamp) -> String {
    let zone = &context.style.zone;
    let (start, end) = (zone.clock(first), zone.clock(last));
    if zone.date(first) != zone.date(last) {
        return format!("{} {start} to {} {end}", zone.date(first), zone.date(last));
    }
    if start == end { format!("at {start}") } else { format!("{start} to {end}") }
}

/// Ink and word of a finding seen beside the outcome.
pub(super) fn mark(severity: Severity) -> (Ink, &'static str) {
    (severity_ink(severity), severity.word())
}
