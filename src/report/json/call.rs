//! What happened in the report: `calls`, `registrations` and `others`.

use serde::{Serialize, Serializer};

use crate::analysis::{Analysis, CallEntry, Facts, Narrowing, RegistrationEntry};
use crate::call::beside::other_request::OtherCount;
use crate::call::detail::delay::Stage;
use crate::call::detail::rewriting::Rewrite;
use crate::call::{Call, Hop, Origin, Tables};
use crate::capture::Timestamp;
use crate::diagnose::Finding;
use crate::report::json::finding::FindingLine;
use crate::report::json::value::{Each, EndpointText, Frame, code, moment, non_empty, rounded};

/// One element of `calls`.
pub(super) struct CallLine<'a> {
    id: u32,
    entry: &'a CallEntry,
    analysis: &'a Analysis,
    /// Whether it says where the delay passed and what each hop changed, for which its transactions are looked at.
    has_details: bool,
}

impl<'a> CallLine<'a> {
    pub(super) fn of(id: u32, entry: &'a CallEntry, analysis: &'a Analysis, has_details: bool) -> Self {
        Self { id, entry, analysis, has_details }
    }
}

#[derive(Serialize)]
struct CallFields<'a, I, E, T, P, H, O, F> {
    id: u32,
    call_ids: I,
    caller: &'a str,
    callee: &'a str,
    source: E,
    destination: E,
    transport: &'a str,
    started_at: T,
    ended_at: T,
    outcome: &'a str,
    final_code: Option<u16>,
    reason_phrase: Option<&'a str>,
    ended_by: Option<&'a str>,
    pdd_ms: Option<f64>,
    ring_ms: Option<f64>,
    setup_ms: Option<f64>,
    talk_ms: Option<f64>,
    teardown_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pdd_stages: Option<P>,
    messages: u32,
    retransmissions: u32,
    copies: u32,
    sequence: &'a str,
    codecs_offered: &'a [&'a str],
    codecs_answered: &'a [&'a str],
    caller_software: Option<&'a str>,
    callee_software: Option<&'a str>,
    hops: H,
    origin: Option<O>,
    primary: Option<&'a str>,
    findings: F,
}

impl Serialize for CallLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (call, store) = (&self.entry.call, &self.analysis.store);
        let tables = &store.tables;
        let facts = Facts::of(call, store);
        let times = &call.milestones;
        let path = self.has_details.then(|| self.analysis.path(call));
        CallFields {
            id: self.id,
            call_ids: Each(|| call.legs.iter().map(|leg| tables.text(leg.call_id))),
            caller: tables.text(call.caller),
            callee: tables.text(call.callee),
            source: EndpointText(tables.endpoint(call.source)),
            destination: EndpointText(tables.endpoint(call.destination)),
            transport: call.transport.word(),
            started_at: moment(call.started),
            ended_at: moment(call.ended),
            outcome: call.outcome.word(),
            final_code: call.final_code.map(|code| code.0),
            reason_phrase: non_empty(tables.text(call.phrase)),
            ended_by: call.ended_by.map(|party| party.word()),
            pdd_ms: times.pdd_ms().map(rounded),
            ring_ms: times.ring_ms().map(rounded),
            setup_ms: times.setup_ms().map(rounded),
            talk_ms: times.talk_ms().map(rounded),
            teardown_ms: times.teardown_ms().map(rounded),
            pdd_stages: path.as_ref().map(|path| {
                Each(|| {
                    let stages = path.stages.iter();
                    stages.map(|stage| stage_line(stage, call, tables))
                })
            }),
            messages: call.messages,
            retransmissions: call.retransmissions,
            copies: call.copies,
            sequence: &facts.words(),
            codecs_offered: &facts.codecs_offered,
            codecs_answered: &facts.codecs_answered,
            caller_software: non_empty(facts.caller_software),
            callee_software: non_empty(facts.callee_software),
            hops: Each(|| {
                let hops = call.hops.iter().enumerate();
                let rewritten = |place| Some(path.as_ref()?.rewritten(place));
                hops.map(move |(place, hop)| hop_line(hop, rewritten(place), tables))
            }),
            origin: call.origin.map(|origin| origin_line(&origin, tables)),
            primary: self.entry.primary().map(|finding| finding.rule),
            findings: Each(|| self.entry.findings.iter().map(FindingLine)),
        }
        .serialize(serializer)
    }
}

/// A stage of the post-dial delay. Its milliseconds are the difference of two rounded moments, so that stages add up.
fn stage_line<'a>(stage: &Stage, call: &Call, tables: &'a Tables) -> impl Serialize + use<'a> {
    #[derive(Serialize)]
    struct Fields<E> {
        stage: &'static str,
        endpoint: E,
        code: Option<u16>,
        ms: f64,
        ended_at: Frame,
    }
    let start = call.milestones.invited.unwrap_or(call.started);
    let after = |moment: Timestamp| rounded(moment.millis_since(start));
    Fields {
        stage: stage.kind.word(),
        endpoint: EndpointText(tables.endpoint(stage.endpoint)),
        code: code(stage.code),
        ms: rounded(after(stage.end) - after(stage.start)),
        ended_at: stage.ended_at.into(),
    }
}

