//! What header lines say to the book of calls: each distinct line of a batch is read once, however many messages carry it.

use std::hash::{BuildHasher, Hasher};

use memchr::memchr;

use crate::call::ingest::batch_interner::BatchInterner;
use crate::call::ingest::excerpt::{push_digits, tag_of, unfolded, uri_of, write_lower};
use crate::call::ingest::message_batch::BatchStrings;
use crate::call::store::header_list::is_kept;
use crate::call::store::via_stack::mixed;
use crate::sip::{
    BRANCH_COOKIE, CSeq, HeaderName, HostPort, Message, Method, NameAddr, Seed, Via, ViaMarks, is_plain,
    is_plain_header,
    lexer::{self, Parameters},
};

/// Via values kept of one message; RFC 3261 section 16.6 allows 70 hops.
pub(in crate::call) const VIAS_MAX: usize = 80;

/// A text of the batch.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::call) struct Interned {
    pub(in crate::call) number: u32,
    /// Hash of the text under the run's seed.
    pub(in crate::call) hash: u64,
}

/// A text of the batch in words that leave no gap, as it is put by.
#[derive(Debug, Clone, Copy)]
pub(in crate::call) struct PackedInterned([u32; 3]);

impl From<Interned> for PackedInterned {
    fn from(text: Interned) -> Self {
        Self([text.number, (text.hash >> 32) as u32, text.hash as u32])
    }
}

impl From<PackedInterned> for Interned {
    fn from(PackedInterned([number, high, low]): PackedInterned) -> Self {
        let hash = u64::from(high) << 32 | u64::from(low);
        Self { number, hash }
    }
}

/// What one header line says.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::call) enum ParsedLine {
    /// Nothing that is kept.
    #[default]
    Nothing,
    /// The Call-ID.
    CallId(PackedInterned),
    /// URI and tag of From.
    From(PackedInterned, PackedInterned),
    /// URI and tag of To.
    To(PackedInterned, PackedInterned),
    /// CSeq.
    Sequence(u32, Method),
    /// Max-Forwards; 255 where it is no number.
    MaxForwards(u8),
    /// A range of [`LineCache::vias`].
    Vias(u32, u32),
    /// The value of a header that rules read.
    Value(HeaderName, PackedInterned),
}

/// What one Via value says.
#[derive(Debug, Clone, Copy)]
pub(in crate::call) struct SaidVia {
    /// Names the transaction on this hop, together with the CSeq number where the branch is none of RFC 3261's.
    pub(in crate::call) key: u64,
    /// Text of sent-by.
    pub(in crate::call) sent_by: u32,
    /// The branch begins with the cookie of RFC 3261.
    pub(in crate::call) is_magic: bool,
    pub(in crate::call) has_rport: bool,
    pub(in crate::call) has_overload: bool,
}

/// Who put a Via value on.
#[derive(Debug, Clone, Copy)]
struct Sender {
    /// Hash of host and port, the case of the host and a port that goes without saying aside.
    key: u64,
    /// Text of sent-by.
    text: u32,
}

/// What the lines of a batch say, by their numbers.
#[derive(Debug, Default)]
pub(in crate::call) struct LineCache {
    /// `None` where the line was numbered but is part of a folded header.
    by_line: Vec<Option<ParsedLine>>,
    /// Whether the header is plain; `None` where nobody asked yet.
    plain: Vec<Option<bool>>,
    /// What the last header of several lines says.
    folded: ParsedLine,
    vias: Vec<SaidVia>,
    /// What stands before the parameters of a Via value, by its hash: a node writes the same into all of its own.
    senders: BatchInterner<Sender>,
    /// Room to put a text together in.
    scratch: Vec<u8>,
}

impl LineCache {
    /// Forgets everything and keeps the memory.
    pub(in crate::call) fn clear(&mut self) {
        self.by_line.clear();
        self.plain.clear();
        self.vias.clear();
        self.senders.clear();
    }

