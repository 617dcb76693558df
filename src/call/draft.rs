//! Drafts: what a worker keeps of each message, before the tables that all messages share give their texts a number.
//!
//! Reading a message needs no shared state, so it runs on any thread; a batch of drafts owns the texts that it quotes.

use std::hash::{BuildHasher, Hasher};

use crate::call::excerpt::{
    flags_of, fragment_of, push_digits, tag_of, unfolded, uri_of, write_lower,
};
use crate::call::headers::is_kept;
use crate::call::message::{MessageFlags, MessageKind};
use crate::call::numbered::Numbered;
use crate::capture::{FrameRef, Timestamp};
use crate::net::{Flow, Trace, Transport};
use crate::sip::{
    BRANCH_COOKIE, CSeq, HeaderName, HostPort, Message, Method, NameAddr, StartLine, Via, body,
};

/// Via values kept of one message; RFC 3261 section 16.6 allows 70 hops.
const VIAS_MAX: usize = 80;
/// The keys of one run: hashes made with it on any thread mean the same, and input cannot foresee them.
pub type Seed = foldhash::fast::RandomState;

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
pub(in crate::call) struct Draft {
    pub(in crate::call) arrival: Arrival,
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
    /// The whole message where it opens a call, a registration or a subscription and is not cut; else empty.
    pub(in crate::call) opening: Span,
}

/// Texts of Call-ID, From URI, To URI, From tag and To tag.
pub(in crate::call) type PartyTexts = [u32; 5];

/// Messages that one worker read, with what they quote, each thing once.
#[derive(Debug, Default)]
pub struct Drafts {
    pub(in crate::call) drafts: Vec<Draft>,
    pub(in crate::call) texts: Numbered<Span>,
    pub(in crate::call) parties: Numbered<PartyTexts>,
    pub(in crate::call) ways: Numbered<Flow>,
    /// Ranges of `vias`.
    pub(in crate::call) stacks: Numbered<(u32, u32)>,
    /// Key and text of sent-by, the top value of each stack first.
    pub(in crate::call) vias: Vec<(u64, u32)>,
    /// Ranges of `headers`.
    pub(in crate::call) lists: Numbered<(u32, u32)>,
    /// Header values with their texts.
    pub(in crate::call) headers: Vec<(HeaderName, u32)>,
    pub(in crate::call) sessions: Numbered<Span>,
    bytes: Vec<u8>,
    /// Room to put a text together in.
    scratch: Vec<u8>,
}

/// A text of the batch.
#[derive(Debug, Clone, Copy)]
struct Kept {
    number: u32,
    /// Hash of the text under the run's seed.
    hash: u64,
}

impl Drafts {
    /// Forgets all messages and keeps the memory.
    pub fn clear(&mut self) {
        self.drafts.clear();
        self.texts.clear();
        self.parties.clear();
        self.ways.clear();
        self.stacks.clear();
        self.vias.clear();
        self.lists.clear();
        self.headers.clear();
        self.sessions.clear();
        self.bytes.clear();
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
        self.bytes
            .get(span.start as usize..(span.start + span.len) as usize)
            .unwrap_or_default()
    }

    /// Keeps what later floors read of a message.
    pub fn gather(&mut self, message: &Message<'_>, arrival: Arrival, seed: &Seed) {
        let cseq = message.value(HeaderName::CSeq).map(CSeq::parse);
        let (kind, line) = match message.start_line() {
            StartLine::Request { method, uri, .. } => (MessageKind::Request(method), uri),
            StartLine::Response { status, phrase, .. } => (MessageKind::Response(status), phrase),
        };
        let from = message.value(HeaderName::From).map(NameAddr::parse);
        let to = message.value(HeaderName::To).map(NameAddr::parse);
        let session = body::sdp(message);
        let mut flags = flags_of(message, &arrival);
        flags.set_session(session.is_some());
        let cseq_number = cseq.as_ref().and_then(|cseq| cseq.number).unwrap_or(0);
        let (stack, top) = self.gather_vias(message, seed, cseq_number);
        flags.set_rport(top.has_rport);
        flags.set_magic_branch(top.has_cookie);
        let list = self.gather_headers(message, &top, seed);
        let opening = match message.method() {
            Some(Method::Invite | Method::Register | Method::Subscribe | Method::Other)
                if !flags.is_cut() =>
            {
                self.copy(message.bytes())
            }
            _ => Span::default(),
        };
        let max_forwards = message
            .value(HeaderName::MaxForwards)
            .and_then(crate::sip::lexer::number);
        let method = match kind {
            MessageKind::Request(method) => method,
            MessageKind::Response(_) => Method::Other,
        };
        let draft = Draft {
            arrival,
            kind,
            cseq: cseq_number,
            cseq_method: cseq.as_ref().map_or(method, |cseq| cseq.method),
            digest: seed.hash_one(message.bytes()),
            size: message.bytes().len() as u32,
            max_forwards: max_forwards.map_or(255, |hops| hops.min(254) as u8),
            fragment: fragment_of(message),
            flags,
            line: self.keep(line, seed).number,
            parties: self.gather_parties(message, (from, to), seed),
            way: self
                .ways
                .number(seed.hash_one(arrival.flow), || arrival.flow),
            stack,
            list,
            session: session.map(|session| self.gather_session(session, seed)),
            opening,
        };
        self.drafts.push(draft);
    }

