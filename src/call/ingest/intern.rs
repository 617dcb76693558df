//! Interning: what the messages of a batch share gets the ids that it has in the whole run.

use crate::call::ingest::message_batch::{DialogKeyTexts, MessageBatch};
use crate::call::store::endpoint::EndpointId;
use crate::call::store::header_list::HeaderListId;
use crate::call::store::id_table::{IdTable, Packed};
use crate::call::store::message::GroupId;
use crate::call::store::session::SessionId;
use crate::call::store::string_arena::{StringArena, TextId};
use crate::call::store::tables::Tables;
use crate::call::store::via_stack::ViaId;
use crate::sip::Seed;

/// Whom a message is from and to, within which Call-ID.
#[derive(Debug, Clone, Copy)]
pub(in crate::call) struct DialogKey {
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

impl Packed<5> for DialogKey {
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

/// What the indices of one batch stand for in the run.
pub(in crate::call) struct RunIds {
    pub(in crate::call) texts: Vec<TextId>,
    pub(in crate::call) dialog_keys: Vec<DialogKey>,
    pub(in crate::call) flows: Vec<(EndpointId, EndpointId)>,
    pub(in crate::call) via_stacks: Vec<ViaId>,
    pub(in crate::call) header_lists: Vec<HeaderListId>,
    pub(in crate::call) sessions: Vec<SessionId>,
}

/// Which dialog keys, Via stacks and header lists of a batch were met before.
struct Known {
    dialog_keys: Vec<Option<DialogKey>>,
    via_stacks: Vec<Option<ViaId>>,
    header_lists: Vec<Option<HeaderListId>>,
}

/// The items that were not met before.
fn unknown<'a, T, V>(items: &'a [(u64, T)], known: &'a [Option<V>]) -> impl Iterator<Item = &'a (u64, T)> {
    items.iter().zip(known).filter(|(_, known)| known.is_none()).map(|(item, _)| item)
}

/// What each item stands for: what it was met as, else what `insert` makes of it under its hash.
fn resolve<T, V>(items: &[(u64, T)], known: Vec<Option<V>>, mut insert: impl FnMut(u64, &T) -> V) -> Vec<V> {
    let paired = items.iter().zip(known);
    paired.map(|((hash, item), known)| known.unwrap_or_else(|| insert(*hash, item))).collect()
}

/// The tables of the run while it is read, with those that only find what was met before.
#[derive(Debug, Default)]
pub(in crate::call) struct RunInterner {
    pub(in crate::call) tables: Tables,
    /// By the hash of their Call-IDs.
    groups: IdTable<GroupId>,
    dialog_keys: IdTable<DialogKey, 5>,
    flows: IdTable<(EndpointId, EndpointId), 2>,
    seed: Seed,
}

impl RunInterner {
    /// Empty tables; hashes of batches must be made with `seed`.
    pub(in crate::call) fn new(seed: Seed) -> Self {
        let tables = Tables { texts: StringArena::new(seed.clone()), ..Tables::default() };
        Self { seed, tables, ..Self::default() }
    }

    /// Makes room for `times` as much as there is.
    pub(in crate::call) fn reserve_factor(&mut self, times: usize) {
        let Tables { texts, headers, vias, sessions, .. } = &mut self.tables;
        let (groups, dialog_keys, flows) = (&mut self.groups, &mut self.dialog_keys, &mut self.flows);
        rayon::join(
            || {
                groups.reserve_factor(times);
                dialog_keys.reserve_factor(times);
                flows.reserve_factor(times);
                headers.reserve_factor(times);
                sessions.reserve_factor(times);
            },
            || {
                texts.reserve_factor(times);
                vias.reserve_factor(times);
            },
        );
    }

    /// The tables alone: what was met before is not asked for again, so its memory is for the calls.
    pub(in crate::call) fn into_tables(self) -> Tables {
        self.tables
    }

    /// Finds, or keeps, what the messages of a batch share.
    pub(in crate::call) fn intern_batch(&mut self, batch: &MessageBatch) -> RunIds {
        // Texts are asked for only where what quotes them is new: most of a window goes on with what windows before it began.
        let known = Known {
            dialog_keys: self.dialog_keys.get_all(batch.dialog_keys.items()),
            via_stacks: self.tables.vias.get_all(batch.via_stacks.items()),
            header_lists: self.tables.headers.get_all(batch.header_lists.items()),
        };
        let texts = self.intern_texts(batch, &known);
        let flows = self.intern_flows(batch);
        let sessions = self.intern_sessions(batch);
        RunIds {
            dialog_keys: self.intern_dialog_keys(batch, known.dialog_keys, &texts),
            flows,
            via_stacks: self.intern_via_stacks(batch, known.via_stacks, &texts),
            header_lists: self.intern_header_lists(batch, known.header_lists, &texts),
            sessions,
            texts,
        }
    }

