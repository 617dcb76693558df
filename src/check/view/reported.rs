//! The view of a report that was saved as JSON; its form is the contract of `sipscan-report/1`.

use std::fmt;

use serde::Deserialize;

use crate::call::Outcome;
use crate::capture::{FrameRef, Timestamp};
use crate::check::view::{CallView, FindingView, HopView, RunView, distinct};
use crate::diagnose::Severity;

/// Name and version of the reports that can be read.
const SCHEMA: &str = "sipscan-report/1";

/// Why a saved report cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportError(String);

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReportError {}

#[derive(Deserialize)]
struct SavedHeader {
    #[serde(default)]
    schema: String,
}

#[derive(Deserialize)]
struct SavedReport {
    captures: Vec<SavedCapture>,
    calls: Vec<SavedCall>,
    incidents: Vec<SavedIncident>,
    header_use: Option<Vec<SavedHeaderUse>>,
    filter: Option<SavedFilter>,
}

#[derive(Deserialize)]
struct SavedFilter {
    expression: String,
}

#[derive(Deserialize)]
struct SavedCapture {
    path: String,
    last_at: Option<String>,
}

#[derive(Deserialize)]
struct SavedHeaderUse {
    message: String,
    header: String,
    messages: u64,
}

#[derive(Deserialize)]
struct SavedCall {
    id: u32,
    call_ids: Vec<String>,
    caller: String,
    callee: String,
    source: String,
    destination: String,
    transport: String,
    outcome: String,
    final_code: Option<u16>,
    reason_phrase: Option<String>,
    ended_by: Option<String>,
    pdd_ms: Option<f64>,
    ring_ms: Option<f64>,
    setup_ms: Option<f64>,
    talk_ms: Option<f64>,
    messages: u32,
    retransmissions: u32,
    hops: Vec<SavedHop>,
    origin: Option<SavedOrigin>,
    primary: Option<String>,
    findings: Vec<SavedFinding>,
    sequence: Option<String>,
    #[serde(default)]
    codecs_offered: Vec<String>,
    #[serde(default)]
    codecs_answered: Vec<String>,
    caller_software: Option<String>,
    callee_software: Option<String>,
}

#[derive(Deserialize)]
struct SavedHop {
    source: String,
    destination: String,
    final_code: Option<u16>,
    reply_ms: Option<f64>,
}

#[derive(Deserialize)]
struct SavedOrigin {
    endpoint: String,
}

#[derive(Deserialize)]
struct SavedFinding {
    rule: String,
    severity: String,
    title: String,
    explanation: String,
    #[serde(default)]
    explains: bool,
    evidence: Vec<SavedEvidence>,
}

#[derive(Deserialize)]
struct SavedIncident {
    #[serde(flatten)]
    finding: SavedFinding,
    calls: Vec<u32>,
}

#[derive(Deserialize)]
struct SavedEvidence {
    frames: Vec<SavedFrame>,
}

#[derive(Deserialize)]
struct SavedFrame {
    file: u16,
    frame: u32,
}

impl RunView {
    /// The view of a saved report.
    ///
    /// # Errors
    /// Where the text is no report, one of another version, or one written before `compare` could read reports.
    pub fn of_report(text: &str) -> Result<Self, ReportError> {
        let cannot = |error: serde_json::Error| {
            ReportError(format!("is no report of sipscan: {error}; give a capture, or what --json wrote"))
        };
        let header: SavedHeader = serde_json::from_str(text).map_err(cannot)?;
        if header.schema != SCHEMA {
            return Err(ReportError(foreign(&header.schema)));
        }
        let report: SavedReport = serde_json::from_str(text).map_err(cannot)?;
        let Some(headers) = report.header_use else {
            return Err(ReportError(
                "lacks header_use, codecs and sequences: an older sipscan wrote it; write it again from its capture"
                    .to_owned(),
            ));
        };
        let last = report.captures.iter().filter_map(|capture| moment(capture.last_at.as_deref()?));
        Ok(Self {
            filter: report.filter.map_or(String::new(), |filter| filter.expression),
            last_at: last.max(),
            captures: report.captures.into_iter().map(|capture| capture.path).collect(),
            calls: report.calls.into_iter().map(call_view).collect::<Result<_, _>>()?,
            beside_calls: report
                .incidents
                .into_iter()
                .filter(|incident| incident.calls.is_empty())
                .map(|incident| finding_view(incident.finding))
                .collect::<Result<_, _>>()?,
            headers: headers.into_iter().map(|entry| ((entry.message, entry.header), entry.messages)).collect(),
        })
    }
}

