//! Where to look a call up: identifiers, its way with what each node changed, its moments, and where the delay passed.

use std::io;

use crate::analysis::CallPath;
use crate::call::detail::delay::{Stage, StageKind};
use crate::call::detail::rewriting::{RequestPart, Rewrite, RewriteKind};
use crate::call::{Call, Hop};
use crate::report::terminal::context::Context;
use crate::report::terminal::page::{Page, cut, faint, plain};
use crate::report::words::{count, duration};

/// Hops of the path that are shown.
const HOPS_MAX: usize = 8;
/// Stages of the delay that are named.
const STAGES_MAX: usize = 8;
/// Shorter stages are summed up, in milliseconds.
const STAGE_MS_MIN: f64 = 5.0;
/// A delay of one stage is named where it is longer than most callers like, in milliseconds.
const DELAY_MS_MIN: f64 = 3_000.0;
/// Columns of a value that a node changed; a Request-URI may be as long as a datagram.
const VALUE_COLUMNS: usize = 60;

/// Where to look it up: identifiers, addresses and moments.
pub(super) fn write(context: &Context<'_>, call: &Call, page: &mut Page<'_>) -> io::Result<()> {
    let call_ids: Vec<&str> = call.legs.iter().map(|leg| context.text(leg.call_id)).collect();
    page.labelled("Call-ID", [plain(call_ids.join(", "))])?;
    let path = path(context, call);
    for (place, hop) in path.iter().take(HOPS_MAX).enumerate() {
        let label = if place == 0 { "Path" } else { "" };
        page.labelled(label, [plain(hop.as_str())])?;
    }
    if path.len() > HOPS_MAX {
        let more = (path.len() - HOPS_MAX) as u64;
        page.labelled("", [faint(format!("and {}", count(more, "further hop")))])?;
    }
    let way = context.analysis.path(call);
    changes(context, call, &way, page)?;
    let moments = moments(call);
    if !moments.is_empty() {
        page.labelled("Times", [plain(moments)])?;
    }
    let delay = delay(context, call, &way.stages);
    if !delay.is_empty() {
        page.labelled("Delay", [plain(delay)])?;
    }
    Ok(())
}

/// What each node changed of the request, a line for each hop where it did.
fn changes(context: &Context<'_>, call: &Call, way: &CallPath, page: &mut Page<'_>) -> io::Result<()> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for (place, hop) in call.hops.iter().enumerate() {
        let rewrites = way.rewritten(place);
        let line = (
            format!("{} -> {}", context.endpoint(hop.source), context.endpoint(hop.destination)),
            rewriting_text(rewrites),
        );
        // The tries of one node at one target change the same.
        if !rewrites.is_empty() && lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    for (place, (hop, text)) in lines.iter().take(HOPS_MAX).enumerate() {
        let label = if place == 0 { "Changed" } else { "" };
        page.labelled(label, [plain(format!("{hop}: {text}"))])?;
    }
    if lines.len() > HOPS_MAX {
        let more = (lines.len() - HOPS_MAX) as u64;
        page.labelled("", [faint(format!("and {}", count(more, "further hop")))])?;
    }
    Ok(())
}

/// `Request-URI sip:a@x -> sip:b@y; media 10.0.0.1:4000 -> 10.0.0.2:5000; added Record-Route; removed Route`.
fn rewriting_text(rewrites: &[Rewrite]) -> String {
    let value = |text: &Option<String>| cut(text.as_deref().unwrap_or_default(), VALUE_COLUMNS);
    let mut parts: Vec<String> = Vec::new();
    for rewrite in rewrites {
        let name = part_text(rewrite.part);
        match (rewrite.part, rewrite.how) {
            (RequestPart::Header(_), how) if how != RewriteKind::Changed || rewrite.before.is_none() => {}
            (_, RewriteKind::Changed) => {
                parts.push(format!("{name} {} -> {}", value(&rewrite.before), value(&rewrite.after)))
            }
            (_, RewriteKind::Added) => parts.push(format!("added {name} {}", value(&rewrite.after))),
            (_, RewriteKind::Removed) => parts.push(format!("removed {name} {}", value(&rewrite.before))),
        }
    }
    for how in [RewriteKind::Added, RewriteKind::Removed, RewriteKind::Changed] {
        let names = rewrites.iter().filter(|rewrite| {
            let has_values = how == RewriteKind::Changed && rewrite.before.is_some();
            matches!(rewrite.part, RequestPart::Header(_)) && rewrite.how == how && !has_values
        });
        let names: Vec<&str> = names.map(|rewrite| rewrite.part.word()).collect();
        if !names.is_empty() {
            parts.push(format!("{} {}", how.word(), names.join(", ")));
        }
    }
    parts.join("; ")
}

