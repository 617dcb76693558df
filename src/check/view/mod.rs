//! What a check looks at: calls, findings and headers in plain values, the same from captures and from a saved report.

mod captured;
mod reported;

use std::collections::BTreeMap;

use crate::analysis::{CallField, CallFields, FieldValue, group_word, text, texts};
use crate::call::Outcome;
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::Severity;

pub use captured::call_view;
pub use reported::ReportError;

/// Frames kept of one finding: what a reader opens, not all that fits.
const FRAMES_MAX: usize = 8;

/// A finding or an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingView {
    /// Id of the rule.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// Whether it can be why the call ended as it did.
    pub explains: bool,
    /// A few words.
    pub title: String,
    /// One or two sentences in the values of the call.
    pub explanation: String,
    /// Frames that prove it, decisive one first.
    pub frames: Vec<FrameRef>,
}

/// One INVITE transaction of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HopView {
    /// Sender, as `10.0.0.1:5060`.
    pub source: String,
    /// Receiver.
    pub destination: String,
    /// Final code, 0 where none came.
    pub final_code: u16,
    /// First send to the first response of any kind in milliseconds.
    pub reply_ms: Option<f64>,
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallView {
    /// Number in its report, from 1.
    pub id: u32,
    /// Call-IDs of its legs.
    pub call_ids: Vec<String>,
    /// URI of the caller.
    pub caller: String,
    /// URI of the callee.
    pub callee: String,
    /// Sender of the first INVITE.
    pub source: String,
    /// Receiver of the first INVITE.
    pub destination: String,
    /// What carried the first INVITE.
    pub transport: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What the caller saw last, 0 where nothing.
    pub final_code: u16,
    /// Its reason phrase, empty where none.
    pub reason_phrase: String,
    /// `caller`, `callee` or `network`; empty where unknown.
    pub ended_by: String,
    /// Post-dial delay in milliseconds.
    pub pdd_ms: Option<f64>,
    /// Ringing in milliseconds.
    pub ring_ms: Option<f64>,
    /// First INVITE to the answer in milliseconds.
    pub setup_ms: Option<f64>,
    /// Answer to the first BYE in milliseconds.
    pub talk_ms: Option<f64>,
    /// Messages without copies.
    pub messages: u32,
    /// Of these, repeats.
    pub retransmissions: u32,
    /// Every hop of every try.
    pub hops: Vec<HopView>,
    /// Where a failure came from, empty unless failed.
    pub origin_endpoint: String,
    /// Rule that explains the outcome, empty where none.
    pub primary: String,
    /// What is said of it.
    pub findings: Vec<FindingView>,
    /// Messages next to the caller: `INVITE`, `180`, ...
    pub sequence: Vec<String>,
    /// Frame of each of these; empty for calls of a saved report, which does not hold them.
    pub sequence_frames: Vec<FrameRef>,
    /// Codecs of the first offer.
    pub codecs_offered: Vec<String>,
    /// Codecs of its answer.
    pub codecs_answered: Vec<String>,
    /// Product of the caller, empty where unknown.
    pub caller_software: String,
    /// Product of who answered, empty where unknown.
    pub callee_software: String,
}

impl CallFields for CallView {
    fn id(&self) -> u32 {
        self.id
    }

