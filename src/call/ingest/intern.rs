//! Filing what the messages of a batch share: each thing gets the number that it has in the whole run.

use crate::call::ingest::message_batch::{MessageBatch, PartyTexts};
use crate::call::ingest::message_store::{MessageStoreBuilder, Parties};
use crate::call::store::endpoint::EndpointId;
use crate::call::store::header_list::HeaderListId;
use crate::call::store::session::SessionId;
use crate::call::store::string_arena::TextId;
use crate::call::store::via_stack::ViaId;

/// What the numbers of one batch stand for in the run.
pub(in crate::call) struct RunIds {
    pub(in crate::call) texts: Vec<TextId>,
    pub(in crate::call) parties: Vec<Parties>,
    pub(in crate::call) ways: Vec<(EndpointId, EndpointId)>,
    pub(in crate::call) stacks: Vec<ViaId>,
    pub(in crate::call) lists: Vec<HeaderListId>,
    pub(in crate::call) sessions: Vec<SessionId>,
}

/// Which parties, stacks and lists of a batch were met before.
type Met<'a> = (&'a [Option<Parties>], &'a [Option<ViaId>], &'a [Option<HeaderListId>]);

/// The items that were not met before.
fn new<'a, T, V>(items: &'a [(u64, T)], met: &'a [Option<V>]) -> impl Iterator<Item = &'a (u64, T)> {
    let told = items.iter().zip(met);
    told.filter(|(_, met)| met.is_none()).map(|(item, _)| item)
}

/// What each item stands for: what it was met as, else what filing it under its hash gives.
fn filed<T, V>(items: &[(u64, T)], met: Vec<Option<V>>, mut file: impl FnMut(u64, &T) -> V) -> Vec<V> {
    let told = items.iter().zip(met);
    told.map(|((hash, item), met)| met.unwrap_or_else(|| file(*hash, item))).collect()
}

impl MessageStoreBuilder {
    /// Finds, or files, what the messages of a batch share.
    pub(in crate::call) fn intern_batch(&mut self, batch: &MessageBatch) -> RunIds {
        // Texts are asked for only where what quotes them is new: most of a window goes on with what windows before it began.
        let parties = self.parties.get_all(batch.parties.items());
        let stacks = self.tables.vias.get_all(batch.stacks.items());
        let lists = self.tables.headers.get_all(batch.lists.items());
        let texts = self.file_texts(batch, (&parties, &stacks, &lists));
        let ways = self.file_ways(batch);
        let described = batch.sessions.items();
        self.tables.sessions.touch(described.iter().map(|(hash, _)| *hash));
        let sessions = described.iter().map(|(hash, span)| {
            let sessions = &mut self.tables.sessions;
            sessions.intern(*hash, batch.bytes(*span), &self.seed)
        });
        let sessions = sessions.collect();
        RunIds {
            parties: self.file_parties(batch, parties, &texts),
            ways,
            stacks: self.file_stacks(batch, stacks, &texts),
            lists: self.file_lists(batch, lists, &texts),
            sessions,
            texts,
        }
    }

    /// The ids of the texts that start lines, new parties, new stacks and new lists quote; absent ones for all others.
    fn file_texts(&mut self, batch: &MessageBatch, (parties, stacks, lists): Met<'_>) -> Vec<TextId> {
        let spans = batch.texts.numbered.items();
        let mut is_wanted = vec![false; spans.len()];
        let mut want = |text: u32| {
            if let Some(is_wanted) = is_wanted.get_mut(text as usize) {
                *is_wanted = true;
            }
        };
        for draft in &batch.drafts {
            want(draft.line);
        }
        for (_, texts) in new(batch.parties.items(), parties) {
            texts.iter().copied().for_each(&mut want);
        }
        for (_, range) in new(batch.stacks.items(), stacks) {
            let values = batch.vias.get(range.0 as usize..range.1 as usize);
            for (_, sent_by) in values.unwrap_or_default() {
                want(*sent_by);
            }
        }
        for (_, range) in new(batch.lists.items(), lists) {
            let values = batch.headers.get(range.0 as usize..range.1 as usize);
            for (_, text) in values.unwrap_or_default() {
                want(*text);
            }
        }
        let wanted = is_wanted.iter().zip(spans);
        let wanted = wanted.filter(|(is_wanted, _)| **is_wanted);
        let mut ids =
            self.tables.texts.intern_all(wanted.map(|(_, (hash, span))| (*hash, batch.bytes(*span)))).into_iter();
        let id = |is_wanted: &bool| is_wanted.then(|| ids.next()).flatten().unwrap_or_default();
        is_wanted.iter().map(id).collect()
    }

    fn file_parties(&mut self, batch: &MessageBatch, met: Vec<Option<Parties>>, texts: &[TextId]) -> Vec<Parties> {
        let call_id_hash = |texts: &PartyTexts| {
            let call_id = batch.texts.numbered.items().get(texts[0] as usize);
            call_id.map_or(0, |(hash, _)| *hash)
        };
        let items = batch.parties.items();
        self.parties.touch(new(items, &met).map(|item| item.0));
        self.groups.touch(new(items, &met).map(|item| call_id_hash(&item.1)));
        filed(items, met, |hash, party_texts| {
            let [call_id, from, to, from_tag, to_tag] = party_texts.map(|text| texts[text as usize]);
            let parties = Parties { group: self.group(call_id_hash(party_texts), call_id), from, to, from_tag, to_tag };
            self.parties.insert(hash, parties);
            parties
        })
    }

    fn file_ways(&mut self, batch: &MessageBatch) -> Vec<(EndpointId, EndpointId)> {
        let items = batch.ways.items();
        filed(items, self.ways.get_all(items), |hash, flow| {
            let endpoints = &mut self.tables.endpoints;
            let source = endpoints.intern(flow.source);
            let way = (source, endpoints.intern(flow.destination));
            self.ways.insert(hash, way);
            way
        })
    }

    fn file_stacks(&mut self, batch: &MessageBatch, met: Vec<Option<ViaId>>, texts: &[TextId]) -> Vec<ViaId> {
        let values = |range: &(u32, u32)| {
            let values = batch.vias.get(range.0 as usize..range.1 as usize);
            let lowest_first = values.unwrap_or_default().iter().rev();
            lowest_first.map(|(key, sent_by)| (*key, texts[*sent_by as usize]))
        };
        let items = batch.stacks.items();
        let keys = new(items, &met).map(|(_, range)| values(range).map(|(key, _)| key));
        self.tables.vias.touch(keys);
        filed(items, met, |_, range| self.tables.vias.stack(values(range)))
    }

    fn file_lists(
        &mut self,
        batch: &MessageBatch,
        met: Vec<Option<HeaderListId>>,
        texts: &[TextId],
    ) -> Vec<HeaderListId> {
        let items = batch.lists.items();
        let hashes = new(items, &met).map(|item| item.0);
        self.tables.headers.touch(hashes);
        filed(items, met, |hash, range| {
            let values = batch.headers.get(range.0 as usize..range.1 as usize);
            let values = values.unwrap_or_default().iter();
            let values = values.map(|(name, text)| (*name, texts[*text as usize]));
            self.tables.headers.insert(hash, values)
        })
    }
}
