//! The book of calls: takes drafts of messages in, files them by Call-ID, and lies open when the input is over.

use std::borrow::Cow;
use std::collections::HashMap;

use hashbrown::HashTable;
use rayon::prelude::*;
use std::hash::BuildHasher;

use crate::call::copies;
use crate::call::draft::{Draft, Drafts, Seed, Span};
use crate::call::endpoint::EndpointId;
use crate::call::headers::HeaderListId;
use crate::call::inspection::{Defects, Inspections};
use crate::call::known::Known;
use crate::call::message::{GroupId, Message};
use crate::call::pile::{Pile, each_group};
use crate::call::tables::Tables;
use crate::call::text::{TextId, Texts};
use crate::call::via::ViaId;
use crate::capture::Timestamp;

/// Files messages by Call-ID while the input is read.
#[derive(Debug, Default)]
pub struct CallBook {
    tables: Tables,
    messages: Pile,
    groups: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    seed: Seed,
    taps: HashMap<(u16, u16), u16>,
    parties: Known<Parties>,
    stacks: Known<ViaId>,
    ways: Known<(EndpointId, EndpointId)>,
    last_tap: Option<((u16, u16), u16)>,
    inspections: Inspections,
}

/// Messages whose look-ups are done together; what they find stays in the processor's cache.
const LOOKED_UP_AHEAD: usize = 256;

/// What of a message was met before in other messages.
struct Met {
    parties: Option<Parties>,
    stack: Option<ViaId>,
    way: Option<(EndpointId, EndpointId)>,
    headers: Option<HeaderListId>,
    line: Option<TextId>,
}

/// Whom a message is from and to, within which Call-ID.
#[derive(Debug, Clone, Copy)]
struct Parties {
    group: GroupId,
    from: TextId,
    to: TextId,
    from_tag: TextId,
    to_tag: TextId,
}

/// All messages of a run, by Call-ID and then in the order of capture, and what they refer to.
#[derive(Debug, Default)]
pub struct Book {
    /// Look-up of every id.
    pub tables: Tables,
    /// By group, then by time.
    pub messages: Vec<Message>,
    /// Range of each group in `messages`.
    pub groups: Vec<(u32, u32)>,
    /// Captured copies of messages.
    pub copies: u64,
    /// What is wrong with requests that open a call or a registration, by digest of the message.
    pub defects: Defects,
    /// Capture points by file and interface.
    pub taps: Vec<(u16, u16)>,
    /// What was added to the times of each capture point, in nanoseconds.
    pub shifts: Vec<i64>,
}

impl CallBook {
    /// An empty book; drafts must be gathered with the same `seed`.
    pub fn new(seed: Seed) -> Self {
        let tables = Tables {
            texts: Texts::new(seed.clone()),
            ..Tables::default()
        };
        Self {
            seed,
            tables,
            ..Self::default()
        }
    }

    /// Files every draft of a batch.
    pub fn push(&mut self, batch: &Drafts) {
        for drafts in batch.drafts.chunks(LOOKED_UP_AHEAD) {
            let met: Vec<Met> = drafts.iter().map(|draft| self.met(draft)).collect();
            for (draft, met) in drafts.iter().zip(met) {
                self.push_one(batch, draft, met);
            }
        }
    }

    /// Looks up what was met before. Look-ups that do not wait for each other share the time that memory takes, so those of many
    /// messages are done together, before any of them is filed.
    fn met(&self, draft: &Draft) -> Met {
        Met {
            parties: self.parties.get(draft.parties_hash),
            stack: self.stacks.get(draft.vias_hash),
            way: self.ways.get(draft.way_hash),
            headers: self.tables.headers.find(draft.headers_hash),
            line: self.tables.texts.find(draft.line.hash),
        }
    }

    fn push_one(&mut self, batch: &Drafts, draft: &Draft, met: Met) {
        let message = self.file(batch, draft, met);
        self.inspect(batch, draft, &message);
        self.messages.push(message);
    }

    fn inspect(&mut self, batch: &Drafts, draft: &Draft, message: &Message) {
        let key = self.tables.vias.get(message.via).key;
        let texts = &mut self.tables.texts;
        let bytes = batch.text(draft.opening);
        if let Some(status) = message.status() {
            self.inspections.answer(key, status, texts);
        } else if !bytes.is_empty() {
            let pair = (message.source, message.destination);
            self.inspections.ask(key, draft.digest, pair, bytes, texts);
        }
    }

    /// Messages filed so far.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether nothing was filed.
    pub fn is_empty(&self) -> bool {
        self.messages.len() == 0
    }

    fn file(&mut self, batch: &Drafts, draft: &Draft, met: Met) -> Message {
        let parties = met.parties.unwrap_or_else(|| self.parties(batch, draft));
        let arrival = &draft.arrival;
        let tap = self.tap((arrival.at.file, arrival.trace.interface));
        let via = met.stack.unwrap_or_else(|| self.file_vias(batch, draft));
        let (source, destination) = met.way.unwrap_or_else(|| self.way(draft));
        let headers = met
            .headers
            .unwrap_or_else(|| self.file_headers(batch, draft));
        let tables = &mut self.tables;
        let session = if draft.flags.has_session() {
            tables.sessions.intern(
                draft.session.hash,
                batch.text(draft.session),
                &self.seed,
                &mut tables.endpoints,
            )
        } else {
            crate::call::session::SessionId::default()
        };
        let texts = &mut tables.texts;
        Message {
            time: arrival.time,
            digest: draft.digest,
            at: arrival.at,
            group: parties.group,
            source,
            destination,
            via,
            cseq: draft.cseq,
            line: met.line.unwrap_or_else(|| intern(texts, batch, draft.line)),
            from: parties.from,
            to: parties.to,
            from_tag: parties.from_tag,
            to_tag: parties.to_tag,
            headers,
            session,
            size: draft.size,
            trace: arrival.trace,
            kind: draft.kind,
            cseq_method: draft.cseq_method,
            transport: arrival.transport,
            tap,
            place: arrival.place,
            max_forwards: draft.max_forwards,
            fragment: draft.fragment,
            flags: draft.flags,
        }
    }

