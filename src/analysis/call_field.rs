//! The fields of a call: one table of their names, kinds, meanings and values, which the CSV report, the filter language and
//! the view of a check read.
//!
//! A field has one name everywhere. The JSON report nests some of them, such as `origin.endpoint`; a test compares what it
//! holds with this table.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::analysis::facts::Facts;
use crate::analysis::result::{Analysis, CallEntry};
use crate::call::{Call, CallId, EndpointId, MessageStore, OutcomeGroup, TextId};
use crate::capture::Timestamp;
use crate::diagnose::{Evidence, Finding};
use crate::net::Endpoint;

/// What the value of a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// How many, or which.
    Count,
    /// A code, where there is one.
    Code,
    /// Milliseconds, where the capture can tell them.
    Milliseconds,
    /// A text, empty where there is none.
    Text,
    /// Several texts in their order.
    Texts,
    /// True or false.
    Flag,
    /// A moment in UTC.
    Moment,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue<'a> {
    /// Of [`FieldKind::Count`].
    Count(u32),
    /// Of [`FieldKind::Code`].
    Code(Option<u16>),
    /// Of [`FieldKind::Milliseconds`].
    Milliseconds(Option<f64>),
    /// Of [`FieldKind::Text`].
    Text(Cow<'a, str>),
    /// Of [`FieldKind::Text`] too: address and port.
    Endpoint(Option<Endpoint>),
    /// Of [`FieldKind::Texts`].
    Texts(Vec<Cow<'a, str>>),
    /// Of [`FieldKind::Flag`].
    Flag(bool),
    /// Of [`FieldKind::Moment`].
    Moment(Timestamp),
}

/// A text as a value.
pub fn text<'a>(text: impl Into<Cow<'a, str>>) -> FieldValue<'a> {
    FieldValue::Text(text.into())
}

/// Texts as a value.
pub fn texts<'a, T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> FieldValue<'a> {
    FieldValue::Texts(texts.into_iter().map(Into::into).collect())
}

/// Who shows a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// The CSV report, and expressions.
    Both,
    /// The CSV report alone.
    Csv,
    /// Expressions alone; the columns of the CSV report are a contract.
    Filter,
}

/// One line of the table.
struct Line {
    name: &'static str,
    meaning: &'static str,
    kind: FieldKind,
    shown: Shown,
    of: for<'a> fn(&CallRow<'a>) -> FieldValue<'a>,
}

