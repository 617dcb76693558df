//! What no branch joins: late answers, ACKs of a 2xx, steps of the attempt whose INVITE was not captured; and the chain of its steps.

use crate::call::store::message::Message;
use crate::call::store::message_store::{Leg, MessageStore};
use crate::call::store::tables::Tables;
use crate::call::transaction::call_id_parts::{RETRY_WAIT, is_step};
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::pairing::{MessageIndex, Pairing, TransactionIndex, pair};
use crate::sip::Method;

/// INVITEs of one call that are looked at though only answers to them were captured; only a forged capture has more.
const UNSEEN_STEPS_MAX: usize = 64;

/// The transactions of the messages of some legs.
pub fn transactions_of<'a>(store: &'a MessageStore, legs: &[Leg]) -> CallTransactions<'a> {
    let mut messages: Vec<&Message> = legs.iter().flat_map(|leg| store.messages_of(leg)).collect();
    if legs.len() > 1 {
        messages.sort_by_key(|message| message.order());
    }
    CallTransactions::new(messages, &store.tables)
}

impl<'a> CallTransactions<'a> {
    /// Pairs the messages of a call, which are in the order of capture.
    pub fn new(messages: Vec<&'a Message>, tables: &'a Tables) -> Self {
        let pairing = pair(&messages, tables);
        Self::of_pairs(messages, tables, pairing)
    }

    /// The same where the messages were paired before.
    pub(in crate::call) fn of_pairs(messages: Vec<&'a Message>, tables: &'a Tables, pairing: Pairing) -> Self {
        let mut transactions = Self {
            messages,
            tables,
            transactions: pairing.transactions,
            owner: pairing.owner,
            repeated: pairing.repeated,
            chain: Vec::new(),
        };
        transactions.drop_late_answers();
        transactions.join_stripped_hops();
        transactions.join_two_homed_hops();
        transactions.join_foreign_legs();
        transactions.join_acks();
        transactions.join_unseen_steps();
        transactions.chain = transactions.edge();
        transactions
    }

    /// A 2xx behind a failure of the same hop finds nobody any more (RFC 3261 section 17.1.1.2), unless it is confirmed or hung up.
    fn drop_late_answers(&mut self) {
        for place in 0..self.transactions.len() {
            let transaction = self.hop(TransactionIndex(place as u32));
            let (Some(refusal), Some(answer)) = (transaction.refused_before, transaction.final_response) else {
                continue;
            };
            let tag = self.message(answer).to_tag;
            let is_taken = self.originals().any(|(index, message)| {
                let is_own_ack = message.is_request(Method::Ack)
                    && message.cseq == transaction.cseq
                    && message.via != transaction.via
                    && message.to_tag == tag;
                let is_bye = message.is_request(Method::Bye) && (message.to_tag == tag || message.from_tag == tag);
                index > answer && (is_own_ack || is_bye)
            });
            if !is_taken {
                let kind = self.message(refusal).kind;
                let sends = transaction.responses().filter(|(_, message)| message.kind == kind);
                let sends: Vec<MessageIndex> = sends.map(|(index, _)| index).collect();
                let transaction = &mut self.transactions[place];
                transaction.final_response = Some(refusal);
                transaction.final_sends = sends.len() as u32;
                transaction.last_final = sends.last().copied();
            }
        }
    }

    /// The ACK to a 2xx is a transaction of its own: joins it to the INVITE that it confirms, hop by hop.
    fn join_acks(&mut self) {
        for place in 0..self.transactions.len() {
            let ack = self.hop(TransactionIndex(place as u32));
            if ack.method != Method::Ack {
                continue;
            }
            let invite = self.all().find(|hop| {
                hop.method == Method::Invite
                    && hop.cseq == ack.cseq
                    && hop.ack.is_none()
                    && hop.nodes() == ack.nodes()
                    && hop.is_success()
                    && hop.first < ack.first
                    && hop.first().group == ack.first().group
            });
            if let Some((invite, first)) = invite.map(|invite| (invite.index(), ack.first)) {
                self.transactions[invite.0 as usize].ack = Some(first);
            }
        }
    }

    /// Answers to an INVITE that was not captured go on with the attempt where the one before it asked for another.
    fn join_unseen_steps(&mut self) {
        let unseen =
            self.all().filter(|hop| hop.method == Method::Invite && hop.request.is_none() && hop.parent.is_none());
        let unseen: Vec<TransactionIndex> = unseen.map(TransactionView::index).take(UNSEEN_STEPS_MAX).collect();
        for index in unseen {
            let step = self.hop(index);
            let answer = step.first();
            let before = self.initial_invites().filter(|other| {
                other.index() < index
                    && other.parent.is_none()
                    && other.source_node() == step.source_node()
                    && other.first().from_tag == answer.from_tag
                    && other.cseq < step.cseq
            });
            let asked = before.last().and_then(TransactionView::final_response);
            let asked = asked.filter(|asked| asked.status().is_some_and(is_step));
            let goes_on = asked.is_some_and(|asked| answer.time.since(asked.time) <= RETRY_WAIT);
            self.transactions[index.0 as usize].is_unseen_step = goes_on;
        }
    }

    /// INVITE transactions without a visible parent; of several legs only those that the first caller sent.
    fn edge(&self) -> Vec<TransactionIndex> {
        let roots = || self.initial_invites().filter(|hop| hop.parent.is_none());
        let Some(first) = roots().next() else {
            return Vec::new();
        };
        let (group, node) = (first.first().group, first.source_node());
        let of_caller = |hop: &TransactionView<'_, '_>| hop.first().group == group || hop.source_node() == node;
        roots().filter(of_caller).map(TransactionView::index).collect()
    }
}
