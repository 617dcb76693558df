//! The view of captures that were just analysed.

use std::borrow::Cow;

use crate::analysis::{Analysis, CallField, CallRow, FieldValue, HeaderUses, word};
use crate::call::{Call, CallId, Hop, MessageStore};
use crate::capture::FrameRef;
use crate::check::view::{CallView, FindingView, HopView, RunView, distinct};
use crate::diagnose::{Evidence, Finding, Incident};

impl RunView {
    /// All of an analysis that is compared.
    pub fn of(analysis: &Analysis) -> Self {
        let mut uses = HeaderUses::default();
        for (_, entry) in analysis.reported_calls() {
            uses.add_call(&entry.call, &analysis.store);
        }
        let calls = (1..=analysis.calls.len() as u32).filter_map(|id| call_view(analysis, id));
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
    let view = |incident: &Incident| FindingView {
        title: incident.title().into_owned(),
        explanation: incident.explanation().into_owned(),
        ..finding_view(&incident.finding)
    };
    lone.map(view).collect()
}

/// The call with a number; `None` where there is none.
pub fn call_view(analysis: &Analysis, id: u32) -> Option<CallView> {
    use CallField as F;
    let row = CallRow::at(analysis, CallId(id))?;
    let entry = row.entry();
    let call = &entry.call;
    let (tables, facts) = (&analysis.store.tables, row.facts());
    let hop = |hop: &Hop| HopView {
        source: tables.endpoint(hop.source).to_string(),
        destination: tables.endpoint(hop.destination).to_string(),
        final_code: hop.final_code,
        reply_ms: hop.reply_ms.map(f64::from),
    };
    let mut view = CallView {
        id,
        call_ids: list_of(&row, F::CallIds),
        caller: text_of(&row, F::Caller),
        callee: text_of(&row, F::Callee),
        source: text_of(&row, F::Source),
        destination: text_of(&row, F::Destination),
        transport: text_of(&row, F::Transport),
        outcome: call.outcome,
        final_code: call.final_code.map_or(0, |code| code.0),
        reason_phrase: text_of(&row, F::ReasonPhrase),
        ended_by: text_of(&row, F::EndedBy),
        pdd_ms: milliseconds_of(&row, F::PddMs),
        ring_ms: milliseconds_of(&row, F::RingMs),
        setup_ms: milliseconds_of(&row, F::SetupMs),
        talk_ms: milliseconds_of(&row, F::TalkMs),
        messages: call.messages,
        retransmissions: call.retransmissions,
        hops: call.hops.iter().map(hop).collect(),
        origin_endpoint: text_of(&row, F::OriginEndpoint),
        primary: text_of(&row, F::Primary),
        findings: entry.findings.iter().map(finding_view).collect(),
        sequence: facts.sequence.iter().map(|step| word(step.kind)).collect(),
        sequence_frames: facts.sequence.iter().map(|step| step.at).collect(),
        codecs_offered: list_of(&row, F::CodecsOffered),
        codecs_answered: list_of(&row, F::CodecsAnswered),
        caller_software: text_of(&row, F::CallerSoftware),
        callee_software: text_of(&row, F::CalleeSoftware),
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
    let frames = finding.seen.evidence.iter().flat_map(Evidence::frames);
    FindingView {
        rule: finding.rule.to_owned(),
        severity: finding.severity,
        explains: finding.seen.explains,
        title: finding.title().into_owned(),
        explanation: finding.explanation().into_owned(),
        frames: distinct(frames.copied()),
    }
}

fn text_of(row: &CallRow<'_>, field: CallField) -> String {
    match row.get(field) {
        FieldValue::Text(text) => text.into_owned(),
        FieldValue::Endpoint(Some(endpoint)) => endpoint.to_string(),
        _ => String::new(),
    }
}

fn list_of(row: &CallRow<'_>, field: CallField) -> Vec<String> {
    match row.get(field) {
        FieldValue::Texts(texts) => texts.into_iter().map(Cow::into_owned).collect(),
        _ => Vec::new(),
    }
}

fn milliseconds_of(row: &CallRow<'_>, field: CallField) -> Option<f64> {
    match row.get(field) {
        FieldValue::Milliseconds(ms) => ms,
        _ => None,
    }
}