    /// The ids of the texts that start lines, new dialog keys, stacks and lists quote; absent ones for all others.
    fn intern_texts(&mut self, batch: &MessageBatch, known: &Known) -> Vec<TextId> {
        let texts = batch.strings.items();
        let mut is_wanted = vec![false; texts.len()];
        let mut want = |text: u32| {
            if let Some(is_wanted) = is_wanted.get_mut(text as usize) {
                *is_wanted = true;
            }
        };
        for row in &batch.rows {
            want(row.line);
        }
        for (_, texts) in unknown(batch.dialog_keys.items(), &known.dialog_keys) {
            texts.iter().copied().for_each(&mut want);
        }
        for (_, range) in unknown(batch.via_stacks.items(), &known.via_stacks) {
            batch.vias_in(*range).iter().for_each(|(_, sent_by)| want(*sent_by));
        }
        for (_, range) in unknown(batch.header_lists.items(), &known.header_lists) {
            batch.headers_in(*range).iter().for_each(|(_, text)| want(*text));
        }
        let wanted = is_wanted.iter().zip(texts).filter(|(is_wanted, _)| **is_wanted);
        let wanted = wanted.map(|(_, (hash, range))| (*hash, batch.strings.bytes(*range)));
        let mut ids = self.tables.texts.intern_all(wanted).into_iter();
        let id = |is_wanted: &bool| is_wanted.then(|| ids.next()).flatten().unwrap_or_default();
        is_wanted.iter().map(id).collect()
    }

    fn intern_dialog_keys(
        &mut self,
        batch: &MessageBatch,
        known: Vec<Option<DialogKey>>,
        texts: &[TextId],
    ) -> Vec<DialogKey> {
        let call_id_hash = |texts: &DialogKeyTexts| {
            let call_id = batch.strings.items().get(texts[0] as usize);
            call_id.map_or(0, |(hash, _)| *hash)
        };
        let items = batch.dialog_keys.items();
        self.dialog_keys.prefetch(unknown(items, &known).map(|item| item.0));
        self.groups.prefetch(unknown(items, &known).map(|item| call_id_hash(&item.1)));
        resolve(items, known, |hash, key_texts| {
            let [call_id, from, to, from_tag, to_tag] = key_texts.map(|text| texts[text as usize]);
            let key = DialogKey { group: self.group(call_id_hash(key_texts), call_id), from, to, from_tag, to_tag };
            self.dialog_keys.insert(hash, key);
            key
        })
    }

    /// The group of a Call-ID, by the hash of its text. One that is absent, or that there was no room for, shares a group with
    /// all such.
    fn group(&mut self, hash: u64, call_id: TextId) -> GroupId {
        let hash = if call_id.is_absent() { 0 } else { hash };
        if let Some(group) = self.groups.get(hash) {
            return group;
        }
        let group = GroupId(self.tables.call_ids.len() as u32);
        self.tables.call_ids.push(call_id);
        self.groups.insert(hash, group);
        group
    }

    fn intern_flows(&mut self, batch: &MessageBatch) -> Vec<(EndpointId, EndpointId)> {
        let items = batch.flows.items();
        resolve(items, self.flows.get_all(items), |hash, flow| {
            let endpoints = &mut self.tables.endpoints;
            let source = endpoints.intern(flow.source);
            let flow = (source, endpoints.intern(flow.destination));
            self.flows.insert(hash, flow);
            flow
        })
    }

    fn intern_sessions(&mut self, batch: &MessageBatch) -> Vec<SessionId> {
        let (items, sessions) = (batch.sessions.items(), &mut self.tables.sessions);
        sessions.prefetch(items.iter().map(|(hash, _)| *hash));
        let ids = items.iter().map(|(hash, range)| sessions.intern(*hash, batch.strings.bytes(*range), &self.seed));
        ids.collect()
    }

    fn intern_via_stacks(&mut self, batch: &MessageBatch, known: Vec<Option<ViaId>>, texts: &[TextId]) -> Vec<ViaId> {
        let values = |range: &(u32, u32)| {
            let lowest_first = batch.vias_in(*range).iter().rev();
            lowest_first.map(|(key, sent_by)| (*key, texts[*sent_by as usize]))
        };
        let items = batch.via_stacks.items();
        let keys = unknown(items, &known).map(|(_, range)| values(range).map(|(key, _)| key));
        self.tables.vias.prefetch(keys);
        resolve(items, known, |_, range| self.tables.vias.stack(values(range)))
    }

    fn intern_header_lists(
        &mut self,
        batch: &MessageBatch,
        known: Vec<Option<HeaderListId>>,
        texts: &[TextId],
    ) -> Vec<HeaderListId> {
        let items = batch.header_lists.items();
        self.tables.headers.prefetch(unknown(items, &known).map(|item| item.0));
        resolve(items, known, |hash, range| {
            let values = batch.headers_in(*range).iter().map(|(name, text)| (*name, texts[*text as usize]));
            self.tables.headers.insert(hash, values)
        })
    }
}
