//! Drafts: what a worker keeps of each message, before the tables that all messages share give their texts a number.
//!
//! Reading a message needs no shared state, so it runs on any thread; a batch of drafts owns the texts that it quotes.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};

use crate::call::headers::is_kept;
use crate::call::message::{MessageFlags, MessageKind};
use crate::capture::{FrameRef, Timestamp};
use crate::net::{Flow, Trace, Transport};
use crate::sip::{
    BRANCH_COOKIE, CSeq, ContentLength, HeaderName, HostPort, Message, Method, NameAddr, StartLine,
    Via, body,
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

/// A text in the batch's own bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::call) struct Span {
    start: u32,
    len: u32,
    /// Hash of the text under the run's seed; 0 where the text is part of a hashed list.
    pub(in crate::call) hash: u64,
}

/// One message, not filed yet.
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
    pub(in crate::call) call_id: Span,
    pub(in crate::call) line: Span,
    pub(in crate::call) from: Span,
    pub(in crate::call) to: Span,
    pub(in crate::call) from_tag: Span,
    pub(in crate::call) to_tag: Span,
    /// Hash of Call-ID, URIs and tags together.
    pub(in crate::call) parties_hash: u64,
    /// Hash of the addresses.
    pub(in crate::call) way_hash: u64,
    /// Range in the batch's Via values, the top one first.
    pub(in crate::call) vias: (u32, u32),
    /// Hash of the whole Via stack.
    pub(in crate::call) vias_hash: u64,
    /// Range in the batch's header values.
    pub(in crate::call) headers: (u32, u32),
    pub(in crate::call) headers_hash: u64,
    /// Session description.
    pub(in crate::call) session: Span,
    /// The whole message where it opens a call, a registration or a subscription and is not cut; else empty.
    pub(in crate::call) opening: Span,
}

/// Messages that one worker read, with the texts that they quote.
#[derive(Debug, Default)]
pub struct Drafts {
    pub(in crate::call) drafts: Vec<Draft>,
    pub(in crate::call) vias: Vec<(u64, Span)>,
    pub(in crate::call) headers: Vec<(HeaderName, Span)>,
    bytes: Vec<u8>,
}