/// Makes the fields and their table of one list: meaning, field, name, kind, who shows it, value.
macro_rules! call_fields {
    ($(#[doc = $meaning:literal] $field:ident $name:literal $kind:ident $shown:ident $of:expr;)*) => {
        /// A field of a call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CallField {
            $(#[doc = $meaning] $field,)*
        }

        /// In the order of the fields.
        const TABLE: &[Line] = &[
            $(Line { name: $name, meaning: $meaning, kind: FieldKind::$kind, shown: Shown::$shown, of: $of },)*
        ];

        impl CallField {
            /// Every field, in the order of documents and columns.
            pub const ALL: &[Self] = &[$(Self::$field,)*];
        }
    };
}

call_fields! {
    /// number of the call, as `--call` takes it
    Id "id" Count Both |row| FieldValue::Count(row.id.0);
    /// Call-IDs of its legs, that next to the caller first
    CallIds "call_ids" Texts Both |row| texts(row.call.legs.iter().map(|leg| row.text_of(leg.call_id)));
    /// URI of the From of the first INVITE
    Caller "caller" Text Both |row| text(row.text_of(row.call.caller));
    /// URI of its To
    Callee "callee" Text Both |row| text(row.text_of(row.call.callee));
    /// who sent the first INVITE
    Source "source" Text Both |row| row.endpoint_of(row.call.source);
    /// who received it
    Destination "destination" Text Both |row| row.endpoint_of(row.call.destination);
    /// what carried it: `udp`, `tcp`, `tls`, `sctp`, `ws`, `hep`
    Transport "transport" Text Both |row| text(row.call.transport.word());
    /// first message, RFC 3339 in UTC
    StartedAt "started_at" Moment Csv |row| FieldValue::Moment(row.call.started);
    /// last message, RFC 3339 in UTC
    EndedAt "ended_at" Moment Csv |row| FieldValue::Moment(row.call.ended);
    /// how it ended in one word, see [json.md](json.md#calls)
    Outcome "outcome" Text Both |row| text(row.call.outcome.word());
    /// what kind of ending that is: `answered`, `normal`, `failure`, `unknown`
    Group "group" Text Filter |row| text(group_word(row.call.outcome.group()));
    /// whether it was answered
    Answered "answered" Flag Filter |row| FieldValue::Flag(row.call.outcome.is_answered());
    /// the final code that the caller saw last
    FinalCode "final_code" Code Both |row| FieldValue::Code(row.call.final_code.map(|code| code.0));
    /// its reason phrase
    ReasonPhrase "reason_phrase" Text Both |row| text(row.text_of(row.call.phrase));
    /// `caller`, `callee`, `network`
    EndedBy "ended_by" Text Both |row| text(row.call.ended_by.map_or("", |party| party.word()));
    /// first INVITE to the first 18x, or to the answer where nothing rang
    PddMs "pdd_ms" Milliseconds Both |row| FieldValue::Milliseconds(row.call.milestones.pdd_ms());
    /// first 18x to the answer
    RingMs "ring_ms" Milliseconds Both |row| FieldValue::Milliseconds(row.call.milestones.ring_ms());
    /// first INVITE to the answer
    SetupMs "setup_ms" Milliseconds Both |row| FieldValue::Milliseconds(row.call.milestones.setup_ms());
    /// answer to the first BYE
    TalkMs "talk_ms" Milliseconds Both |row| FieldValue::Milliseconds(row.call.milestones.talk_ms());
    /// first INVITE to the first response of any kind
    ReplyMs "reply_ms" Milliseconds Filter
        |row| FieldValue::Milliseconds(row.call.hops.first().and_then(|hop| hop.reply_ms).map(f64::from));
    /// messages, copies left out
    Messages "messages" Count Both |row| FieldValue::Count(row.call.messages);
    /// of these, repeats
    Retransmissions "retransmissions" Count Both |row| FieldValue::Count(row.call.retransmissions);
    /// messages that the capture has twice
    Copies "copies" Count Csv |row| FieldValue::Count(row.call.copies);
    /// receiver of each INVITE
    Hops "hops" Texts Filter
        |row| texts(row.call.hops.iter().map(|hop| row.store.tables.endpoint(hop.destination).to_string()));
    /// where a failure came from
    OriginEndpoint "origin_endpoint" Text Both |row| FieldValue::Endpoint(
        row.call.origin.map(|origin| row.store.tables.endpoint(origin.endpoint)));
    /// the code that it answered
    OriginCode "origin_code" Code Csv
        |row| FieldValue::Code(row.call.origin.map(|origin| origin.code).filter(|code| *code != 0));
    /// its product
    OriginSoftware "origin_software" Text Csv
        |row| text(row.call.origin.map_or("", |origin| row.text_of(origin.software)));
    /// rule that explains the outcome
    Primary "primary" Text Both |row| row.primary(|finding| finding.rule.into());
    /// how bad it is: `error`, `warn`, `info`
    Severity "severity" Text Csv |row| row.primary(|finding| finding.severity.word().into());
    /// how sure: `certain`, `likely`, `possible`
    Confidence "confidence" Text Csv |row| row.primary(|finding| finding.seen.confidence.word().into());
    /// what it is in a few words
    Title "title" Text Csv |row| row.primary(Finding::title);
    /// one or two sentences in the values of the call
    Explanation "explanation" Text Csv |row| row.primary(Finding::explanation);
    /// what to do
    Remedy "remedy" Text Csv |row| row.primary(Finding::remedy);
    /// frames that prove it, each as `file:frame`, files counted from 0 as in the JSON report
    Frames "frames" Texts Csv |row| texts(row.entry.primary().map_or_else(Vec::new, frames));
    /// ids of all rules that found something
    Findings "findings" Texts Both |row| texts(row.entry.findings.iter().map(|finding| finding.rule));
    /// messages next to the caller in order, repeats and copies left out: `INVITE 100 180 200 ACK BYE 200`
    Sequence "sequence" Text Filter |row| text(row.facts().words());
    /// codecs of the first session description, in order
    CodecsOffered "codecs_offered" Texts Filter |row| texts(row.facts().codecs_offered.iter().copied());
    /// codecs of the one that answered it, in order
    CodecsAnswered "codecs_answered" Texts Filter |row| texts(row.facts().codecs_answered.iter().copied());
    /// product of the caller
    CallerSoftware "caller_software" Text Filter |row| text(row.facts().caller_software);
    /// product of who answered
    CalleeSoftware "callee_software" Text Filter |row| text(row.facts().callee_software);
}

/// Names that expressions took for a field before it had one name everywhere; they still do.
const FORMER_NAMES: [(&str, CallField); 2] = [("origin", CallField::OriginEndpoint), ("rules", CallField::Findings)];

impl CallField {
    const fn line(self) -> &'static Line {
        &TABLE[self as usize]
    }

    /// Its name in every report and expression.
    pub const fn name(self) -> &'static str {
        self.line().name
    }

    /// What its value is.
    pub fn kind(self) -> FieldKind {
        self.line().kind
    }

    /// What it says, in a few words of Markdown.
    pub fn meaning(self) -> &'static str {
        self.line().meaning.trim()
    }

    /// The columns of the CSV report.
    pub fn of_csv() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|field| field.line().shown != Shown::Filter)
    }

    /// What expressions may ask for.
    pub fn of_filter() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|field| field.line().shown != Shown::Csv)
    }

    /// Names that an expression may use in place of those of today.
    pub fn former_names() -> impl Iterator<Item = &'static str> {
        FORMER_NAMES.iter().map(|(name, _)| *name)
    }

    /// The field that an expression means by a name, which may be a former one.
    pub fn named(name: &str) -> Option<Self> {
        let former = FORMER_NAMES.iter().find(|(former, _)| *former == name);
        former.map(|(_, field)| *field).or_else(|| Self::of_filter().find(|field| field.name() == name))
    }
}