    fn value(&self, field: CallField) -> Option<FieldValue<'_>> {
        use CallField as F;
        Some(match field {
            F::Id => FieldValue::Count(self.id),
            F::CallIds => texts(&self.call_ids),
            F::Caller => text(&self.caller),
            F::Callee => text(&self.callee),
            F::Source => text(&self.source),
            F::Destination => text(&self.destination),
            F::Transport => text(&self.transport),
            F::Outcome => text(self.outcome.word()),
            F::Group => text(group_word(self.outcome.group())),
            F::Answered => FieldValue::Flag(self.outcome.is_answered()),
            F::FinalCode => FieldValue::Code(Some(self.final_code)),
            F::ReasonPhrase => text(&self.reason_phrase),
            F::EndedBy => text(&self.ended_by),
            F::PddMs => FieldValue::Milliseconds(self.pdd_ms),
            F::RingMs => FieldValue::Milliseconds(self.ring_ms),
            F::SetupMs => FieldValue::Milliseconds(self.setup_ms),
            F::TalkMs => FieldValue::Milliseconds(self.talk_ms),
            F::ReplyMs => FieldValue::Milliseconds(self.reply_ms()),
            F::Messages => FieldValue::Count(self.messages),
            F::Retransmissions => FieldValue::Count(self.retransmissions),
            F::Hops => texts(self.hops.iter().map(|hop| &hop.destination)),
            F::OriginEndpoint => text(&self.origin_endpoint),
            F::Primary => text(&self.primary),
            F::Findings => texts(self.findings.iter().map(|finding| &finding.rule)),
            F::Sequence => text(self.sequence.join(" ")),
            F::CodecsOffered => texts(&self.codecs_offered),
            F::CodecsAnswered => texts(&self.codecs_answered),
            F::CallerSoftware => text(&self.caller_software),
            F::CalleeSoftware => text(&self.callee_software),
            F::StartedAt | F::EndedAt | F::Copies | F::OriginCode | F::OriginSoftware => return None,
            F::Severity | F::Confidence | F::Title | F::Explanation | F::Remedy | F::Frames => return None,
        })
    }
}

impl CallView {
    /// First INVITE to the first response of any kind in milliseconds, next to the caller.
    pub fn reply_ms(&self) -> Option<f64> {
        self.hops.first()?.reply_ms
    }

    /// How the call ended in a few words: `rejected 488`, `timed-out`.
    pub fn ending(&self) -> String {
        match self.final_code {
            0 => self.outcome.word().to_owned(),
            code => format!("{} {code}", self.outcome.word()),
        }
    }

    /// Why it ended so, in one sentence: the explanation of its primary finding, else how it ended.
    pub fn note(&self) -> String {
        let primary = self.findings.first().filter(|_| !self.primary.is_empty());
        primary.map_or_else(|| self.ending(), |finding| finding.explanation.clone())
    }

    /// Frames that a reader opens first: those of the primary finding, else the message that ended its set-up.
    pub fn frames(&self) -> Vec<FrameRef> {
        let primary = self.findings.first().filter(|_| !self.primary.is_empty());
        match primary {
            Some(finding) if !finding.frames.is_empty() => finding.frames.clone(),
            _ => self.ending_frame().into_iter().collect(),
        }
    }

    /// The first final response with the code of the call, else the last message.
    fn ending_frame(&self) -> Option<FrameRef> {
        let code = self.final_code.to_string();
        let place = self.sequence.iter().position(|word| *word == code);
        let at = place.and_then(|place| self.sequence_frames.get(place));
        at.or(self.sequence_frames.last()).copied()
    }
}

/// Frames, each once, in their order; at most as many as a reader opens.
fn distinct(frames: impl Iterator<Item = FrameRef>) -> Vec<FrameRef> {
    let mut kept = Vec::new();
    for at in frames {
        if !kept.contains(&at) {
            kept.push(at);
        }
        if kept.len() == FRAMES_MAX {
            break;
        }
    }
    kept
}

/// Everything of one run that is compared.
#[derive(Debug, Clone, Default)]
pub struct RunView {
    /// Names of the captures; frames refer to them by place.
    pub captures: Vec<String>,
    /// What the calls match where they are some of many, empty where they are all.
    pub filter: String,
    /// Last frame of all, where there was one.
    pub last_at: Option<Timestamp>,
    /// Calls in the order of their first message.
    pub calls: Vec<CallView>,
    /// Findings that concern no call in particular: of peers, registrations, the capture.
    pub beside_calls: Vec<FindingView>,
    /// How many messages of each method or code carry each header field.
    pub headers: BTreeMap<(String, String), u64>,
}
