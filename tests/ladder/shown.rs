//! What the first screen shows, whatever rule says it: for calls of which an expert knows the cause and not the name of a rule.

use sipscan::analysis::Analysis;
use sipscan::diagnose::{Finding, Severity};

/// The findings that are shown: errors and warnings of calls, registrations, other requests and incidents, and what explains how
/// a call ended.
pub fn findings(analysis: &Analysis) -> impl Iterator<Item = &Finding> {
    let primaries = analysis.calls.iter().filter_map(|entry| entry.primary());
    let of_calls = analysis.calls.iter().flat_map(|entry| &entry.findings);
    let registered = analysis.registrations.iter().flat_map(|entry| &entry.findings);
    let others = analysis.others.iter().flat_map(|(_, findings)| findings);
    let incidents = analysis.incidents.iter().map(|incident| &incident.finding);
    let grave = of_calls.chain(registered).chain(others).chain(incidents);
    primaries.chain(grave.filter(|finding| matches!(finding.severity, Severity::Error | Severity::Warn)))
}

/// `shown-says WORDS + WORDS | ALTERNATIVE`: one shown finding has all the words of one of the alternatives, in whatever case.
pub fn says(analysis: &Analysis, alternatives: &str) -> Result<(), String> {
    if said(analysis, alternatives).is_some() { Ok(()) } else { Err("no shown finding says so".to_owned()) }
}

/// `shown-unsaid WORDS | ALTERNATIVE`: no shown finding does.
pub fn unsaid(analysis: &Analysis, alternatives: &str) -> Result<(), String> {
    said(analysis, alternatives).map_or(Ok(()), |rule| Err(format!("{rule} says so")))
}

fn said(analysis: &Analysis, alternatives: &str) -> Option<&'static str> {
    let alternatives = alternatives.to_lowercase();
    let is_in =
        |text: &str| alternatives.split('|').any(|words| words.split(" + ").all(|word| text.contains(word.trim())));
    findings(analysis).find(|finding| is_in(&text(finding).to_lowercase())).map(|finding| finding.rule)
}

/// Title, explanation and remedy.
pub fn text(finding: &Finding) -> String {
    format!("{}\n    {}\n    Next: {}", finding.title, finding.explanation, finding.remedy)
}
