//! Drafts: what a worker keeps of each message, before the tables that all messages share give their texts a number.
//!
//! Reading a message needs no shared state, so it runs on any thread; a batch of drafts owns the texts that it quotes.

use std::hash::BuildHasher;

use crate::call::ingest::batch_interner::BatchInterner;
use crate::call::ingest::excerpt::{flags_of, fragment_of, way_hash};
use crate::call::ingest::line_cache::{Interned, LineCache, ParsedLine, VIAS_MAX};
use crate::call::store::message::{MessageFlags, MessageKind};
use crate::call::store::via_stack::{self, mixed};
use crate::capture::{FrameRef, Timestamp};
use crate::net::{Flow, Trace, Transport};
use crate::sip::{Digests, HeaderName, HeaderSpan, Lines, Message, Method, Seed, StartLine, body, lexer};

/// Where and how a message was captured.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Frame that completed it.
    pub at: FrameRef,
    /// Capture time.
    pub time: Timestamp,
    /// Sender and receiver.
    pub flow: Flow,
    /// What carried it.
    pub transport: Transport,
    /// Marks to tell copies by.
    pub trace: Trace,
    /// Place among the messages of its frame.
    pub place: u16,
    /// IP fragments that it came in.
    pub fragments: u16,
    /// The capture cut it.
    pub is_cut: bool,
    /// Fragments of it never came.
    pub is_incomplete: bool,
}

/// A range of the batch's own bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::call) struct Span {
    start: u32,
    len: u32,
}

/// One message, not filed yet; numbers are places in the lists of its batch.
#[derive(Debug)]
pub(in crate::call) struct MessageRow {
    pub(in crate::call) at: FrameRef,
    pub(in crate::call) time: Timestamp,
    pub(in crate::call) transport: Transport,
    pub(in crate::call) trace: Trace,
    pub(in crate::call) place: u16,
    pub(in crate::call) kind: MessageKind,
    pub(in crate::call) cseq: u32,
    pub(in crate::call) cseq_method: Method,
    pub(in crate::call) digest: u64,
    pub(in crate::call) size: u32,
    pub(in crate::call) max_forwards: u8,
    pub(in crate::call) fragment: u16,
    pub(in crate::call) flags: MessageFlags,
    /// Text of the Request-URI or of the reason phrase.
    pub(in crate::call) line: u32,
    /// Call-ID, URIs and tags.
    pub(in crate::call) parties: u32,
    /// Sender and receiver.
    pub(in crate::call) way: u32,
    /// Via stack.
    pub(in crate::call) stack: u32,
    /// Header values; `None` where none is kept.
    pub(in crate::call) list: Option<u32>,
    /// Session description.
    pub(in crate::call) session: Option<u32>,
    /// The whole message where it opens a call, a registration or a subscription, is not cut and may have a
    /// defect; else empty.
    pub(in crate::call) opening: Span,
}

/// Texts of Call-ID, From URI, To URI, From tag and To tag.
pub(in crate::call) type PartyTexts = [u32; 5];

/// Texts that the messages of a batch quote, each once.
#[derive(Debug, Default)]
pub(in crate::call) struct BatchStrings {
    pub(in crate::call) numbered: BatchInterner<Span>,
    bytes: Vec<u8>,
}

impl BatchStrings {
    /// Keeps a text.
    pub(in crate::call) fn keep(&mut self, text: &[u8], seed: &Seed) -> Interned {
        let hash = seed.hash_one(text);
        let bytes = &mut self.bytes;
        let number = self.numbered.number(hash, || append(bytes, text));
        Interned { number, hash }
    }
}

/// Messages that one worker read, with what they quote, each thing once.
#[derive(Debug, Default)]
pub struct MessageBatch {
    pub(in crate::call) drafts: Vec<MessageRow>,
    pub(in crate::call) texts: BatchStrings,
    pub(in crate::call) parties: BatchInterner<PartyTexts>,
    pub(in crate::call) ways: BatchInterner<Flow>,
    /// Ranges of `vias`.
    pub(in crate::call) stacks: BatchInterner<(u32, u32)>,
    /// Key and text of sent-by, the top value of each stack first.
    pub(in crate::call) vias: Vec<(u64, u32)>,
    /// Ranges of `headers`.
    pub(in crate::call) lists: BatchInterner<(u32, u32)>,
    /// Header values with their texts.
    pub(in crate::call) headers: Vec<(HeaderName, u32)>,
    pub(in crate::call) sessions: BatchInterner<Span>,
    lines: Lines,
    sayings: LineCache,
    spans: Vec<HeaderSpan>,
}

/// What the header lines of one message say together.
struct HeaderSummary<'m> {
    call_id: Option<Interned>,
    from: Option<(Interned, Interned)>,
    to: Option<(Interned, Interned)>,
    cseq: Option<(u32, Method)>,
    max_forwards: Option<u8>,
    top: TopVia<'m>,
    /// Begin of its header values.
    headers_start: usize,
    headers_hash: u64,
}

