//! What was read, and how far it can be trusted.

use std::io;

use crate::analysis::Fitness;
use crate::capture::{Timestamp, WeaknessKind};
use crate::report::terminal::context::Context;
use crate::report::terminal::page::{Ink, Page, Span, faint, plain, strong};
use crate::report::words::{count, duration, grouped};

/// Captures named; a day of rotating captures has hundreds.
const CAPTURES_MAX: usize = 3;
/// Lines on what weakens the captures.
const DOUBTS_MAX: usize = 3;
/// Reasons named where no SIP was found.
const REASONS_MAX: usize = 6;

/// Writes the head of the screen.
pub(super) fn write(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    captures(context, page)?;
    messages(context, page)?;
    unread(context, page)?;
    let messages: u64 = context.analysis.fitness.sip_messages.values().sum();
    if messages == 0 { no_sip(&context.analysis.fitness, page) } else { trust(context, page) }
}

fn captures(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let captures = &context.analysis.captures;
    let limit = if context.style.is_whole { usize::MAX } else { CAPTURES_MAX };
    for (place, capture) in captures.iter().enumerate().take(limit) {
        let packed = capture.compression.map_or(String::new(), |by| format!(" in {by}"));
        let mut text = format!(": {}{packed}, {}", capture.format, count(capture.frames, "frame"));
        if let (Some(first), Some(last)) = (capture.first_at, capture.last_at) {
            text.push_str(&format!(", {}", span(context, first, last)));
        }
        let number = if captures.len() > 1 { format!("{}  ", place + 1) } else { String::new() };
        page.wrapped(plain(number), LINE_INDENT, [strong(capture.path.display().to_string()), plain(text)])?;
    }
    if captures.len() > limit {
        let more = captures.len() - limit;
        let frames = captures.iter().skip(limit).map(|capture| capture.frames).sum();
        let last = captures.iter().filter_map(|capture| capture.last_at).max();
        let until = last.map_or(String::new(), |last| {
            format!(", until {} {}", context.style.zone.date(last), context.style.zone.clock(last))
        });
        let text = format!("and {} with {}{until}", count(more as u64, "further file"), count(frames, "frame"));
        page.line([faint(text)])?;
    }
    Ok(())
}

/// How far the further lines of a long capture name are indented.
const LINE_INDENT: usize = 3;

/// `5.4 s from 2026-11-21 11:06:24 UTC`.
fn span(context: &Context<'_>, first: Timestamp, last: Timestamp) -> String {
    let zone = &context.style.zone;
    format!(
        "{} from {} {} {}",
        duration(last.millis_since(first)),
        zone.date(first),
        zone.clock(first),
        zone.name(first)
    )
}

fn messages(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let fitness = &context.analysis.fitness;
    let by_transport: Vec<String> = fitness
        .sip_messages
        .iter()
        .filter(|(_, messages)| **messages > 0)
        .map(|(transport, messages)| format!("{} over {}", grouped(*messages), transport.word().to_uppercase()))
        .collect();
    let mut text = match by_transport.as_slice() {
        [] => "no SIP message".to_owned(),
        _ => format!("SIP messages: {}", by_transport.join(", ")),
    };
    if fitness.copies > 0 {
        text.push_str(&format!("; {} left out", count(fitness.copies, "captured copy")));
    }
    if fitness.media_packets > 0 {
        let packets = count(fitness.media_packets, "media packet");
        text.push_str(&format!("; {packets} passed over"));
    }
    page.labelled("Read", [plain(text)])
}

/// Files that could not be read, or were named twice.
fn unread(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let problems = &context.analysis.problems;
    for problem in problems.iter().take(DOUBTS_MAX) {
        page.labelled("Unread", [Span::new(Ink::Caution, problem.to_string())])?;
    }
    if problems.len() > DOUBTS_MAX {
        let more = problems.len() - DOUBTS_MAX;
        page.labelled("", [faint(format!("and {} not read", count(more as u64, "further file")))])?;
    }
    match context.analysis.repeated.as_slice() {
        [] => Ok(()),
        [one] => {
            let text = format!("{} was named more than once and read once", one.display());
            page.labelled("", [plain(text)])
        }
        several => {
            let text = format!("{} files were named more than once and read once", several.len());
            page.labelled("", [plain(text)])
        }
    }
}

