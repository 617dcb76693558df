//! The view of captures that were just analysed.

use crate::analysis::Analysis;
use crate::call::{Call, EndpointId, Hop, MessageStore, TextId};
use crate::capture::FrameRef;
use crate::check::facts::{Facts, HeaderUses, word};
use crate::check::view::{CallView, FindingView, HopView, View, distinct};
use crate::diagnose::{Evidence, Finding};

impl View {
    /// All that an analysis tells.
    pub fn of(analysis: &Analysis) -> Self {
        let mut uses = HeaderUses::default();
        for (_, entry) in analysis.told_calls() {
            uses.add_call(&entry.call, &analysis.store);
        }
        let calls = (0..analysis.calls.len()).filter_map(|place| call_view(analysis, place));
        Self {
            captures: capture_names(analysis),
            filter: String::new(),
            last_at: last_frame(analysis),
            calls: calls.collect(),
            beside_calls: beside_calls(analysis),
            headers: uses
                .by_name(&analysis.store)
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
    captures.map(|capture| capture.path.display().to_string()).collect()
}

fn last_frame(analysis: &Analysis) -> Option<crate::capture::Timestamp> {
    analysis.captures.iter().filter_map(|capture| capture.last_at).max()
}

fn beside_calls(analysis: &Analysis) -> Vec<FindingView> {
    let lone = analysis.incidents.iter().filter(|incident| incident.calls.is_empty());
    lone.map(|incident| finding_view(&incident.finding)).collect()
}

/// The call at a place of [`Analysis::calls`]; `None` past the last.
pub fn call_view(analysis: &Analysis, place: usize) -> Option<CallView> {
    let entry = analysis.calls.get(place)?;
    let (call, tables) = (&entry.call, &analysis.store.tables);
    let facts = Facts::of(call, &analysis.store);
    let text = |id: TextId| tables.text(id).to_owned();
    let endpoint = |id: EndpointId| tables.endpoint(id).to_string();
    let times = &call.milestones;
    let hop = |hop: &Hop| HopView {
        source: endpoint(hop.source),
        destination: endpoint(hop.destination),
        final_code: hop.final_code,
        reply_ms: hop.reply_ms.map(f64::from),
    };
    let mut view = CallView {
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
        ended_by: call.ended_by.map_or(String::new(), |party| party.word().to_owned()),
        pdd_ms: times.pdd_ms(),
        ring_ms: times.ring_ms(),
        setup_ms: times.setup_ms(),
        talk_ms: times.talk_ms(),
        messages: call.messages,
        retransmissions: call.retransmissions,
        hops: call.hops.iter().map(hop).collect(),
        origin: call.origin.map_or(String::new(), |origin| endpoint(origin.endpoint)),
        primary: entry.primary().map_or(String::new(), |finding| finding.rule.to_owned()),
        findings: entry.findings.iter().map(finding_view).collect(),
        sequence: facts.sequence.iter().map(|step| word(step.kind)).collect(),
        sequence_frames: facts.sequence.iter().map(|step| step.at).collect(),
        codecs_offered: owned(&facts.codecs_offered),
        codecs_answered: owned(&facts.codecs_answered),
        caller_software: facts.caller_software.to_owned(),
        callee_software: facts.callee_software.to_owned(),
    };
    // What several calls prove together is shown by frames of others too; a reader of this call opens its own first.
    let ending: Vec<FrameRef> = view.ending_frame().into_iter().collect();
    for finding in &mut view.findings {
        let frames = &mut finding.frames;
        frames.sort_by_key(|at| !is_of_call(call, &analysis.store, *at));
        if !frames.first().is_some_and(|at| is_of_call(call, &analysis.store, *at)) {
            frames.clone_from(&ending);
        }
    }
    Some(view)
}

/// Whether a frame completed a message of a call.
fn is_of_call(call: &Call, store: &MessageStore, at: FrameRef) -> bool {
    call.legs.iter().any(|leg| store.messages_of(leg).iter().any(|message| message.at == at))
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
        frames: distinct(frames.copied()),
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
