//! The book of calls: takes drafts of messages in, files them by Call-ID, and lies open when the input is over.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::call::ingest::copies;
use crate::call::ingest::inspection::{Defects, Inspections};
use crate::call::ingest::intern::RunIds;
use crate::call::ingest::message_batch::{MessageBatch, MessageRow};
use crate::call::store::arrival_log::ArrivalLog;
use crate::call::store::endpoint::EndpointId;
use crate::call::store::id_table::{IdTable, Packed};
use crate::call::store::message::{GroupId, Message};
use crate::call::store::messages::Messages;
use crate::call::store::string_arena::{StringArena, TextId};
use crate::call::store::tables::Tables;
use crate::capture::Timestamp;
use crate::sip::Seed;

/// Call-IDs that one thread puts in order at a time.
const GROUPS_AT_A_TIME: usize = 1024;

/// Files messages by Call-ID while the input is read.
#[derive(Debug, Default)]
pub struct MessageStoreBuilder {
    pub(in crate::call) tables: Tables,
    messages: ArrivalLog,
    /// By the hash of their Call-IDs.
    pub(in crate::call) groups: IdTable<GroupId>,
    pub(in crate::call) seed: Seed,
    taps: HashMap<(u16, u16), u16>,
    pub(in crate::call) parties: IdTable<Parties, 5>,
    pub(in crate::call) ways: IdTable<(EndpointId, EndpointId), 2>,
    last_tap: Option<((u16, u16), u16)>,
    inspections: Inspections,
}

/// Whom a message is from and to, within which Call-ID.
#[derive(Debug, Clone, Copy)]
pub(in crate::call) struct Parties {
    pub(in crate::call) group: GroupId,
    pub(in crate::call) from: TextId,
    pub(in crate::call) to: TextId,
    pub(in crate::call) from_tag: TextId,
    pub(in crate::call) to_tag: TextId,
}

impl Packed<1> for GroupId {
    fn pack(self) -> [u32; 1] {
        [self.0]
    }

    fn unpack([number]: [u32; 1]) -> Self {
        Self(number)
    }
}

impl Packed<5> for Parties {
    fn pack(self) -> [u32; 5] {
        let texts = [self.from, self.to, self.from_tag, self.to_tag];
        let [from, to, from_tag, to_tag] = texts.map(|text| text.pack()[0]);
        [self.group.0, from, to, from_tag, to_tag]
    }

    fn unpack([group, from, to, from_tag, to_tag]: [u32; 5]) -> Self {
        let text = |number| TextId::unpack([number]);
        Self { group: GroupId(group), from: text(from), to: text(to), from_tag: text(from_tag), to_tag: text(to_tag) }
    }
}

/// All messages of a run, by Call-ID and then in the order of capture, and what they refer to.
#[derive(Debug, Default)]
pub struct MessageStore {
    /// Look-up of every id.
    pub tables: Tables,
    /// By group, then by time.
    pub messages: Messages,
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

impl MessageStoreBuilder {
    /// An empty book; drafts must be gathered with the same `seed`.
    pub fn new(seed: Seed) -> Self {
        let tables = Tables { texts: StringArena::new(seed.clone()), ..Tables::default() };
        Self { seed, tables, ..Self::default() }
    }

    /// Makes room for `times` as much as was filed so far: growing step by step moves everything again and again.
    pub fn expect(&mut self, times: usize) {
        let Tables { texts, headers, vias, sessions, .. } = &mut self.tables;
        let (groups, parties, ways) = (&mut self.groups, &mut self.parties, &mut self.ways);
        rayon::join(
            || {
                groups.expect(times);
                parties.expect(times);
                ways.expect(times);
                headers.expect(times);
                sessions.expect(times);
            },
            || {
                texts.expect(times);
                vias.expect(times);
            },
        );
    }

    /// Files every draft of a batch.
    pub fn push(&mut self, batch: &MessageBatch) {
        let filed = self.intern_batch(batch);
        for draft in &batch.drafts {
            let message = self.file(draft, &filed);
            self.inspect(batch, draft, &message);
            self.messages.push(message);
        }
    }

