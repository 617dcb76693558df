//! The note of one call, as an engineer would write it into a ticket: what, why, who, proof, how sure, what not, what next.

use std::io;

use crate::analysis::CallEntry;
use crate::call::{Call, CallId, EndpointId, Origin, Outcome, OutcomeGroup};
use crate::diagnose::{Finding, Incident, Severity};
use crate::reference::ResponseCode;
use crate::report::terminal::context::Context;
use crate::report::terminal::facts;
use crate::report::terminal::incidents::{mark, next, not, proof, sure};
use crate::report::terminal::names::{calls, party, with_software};
use crate::report::terminal::page::{Ink, LABEL_COLUMNS, Page, Span, faint, plain, strong};
use crate::report::words::duration;

/// Pieces of evidence shown.
const PROOFS_MAX: usize = 5;
/// Refuted look-alikes shown.
const NOTS_MAX: usize = 4;
/// Findings beside the explanation that are shown.
const BESIDE_MAX: usize = 6;

/// Writes the note.
pub(super) fn write(context: &Context<'_>, id: u32, entry: &CallEntry, page: &mut Page<'_>) -> io::Result<()> {
    let call = &entry.call;
    head(context, id, entry, page)?;
    match entry.primary() {
        Some(finding) => {
            page.labelled("Why", [strong(finding.title()), plain(". "), plain(finding.explanation())])?;
            who(context, call, page)?;
            if call.origin.is_none()
                && let Some(origin) = finding.seen.origin
            {
                let who = context.endpoint_and_software(origin);
                if !finding.explanation().contains(&who) {
                    page.labelled("Who", [plain(who)])?;
                }
            }
            proof(context, finding, PROOFS_MAX, page)?;
            sure(finding, None, page)?;
            not(finding, NOTS_MAX, page)?;
            next(finding, page)?;
        }
        None => {
            let known = if is_sound(entry) { unexplained(call, page)? } else { None };
            who(context, call, page)?;
            if let Some(known) = known {
                page.labelled("Next", [plain(known.what_to_check.as_ref())])?;
            }
        }
    }
    scope(context, id, entry, page)?;
    beside(context, entry, page)?;
    facts::write(context, call, page)
}

/// `FAILED   call 14   10:42:07.113   +13035550101 -> 2005   488 Not Acceptable Here after 38 ms`.
fn head(context: &Context<'_>, id: u32, entry: &CallEntry, page: &mut Page<'_>) -> io::Result<()> {
    let call = &entry.call;
    let (ink, word) = verdict(entry);
    let zone = &context.style.zone;
    let parties = format!("{} -> {}", party(context.text(call.caller)), party(context.text(call.callee)));
    page.wrapped(
        Span::new(ink, format!("{word:<width$}", width = LABEL_COLUMNS.max(word.len() + 2))),
        LABEL_COLUMNS,
        [
            strong(format!("call {id}   ")),
            plain(format!("{} {}   ", zone.clock_ms(call.started), zone.name(call.started))),
            strong(parties),
            plain(format!("   {}", result(context, call))),
        ],
    )
}

/// The word that opens the note.
fn verdict(entry: &CallEntry) -> (Ink, &'static str) {
    match (entry.call.outcome, entry.call.outcome.group()) {
        (Outcome::Dropped, _) => (Ink::Bad, "DROPPED"),
        (_, OutcomeGroup::Failure) => (Ink::Bad, "FAILED"),
        (_, OutcomeGroup::Answered) => (Ink::Good, "ANSWERED"),
        (_, OutcomeGroup::Normal) => (Ink::Plain, "NOT A FAULT"),
        (_, OutcomeGroup::Unknown) => (Ink::Faint, "PARTIAL"),
    }
}

/// The result in a few words: code and delay, or how long the call lasted.
fn result(context: &Context<'_>, call: &Call) -> String {
    let times = &call.milestones;
    let since = |moment| Some(crate::capture::Timestamp::millis_since(moment, times.invited?));
    if call.outcome.is_answered() {
        let answered = times
            .setup_ms()
            .map_or_else(|| "answered".to_owned(), |setup| format!("answered after {}", duration(setup)));
        let talk = times.talk_ms().map(duration);
        return match (call.outcome, talk) {
            (Outcome::Dropped, Some(talk)) => format!("{answered}, cut after {talk} of talk"),
            (Outcome::StillUp, _) => format!("{answered}, still up when the capture ended"),
            (_, Some(talk)) => format!("{answered}, {talk} of talk"),
            (_, None) => answered,
        };
    }
    if call.outcome == Outcome::Cancelled {
        let after = times.cancelled.or(times.concluded).and_then(since);
        let after = after.map_or(String::new(), |after| format!(" after {}", duration(after)));
        return format!("cancelled{after}");
    }
    let code = match call.final_code {
        Some(code) => format!("{} {}", code.0, context.text(call.phrase)),
        None if call.outcome == Outcome::Partial => "the capture holds too little of it".to_owned(),
        None => "no final answer".to_owned(),
    };
    let after = times.concluded.filter(|_| call.final_code.is_some()).and_then(since);
    let after = after.map_or(String::new(), |after| format!(" after {}", duration(after)));
    format!("{}{after}", code.trim_end())
}