fn part_text(part: RequestPart) -> &'static str {
    match part {
        RequestPart::RequestUri => "Request-URI",
        RequestPart::From => "From",
        RequestPart::To => "To",
        RequestPart::CallId => "Call-ID",
        RequestPart::MaxForwards => "Max-Forwards",
        RequestPart::MediaAddress => "media",
        RequestPart::Session => "session description",
        RequestPart::Transport | RequestPart::Codecs | RequestPart::Header(_) => part.word(),
    }
}

/// Where the time passed until it rang, in the order of time; empty where one short stage is all of it.
fn delay(context: &Context<'_>, call: &Call, stages: &[Stage]) -> String {
    let Some(all) = call.milestones.pdd_ms() else {
        return String::new();
    };
    let is_long = |stage: &&Stage| stage.millis() >= STAGE_MS_MIN;
    let long: Vec<&Stage> = stages.iter().filter(is_long).take(STAGES_MAX).collect();
    if long.is_empty() || long.len() == 1 && all < DELAY_MS_MIN {
        return String::new();
    }
    let mut parts: Vec<String> =
        long.iter().map(|stage| format!("{} {}", duration(stage.millis()), stage_text(context, stage))).collect();
    let rest = all - long.iter().map(|stage| stage.millis()).sum::<f64>();
    if long.len() < stages.len() && rest >= 0.05 {
        parts.push(format!("{} in shorter steps", duration(rest)));
    }
    let sign = if call.milestones.alerted.is_some() { "it rang" } else { "the answer" };
    format!("{} until {sign}: {}", duration(all), parts.join("; "))
}

fn stage_text(context: &Context<'_>, stage: &Stage) -> String {
    let node = context.endpoint(stage.endpoint);
    let code = stage.code;
    match stage.kind {
        StageKind::Challenge => format!("until {node} asked for a login ({code})"),
        StageKind::Redirection => format!("until {node} named another target ({code})"),
        StageKind::FailedTry => format!("until {node} refused ({code})"),
        StageKind::SilentTry => format!("lost on {node}, which gave no final answer"),
        StageKind::TurnRound => format!("until {node} tried again after the {code}"),
        StageKind::Unheard => format!("until {node} heard a repeat of the INVITE"),
        StageKind::Forwarding => format!("until {node} sent the INVITE on"),
        StageKind::Waiting => format!("waiting for {node} or what lies behind it"),
        StageKind::Returning => format!("until {node} passed it back"),
    }
}

/// The hops of a call; the same hop with the same result several times in a row is one line.
fn path(context: &Context<'_>, call: &Call) -> Vec<String> {
    let same = |a: &Hop, b: &Hop| {
        (a.source, a.destination, a.transport, a.final_code) == (b.source, b.destination, b.transport, b.final_code)
    };
    let line = |run: &[Hop]| {
        let times = if run.len() > 1 { format!(" ({} times)", run.len()) } else { String::new() };
        let first = run.first().map(|hop| hop_text(context, hop));
        format!("{}{times}", first.unwrap_or_default())
    };
    call.hops.chunk_by(same).map(line).collect()
}

fn hop_text(context: &Context<'_>, hop: &Hop) -> String {
    let result = match (hop.final_code, hop.final_ms) {
        (0, _) => "no final answer".to_owned(),
        (code, Some(ms)) => format!("{code} after {}", duration(f64::from(ms))),
        (code, None) => code.to_string(),
    };
    format!(
        "{} -> {} over {}: {result}",
        context.endpoint(hop.source),
        context.endpoint(hop.destination),
        hop.transport.word().to_uppercase()
    )
}

fn moments(call: &Call) -> String {
    let times = &call.milestones;
    let since = |moment: Option<crate::capture::Timestamp>| Some(duration(moment?.millis_since(times.invited?)));
    let mut parts = Vec::new();
    if let Some(after) = since(times.alerted) {
        parts.push(format!("ringing after {after}"));
    }
    if let Some(after) = since(times.answered) {
        parts.push(format!("answered after {after}"));
    }
    if let Some(after) = since(times.cancelled) {
        parts.push(format!("CANCEL after {after}"));
    }
    if let Some(talk) = times.talk_ms() {
        parts.push(format!("{} of talk", duration(talk)));
    }
    if let Some(by) = call.ended_by {
        parts.push(format!("ended by the {}", by.word()));
    }
    parts.join(", ")
}