    /// Keeps a text, once for the whole batch.
    fn keep(&mut self, text: &[u8], seed: &Seed) -> Kept {
        let hash = seed.hash_one(text);
        let bytes = &mut self.bytes;
        let number = self.texts.number(hash, || append(bytes, text));
        Kept { number, hash }
    }

    fn copy(&mut self, bytes: &[u8]) -> Span {
        append(&mut self.bytes, bytes)
    }

    fn gather_parties(
        &mut self,
        message: &Message<'_>,
        (from, to): (Option<NameAddr<'_>>, Option<NameAddr<'_>>),
        seed: &Seed,
    ) -> u32 {
        let call_id = message.value(HeaderName::CallId).unwrap_or_default();
        let texts = [call_id, uri_of(from), uri_of(to), tag_of(from), tag_of(to)];
        let kept = texts.map(|text| self.keep(text, seed));
        let hash = seed.hash_one(kept.map(|text| text.hash));
        self.parties.number(hash, || kept.map(|text| text.number))
    }

    fn gather_session(&mut self, session: &[u8], seed: &Seed) -> u32 {
        let bytes = &mut self.bytes;
        self.sessions
            .number(seed.hash_one(session), || append(bytes, session))
    }

    fn keep_sent_by(&mut self, sent_by: &HostPort<'_>, seed: &Seed) -> Kept {
        let Some(port) = sent_by.port else {
            return self.keep(sent_by.host, seed);
        };
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        text.extend_from_slice(sent_by.host);
        text.push(b':');
        push_digits(&mut text, port);
        let kept = self.keep(&text, seed);
        self.scratch = text;
        kept
    }

    fn gather_vias<'m>(
        &mut self,
        message: &Message<'m>,
        seed: &Seed,
        cseq: u32,
    ) -> (u32, TopVia<'m>) {
        let start = self.vias.len();
        let mut top = TopVia::default();
        // Keys are hashes already: they are only folded together.
        let mut whole: u64 = 0;
        for (place, value) in message.list(HeaderName::Via).take(VIAS_MAX).enumerate() {
            let via = Via::parse(value);
            let branch = via.branch().unwrap_or_default();
            let is_magic = branch.starts_with(BRANCH_COOKIE);
            if place == 0 {
                // Only the answering side reports its load, RFC 7339 section 5.
                let tells_load = message.status().is_some() && via.parameters.has("oc");
                top = TopVia {
                    has_rport: via.parameters.has("rport"),
                    has_cookie: is_magic,
                    overload: tells_load.then_some(value),
                };
            }
            let mut hasher = seed.build_hasher();
            hasher.write(branch);
            for byte in via.sent_by.host.chunks(32) {
                write_lower(&mut hasher, byte);
            }
            hasher.write_u16(via.sent_by.port.unwrap_or(5060));
            // Before RFC 3261 a branch named no transaction; its CSeq number does (section 17.2.3).
            hasher.write_u32(if is_magic { 0 } else { cseq });
            let key = hasher.finish();
            whole = whole.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ key;
            let sent_by = self.keep_sent_by(&via.sent_by, seed);
            self.vias.push((key, sent_by.number));
        }
        let range = (start as u32, self.vias.len() as u32);
        let known = self.stacks.find(whole);
        if known.is_some() {
            self.vias.truncate(start);
        }
        let stack = known.unwrap_or_else(|| self.stacks.number(whole, || range));
        (stack, top)
    }

    fn gather_headers(
        &mut self,
        message: &Message<'_>,
        top: &TopVia<'_>,
        seed: &Seed,
    ) -> Option<u32> {
        let start = self.headers.len();
        let mut hasher = seed.build_hasher();
        for header in message.headers().filter(|header| is_kept(header.name)) {
            let value = self.keep(&unfolded(header.value), seed);
            hasher.write_u8(header.name as u8);
            hasher.write_u64(value.hash);
            self.headers.push((header.name, value.number));
        }
        if let Some(via) = top.overload {
            let value = self.keep(via, seed);
            hasher.write_u64(value.hash);
            self.headers.push((HeaderName::Via, value.number));
        }
        let range = (start as u32, self.headers.len() as u32);
        if range.0 == range.1 {
            return None;
        }
        let hash = hasher.finish();
        let known = self.lists.find(hash);
        if known.is_some() {
            self.headers.truncate(start);
        }
        Some(known.unwrap_or_else(|| self.lists.number(hash, || range)))
    }
}

/// What the top Via value of a message says beside the transaction that it names.
#[derive(Default)]
struct TopVia<'m> {
    has_rport: bool,
    has_cookie: bool,
    /// The whole value where its sender tells its load (RFC 7339).
    overload: Option<&'m [u8]>,
}

fn append(bytes: &mut Vec<u8>, more: &[u8]) -> Span {
    let start = bytes.len() as u32;
    bytes.extend_from_slice(more);
    Span {
        start,
        len: more.len() as u32,
    }
}
