//! Batches: what a worker keeps of each message, before the tables that all messages share give their texts an id.
//!
//! Reading a message needs no shared state, so it runs on any thread; a batch owns the texts that it quotes.

use std::hash::BuildHasher;

use crate::call::ingest::arrival::Arrival;
use crate::call::ingest::batch_interner::BatchInterner;
use crate::call::ingest::batch_strings::{BatchStrings, ByteRange, Interned};
use crate::call::ingest::excerpt::{flags_of, flow_hash, fragment_of};
use crate::call::ingest::line_cache::{LineCache, ParsedLine, ParsedVia, VIAS_MAX};
use crate::call::store::message::{MAX_FORWARDS_ABSENT, MessageFlags, MessageKind};
use crate::call::store::via_stack::{self, mixed};
use crate::capture::{FrameRef, Timestamp};
use crate::net::{Flow, Trace, Transport};
use crate::sip::{Digests, HeaderName, HeaderSpan, Lines, Message, Method, Seed, StartLine, body, lexer};

/// One message that is not in the store yet; numbers are indices into the lists of its batch.
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
    pub(in crate::call) dialog_key: u32,
    /// Sender and receiver.
    pub(in crate::call) flow: u32,
    /// Via stack.
    pub(in crate::call) via_stack: u32,
    /// Header values; `None` where none is kept.
    pub(in crate::call) header_list: Option<u32>,
    /// Session description.
    pub(in crate::call) session: Option<u32>,
    /// The whole message where it opens a call, a registration or a subscription, is not cut and may have a
    /// defect; else empty.
    pub(in crate::call) opening: ByteRange,
}

/// Texts of Call-ID, From URI, To URI, From tag and To tag.
pub(in crate::call) type DialogKeyTexts = [u32; 5];

/// Messages that one worker read, with what they quote, each thing once.
#[derive(Debug, Default)]
pub struct MessageBatch {
    pub(in crate::call) rows: Vec<MessageRow>,
    pub(in crate::call) strings: BatchStrings,
    pub(in crate::call) dialog_keys: BatchInterner<DialogKeyTexts>,
    pub(in crate::call) flows: BatchInterner<Flow>,
    /// Ranges of `vias`.
    pub(in crate::call) via_stacks: BatchInterner<(u32, u32)>,
    /// Key and text of sent-by, the top value of each stack first.
    vias: Vec<(u64, u32)>,
    /// Ranges of `headers`.
    pub(in crate::call) header_lists: BatchInterner<(u32, u32)>,
    /// Header values with their texts.
    headers: Vec<(HeaderName, u32)>,
    pub(in crate::call) sessions: BatchInterner<ByteRange>,
    lines: Lines,
    line_cache: LineCache,
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
    /// The line of the top value where its sender reports its load (RFC 7339).
    overload: Option<&'m [u8]>,
}