/// Whether an answered call has nothing worse beside it: then it can be called sound.
fn is_sound(entry: &CallEntry) -> bool {
    let mut findings = entry.findings.iter();
    entry.call.outcome.group() != OutcomeGroup::Answered || findings.all(|finding| finding.severity == Severity::Info)
}

/// What the code says by itself, where no rule explains the outcome; returns the code where that is all there is to say.
fn unexplained(call: &Call, page: &mut Page<'_>) -> io::Result<Option<&'static ResponseCode>> {
    let text = match call.outcome {
        Outcome::Partial => "The capture began too late or ended too early to tell how this call ended.",
        Outcome::Completed => "The call was answered and hung up: nothing is to be explained.",
        Outcome::StillUp => "The call was answered: nothing is to be explained.",
        Outcome::Cancelled => "The caller hung up before anybody answered.",
        Outcome::NoAnswer => "It rang and nobody answered.",
        Outcome::Busy => "The callee was busy.",
        Outcome::Declined => "The callee refused the call.",
        Outcome::Dropped => "The call was answered and then ended by a fault; the capture does not say why.",
        Outcome::CancelRace => "The call was answered at the moment at which the caller gave up.",
        _ => "",
    };
    if !text.is_empty() {
        page.labelled("Why", [plain(text)])?;
        return Ok(None);
    }
    let code = call.origin.map(|origin| origin.code).filter(|code| *code != 0).or(call.final_code.map(|code| code.0));
    let Some(known) = code.and_then(ResponseCode::treated_as) else {
        page.labelled("Why", [plain("The capture does not say why.")])?;
        return Ok(None);
    };
    let text = format!("The capture does not say why. {} means: {}", known.code, known.meaning);
    page.labelled("Why", [plain(text)])?;
    Ok(Some(known))
}

/// Who refused, and who only passed it on.
fn who(context: &Context<'_>, call: &Call, page: &mut Page<'_>) -> io::Result<()> {
    let Some(origin) = call.origin else {
        return Ok(());
    };
    page.labelled("Who", [plain(blame(context, call, &origin))])
}

fn blame(context: &Context<'_>, call: &Call, origin: &Origin) -> String {
    let software = context.text(origin.software);
    let node = with_software(context.endpoint(origin.endpoint), software);
    let seen = call.final_code.map_or(0, |code| code.0);
    let mut text = match (origin.code, origin.beyond_capture) {
        (0, _) => format!("{node} never answered."),
        (code, true) => {
            format!("{node} answered {code}, or a node behind it that the capture does not show.")
        }
        (code, false) => format!("{node} answered {code} itself."),
    };
    let near = context.endpoint(origin.code_origin);
    let passed = relays(context, call, origin);
    if seen != 0 && seen != origin.code && origin.code_origin != origin.endpoint {
        text.push_str(&format!(" {near} turned that into the {seen} that the caller saw."));
    } else if !passed.is_empty() {
        text.push_str(&format!(" {} only passed it on.", passed.join(" and ")));
    }
    text
}

/// Nodes between the caller and the origin.
fn relays(context: &Context<'_>, call: &Call, origin: &Origin) -> Vec<String> {
    let mut relays: Vec<EndpointId> = Vec::new();
    for hop in &call.hops {
        let is_between =
            hop.destination != origin.endpoint && call.hops.iter().any(|next| next.source == hop.destination);
        if is_between && hop.final_code == origin.code && !relays.contains(&hop.destination) {
            relays.push(hop.destination);
        }
    }
    relays.into_iter().map(|relay| context.endpoint(relay)).collect()
}

/// The other calls with the same cause.
fn scope(context: &Context<'_>, id: u32, entry: &CallEntry, page: &mut Page<'_>) -> io::Result<()> {
    let Some(primary) = entry.primary() else {
        return Ok(());
    };
    let same = |incident: &&Incident| {
        incident.finding.rule == primary.rule && incident.calls.binary_search(&CallId(id)).is_ok()
    };
    let Some(incident) = context.analysis.incidents.iter().find(same) else {
        return Ok(());
    };
    let others: Vec<CallId> = incident.calls.iter().copied().filter(|call| *call != CallId(id)).collect();
    let alike =
        if others.is_empty() { "no other call has this".to_owned() } else { format!("the same in {}", calls(&others)) };
    let share = if incident.scope.is_empty() { String::new() } else { format!("; {}", incident.scope) };
    page.labelled("Scope", [plain(format!("{alike}{share}"))])
}

/// What else was seen.
fn beside(context: &Context<'_>, entry: &CallEntry, page: &mut Page<'_>) -> io::Result<()> {
    let skip = usize::from(entry.primary().is_some());
    let limit = if context.style.is_whole { usize::MAX } else { BESIDE_MAX };
    let others: Vec<&Finding> = entry.findings.iter().skip(skip).collect();
    for (place, finding) in others.iter().take(limit).enumerate() {
        let (ink, word) = mark(finding.severity);
        let label = if place == 0 { "Also" } else { "" };
        page.labelled(
            label,
            [Span::new(ink, word), plain("  "), strong(finding.title()), plain(". "), plain(finding.explanation())],
        )?;
    }
    if others.len() > limit {
        let text = format!("and {} more: -v", others.len() - limit);
        page.labelled("", [faint(text)])?;
    }
    Ok(())
}
