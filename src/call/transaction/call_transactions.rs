//! The transactions of one call: its messages paired, the tree of hops, and the steps of the attempt.
//!
//! Built on demand from the messages of the call and thrown away after use; what is kept of a call is [`crate::call::Call`].

use crate::call::store::message::{Message, MessageKind};
use crate::call::store::message_store::{Leg, MessageStore};
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_id_parts::{RETRY_WAIT, is_step};
use crate::call::transaction::transaction::{MessageIndex, Pairing, Transaction, TransactionIndex, pair};
use crate::sip::{Method, StatusCode};

/// INVITEs of one call that are looked at though only answers to them were captured; only a forged capture has more.
const UNSEEN_STEPS_MAX: usize = 64;

/// One call as its transactions.
#[derive(Debug)]
pub struct CallTransactions<'a> {
    /// The messages of all legs in the order of capture, copies included.
    pub messages: Vec<&'a Message>,
    /// What the messages refer to.
    pub tables: &'a Tables,
    /// In the order of their first message.
    pub transactions: Vec<Transaction>,
    /// The transaction of each message.
    pub owner: Vec<TransactionIndex>,
    /// For each message, whether its sender had sent it before.
    pub repeated: Vec<bool>,
    /// The INVITE transactions next to the caller, one for each step of the attempt, in the order of time.
    pub chain: Vec<TransactionIndex>,
}

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

    /// The message at an index.
    pub fn message(&self, index: MessageIndex) -> &'a Message {
        self.messages[index.0 as usize]
    }

    /// The transaction at an index.
    pub fn transaction(&self, index: TransactionIndex) -> &Transaction {
        &self.transactions[index.0 as usize]
    }

    /// Every transaction with its index.
    pub fn each(&self) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.transactions.iter().enumerate().map(|(place, transaction)| (TransactionIndex(place as u32), transaction))
    }

    /// Transactions of INVITEs that set up the call rather than change it: without a To tag.
    pub fn invites(&self) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.each().filter(|(_, transaction)| self.is_initial(transaction))
    }

    /// Transactions of requests inside a dialog with this method, once for each hop.
    pub fn inside(&self, method: Method) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.each().filter(move |(_, transaction)| transaction.method == method && !self.is_initial(transaction))
    }

    /// Whether a transaction is an INVITE without To tag, captured or known by its answers alone.
    pub fn is_initial(&self, transaction: &Transaction) -> bool {
        transaction.method == Method::Invite
            && match transaction.request {
                Some(request) => self.message(request).to_tag.is_absent(),
                None => transaction.is_unseen_step,
            }
    }

    /// The same request one or more hops further from its sender.
    pub fn children(&self, parent: TransactionIndex) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.each().filter(move |(_, transaction)| transaction.parent == Some(parent))
    }

    /// Messages of one transaction, copies left out.
    pub fn messages_of(&self, index: TransactionIndex) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        let owned = self.owner.iter().enumerate().filter(move |(_, owner)| **owner == index);
        owned
            .map(|(place, _)| (MessageIndex(place as u32), self.messages[place]))
            .filter(|(_, message)| !message.flags.is_copy())
    }

    /// Every send of a transaction's request.
    pub fn sends_of(&self, index: TransactionIndex) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        let method = self.transaction(index).method;
        self.messages_of(index).filter(move |(_, message)| message.is_request(method))
    }

    /// Every response of a transaction.
    pub fn responses_of(&self, index: TransactionIndex) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        self.messages_of(index).filter(|(_, message)| message.status().is_some())
    }

    /// The status of a transaction's final response.
    pub fn final_status(&self, transaction: &Transaction) -> Option<StatusCode> {
        self.message(transaction.final_response?).status()
    }

    /// The last step of the attempt: the one whose result is the call's.
    pub fn last_step(&self) -> Option<TransactionIndex> {
        // Where the call was forked before the capture point, a branch that was answered decides.
        let answered = self
            .chain
            .iter()
            .rev()
            .find(|step| self.final_status(self.transaction(**step)).is_some_and(StatusCode::is_success));
        answered.or(self.chain.last()).copied()
    }

    /// From tag of the caller.
    pub fn caller_tag(&self) -> TextId {
        let first = self.chain.first().and_then(|step| self.transaction(*step).request);
        first.map_or(TextId::default(), |request| self.message(request).from_tag)
    }

    /// A 2xx behind a failure of the same hop finds nobody any more (RFC 3261 section 17.1.1.2), unless it is confirmed or hung up.
    fn drop_late_answers(&mut self) {
        for place in 0..self.transactions.len() {
            let transaction = &self.transactions[place];
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
                let sends = self.responses_of(TransactionIndex(place as u32));
                let sends = sends.filter(|(_, message)| message.kind == kind);
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
            let ack = &self.transactions[place];
            if ack.method != Method::Ack {
                continue;
            }
            let first = ack.first;
            let message = self.message(first);
            let invite = self.each().find(|(_, t)| {
                t.method == Method::Invite
                    && t.cseq == ack.cseq
                    && t.ack.is_none()
                    && self.tables.node(t.source) == self.tables.node(ack.source)
                    && self.tables.node(t.destination) == self.tables.node(ack.destination)
                    && self.final_status(t).is_some_and(StatusCode::is_success)
                    && t.first < first
                    && self.message(t.first).group == message.group
            });
            if let Some((invite, _)) = invite {
                self.transactions[invite.0 as usize].ack = Some(first);
            }
        }
    }

    /// Answers to an INVITE that was not captured go on with the attempt where the one before it asked for another.
    fn join_unseen_steps(&mut self) {
        let unseen: Vec<TransactionIndex> = self
            .each()
            .filter(|(_, t)| t.method == Method::Invite && t.request.is_none() && t.parent.is_none())
            .map(|(index, _)| index)
            .take(UNSEEN_STEPS_MAX)
            .collect();
        for index in unseen {
            let t = self.transaction(index);
            let answer = self.message(t.first);
            let node = self.tables.node(t.source);
            let before = self.invites().filter(|(known, other)| {
                *known < index
                    && other.parent.is_none()
                    && self.tables.node(other.source) == node
                    && self.message(other.first).from_tag == answer.from_tag
                    && other.cseq < t.cseq
            });
            let asked = before
                .last()
                .and_then(|(_, other)| Some(self.message(other.final_response?)))
                .filter(|asked| asked.status().is_some_and(is_step));
            let goes_on = asked.is_some_and(|asked| answer.time.since(asked.time) <= RETRY_WAIT);
            self.transactions[index.0 as usize].is_unseen_step = goes_on;
        }
    }

    /// INVITE transactions without a visible parent; of several legs only those that the first caller sent.
    fn edge(&self) -> Vec<TransactionIndex> {
        let roots = || self.invites().filter(|(_, transaction)| transaction.parent.is_none());
        let caller = roots().next().map(|(_, first)| (self.message(first.first).group, self.tables.node(first.source)));
        let of_caller = |transaction: &Transaction| {
            caller.is_some_and(|(group, node)| {
                self.message(transaction.first).group == group || self.tables.node(transaction.source) == node
            })
        };
        roots().filter(|(_, transaction)| of_caller(transaction)).map(|(index, _)| index).collect()
    }

    /// How many messages that are no copies their sender had sent before.
    pub fn retransmissions(&self) -> u32 {
        let repeated = self
            .repeated
            .iter()
            .zip(&self.messages)
            .filter(|(repeated, message)| **repeated && !message.flags.is_copy());
        repeated.count() as u32
    }

    /// Whether the capture cut some message before what tells messages apart was complete.
    pub fn has_headless(&self) -> bool {
        let mut messages = self.messages.iter();
        messages.any(|message| message.flags.is_headless())
    }

    /// Messages that are no copies.
    pub fn originals(&self) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        let all = self.messages.iter().enumerate().map(|(place, message)| (MessageIndex(place as u32), *message));
        all.filter(|(_, message)| !message.flags.is_copy())
    }

    /// Short name of a message for ladders and evidence: `INVITE`, `488 Not Acceptable Here`.
    pub fn name(&self, message: &Message) -> String {
        match message.kind {
            MessageKind::Request(method) => method.text().to_owned(),
            MessageKind::Response(status) => {
                format!("{} {}", status.0, self.tables.text(message.line)).trim_end().to_owned()
            }
        }
    }
}