    /// Via values of a line.
    pub(in crate::call) fn vias(&self, start: u32, end: u32) -> &[SaidVia] {
        self.vias.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Reads a header that was not met yet; `line` is the number of its line, `None` where it has several. Gives what
    /// [`LineCache::said`] takes.
    #[inline]
    pub(in crate::call) fn learn(
        &mut self,
        (name, value, line): (HeaderName, &[u8], Option<u32>),
        texts: &mut BatchStrings,
        seed: &Seed,
    ) -> Option<u32> {
        let place = line.map(|line| line as usize);
        let known = place.and_then(|place| self.by_line.get(place));
        if !matches!(known, Some(Some(_))) {
            self.read(name, value, place, (texts, seed));
        }
        line
    }

    /// Keeps what a header says. What is handed about in memory before it is put down costs more than all of its reading, so this
    /// is part of the code that makes it.
    #[inline(always)]
    fn put(&mut self, place: Option<usize>, said: ParsedLine) {
        let Some(place) = place else {
            self.folded = said;
            return;
        };
        if self.by_line.len() < place {
            self.by_line.resize(place, None);
        }
        match self.by_line.get_mut(place) {
            Some(unread) => *unread = Some(said),
            None => self.by_line.push(Some(said)),
        }
    }

    /// What a header says that was just learnt.
    #[inline]
    pub(in crate::call) fn said(&self, line: Option<u32>) -> &ParsedLine {
        line.and_then(|line| self.by_line.get(line as usize)?.as_ref()).unwrap_or(&self.folded)
    }

    /// Whether a request has no defect at a glance.
    pub(in crate::call) fn is_plain(&mut self, request: &Message<'_>) -> bool {
        is_plain(request, |header| {
            let Some(line) = header.line.map(|line| line as usize) else {
                return is_plain_header(header);
            };
            if let Some(Some(known)) = self.plain.get(line) {
                return *known;
            }
            if self.plain.len() <= line {
                self.plain.resize(line + 1, None);
            }
            let plain = is_plain_header(header);
            self.plain[line] = Some(plain);
            plain
        })
    }

    #[inline(never)]
    fn read(
        &mut self,
        name: HeaderName,
        value: &[u8],
        place: Option<usize>,
        (texts, seed): (&mut BatchStrings, &Seed),
    ) {
        let mut address = || {
            let address = Some(NameAddr::parse(value));
            (texts.keep(uri_of(address), seed), texts.keep(tag_of(address), seed))
        };
        match name {
            HeaderName::Via => {
                let (start, end) = self.read_vias(value, texts, seed);
                self.put(place, ParsedLine::Vias(start, end));
            }
            HeaderName::From => {
                let (uri, tag) = address();
                self.put(place, ParsedLine::From(uri.into(), tag.into()));
            }
            HeaderName::To => {
                let (uri, tag) = address();
                self.put(place, ParsedLine::To(uri.into(), tag.into()));
            }
            HeaderName::CallId => {
                let text = texts.keep(value, seed);
                self.put(place, ParsedLine::CallId(text.into()));
            }
            HeaderName::CSeq => {
                let cseq = CSeq::parse(value);
                let said = ParsedLine::Sequence(cseq.number.unwrap_or(0), cseq.method);
                self.put(place, said);
            }
            HeaderName::MaxForwards => {
                let hops = lexer::number(value).map_or(255, |hops| hops.min(254) as u8);
                self.put(place, ParsedLine::MaxForwards(hops));
            }
            name if is_kept(name) => {
                let text = texts.keep(&unfolded(value), seed);
                self.put(place, ParsedLine::Value(name, text.into()));
            }
            _ => self.put(place, ParsedLine::Nothing),
        }
    }

    /// Gives the range of [`LineCache::vias`] that a Via header gets.
    fn read_vias(&mut self, value: &[u8], texts: &mut BatchStrings, seed: &Seed) -> (u32, u32) {
        let start = self.vias.len() as u32;
        for value in lexer::split_commas(value).take(VIAS_MAX) {
            let end = memchr(b';', value).unwrap_or(value.len());
            let (head, parameters) = value.split_at_checked(end).unwrap_or((value, &[]));
            let sender = self.sender(head, texts, seed);
            let marks = ViaMarks::of(Parameters(parameters));
            let branch = marks.branch.unwrap_or_default();
            let said = SaidVia {
                key: mixed(seed.hash_one(branch), sender.key),
                sent_by: sender.text,
                is_magic: branch.starts_with(BRANCH_COOKIE),
                has_rport: marks.has_rport,
                has_overload: marks.has_overload,
            };
            self.vias.push(said);
        }
        (start, self.vias.len() as u32)
    }

    fn sender(&mut self, head: &[u8], texts: &mut BatchStrings, seed: &Seed) -> Sender {
        let hash = seed.hash_one(head);
        let known = self.senders.find(hash);
        if let Some(sender) = known.and_then(|number| self.senders.get(number)) {
            return *sender;
        }
        let sent_by = Via::parse(head).sent_by;
        let mut hasher = seed.build_hasher();
        for part in sent_by.host.chunks(32) {
            write_lower(&mut hasher, part);
        }
        hasher.write_u16(sent_by.port.unwrap_or(5060));
        let sender = Sender { key: hasher.finish(), text: self.keep_sent_by(&sent_by, texts, seed) };
        self.senders.number(hash, || sender);
        sender
    }

    fn keep_sent_by(&mut self, sent_by: &HostPort<'_>, texts: &mut BatchStrings, seed: &Seed) -> u32 {
        let Some(port) = sent_by.port else {
            return texts.keep(sent_by.host, seed).number;
        };
        self.scratch.clear();
        self.scratch.extend_from_slice(sent_by.host);
        self.scratch.push(b':');
        push_digits(&mut self.scratch, port);
        texts.keep(&self.scratch, seed).number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[(HeaderName, &str)]) -> (Vec<ParsedLine>, LineCache, BatchStrings) {
        let (mut sayings, mut texts) = (LineCache::default(), BatchStrings::default());
        let seed = Seed::default();
        let said = (0..)
            .zip(lines)
            .map(|(line, (name, value))| {
                let line = sayings.learn((*name, value.as_bytes(), Some(line)), &mut texts, &seed);
                *sayings.said(line)
            })
            .collect();
        (said, sayings, texts)
    }

    #[test]
    fn a_line_is_read_once_and_says_the_same_again() {
        let (_, mut sayings, mut texts) = said(&[(HeaderName::CallId, "a@b")]);
        let field = (HeaderName::CallId, &b"never read"[..], Some(0));
        let line = sayings.learn(field, &mut texts, &Seed::default());
        let again = sayings.said(line);
        assert!(matches!(again, ParsedLine::CallId(PackedInterned([0, ..]))));
    }

    #[test]
    fn lines_of_a_folded_header_leave_those_behind_them_alone() {
        let (mut sayings, mut texts) = (LineCache::default(), BatchStrings::default());
        let seed = Seed::default();
        let mut of = |field| {
            let line = sayings.learn(field, &mut texts, &seed);
            *sayings.said(line)
        };
        of((HeaderName::Subject, b"lunch\n and", None));
        of((HeaderName::CallId, b"a@b", Some(5)));
        let sequence = of((HeaderName::CSeq, b"7 BYE", Some(2)));
        assert!(matches!(sequence, ParsedLine::Sequence(7, Method::Bye)));
        let again = of((HeaderName::CallId, b"a@b", Some(5)));
        assert!(matches!(again, ParsedLine::CallId(_)));
    }

    #[test]
    fn an_address_gives_uri_and_tag() {
        let (said, ..) = said(&[(HeaderName::From, "\"A\" <sip:a@b>;tag=1"), (HeaderName::To, "sip:a@b")]);
        let [ParsedLine::From(from, tag), ParsedLine::To(to, none)] = said[..] else {
            panic!("two addresses: {said:?}");
        };
        let number = |text| Interned::from(text).number;
        assert_eq!(number(from), number(to));
        assert_ne!(number(tag), number(none));
    }

    #[test]
    fn sent_by_is_part_of_the_key_without_regard_to_case_and_default_port() {
        let via = "SIP/2.0/UDP Host:5060;branch=z9hG4bK1, SIP/2.0/UDP host;branch=z9hG4bK1";
        let (said, sayings, _) = said(&[(HeaderName::Via, via)]);
        let [ParsedLine::Vias(start, end)] = said[..] else {
            panic!("Via values: {said:?}");
        };
        let vias = sayings.vias(start, end);
        assert_eq!(vias[0].key, vias[1].key);
        assert_ne!(vias[0].sent_by, vias[1].sent_by);
        assert!(vias.iter().all(|via| via.is_magic));
    }
}