    fn inspect(&mut self, batch: &MessageBatch, draft: &MessageRow, message: &Message) {
        let bytes = batch.bytes(draft.opening);
        // Hardly any request is other than plain: then the Via need not be looked up for each message.
        if bytes.is_empty() && !self.inspections.is_waiting() {
            return;
        }
        let key = self.tables.vias.key(message.via);
        let texts = &mut self.tables.texts;
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

    fn file(&mut self, draft: &MessageRow, filed: &RunIds) -> Message {
        let parties = filed.parties[draft.parties as usize];
        let (source, destination) = filed.ways[draft.way as usize];
        let list = draft.list.map(|list| filed.lists[list as usize]);
        let session = draft.session.map(|session| filed.sessions[session as usize]);
        Message {
            time: draft.time,
            digest: draft.digest,
            at: draft.at,
            group: parties.group,
            source,
            destination,
            via: filed.stacks[draft.stack as usize],
            cseq: draft.cseq,
            line: filed.texts[draft.line as usize],
            from: parties.from,
            to: parties.to,
            from_tag: parties.from_tag,
            to_tag: parties.to_tag,
            headers: list.unwrap_or_default(),
            session: session.unwrap_or_default(),
            size: draft.size,
            trace: draft.trace,
            kind: draft.kind,
            cseq_method: draft.cseq_method,
            transport: draft.transport,
            tap: self.tap((draft.at.file, draft.trace.interface)),
            place: draft.place,
            max_forwards: draft.max_forwards,
            fragment: draft.fragment,
            flags: draft.flags,
        }
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

    /// The group of a Call-ID, by the hash of its text. One that is absent, or that there was no room for, shares a group with
    /// all such.
    pub(in crate::call) fn group(&mut self, hash: u64, call_id: TextId) -> GroupId {
        let hash = if call_id.is_absent() { 0 } else { hash };
        if let Some(group) = self.groups.get(hash) {
            return group;
        }
        let group = GroupId(self.tables.call_ids.len() as u32);
        self.tables.call_ids.push(call_id);
        self.groups.insert(hash, group);
        group
    }

    /// Closes the book: sorts the messages and marks the copies. `shift` is added to the times of each capture point.
    pub fn finish(mut self, shift: impl Fn(&Messages, usize) -> Vec<i64>) -> MessageStore {
        // What was met before is not asked for again: its memory is for the calls.
        (self.groups, self.parties, self.ways) = Default::default();
        let inspections = std::mem::take(&mut self.inspections);
        let defects = inspections.finish(&mut self.tables.texts);
        let (tables, pile) = (&mut self.tables, self.messages);
        let groups = tables.call_ids.len();
        // One thread sets out to sort alone.
        let ((), (mut messages, groups)) = rayon::join(|| tables.close(), || pile.by_group(groups));
        let shifts = if self.taps.len() > 1 { shift(&messages, self.taps.len()) } else { Vec::new() };
        let mut slices = messages.each_group(&groups);
        let counts = slices
            .par_iter_mut()
            .with_max_len(GROUPS_AT_A_TIME)
            .map(|(_, group)| {
                put_in_order(group, &shifts);
                copies::count_doubled(group, self.taps.len())
            })
            .reduce(Vec::new, copies::add_counts);
        let doubling = copies::doubling_taps(&counts);
        let copies = slices
            .par_iter_mut()
            .with_max_len(GROUPS_AT_A_TIME)
            .map(|(_, group)| u64::from(copies::mark_copies(group, &doubling)))
            .sum();
        let mut taps = vec![(0, 0); self.taps.len()];
        for (point, tap) in &self.taps {
            taps[usize::from(*tap)] = *point;
        }
        MessageStore { tables: self.tables, messages, groups, copies, defects, taps, shifts }
    }
}

/// Corrects the times of one Call-ID's messages and brings them into the order of capture.
fn put_in_order(group: &mut [Message], shifts: &[i64]) {
    for message in group.iter_mut().filter(|_| !shifts.is_empty()) {
        let by = shifts.get(usize::from(message.tap)).copied().unwrap_or(0);
        message.time = Timestamp::from_nanoseconds(message.time.nanoseconds().saturating_add(by));
    }
    group.sort_by_key(Message::order);
}