impl MessageBatch {
    /// Forgets all messages and keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.strings.clear();
        self.dialog_keys.clear();
        self.flows.clear();
        self.via_stacks.clear();
        self.vias.clear();
        self.header_lists.clear();
        self.headers.clear();
        self.sessions.clear();
        self.lines.clear();
        self.line_cache.clear();
    }

    /// Via values of a range: keys and texts of sent-by, the top value first.
    pub(in crate::call) fn vias_in(&self, (start, end): (u32, u32)) -> &[(u64, u32)] {
        self.vias.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Header values of a range, with their texts.
    pub(in crate::call) fn headers_in(&self, (start, end): (u32, u32)) -> &[(HeaderName, u32)] {
        self.headers.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Keeps what later floors read of the message in `bytes`; gives whether there is one.
    pub fn push(&mut self, bytes: &[u8], arrival: Arrival, seed: &Seed) -> bool {
        let (mut spans, mut lines) = (std::mem::take(&mut self.spans), std::mem::take(&mut self.lines));
        let numbering = (&mut lines, seed);
        let parsed = Message::parse_numbered(bytes, arrival.is_cut, &mut spans, numbering);
        // Text on any TCP port may hold a line that reads like a SIP start line.
        let parsed = parsed.filter(|(message, _)| message.is_addressed() || !arrival.transport.is_reliable());
        let is_message = parsed.is_some();
        if let Some((message, digests)) = parsed {
            self.push_row(&message, digests, arrival, seed);
        }
        (self.spans, self.lines) = (spans, lines);
        is_message
    }

    fn push_row(&mut self, message: &Message<'_>, digests: Digests, arrival: Arrival, seed: &Seed) {
        let (kind, line) = match message.start_line() {
            StartLine::Request { method, uri, .. } => (MessageKind::Request(method), uri),
            StartLine::Response { status, phrase, .. } => (MessageKind::Response(status), phrase),
        };
        let vias_start = self.vias.len();
        let summary = self.read_headers(message, seed);
        let method = message.method().unwrap_or(Method::Other);
        let (cseq, cseq_method) = summary.cseq.unwrap_or((0, method));
        let session = body::sdp(message);
        // The session description of nearly every message is all that stands behind its headers.
        let session_hash = |session: &[u8]| {
            let is_rest = message.ends_with_body() && session.len() == message.body().len();
            let known = is_rest.then_some(digests.rest);
            known.unwrap_or_else(|| seed.hash_one(session))
        };
        let mut flags = flags_of(message, &arrival);
        flags.set_session(session.is_some());
        flags.set_rport(summary.top.has_rport);
        flags.set_magic_branch(summary.top.is_magic);
        let opening = match message.method() {
            Some(Method::Invite | Method::Register | Method::Subscribe | Method::Other)
                if !flags.is_cut() && !self.line_cache.is_plain(message) =>
            {
                self.strings.append(message.bytes())
            }
            _ => ByteRange::default(),
        };
        let flow_hash = flow_hash(&arrival.flow, seed);
        let row = MessageRow {
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
            max_forwards: summary.max_forwards.unwrap_or(MAX_FORWARDS_ABSENT),
            fragment: fragment_of(message),
            flags,
            line: self.strings.intern(line, seed).index,
            dialog_key: self.intern_dialog_key(&summary, seed),
            flow: self.flows.intern(flow_hash, || arrival.flow),
            via_stack: self.intern_via_stack(vias_start),
            header_list: self.intern_header_list(&summary, seed),
            session: session.map(|session| self.intern_session(session, session_hash(session))),
            opening,
        };
        self.rows.push(row);
    }

    /// Takes the header lines in; Via and header values go behind those that are there.
    fn read_headers<'m>(&mut self, message: &Message<'m>, seed: &Seed) -> HeaderSummary<'m> {
        let mut summary = HeaderSummary {
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
            match *self.line_cache.get_or_parse(field, &mut self.strings, seed) {
                ParsedLine::Value(name, value) => {
                    let value = Interned::from(value);
                    // One word says both; hashes are keyed, so nobody can foresee what meets what.
                    let word = value.hash.rotate_left(8) ^ name as u64;
                    summary.headers_hash = mixed(summary.headers_hash, word);
                    self.headers.push((name, value.index));
                }
                ParsedLine::Vias(start, end) => {
                    let vias = self.line_cache.vias(start, end);
                    if self.vias.len() == vias_start
                        && let Some(top) = vias.first()
                    {
                        summary.top = TopVia::of(top, message, field.1);
                    }
                    is_old |= vias.iter().any(|via| !via.is_magic);
                    let room = VIAS_MAX.saturating_sub(self.vias.len() - vias_start);
                    self.vias.extend(vias.iter().take(room).map(|via| (via.key, via.sent_by)));
                }
                ParsedLine::CallId(text) => summary.call_id = summary.call_id.or(Some(text.into())),
                ParsedLine::From(uri, tag) => summary.from = summary.from.or(Some((uri.into(), tag.into()))),
                ParsedLine::To(uri, tag) => summary.to = summary.to.or(Some((uri.into(), tag.into()))),
                ParsedLine::Sequence(number, method) => summary.cseq = summary.cseq.or(Some((number, method))),
                ParsedLine::MaxForwards(hops) => summary.max_forwards = summary.max_forwards.or(Some(hops)),
                ParsedLine::Nothing => {}
            }
        }
        if is_old {
            self.name_old_vias(message, vias_start, summary.cseq.map_or(0, |cseq| cseq.0), seed);
        }
        summary
    }

    /// Before RFC 3261 a branch named no transaction; its CSeq number does (section 17.2.3).
    fn name_old_vias(&mut self, message: &Message<'_>, start: usize, cseq: u32, seed: &Seed) {
        let mut place = start;
        for field in message.fields() {
            let ParsedLine::Vias(from, to) = *self.line_cache.get_or_parse(field, &mut self.strings, seed) else {
                continue;
            };
            for via in self.line_cache.vias(from, to) {
                if let Some((key, _)) = self.vias.get_mut(place)
                    && !via.is_magic
                {
                    *key = seed.hash_one((*key, cseq));
                }
                place += 1;
            }
        }
    }

    fn intern_session(&mut self, session: &[u8], hash: u64) -> u32 {
        let strings = &mut self.strings;
        self.sessions.intern(hash, || strings.append(session))
    }

    fn intern_dialog_key(&mut self, summary: &HeaderSummary<'_>, seed: &Seed) -> u32 {
        let (from, from_tag) = summary.from.unzip();
        let (to, to_tag) = summary.to.unzip();
        let texts = [summary.call_id, from, to, from_tag, to_tag]
            .map(|text| text.unwrap_or_else(|| self.strings.intern(b"", seed)));
        let hash = texts.iter().fold(0, |hash, text| mixed(hash, text.hash));
        self.dialog_keys.intern(hash, || texts.map(|text| text.index))
    }

    /// Keeps the Via values from `start` on as one stack.
    fn intern_via_stack(&mut self, start: usize) -> u32 {
        let values = self.vias.get(start..).unwrap_or_default();
        let hash = via_stack::hash_of(values.iter().rev().map(|(key, _)| *key));
        let range = (start as u32, self.vias.len() as u32);
        let known = self.via_stacks.find(hash);
        if known.is_some() {
            self.vias.truncate(start);
        }
        known.unwrap_or_else(|| self.via_stacks.intern(hash, || range))
    }

    /// Keeps the header values that [`MessageBatch::read_headers`] put behind the others as one list.
    fn intern_header_list(&mut self, summary: &HeaderSummary<'_>, seed: &Seed) -> Option<u32> {
        let mut hash = summary.headers_hash;
        if let Some(line) = summary.top.overload {
            let top = lexer::split_commas(line).next().unwrap_or_default();
            let value = self.strings.intern(top, seed);
            hash = mixed(hash, value.hash);
            self.headers.push((HeaderName::Via, value.index));
        }
        let range = (summary.headers_start as u32, self.headers.len() as u32);
        if range.0 == range.1 {
            return None;
        }
        let known = self.header_lists.find(hash);
        if known.is_some() {
            self.headers.truncate(summary.headers_start);
        }
        Some(known.unwrap_or_else(|| self.header_lists.intern(hash, || range)))
    }
}

impl<'m> TopVia<'m> {
    fn of(top: &ParsedVia, message: &Message<'m>, line: &'m [u8]) -> Self {
        // Only the answering side reports its load, RFC 7339 section 5.
        let reports_load = message.status().is_some() && top.has_overload;
        Self { has_rport: top.has_rport, is_magic: top.is_magic, overload: reports_load.then_some(line) }
    }
}