impl Drafts {
    /// Forgets all messages and keeps the memory.
    pub fn clear(&mut self) {
        self.drafts.clear();
        self.vias.clear();
        self.headers.clear();
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

    /// The bytes of a text.
    pub(in crate::call) fn text(&self, span: Span) -> &[u8] {
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
        let (vias, top) = self.gather_vias(
            message,
            seed,
            cseq.as_ref().and_then(|cseq| cseq.number).unwrap_or(0),
        );
        flags.set_rport(top.has_rport);
        flags.set_magic_branch(top.has_cookie);
        let (headers, headers_hash) = self.gather_headers(message, &top, seed);
        let opening = match message.method() {
            Some(Method::Invite | Method::Register | Method::Subscribe | Method::Other)
                if !flags.is_cut() =>
            {
                self.keep_unhashed(message.bytes())
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
        let call_id = self.keep(message.value(HeaderName::CallId).unwrap_or_default(), seed);
        let [from_uri, from_tag] = [uri_of(from), tag_of(from)].map(|text| self.keep(text, seed));
        let [to_uri, to_tag] = [uri_of(to), tag_of(to)].map(|text| self.keep(text, seed));
        let parties = [call_id, from_uri, to_uri, from_tag, to_tag];
        let draft = Draft {
            arrival,
            kind,
            cseq: cseq.as_ref().and_then(|cseq| cseq.number).unwrap_or(0),
            cseq_method: cseq.as_ref().map_or(method, |cseq| cseq.method),
            digest: seed.hash_one(message.bytes()),
            size: message.bytes().len() as u32,
            max_forwards: max_forwards.map_or(255, |hops| hops.min(254) as u8),
            fragment: fragment_of(message),
            flags,
            call_id,
            line: self.keep(line, seed),
            from: from_uri,
            to: to_uri,
            from_tag,
            to_tag,
            parties_hash: seed.hash_one(parties.map(|span| span.hash)),
            way_hash: seed.hash_one(arrival.flow),
            vias,
            vias_hash: seed.hash_one(self.via_keys(vias)),
            headers,
            headers_hash,
            session: self.keep(session.unwrap_or_default(), seed),
            opening,
        };
        self.drafts.push(draft);
    }

    fn keep(&mut self, text: &[u8], seed: &Seed) -> Span {
        Span {
            hash: seed.hash_one(text),
            ..self.keep_unhashed(text)
        }
    }

    /// Keeps a text that is looked up as part of a list, if at all.
    fn keep_unhashed(&mut self, text: &[u8]) -> Span {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(text);
        Span {
            start,
            len: text.len() as u32,
            hash: 0,
        }
    }

    /// Keys of a message's Via values, those beyond the first few folded together.
    fn via_keys(&self, vias: (u32, u32)) -> u64 {
        let values = self
            .vias
            .get(vias.0 as usize..vias.1 as usize)
            .unwrap_or_default();
        values.iter().fold(0, |hash: u64, (key, _)| {
            hash.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ key
        })
    }

    fn keep_sent_by(&mut self, sent_by: &HostPort<'_>, seed: &Seed) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(sent_by.host);
        if let Some(port) = sent_by.port {
            self.bytes.push(b':');
            push_digits(&mut self.bytes, port);
        }
        let text = self.bytes.get(start..).unwrap_or_default();
        Span {
            start: start as u32,
            len: text.len() as u32,
            hash: seed.hash_one(text),
        }
    }

    fn gather_vias<'m>(
        &mut self,
        message: &Message<'m>,
        seed: &Seed,
        cseq: u32,
    ) -> ((u32, u32), TopVia<'m>) {
        let start = self.vias.len() as u32;
        let mut top = TopVia::default();
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
            let sent_by = self.keep_sent_by(&via.sent_by, seed);
            self.vias.push((key, sent_by));
        }
        ((start, self.vias.len() as u32), top)
    }

    fn gather_headers(
        &mut self,
        message: &Message<'_>,
        top: &TopVia<'_>,
        seed: &Seed,
    ) -> ((u32, u32), u64) {
        let start = self.headers.len() as u32;
        let mut hasher = seed.build_hasher();
        for header in message.headers().filter(|header| is_kept(header.name)) {
            hasher.write_u8(header.name as u8);
            hasher.write(header.value);
            let value = self.keep_unhashed(&unfolded(header.value));
            self.headers.push((header.name, value));
        }
        if let Some(via) = top.overload {
            hasher.write(via);
            let value = self.keep_unhashed(via);
            self.headers.push((HeaderName::Via, value));
        }
        ((start, self.headers.len() as u32), hasher.finish())
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

fn uri_of(address: Option<NameAddr<'_>>) -> &[u8] {
    address.map(|address| address.uri).unwrap_or_default()
}

/// The status in the `message/sipfrag` body of a NOTIFY; 0 where there is none.
fn fragment_of(message: &Message<'_>) -> u16 {
    if message.method() != Some(Method::Notify) {
        return 0;
    }
    body::sipfrag_status(message).map_or(0, |(status, _)| status.0)
}

fn tag_of(address: Option<NameAddr<'_>>) -> &[u8] {
    address
        .and_then(|address| address.tag())
        .unwrap_or_default()
}

fn flags_of(message: &Message<'_>, arrival: &Arrival) -> MessageFlags {
    let mut flags = MessageFlags::default();
    flags.set_cut(arrival.is_cut);
    flags.set_fragmented(arrival.fragments > 1);
    flags.set_incomplete(arrival.is_incomplete);
    flags.set_body(!message.body().is_empty());
    flags.set_short_body(matches!(
        message.content_length(),
        ContentLength::TooLarge(_)
    ));
    flags.set_headless(arrival.is_cut && is_headless(message));
    flags
}

/// Whether a cut message lacks one of the headers that tell messages apart, or the end of one.
fn is_headless(message: &Message<'_>) -> bool {
    let needed = [
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
    ];
    let is_half = |name| {
        message
            .headers()
            .any(|header| header.is_cut && header.name == name)
    };
    needed
        .into_iter()
        .any(|name| !message.has(name) || is_half(name))
}

/// Host names are compared without regard to case (RFC 3261 section 19.1.4).
fn write_lower(hasher: &mut impl Hasher, part: &[u8]) {
    let mut lower = [0; 32];
    for (to, from) in lower.iter_mut().zip(part) {
        *to = from.to_ascii_lowercase();
    }
    hasher.write(lower.get(..part.len()).unwrap_or_default());
}

/// Writes a port; the way over `fmt` costs more than reading the Via that it stands in.
fn push_digits(bytes: &mut Vec<u8>, port: u16) {
    let (mut digits, mut rest, mut start) = ([0; 5], port, 5);
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(&digits[start..]);
}

/// A header value on one line: each fold reads as one blank (RFC 3261 section 7.3.1).
fn unfolded(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\n', b'\r', value).is_none() {
        return Cow::Borrowed(value);
    }
    let lines = value
        .split(|&byte| byte == b'\r' || byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    Cow::Owned(lines.collect::<Vec<_>>().join(&b' '))
}