/// What the captures cannot show, most telling first; a line in praise where there is nothing.
fn trust(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let doubts = doubts(context);
    if doubts.is_empty() {
        let text = "both directions are there; no frame is cut, none is known to be lost";
        return page.labelled("Trust", [plain(text)]);
    }
    let limit = if context.style.is_whole { usize::MAX } else { DOUBTS_MAX };
    for (place, doubt) in doubts.iter().take(limit).enumerate() {
        let label = if place == 0 { "Trust" } else { "" };
        page.labelled(label, [Span::new(Ink::Caution, doubt.as_str())])?;
    }
    if doubts.len() > limit {
        let more = doubts.len() - limit;
        page.labelled("", [faint(format!("and {}: -v", count(more as u64, "further doubt")))])?;
    }
    Ok(())
}

fn doubts(context: &Context<'_>) -> Vec<String> {
    let mut doubts = Vec::new();
    let several = context.analysis.captures.len() > 1;
    for (file, capture) in context.analysis.captures.iter().enumerate() {
        // The pairs stand below, with their addresses.
        let weaknesses = capture.weaknesses.iter().filter(|weakness| weakness.kind != WeaknessKind::OneDirection);
        for weakness in weaknesses {
            let place = if several { format!("file {}: ", file + 1) } else { String::new() };
            let detail = &weakness.detail;
            let named = weakness.frame.filter(|frame| !detail.contains(&format!("frame {frame}")));
            let frame = named.map_or(String::new(), |frame| format!(" (frame {frame})"));
            doubts.push(format!("{place}{detail}{frame}"));
        }
    }
    let pairs = &context.analysis.fitness.one_direction_pairs;
    if let Some((seen, unseen)) = pairs.first() {
        let more = match pairs.len() {
            1 => String::new(),
            pairs => format!(", and so for {} more pairs", pairs - 1),
        };
        doubts.push(format!(
            "only one direction between {seen} and {unseen} was captured{more}: silence there proves nothing"
        ));
    }
    let undecoded = &context.analysis.fitness.undecoded;
    let telling = undecoded.iter().filter(|reason| is_telling(&reason.reason));
    doubts.extend(telling.map(|undecoded| format!("{}: {}", count(undecoded.frames, "frame"), undecoded.reason)));
    doubts
}

/// Whether frames that were not read for this reason may have held SIP.
fn is_telling(reason: &str) -> bool {
    let harmless = ["ARP", "LLDP", "STP", "IGMP", "carries protocol", "carries no IP"];
    !harmless.iter().any(|word| reason.contains(word))
}

/// Says which calls the screen is about, where not about all.
pub(super) fn write_filter(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let Some(narrowing) = &context.analysis.narrowing else {
        return Ok(());
    };
    let sentence = narrowing.sentence();
    let rest = match narrowing.calls {
        0 => "; there is nothing to show of them",
        _ => "; numbers, incidents and calls below are theirs alone",
    };
    page.labelled("Filter", [strong(sentence), plain(rest)])
}

/// Says that messages were found which make neither a call nor anything else.
pub(super) fn write_nothing(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let messages: u64 = context.analysis.fitness.sip_messages.values().sum();
    if messages == 0 {
        return Ok(());
    }
    page.blank()?;
    let text =
        "There is neither a call nor any other whole request: what was captured only answers or ends what came before.";
    page.wrapped(plain(""), 0, [plain(text)])
}

fn no_sip(fitness: &Fitness, page: &mut Page<'_>) -> io::Result<()> {
    page.blank()?;
    page.line([strong("No SIP was found.")])?;
    let reasons = &fitness.undecoded;
    if reasons.is_empty() {
        let text = "Every frame was read, and none holds SIP. Was the capture filter right, and the interface?";
        return page.wrapped(plain("  "), 2, [plain(text)]);
    }
    page.line([plain("  What was not read:")])?;
    for undecoded in reasons.iter().take(REASONS_MAX) {
        let frames = count(undecoded.frames, "frame");
        page.wrapped(plain(format!("  {frames:>14}  ")), 18, [plain(undecoded.reason.as_str())])?;
    }
    if reasons.len() > REASONS_MAX {
        let more = reasons.len() - REASONS_MAX;
        page.line([faint(format!("  and {more} more reasons: --json -"))])?;
    }
    Ok(())
}
