//! Header lines parsed: each distinct line of a batch is read once, however many messages carry it.

use std::hash::{BuildHasher, Hasher};

use memchr::memchr;

use crate::call::ingest::batch_interner::BatchInterner;
use crate::call::ingest::batch_strings::{BatchStrings, Interned};
use crate::call::ingest::excerpt::{LOWERED_AT_A_TIME, push_digits, tag_of, unfolded, uri_of, write_lower};
use crate::call::store::header_list::is_kept;
use crate::call::store::message::MAX_FORWARDS_ABSENT;
use crate::call::store::via_stack::mixed;
use crate::sip::{
    BRANCH_COOKIE, CSeq, HeaderName, HostPort, Message, Method, NameAddr, Seed, Via, ViaMarks, is_plain,
    is_plain_header,
    lexer::{self, Parameters},
};

/// Via values kept of one message; RFC 3261 section 16.6 allows 70 hops.
pub(in crate::call) const VIAS_MAX: usize = 80;
/// What larger numbers in Max-Forwards count as; the next one says that there is none.
const MAX_FORWARDS_MAX: u64 = MAX_FORWARDS_ABSENT as u64 - 1;
/// The port of a sent-by that names none (RFC 3261 section 18.2.1), for TLS too: it only distinguishes senders.
const SIP_PORT: u16 = 5060;

/// A text of the batch in words that leave no gap between them.
#[derive(Debug, Clone, Copy)]
pub(in crate::call) struct PackedInterned([u32; 3]);

impl From<Interned> for PackedInterned {
    fn from(text: Interned) -> Self {
        Self([text.index, (text.hash >> 32) as u32, text.hash as u32])
    }
}

impl From<PackedInterned> for Interned {
    fn from(PackedInterned([index, high, low]): PackedInterned) -> Self {
        let hash = u64::from(high) << 32 | u64::from(low);
        Self { index, hash }
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
    /// Max-Forwards; [`MAX_FORWARDS_ABSENT`] where it is no number.
    MaxForwards(u8),
    /// A range of [`LineCache::vias`].
    Vias(u32, u32),
    /// The value of a header that rules read.
    Value(HeaderName, PackedInterned),
}

/// Lines are put down and looked up for every header of every message: packed texts leave no gap that would make one larger.
const _: () = assert!(size_of::<PackedInterned>() == 12 && size_of::<ParsedLine>() <= 28);

/// What one Via value says.
#[derive(Debug, Clone, Copy)]
pub(in crate::call) struct ParsedVia {
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

/// What the lines of a batch say, by the numbers that their index gave them.
#[derive(Debug, Default)]
pub(in crate::call) struct LineCache {
    /// `None` where the line was numbered but is part of a folded header.
    by_line: Vec<Option<ParsedLine>>,
    /// Whether the header is plain; `None` where nobody asked yet.
    plain: Vec<Option<bool>>,
    /// What the last header of several lines says.
    folded: ParsedLine,
    vias: Vec<ParsedVia>,
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
    pub(in crate::call) fn vias(&self, start: u32, end: u32) -> &[ParsedVia] {
        self.vias.get(start as usize..end as usize).unwrap_or_default()
    }

    /// What a header says, which is read where it was not met yet; `line` is the number of its line, `None` where it has several.
    #[inline]
    pub(in crate::call) fn get_or_parse(
        &mut self,
        (name, value, line): (HeaderName, &[u8], Option<u32>),
        strings: &mut BatchStrings,
        seed: &Seed,
    ) -> &ParsedLine {
        let place = line.map(|line| line as usize);
        let known = place.and_then(|place| self.by_line.get(place));
        if !matches!(known, Some(Some(_))) {
            self.parse(name, value, place, (strings, seed));
        }
        place.and_then(|place| self.by_line.get(place)?.as_ref()).unwrap_or(&self.folded)
    }