/// Why a document of this schema cannot be read.
fn foreign(schema: &str) -> String {
    let (kind, version) = schema.rsplit_once('/').unwrap_or((schema, ""));
    let wanted = "give a capture, or what sipscan CAPTURE --json FILE wrote";
    match (kind, version.parse::<u32>()) {
        ("sipscan-report", Ok(version)) if version > 1 => format!(
            "a newer sipscan wrote this report (schema {schema}, this one reads {SCHEMA}); update sipscan, or write it again"
        ),
        ("sipscan-check", _) => {
            format!("is a verdict of check or compare, and no report; {wanted}")
        }
        ("", _) => format!("is no report of sipscan: it names no schema; {wanted}"),
        _ => format!("is no report of sipscan: its schema is \"{schema}\", not \"{SCHEMA}\"; {wanted}"),
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    let nanoseconds = i64::try_from(moment.as_nanosecond()).ok()?;
    Some(Timestamp::from_nanoseconds(nanoseconds))
}

fn call_view(call: SavedCall) -> Result<CallView, ReportError> {
    let outcome = Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.word() == call.outcome)
        .ok_or_else(|| ReportError(format!("call {} has no known outcome: \"{}\"", call.id, call.outcome)))?;
    let hop = |hop: SavedHop| HopView {
        source: hop.source,
        destination: hop.destination,
        final_code: hop.final_code.unwrap_or(0),
        reply_ms: hop.reply_ms,
    };
    Ok(CallView {
        id: call.id,
        call_ids: call.call_ids,
        caller: call.caller,
        callee: call.callee,
        source: call.source,
        destination: call.destination,
        transport: call.transport,
        outcome,
        final_code: call.final_code.unwrap_or(0),
        reason_phrase: call.reason_phrase.unwrap_or_default(),
        ended_by: call.ended_by.unwrap_or_default(),
        pdd_ms: call.pdd_ms,
        ring_ms: call.ring_ms,
        setup_ms: call.setup_ms,
        talk_ms: call.talk_ms,
        messages: call.messages,
        retransmissions: call.retransmissions,
        hops: call.hops.into_iter().map(hop).collect(),
        origin_endpoint: call.origin.map_or(String::new(), |origin| origin.endpoint),
        primary: call.primary.unwrap_or_default(),
        findings: call.findings.into_iter().map(finding_view).collect::<Result<_, _>>()?,
        sequence: call.sequence.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        sequence_frames: Vec::new(),
        codecs_offered: call.codecs_offered,
        codecs_answered: call.codecs_answered,
        caller_software: call.caller_software.unwrap_or_default(),
        callee_software: call.callee_software.unwrap_or_default(),
    })
}

fn finding_view(finding: SavedFinding) -> Result<FindingView, ReportError> {
    let word = &finding.severity;
    let severity = Severity::of_word(word)
        .ok_or_else(|| ReportError(format!("has a finding of no known severity: \"{word}\"")))?;
    let frames = finding.evidence.into_iter().flat_map(|evidence| evidence.frames);
    Ok(FindingView {
        rule: finding.rule,
        severity,
        explains: finding.explains,
        title: finding.title,
        explanation: finding.explanation,
        frames: distinct(frames.map(|at| FrameRef { file: at.file, frame: at.frame })),
    })
}