/// Whatever has the fields of a call.
pub trait CallFields {
    /// Number of the call.
    fn id(&self) -> u32;

    /// The value of a field; `None` where expressions cannot ask for it.
    fn value(&self, field: CallField) -> Option<FieldValue<'_>>;
}

/// A call of an analysis, whose fields are worked out when they are asked for.
pub struct CallRow<'a> {
    id: CallId,
    entry: &'a CallEntry,
    call: &'a Call,
    store: &'a MessageStore,
    facts: OnceCell<Facts<'a>>,
}

impl<'a> CallRow<'a> {
    /// The call with a number.
    pub fn new(analysis: &'a Analysis, id: CallId, entry: &'a CallEntry) -> Self {
        Self { id, entry, call: &entry.call, store: &analysis.store, facts: OnceCell::new() }
    }

    /// The value of a field.
    pub fn get(&self, field: CallField) -> FieldValue<'a> {
        (field.line().of)(self)
    }

    /// The call and what is said about it.
    pub fn entry(&self) -> &'a CallEntry {
        self.entry
    }

    /// What is read of its messages.
    pub fn facts(&self) -> &Facts<'a> {
        self.facts.get_or_init(|| Facts::of(self.call, self.store))
    }

    /// The call with its number.
    pub fn at(analysis: &'a Analysis, id: CallId) -> Option<Self> {
        Some(Self::new(analysis, id, analysis.call(id)?))
    }

    fn text_of(&self, id: TextId) -> &'a str {
        self.store.tables.text(id)
    }

    fn endpoint_of(&self, id: EndpointId) -> FieldValue<'a> {
        FieldValue::Endpoint(Some(self.store.tables.endpoint(id)))
    }

    /// A text of the finding that explains the outcome.
    fn primary(&self, of: fn(&'a Finding) -> Cow<'a, str>) -> FieldValue<'a> {
        FieldValue::Text(self.entry.primary().map(of).unwrap_or_default())
    }
}

impl CallFields for CallRow<'_> {
    fn id(&self) -> u32 {
        self.id.0
    }

    fn value(&self, field: CallField) -> Option<FieldValue<'_>> {
        Some(self.get(field))
    }
}

/// The word of a group of outcomes.
pub fn group_word(group: OutcomeGroup) -> &'static str {
    match group {
        OutcomeGroup::Answered => "answered",
        OutcomeGroup::Normal => "normal",
        OutcomeGroup::Failure => "failure",
        OutcomeGroup::Unknown => "unknown",
    }
}

/// The frames of a finding, each once.
fn frames(finding: &Finding) -> Vec<String> {
    let mut frames: Vec<String> = Vec::new();
    for at in finding.seen.evidence.iter().flat_map(Evidence::frames) {
        let name = format!("{}:{}", at.file, at.frame);
        if !frames.contains(&name) {
            frames.push(name);
        }
    }
    frames
}
