//! The view of captures that were just analysed.

use crate::analysis::Analysis;
use crate::call::{EndpointId, Hop, TextId};
use crate::check::facts::{Facts, header_use, word};
use crate::check::view::{CallView, FindingView, HopView, View};
use crate::diagnose::{Evidence, Finding};

/// Frames kept of one finding: what a reader opens, not all that fits.
const FRAMES_MAX: usize = 8;

impl View {
    /// All that an analysis tells.
    pub fn of(analysis: &Analysis) -> Self {
        let calls = (0..analysis.calls.len()).filter_map(|place| call_view(analysis, place));
        Self {
            captures: capture_names(analysis),
            last_at: last_frame(analysis),
            calls: calls.collect(),
            beside_calls: beside_calls(analysis),
            headers: header_use(analysis)
                .into_iter()
                .map(|((message, name), count)| ((message, name.text().to_owned()), count))
                .collect(),
        }
    }

    /// All but the calls, which [`call_view`] gives one by one, and the headers.
    pub fn frame_of(analysis: &Analysis) -> Self {
        Self {
            captures: capture_names(analysis),
            last_at: last_frame(analysis),
            beside_calls: beside_calls(analysis),
            ..Self::default()
        }
    }
}

fn capture_names(analysis: &Analysis) -> Vec<String> {
    let captures = analysis.captures.iter();
    captures
        .map(|capture| capture.path.display().to_string())
        .collect()
}

fn last_frame(analysis: &Analysis) -> Option<crate::capture::Timestamp> {
    analysis
        .captures
        .iter()
        .filter_map(|capture| capture.last_at)
        .max()
}

fn beside_calls(analysis: &Analysis) -> Vec<FindingView> {
    let lone = analysis
        .incidents
        .iter()
        .filter(|incident| incident.calls.is_empty());
    lone.map(|incident| finding_view(&incident.finding))
        .collect()
}

/// The call at a place of [`Analysis::calls`]; `None` past the last.
pub fn call_view(analysis: &Analysis, place: usize) -> Option<CallView> {
    let entry = analysis.calls.get(place)?;
    let (call, tables) = (&entry.call, &analysis.book.tables);
    let facts = Facts::of(call, &analysis.book);
    let text = |id: TextId| tables.text(id).to_owned();
    let endpoint = |id: EndpointId| tables.endpoint(id).to_string();
    let times = &call.milestones;
    let hop = |hop: &Hop| HopView {
        source: endpoint(hop.source),
        destination: endpoint(hop.destination),
        final_code: hop.final_code,
        reply_ms: hop.reply_ms.map(f64::from),
    };
    Some(CallView {
        id: place as u32 + 1,
        call_ids: call.legs.iter().map(|leg| text(leg.call_id)).collect(),
        caller: text(call.caller),
        callee: text(call.callee),
        source: endpoint(call.source),
        destination: endpoint(call.destination),
        transport: call.transport.word().to_owned(),
        outcome: call.outcome,
        final_code: call.final_code.map_or(0, |code| code.0),
        reason_phrase: text(call.phrase),
        ended_by: call
            .ended_by
            .map_or(String::new(), |party| party.word().to_owned()),
        pdd_ms: times.pdd_ms(),
        ring_ms: times.ring_ms(),
        setup_ms: times.setup_ms(),
        talk_ms: times.talk_ms(),
        messages: call.messages,
        retransmissions: call.retransmissions,
        hops: call.hops.iter().map(hop).collect(),
        origin: call
            .origin
            .map_or(String::new(), |origin| endpoint(origin.endpoint)),
        primary: entry
            .primary()
            .map_or(String::new(), |finding| finding.rule.to_owned()),
        findings: entry.findings.iter().map(finding_view).collect(),
        sequence: facts.sequence.iter().map(|step| word(step.kind)).collect(),
        sequence_frames: facts.sequence.iter().map(|step| step.at).collect(),
        codecs_offered: owned(&facts.codecs_offered),
        codecs_answered: owned(&facts.codecs_answered),
        caller_software: facts.caller_software.to_owned(),
        callee_software: facts.callee_software.to_owned(),
    })
}

/// A finding with the frames of its evidence.
fn finding_view(finding: &Finding) -> FindingView {
    let frames = finding.evidence.iter().flat_map(|evidence| match evidence {
        Evidence::Seen { frames, .. } => frames.as_slice(),
        Evidence::Missing { after, .. } => std::slice::from_ref(after),
    });
    FindingView {
        rule: finding.rule.to_owned(),
        severity: finding.severity,
        explains: finding.explains,
        title: finding.title.clone(),
        explanation: finding.explanation.clone(),
        frames: frames.copied().take(FRAMES_MAX).collect(),
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
