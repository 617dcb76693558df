//! What the first screen shows, whatever rule says it: for calls of which an expert knows the cause and not the name of a rule.

use sipscan::analysis::Analysis;
use sipscan::diagnose::{Finding, Severity};

/// A statement on the first screen.
pub struct Shown {
    /// Id of the rule, how bad and how sure.
    pub label: String,
    /// Title, explanation and remedy.
    pub text: String,
}

/// What is shown: errors and warnings of calls, registrations, other requests and incidents, and what explains how a call ended.
pub fn statements(analysis: &Analysis) -> impl Iterator<Item = Shown> {
    let primaries = analysis.calls.iter().filter_map(|entry| entry.primary());
    let of_calls = analysis.calls.iter().flat_map(|entry| &entry.findings);
    let registered = analysis.registrations.iter().flat_map(|entry| &entry.findings);
    let others = analysis.others.iter().flat_map(|(_, findings)| findings);
    let is_grave = |finding: &Finding| matches!(finding.severity, Severity::Error | Severity::Warn);
    let findings = primaries.chain(of_calls.chain(registered).chain(others).filter(move |finding| is_grave(finding)));
    let incidents = analysis.incidents.iter().filter(move |incident| is_grave(&incident.finding));
    let of_findings = findings.map(|finding| shown(finding, &finding.title(), &finding.explanation()));
    of_findings.chain(incidents.map(|incident| shown(&incident.finding, &incident.title(), &incident.explanation())))
}

fn shown(finding: &Finding, title: &str, explanation: &str) -> Shown {
    let label = format!("{} {} {}", finding.rule, finding.severity.word(), finding.seen.confidence.word());
    Shown { label, text: format!("{title}\n    {explanation}\n    Next: {}", finding.remedy()) }
}

/// `shown-says WORDS + WORDS | ALTERNATIVE`: one shown finding has all the words of one of the alternatives, in whatever case.
pub fn says(analysis: &Analysis, alternatives: &str) -> Result<(), String> {
    if said(analysis, alternatives).is_some() { Ok(()) } else { Err("no shown finding says so".to_owned()) }
}

/// `shown-unsaid WORDS | ALTERNATIVE`: no shown finding does.
pub fn unsaid(analysis: &Analysis, alternatives: &str) -> Result<(), String> {
    said(analysis, alternatives).map_or(Ok(()), |label| Err(format!("{label} says so")))
}

fn said(analysis: &Analysis, alternatives: &str) -> Option<String> {
    let alternatives = alternatives.to_lowercase();
    let is_in =
        |text: &str| alternatives.split('|').any(|words| words.split(" + ").all(|word| text.contains(word.trim())));
    statements(analysis).find(|shown| is_in(&shown.text.to_lowercase())).map(|shown| shown.label)
}
