//! What happened beside calls: registrations and other requests, problems first.

use std::collections::BTreeMap;
use std::io;

use crate::analysis::RegistrationEntry;
use crate::call::beside::registration::RegistrationOutcome;
use crate::report::terminal::context::Context;
use crate::report::terminal::names::codes;
use crate::report::terminal::page::{Ink, Page, Span, faint, plain, strong};
use crate::report::words::{count, grouped};

/// Problems named of each kind.
const PROBLEMS_MAX: usize = 2;

/// Writes a line for registrations and one for other requests, each with its problems.
pub(super) fn write(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let analysis = context.analysis;
    if analysis.registrations.is_empty() && analysis.others.is_empty() {
        return Ok(());
    }
    page.blank()?;
    registrations(context, page)?;
    others(context, page)
}

fn registrations(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let entries = &context.analysis.registrations;
    if entries.is_empty() {
        return Ok(());
    }
    let mut outcomes: BTreeMap<RegistrationOutcome, u64> = BTreeMap::new();
    for entry in entries {
        *outcomes.entry(entry.registration.outcome).or_default() += 1;
    }
    let outcomes: Vec<String> =
        outcomes.iter().map(|(outcome, entries)| format!("{} {}", grouped(*entries), outcome.word())).collect();
    let text = format!(": {}", outcomes.join(", "));
    let noun = count(entries.len() as u64, "registration");
    page.wrapped(strong(noun), 2, [plain(text)])?;
    let limit = limit(context);
    let mut problems: Vec<&RegistrationEntry> = entries.iter().filter(|entry| is_problem(entry)).collect();
    problems.sort_by_key(|entry| std::cmp::Reverse(entry.registration.attempts.len()));
    for entry in problems.iter().take(limit) {
        problem(context, entry, page)?;
    }
    more(problems.len(), limit, page)
}

fn limit(context: &Context<'_>) -> usize {
    if context.style.is_whole { usize::MAX } else { PROBLEMS_MAX }
}

fn more(all: usize, limit: usize, page: &mut Page<'_>) -> io::Result<()> {
    if all <= limit {
        return Ok(());
    }
    page.line([faint(format!("  and {} more like these: -v", all - limit))])
}

fn is_problem(entry: &RegistrationEntry) -> bool {
    matches!(
        entry.registration.outcome,
        RegistrationOutcome::Challenged | RegistrationOutcome::Failed | RegistrationOutcome::TimedOut
    )
}

fn problem(context: &Context<'_>, entry: &RegistrationEntry, page: &mut Page<'_>) -> io::Result<()> {
    let registration = &entry.registration;
    let code = registration.final_code.map_or(String::new(), |code| format!(" {}", code.0));
    let tries = match registration.attempts.len() {
        1 => String::new(),
        tries => format!(", {}", count(tries as u64, "try")),
    };
    let why = entry.findings.first().map_or(String::new(), |finding| format!(": {}", finding.title()));
    page.wrapped(
        plain("  "),
        4,
        [
            Span::new(Ink::Bad, format!("{}{code}", registration.outcome.word())),
            plain(format!(
                "  {} from {} at {}{tries}{why}",
                context.text(registration.aor),
                context.endpoint(registration.source),
                context.endpoint(registration.registrar)
            )),
        ],
    )
}

/// What is said of all requests of one method.
#[derive(Default)]
struct Sum {
    count: u32,
    unanswered: u32,
    codes: BTreeMap<u16, u32>,
}

fn others(context: &Context<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let others = &context.analysis.others;
    if others.is_empty() {
        return Ok(());
    }
    let mut methods: BTreeMap<&str, Sum> = BTreeMap::new();
    for (one, _) in others {
        let sum = methods.entry(one.method.text()).or_default();
        sum.count += one.count;
        sum.unanswered += one.unanswered;
        for (code, count) in &one.final_codes {
            *sum.codes.entry(*code).or_default() += count;
        }
    }
    let sums: Vec<String> = methods
        .iter()
        .map(|(method, sum)| {
            let mut answers = codes(&sum.codes);
            if sum.unanswered > 0 {
                let none = format!("unanswered ({})", sum.unanswered);
                answers = [answers, none].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
            }
            let colon = if answers.is_empty() { "" } else { ": " };
            format!("{} {method}{colon}{answers}", grouped(u64::from(sum.count)))
        })
        .collect();
    let text = format!(": {}", sums.join("; "));
    page.wrapped(strong("Other requests"), 2, [plain(text)])?;
    let limit = limit(context);
    let silent: Vec<_> = others.iter().filter(|(one, _)| one.unanswered > 0).collect();
    for (one, _) in silent.iter().take(limit) {
        page.wrapped(
            plain("  "),
            4,
            [
                Span::new(Ink::Caution, format!("{} unanswered", grouped(u64::from(one.unanswered)))),
                plain(format!(
                    "  {} from {} to {} ({} sent)",
                    one.method.text(),
                    context.endpoint(one.source),
                    context.endpoint(one.destination),
                    grouped(u64::from(one.count))
                )),
            ],
        )?;
    }
    more(silent.len(), limit, page)
}