/// What the top Via value of a message says beside the transaction that it names.
#[derive(Default)]
struct TopVia<'m> {
    has_rport: bool,
    is_magic: bool,
    /// The line of the top value where its sender tells its load (RFC 7339).
    overload: Option<&'m [u8]>,
}

impl MessageBatch {
    /// Forgets all messages and keeps the memory.
    pub fn clear(&mut self) {
        self.drafts.clear();
        self.texts.numbered.clear();
        self.texts.bytes.clear();
        self.parties.clear();
        self.ways.clear();
        self.stacks.clear();
        self.vias.clear();
        self.lists.clear();
        self.headers.clear();
        self.sessions.clear();
        self.lines.clear();
        self.sayings.clear();
    }

    /// How many messages are waiting.
    pub fn len(&self) -> usize {
        self.drafts.len()
    }

    /// Whether no message is waiting.
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// The bytes of a range.
    pub(in crate::call) fn bytes(&self, span: Span) -> &[u8] {
        self.texts.bytes.get(span.start as usize..(span.start + span.len) as usize).unwrap_or_default()
    }

    /// Keeps what later floors read of the message in `bytes`; gives whether there is one.
    pub fn gather(&mut self, bytes: &[u8], arrival: Arrival, seed: &Seed) -> bool {
        let (mut spans, mut lines) = (std::mem::take(&mut self.spans), std::mem::take(&mut self.lines));
        let numbering = (&mut lines, seed);
        let parsed = Message::parse_numbered(bytes, arrival.is_cut, &mut spans, numbering);
        // Text on any TCP port may hold a line that reads like a SIP start line.
        let parsed = parsed.filter(|(message, _)| message.is_addressed() || !arrival.transport.is_reliable());
        let is_message = parsed.is_some();
        if let Some((message, digests)) = parsed {
            self.keep(&message, digests, arrival, seed);
        }
        (self.spans, self.lines) = (spans, lines);
        is_message
    }

    fn keep(&mut self, message: &Message<'_>, digests: Digests, arrival: Arrival, seed: &Seed) {
        let (kind, line) = match message.start_line() {
            StartLine::Request { method, uri, .. } => (MessageKind::Request(method), uri),
            StartLine::Response { status, phrase, .. } => (MessageKind::Response(status), phrase),
        };
        let vias_start = self.vias.len();
        let heard = self.hear(message, seed);
        let method = message.method().unwrap_or(Method::Other);
        let (cseq, cseq_method) = heard.cseq.unwrap_or((0, method));
        let session = body::sdp(message);
        // The session description of nearly every message is all that stands behind its headers.
        let session_hash = |session: &[u8]| {
            let is_rest = message.ends_with_body() && session.len() == message.body().len();
            let known = is_rest.then_some(digests.rest);
            known.unwrap_or_else(|| seed.hash_one(session))
        };
        let mut flags = flags_of(message, &arrival);
        flags.set_session(session.is_some());
        flags.set_rport(heard.top.has_rport);
        flags.set_magic_branch(heard.top.is_magic);
        let opening = match message.method() {
            Some(Method::Invite | Method::Register | Method::Subscribe | Method::Other)
                if !flags.is_cut() && !self.sayings.is_plain(message) =>
            {
                append(&mut self.texts.bytes, message.bytes())
            }
            _ => Span::default(),
        };
        let way = way_hash(&arrival.flow, seed);
        let draft = MessageRow {
            at: arrival.at,
            time: arrival.time,
            transport: arrival.transport,
            trace: arrival.trace,
            place: arrival.place,
            kind,
            cseq,
            cseq_method,
            digest: digests.whole,
            size: message.bytes().len() as u32,
            max_forwards: heard.max_forwards.unwrap_or(255),
            fragment: fragment_of(message),
            flags,
            line: self.texts.keep(line, seed).number,
            parties: self.keep_parties(&heard, seed),
            way: self.ways.number(way, || arrival.flow),
            stack: self.keep_stack(vias_start),
            list: self.keep_list(&heard, seed),
            session: session.map(|session| self.keep_session(session, session_hash(session))),
            opening,
        };
        self.drafts.push(draft);
    }