fn rewrite_line(rewrite: &Rewrite) -> impl Serialize + '_ {
    #[derive(Serialize)]
    struct Fields<'a> {
        part: &'static str,
        how: &'static str,
        before: Option<&'a str>,
        after: Option<&'a str>,
    }
    Fields {
        part: rewrite.part.word(),
        how: rewrite.how.word(),
        before: rewrite.before.as_deref(),
        after: rewrite.after.as_deref(),
    }
}

fn hop_line<'a>(hop: &Hop, rewritten: Option<&'a [Rewrite]>, tables: &'a Tables) -> impl Serialize + use<'a> {
    #[derive(Serialize)]
    struct Fields<E, R> {
        source: E,
        destination: E,
        transport: &'static str,
        final_code: Option<u16>,
        final_ms: Option<f64>,
        reply_ms: Option<f64>,
        alerted_ms: Option<f64>,
        parent: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        rewritten: Option<R>,
    }
    let milliseconds = |ms: f32| rounded(f64::from(ms));
    Fields {
        source: EndpointText(tables.endpoint(hop.source)),
        destination: EndpointText(tables.endpoint(hop.destination)),
        transport: hop.transport.word(),
        final_code: code(hop.final_code),
        final_ms: hop.final_ms.map(milliseconds),
        reply_ms: hop.reply_ms.map(milliseconds),
        alerted_ms: hop.alerted_ms.map(milliseconds),
        parent: hop.parent,
        rewritten: rewritten.map(|rewritten| Each(move || rewritten.iter().map(rewrite_line))),
    }
}

fn origin_line<'a>(origin: &Origin, tables: &'a Tables) -> impl Serialize + use<'a> {
    #[derive(Serialize)]
    struct Fields<'a, E> {
        endpoint: E,
        code: Option<u16>,
        software: Option<&'a str>,
        beyond_capture: bool,
        code_origin: E,
    }
    Fields {
        endpoint: EndpointText(tables.endpoint(origin.endpoint)),
        code: code(origin.code),
        software: non_empty(tables.text(origin.software)),
        beyond_capture: origin.beyond_capture,
        code_origin: EndpointText(tables.endpoint(origin.code_origin)),
    }
}

/// One element of `registrations`.
pub(super) struct RegistrationLine<'a> {
    entry: &'a RegistrationEntry,
    tables: &'a Tables,
}

impl<'a> RegistrationLine<'a> {
    pub(super) fn of(entry: &'a RegistrationEntry, tables: &'a Tables) -> Self {
        Self { entry, tables }
    }
}

impl Serialize for RegistrationLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a, E, F> {
            aor: &'a str,
            source: E,
            registrar: E,
            outcome: &'a str,
            final_code: Option<u16>,
            expires_s: Option<u32>,
            attempts: usize,
            findings: F,
        }
        let registration = &self.entry.registration;
        Fields {
            aor: self.tables.text(registration.aor),
            source: EndpointText(self.tables.endpoint(registration.source)),
            registrar: EndpointText(self.tables.endpoint(registration.registrar)),
            outcome: registration.outcome.word(),
            final_code: registration.final_code.map(|code| code.0),
            expires_s: registration.expires_s,
            attempts: registration.attempts.len(),
            findings: Each(|| self.entry.findings.iter().map(FindingLine)),
        }
        .serialize(serializer)
    }
}

/// One element of `others`.
pub(super) struct OtherLine<'a> {
    count: &'a OtherCount,
    findings: &'a [Finding],
    tables: &'a Tables,
}

impl<'a> OtherLine<'a> {
    pub(super) fn of(count: &'a OtherCount, findings: &'a [Finding], tables: &'a Tables) -> Self {
        Self { count, findings, tables }
    }
}

impl Serialize for OtherLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a, E, C, F> {
            method: &'a str,
            source: E,
            destination: E,
            count: u32,
            unanswered: u32,
            final_codes: C,
            findings: F,
        }
        Fields {
            method: self.count.method.text(),
            source: EndpointText(self.tables.endpoint(self.count.source)),
            destination: EndpointText(self.tables.endpoint(self.count.destination)),
            count: self.count.count,
            unanswered: self.count.unanswered,
            final_codes: &self.count.final_codes,
            findings: Each(|| self.findings.iter().map(FindingLine)),
        }
        .serialize(serializer)
    }
}

/// `filter`: what the calls of the report match, and how many of how many do.
#[derive(Serialize)]
pub(super) struct FilterLine<'a> {
    expression: &'a str,
    matching_calls: u32,
    all_calls: u32,
}

impl<'a> FilterLine<'a> {
    pub(super) fn of(narrowing: &'a Narrowing) -> Self {
        Self { expression: &narrowing.expression, matching_calls: narrowing.calls, all_calls: narrowing.of }
    }
}

/// One element of `header_use`: how many messages of a method or code carry a header field.
#[derive(Serialize)]
pub(super) struct HeaderUseLine {
    pub(super) message: String,
    pub(super) header: &'static str,
    pub(super) messages: u64,
}
