//! The builder of the message store: takes batches in while the input is read, and sorts their messages by Call-ID when it is over.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::call::ingest::copies;
use crate::call::ingest::inspection::Inspections;
use crate::call::ingest::intern::{RunIds, RunInterner};
use crate::call::ingest::message_batch::{MessageBatch, MessageRow};
use crate::call::store::arrival_log::ArrivalLog;
use crate::call::store::message::Message;
use crate::call::store::message_store::MessageStore;
use crate::call::store::messages::Messages;
use crate::capture::Timestamp;
use crate::net::Endpoint;
use crate::sip::Seed;

/// Call-IDs that one thread puts in order at a time.
const GROUPS_AT_A_TIME: usize = 1024;

/// Takes messages in while the input is read.
#[derive(Debug, Default)]
pub struct MessageStoreBuilder {
    interner: RunInterner,
    messages: ArrivalLog,
    taps: HashMap<(u16, u16), u16>,
    last_tap: Option<((u16, u16), u16)>,
    inspections: Inspections,
}

impl MessageStoreBuilder {
    /// Without messages; those of batches must be read with the same `seed`.
    pub fn new(seed: Seed) -> Self {
        Self { interner: RunInterner::new(seed), ..Self::default() }
    }

    /// Makes room for `times` as much as there is so far: growing step by step moves everything again and again.
    pub fn reserve_factor(&mut self, times: usize) {
        self.interner.reserve_factor(times);
    }

    /// Takes every message of a batch.
    pub fn push(&mut self, batch: &MessageBatch) {
        let ids = self.interner.intern_batch(batch);
        for row in &batch.rows {
            let message = self.message(row, &ids);
            self.inspect(batch, row, &message);
            self.messages.push(message);
        }
    }

    /// Gives an endpoint an id although no message may be from or to it.
    pub fn add_endpoint(&mut self, endpoint: Endpoint) {
        self.interner.tables.endpoints.intern(endpoint);
    }

    fn inspect(&mut self, batch: &MessageBatch, row: &MessageRow, message: &Message) {
        let bytes = batch.strings.bytes(row.opening);
        // Hardly any request is other than plain: then the Via need not be looked up for each message.
        if bytes.is_empty() && !self.inspections.is_waiting() {
            return;
        }
        let tables = &mut self.interner.tables;
        let key = tables.vias.key(message.via);
        if let Some(status) = message.status() {
            self.inspections.add_response(key, status, &mut tables.texts);
        } else if !bytes.is_empty() {
            let pair = (message.source, message.destination);
            self.inspections.add_request(key, row.digest, pair, bytes, &mut tables.texts);
        }
    }

    fn message(&mut self, row: &MessageRow, ids: &RunIds) -> Message {
        let dialog_key = ids.dialog_keys[row.dialog_key as usize];
        let (source, destination) = ids.flows[row.flow as usize];
        let header_list = row.header_list.map(|list| ids.header_lists[list as usize]);
        let session = row.session.map(|session| ids.sessions[session as usize]);
        Message {
            time: row.time,
            digest: row.digest,
            at: row.at,
            group: dialog_key.group,
            source,
            destination,
            via: ids.via_stacks[row.via_stack as usize],
            cseq: row.cseq,
            line: ids.texts[row.line as usize],
            from: dialog_key.from,
            to: dialog_key.to,
            from_tag: dialog_key.from_tag,
            to_tag: dialog_key.to_tag,
            headers: header_list.unwrap_or_default(),
            session: session.unwrap_or_default(),
            size: row.size,
            trace: row.trace,
            kind: row.kind,
            cseq_method: row.cseq_method,
            transport: row.transport,
            tap: self.tap((row.at.file, row.trace.interface)),
            place: row.place,
            max_forwards: row.max_forwards,
            fragment: row.fragment,
            flags: row.flags,
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

    /// Sorts the messages and marks the copies. `shift` gives what is added to the times of each capture point.
    pub fn finish(self, shift: impl Fn(&Messages, usize) -> Vec<i64>) -> MessageStore {
        let (mut tables, log) = (self.interner.into_tables(), self.messages);
        let defects = self.inspections.finish(&mut tables.texts);
        let groups = tables.call_ids.len();
        // One thread sets out to sort alone.
        let ((), (mut messages, groups)) = rayon::join(|| tables.freeze(), || log.sort_by_call_id(groups));
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
        MessageStore { tables, messages, groups, copies, defects, taps, shifts }
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