    /// Takes the header lines in; Via and header values go behind those that are there.
    fn hear<'m>(&mut self, message: &Message<'m>, seed: &Seed) -> HeaderSummary<'m> {
        let mut heard = HeaderSummary {
            call_id: None,
            from: None,
            to: None,
            cseq: None,
            max_forwards: None,
            top: TopVia::default(),
            headers_start: self.headers.len(),
            headers_hash: 0,
        };
        let vias_start = self.vias.len();
        let mut is_old = false;
        for field in message.fields() {
            let line = self.sayings.learn(field, &mut self.texts, seed);
            match *self.sayings.said(line) {
                ParsedLine::Value(name, value) => {
                    let value = Interned::from(value);
                    // One word says both; hashes are keyed, so nobody can foresee what meets what.
                    let word = value.hash.rotate_left(8) ^ name as u64;
                    heard.headers_hash = mixed(heard.headers_hash, word);
                    self.headers.push((name, value.number));
                }
                ParsedLine::Vias(start, end) => {
                    let room = VIAS_MAX.saturating_sub(self.vias.len() - vias_start);
                    let vias = self.sayings.vias(start, end);
                    if self.vias.len() == vias_start
                        && let Some(top) = vias.first()
                    {
                        // Only the answering side reports its load, RFC 7339 section 5.
                        let tells_load = message.status().is_some() && top.has_overload;
                        heard.top = TopVia {
                            has_rport: top.has_rport,
                            is_magic: top.is_magic,
                            overload: tells_load.then_some(field.1),
                        };
                    }
                    is_old |= vias.iter().any(|via| !via.is_magic);
                    let vias = vias.iter().take(room);
                    self.vias.extend(vias.map(|via| (via.key, via.sent_by)));
                }
                ParsedLine::CallId(text) => heard.call_id = heard.call_id.or(Some(text.into())),
                ParsedLine::From(uri, tag) => heard.from = heard.from.or(Some((uri.into(), tag.into()))),
                ParsedLine::To(uri, tag) => heard.to = heard.to.or(Some((uri.into(), tag.into()))),
                ParsedLine::Sequence(number, method) => {
                    heard.cseq = heard.cseq.or(Some((number, method)));
                }
                ParsedLine::MaxForwards(hops) => heard.max_forwards = heard.max_forwards.or(Some(hops)),
                ParsedLine::Nothing => {}
            }
        }
        if is_old {
            self.name_old_vias(message, vias_start, heard.cseq.map_or(0, |cseq| cseq.0), seed);
        }
        heard
    }

    /// Before RFC 3261 a branch named no transaction; its CSeq number does (section 17.2.3).
    fn name_old_vias(&mut self, message: &Message<'_>, start: usize, cseq: u32, seed: &Seed) {
        let mut place = start;
        for field in message.fields() {
            let line = self.sayings.learn(field, &mut self.texts, seed);
            let ParsedLine::Vias(from, to) = *self.sayings.said(line) else {
                continue;
            };
            for said in self.sayings.vias(from, to) {
                if let Some((key, _)) = self.vias.get_mut(place)
                    && !said.is_magic
                {
                    *key = seed.hash_one((*key, cseq));
                }
                place += 1;
            }
        }
    }

    fn keep_session(&mut self, session: &[u8], hash: u64) -> u32 {
        let bytes = &mut self.texts.bytes;
        self.sessions.number(hash, || append(bytes, session))
    }

    fn keep_parties(&mut self, heard: &HeaderSummary<'_>, seed: &Seed) -> u32 {
        let (from, from_tag) = heard.from.unzip();
        let (to, to_tag) = heard.to.unzip();
        let kept =
            [heard.call_id, from, to, from_tag, to_tag].map(|text| text.unwrap_or_else(|| self.texts.keep(b"", seed)));
        let hash = kept.iter().fold(0, |hash, text| mixed(hash, text.hash));
        self.parties.number(hash, || kept.map(|text| text.number))
    }

    /// Keeps the Via values from `start` on as one stack.
    fn keep_stack(&mut self, start: usize) -> u32 {
        let values = self.vias.get(start..).unwrap_or_default();
        let hash = via_stack::hash_of(values.iter().rev().map(|(key, _)| *key));
        let range = (start as u32, self.vias.len() as u32);
        let known = self.stacks.find(hash);
        if known.is_some() {
            self.vias.truncate(start);
        }
        known.unwrap_or_else(|| self.stacks.number(hash, || range))
    }

    /// Keeps the header values that [`MessageBatch::hear`] put behind the others as one list.
    fn keep_list(&mut self, heard: &HeaderSummary<'_>, seed: &Seed) -> Option<u32> {
        let mut hash = heard.headers_hash;
        if let Some(line) = heard.top.overload {
            let top = lexer::split_commas(line).next().unwrap_or_default();
            let value = self.texts.keep(top, seed);
            hash = mixed(hash, value.hash);
            self.headers.push((HeaderName::Via, value.number));
        }
        let range = (heard.headers_start as u32, self.headers.len() as u32);
        if range.0 == range.1 {
            return None;
        }
        let known = self.lists.find(hash);
        if known.is_some() {
            self.headers.truncate(heard.headers_start);
        }
        Some(known.unwrap_or_else(|| self.lists.number(hash, || range)))
    }
}

fn append(bytes: &mut Vec<u8>, more: &[u8]) -> Span {
    let start = bytes.len() as u32;
    bytes.extend_from_slice(more);
    Span { start, len: more.len() as u32 }
}