    /// Keeps what a header says. What is handed about in memory before it is put down costs more than all of its reading, so this
    /// is part of the code that makes it.
    #[inline(always)]
    fn store(&mut self, place: Option<usize>, parsed: ParsedLine) {
        let Some(place) = place else {
            self.folded = parsed;
            return;
        };
        if self.by_line.len() < place {
            self.by_line.resize(place, None);
        }
        match self.by_line.get_mut(place) {
            Some(unread) => *unread = Some(parsed),
            None => self.by_line.push(Some(parsed)),
        }
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
    fn parse(
        &mut self,
        name: HeaderName,
        value: &[u8],
        place: Option<usize>,
        (strings, seed): (&mut BatchStrings, &Seed),
    ) {
        let mut address = || {
            let address = Some(NameAddr::parse(value));
            (strings.intern(uri_of(address), seed), strings.intern(tag_of(address), seed))
        };
        match name {
            HeaderName::Via => {
                let (start, end) = self.parse_vias(value, strings, seed);
                self.store(place, ParsedLine::Vias(start, end));
            }
            HeaderName::From => {
                let (uri, tag) = address();
                self.store(place, ParsedLine::From(uri.into(), tag.into()));
            }
            HeaderName::To => {
                let (uri, tag) = address();
                self.store(place, ParsedLine::To(uri.into(), tag.into()));
            }
            HeaderName::CallId => {
                let text = strings.intern(value, seed);
                self.store(place, ParsedLine::CallId(text.into()));
            }
            HeaderName::CSeq => {
                let cseq = CSeq::parse(value);
                self.store(place, ParsedLine::Sequence(cseq.number.unwrap_or(0), cseq.method));
            }
            HeaderName::MaxForwards => {
                let hops = lexer::number(value).map_or(MAX_FORWARDS_ABSENT, |hops| hops.min(MAX_FORWARDS_MAX) as u8);
                self.store(place, ParsedLine::MaxForwards(hops));
            }
            name if is_kept(name) => {
                let text = strings.intern(&unfolded(value), seed);
                self.store(place, ParsedLine::Value(name, text.into()));
            }
            _ => self.store(place, ParsedLine::Nothing),
        }
    }

    /// Gives the range of [`LineCache::vias`] that a Via header gets.
    fn parse_vias(&mut self, value: &[u8], strings: &mut BatchStrings, seed: &Seed) -> (u32, u32) {
        let start = self.vias.len() as u32;
        for value in lexer::split_commas(value).take(VIAS_MAX) {
            let end = memchr(b';', value).unwrap_or(value.len());
            let (head, parameters) = value.split_at_checked(end).unwrap_or((value, &[]));
            let sender = self.sender(head, strings, seed);
            let marks = ViaMarks::of(Parameters(parameters));
            let branch = marks.branch.unwrap_or_default();
            self.vias.push(ParsedVia {
                key: mixed(seed.hash_one(branch), sender.key),
                sent_by: sender.text,
                is_magic: branch.starts_with(BRANCH_COOKIE),
                has_rport: marks.has_rport,
                has_overload: marks.has_overload,
            });
        }
        (start, self.vias.len() as u32)
    }

    fn sender(&mut self, head: &[u8], strings: &mut BatchStrings, seed: &Seed) -> Sender {
        let hash = seed.hash_one(head);
        let known = self.senders.find(hash);
        if let Some(sender) = known.and_then(|index| self.senders.get(index)) {
            return *sender;
        }
        let sent_by = Via::parse(head).sent_by;
        let mut hasher = seed.build_hasher();
        for part in sent_by.host.chunks(LOWERED_AT_A_TIME) {
            write_lower(&mut hasher, part);
        }
        hasher.write_u16(sent_by.port.unwrap_or(SIP_PORT));
        let sender = Sender { key: hasher.finish(), text: self.intern_sent_by(&sent_by, strings, seed) };
        self.senders.intern(hash, || sender);
        sender
    }

    fn intern_sent_by(&mut self, sent_by: &HostPort<'_>, strings: &mut BatchStrings, seed: &Seed) -> u32 {
        let Some(port) = sent_by.port else {
            return strings.intern(sent_by.host, seed).index;
        };
        self.scratch.clear();
        self.scratch.extend_from_slice(sent_by.host);
        self.scratch.push(b':');
        push_digits(&mut self.scratch, port);
        strings.intern(&self.scratch, seed).index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[(HeaderName, &str)]) -> (Vec<ParsedLine>, LineCache, BatchStrings) {
        let (mut cache, mut strings) = (LineCache::default(), BatchStrings::default());
        let seed = Seed::default();
        let parsed = (0..).zip(lines).map(|(line, (name, value))| {
            *cache.get_or_parse((*name, value.as_bytes(), Some(line)), &mut strings, &seed)
        });
        (parsed.collect(), cache, strings)
    }

    #[test]
    fn a_line_is_read_once_and_says_the_same_again() {
        let (_, mut cache, mut strings) = parse(&[(HeaderName::CallId, "a@b")]);
        let field = (HeaderName::CallId, &b"never read"[..], Some(0));
        let again = cache.get_or_parse(field, &mut strings, &Seed::default());
        assert!(matches!(again, ParsedLine::CallId(PackedInterned([0, ..]))));
    }

    #[test]
    fn lines_of_a_folded_header_leave_those_behind_them_alone() {
        let (mut cache, mut strings) = (LineCache::default(), BatchStrings::default());
        let seed = Seed::default();
        let mut of = |field| *cache.get_or_parse(field, &mut strings, &seed);
        of((HeaderName::Subject, b"lunch\n and", None));
        of((HeaderName::CallId, b"a@b", Some(5)));
        let sequence = of((HeaderName::CSeq, b"7 BYE", Some(2)));
        assert!(matches!(sequence, ParsedLine::Sequence(7, Method::Bye)));
        let again = of((HeaderName::CallId, b"a@b", Some(5)));
        assert!(matches!(again, ParsedLine::CallId(_)));
    }

    #[test]
    fn an_address_gives_uri_and_tag() {
        let (parsed, ..) = parse(&[(HeaderName::From, "\"A\" <sip:a@b>;tag=1"), (HeaderName::To, "sip:a@b")]);
        let [ParsedLine::From(from, tag), ParsedLine::To(to, none)] = parsed[..] else {
            panic!("two addresses: {parsed:?}");
        };
        let index = |text| Interned::from(text).index;
        assert_eq!(index(from), index(to));
        assert_ne!(index(tag), index(none));
    }

    #[test]
    fn sent_by_is_part_of_the_key_without_regard_to_case_and_default_port() {
        let via = "SIP/2.0/UDP Host:5060;branch=z9hG4bK1, SIP/2.0/UDP host;branch=z9hG4bK1";
        let (parsed, cache, _) = parse(&[(HeaderName::Via, via)]);
        let [ParsedLine::Vias(start, end)] = parsed[..] else {
            panic!("Via values: {parsed:?}");
        };
        let vias = cache.vias(start, end);
        assert_eq!(vias[0].key, vias[1].key);
        assert_ne!(vias[0].sent_by, vias[1].sent_by);
        assert!(vias.iter().all(|via| via.is_magic));
    }
}
