//! Failures that no rule explains: grouped by final code and refusing node, with what the code means and what to check.

use std::collections::BTreeMap;
use std::io;

use crate::analysis::CallEntry;
use crate::call::{CallId, EndpointId, Outcome};
use crate::reference::ResponseCode;
use crate::report::terminal::context::Context;
use crate::report::terminal::names::numbers;
use crate::report::terminal::page::{Ink, Page, Span, faint, plain, strong};
use crate::report::words::count;

/// Stands for the code of calls that were answered and dropped.
const DROPPED: u16 = 1;
/// Groups shown.
const GROUPS_MAX: usize = 3;
/// Groups shown below incidents.
const GROUPS_OF_CROWD: usize = 2;

/// Writes the groups, largest first.
pub(super) fn write(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let mut groups: BTreeMap<(u16, Option<EndpointId>), Vec<CallId>> = BTreeMap::new();
    for (id, entry) in context.analysis.reported_calls() {
        if is_unexplained(entry) {
            // The 200 of a call that was dropped says nothing about the drop.
            let is_dropped = entry.call.outcome == Outcome::Dropped;
            let code = entry.call.final_code.filter(|_| !is_dropped);
            let code = code.map_or(if is_dropped { DROPPED } else { 0 }, |code| code.0);
            let origin = entry.call.origin.map(|origin| origin.endpoint);
            groups.entry((code, origin)).or_default().push(id);
        }
    }
    if groups.is_empty() {
        return Ok(());
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(key, ids)| (std::cmp::Reverse(ids.len()), *key));
    page.blank()?;
    page.line([strong("Failed, and the captures do not say why")])?;
    // Where incidents fill the screen, more of these would push the calls off it.
    let is_crowded = !context.style.is_whole && context.analysis.reported_incidents().next().is_some();
    let limit = if context.style.is_whole {
        usize::MAX
    } else if is_crowded {
        GROUPS_OF_CROWD
    } else {
        GROUPS_MAX
    };
    for (place, ((code, origin), ids)) in groups.iter().take(limit).enumerate() {
        let endpoint = origin.map(|origin| context.endpoint_and_software(origin));
        let above = groups.iter().take(place);
        let is_known = above.into_iter().any(|((known, _), _)| known == code) || is_crowded && place > 0;
        group(*code, endpoint, ids, is_known, page)?;
    }
    if groups.len() > limit {
        let rest = groups.iter().skip(limit);
        let more: usize = rest.map(|(_, ids)| ids.len()).sum();
        let text = format!(
            "  and {} in {}: -v shows all of them",
            count(more as u64, "call"),
            count((groups.len() - limit) as u64, "further group")
        );
        page.line([faint(text)])?;
    }
    Ok(())
}

/// Whether a call failed and no finding says why.
pub(super) fn is_unexplained(entry: &CallEntry) -> bool {
    entry.call.outcome.is_failure() && entry.primary().is_none()
}

/// One group; what its code means is said unless a group above said it.
fn group(code: u16, endpoint: Option<String>, ids: &[CallId], is_known: bool, page: &mut Page<'_>) -> io::Result<()> {
    let known = ResponseCode::treated_as(code).filter(|_| code >= 100);
    let name = match (code, known) {
        (DROPPED, _) => "answered, then dropped".to_owned(),
        (0, _) => "no final answer".to_owned(),
        (code, Some(known)) if known.code == code => format!("{code} {}", known.phrase),
        (code, Some(known)) => format!("{code} (to be taken as {} {})", known.code, known.phrase),
        (code, None) => code.to_string(),
    };
    let by = endpoint.map_or(String::new(), |endpoint| format!(" by {endpoint}"));
    page.wrapped(
        plain("  "),
        LINE_INDENT,
        [
            Span::new(Ink::Bad, name),
            plain(format!("{by}: {}", count(ids.len() as u64, "call"))),
            faint(format!(" ({})", numbers(ids))),
        ],
    )?;
    if let Some(known) = known.filter(|_| !is_known) {
        let text = format!("{} Check: {}", known.meaning, known.what_to_check);
        page.wrapped(plain("    "), LINE_INDENT, [plain(text)])?;
    }
    Ok(())
}

/// How far the lines of a group are indented.
const LINE_INDENT: usize = 4;