    fn file_headers(&mut self, batch: &Drafts, draft: &Draft) -> HeaderListId {
        let tables = &mut self.tables;
        let range = draft.headers.0 as usize..draft.headers.1 as usize;
        let values = batch.headers.get(range).unwrap_or_default().iter();
        let values = values.map(|(name, span)| (*name, Cow::Borrowed(batch.text(*span))));
        tables
            .headers
            .intern(draft.headers_hash, &mut tables.texts, values)
    }

    /// Call-ID, URIs and tags come together in many messages: all of them are found at once.
    fn parties(&mut self, batch: &Drafts, draft: &Draft) -> Parties {
        let spans = [
            draft.call_id,
            draft.from,
            draft.to,
            draft.from_tag,
            draft.to_tag,
        ];
        let hash = draft.parties_hash;
        if let Some(parties) = self.parties.get(hash) {
            return parties;
        }
        let [call_id, from, to, from_tag, to_tag] =
            spans.map(|span| intern(&mut self.tables.texts, batch, span));
        let group = self.group(call_id);
        let parties = Parties {
            group,
            from,
            to,
            from_tag,
            to_tag,
        };
        self.parties.insert(hash, parties);
        parties
    }

    fn tap(&mut self, point: (u16, u16)) -> u16 {
        if let Some((known, tap)) = self.last_tap
            && known == point
        {
            return tap;
        }
        let next = self.taps.len() as u16;
        let tap = *self.taps.entry(point).or_insert(next);
        self.last_tap = Some((point, tap));
        tap
    }

    fn way(&mut self, draft: &Draft) -> (EndpointId, EndpointId) {
        let (hash, flow) = (draft.way_hash, &draft.arrival.flow);
        if let Some(way) = self.ways.get(hash) {
            return way;
        }
        let source = self.tables.endpoints.intern(flow.source);
        let destination = self.tables.endpoints.intern(flow.destination);
        self.ways.insert(hash, (source, destination));
        (source, destination)
    }

    fn file_vias(&mut self, batch: &Drafts, draft: &Draft) -> ViaId {
        let range = draft.vias.0 as usize..draft.vias.1 as usize;
        let values = batch.vias.get(range).unwrap_or_default();
        if let Some(stack) = self.stacks.get(draft.vias_hash) {
            return stack;
        }
        let stack = values
            .iter()
            .rev()
            .fold(ViaId::default(), |below, (key, sent_by)| {
                let sent_by = intern(&mut self.tables.texts, batch, *sent_by);
                self.tables.vias.push(*key, sent_by, below)
            });
        self.stacks.insert(draft.vias_hash, stack);
        stack
    }

    fn group(&mut self, call_id: TextId) -> GroupId {
        let hash = self.hasher.hash_one(call_id);
        let ids = &self.tables.call_ids;
        if let Some(&group) = self
            .groups
            .find(hash, |&group| ids[group as usize] == call_id)
        {
            return GroupId(group);
        }
        let group = ids.len() as u32;
        self.tables.call_ids.push(call_id);
        let (ids, hasher) = (&self.tables.call_ids, &self.hasher);
        self.groups
            .insert_unique(hash, group, |&group| hasher.hash_one(ids[group as usize]));
        GroupId(group)
    }

    /// Closes the book: sorts the messages and marks the copies. `shift` is added to the times of each capture point.
    pub fn finish(mut self, shift: impl Fn(&[Message], usize) -> Vec<i64>) -> Book {
        // What was met before is not asked for again: its memory is for the calls.
        (self.parties, self.stacks, self.ways) = Default::default();
        let inspections = std::mem::take(&mut self.inspections);
        let defects = inspections.finish(&mut self.tables.texts);
        self.tables.close();
        let (mut messages, groups) = self.messages.by_group(self.tables.call_ids.len());
        let shifts = if self.taps.len() > 1 {
            shift(&messages, self.taps.len())
        } else {
            Vec::new()
        };
        let mut slices = each_group(&mut messages, &groups);
        slices
            .par_iter_mut()
            .for_each(|(_, group)| put_in_order(group, &shifts));
        let counts = slices
            .par_iter()
            .map(|(_, group)| copies::count_doubled(group, self.taps.len()))
            .reduce(Vec::new, copies::add_counts);
        let doubling = copies::doubling_taps(&counts);
        let copies = slices
            .par_iter_mut()
            .map(|(_, group)| u64::from(copies::mark_copies(group, &doubling)))
            .sum();
        let mut taps = vec![(0, 0); self.taps.len()];
        for (point, tap) in &self.taps {
            taps[usize::from(*tap)] = *point;
        }
        Book {
            tables: self.tables,
            messages,
            groups,
            copies,
            defects,
            taps,
            shifts,
        }
    }
}

fn intern(texts: &mut Texts, batch: &Drafts, span: Span) -> TextId {
    texts.intern_hashed(span.hash, batch.text(span))
}

/// Corrects the times of one Call-ID's messages and brings them into the order of capture.
fn put_in_order(group: &mut [Message], shifts: &[i64]) {
    for message in group.iter_mut().filter(|_| !shifts.is_empty()) {
        let by = shifts.get(usize::from(message.tap)).copied().unwrap_or(0);
        message.time = Timestamp::from_nanoseconds(message.time.nanoseconds().saturating_add(by));
    }
    group.sort_by_key(Message::order);
}
