//! The anatomy of one call: its messages paired into transactions, the tree of hops, the attempts and the dialogs.
//!
//! Built on demand from the messages of the call and thrown away after use; what is kept of a call is [`crate::call::Call`].

use crate::call::message::{Message, MessageKind};
use crate::call::tables::Tables;
use crate::call::text::TextId;
use crate::call::transaction::{MessageIndex, Pairing, Transaction, TransactionIndex, pair};
use crate::sip::{Method, StatusCode};

/// One call taken apart.
#[derive(Debug)]
pub struct Anatomy<'a> {
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

impl<'a> Anatomy<'a> {
    /// Takes a call apart; `messages` are in the order of capture.
    pub fn new(messages: Vec<&'a Message>, tables: &'a Tables) -> Self {
        let pairing = pair(&messages, tables);
        Self::of_pairs(messages, tables, pairing)
    }

    /// The same where the messages were paired before.
    pub(in crate::call) fn of_pairs(
        messages: Vec<&'a Message>,
        tables: &'a Tables,
        pairing: Pairing,
    ) -> Self {
        let mut anatomy = Self {
            messages,
            tables,
            transactions: pairing.transactions,
            owner: pairing.owner,
            repeated: pairing.repeated,
            chain: Vec::new(),
        };
        anatomy.join_stripped_hops();
        anatomy.join_foreign_legs();
        anatomy.join_acks();
        anatomy.chain = anatomy.edge();
        anatomy
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
        self.transactions
            .iter()
            .enumerate()
            .map(|(place, transaction)| (TransactionIndex(place as u32), transaction))
    }

    /// Transactions of INVITEs that set up the call rather than change it: without a To tag.
    pub fn invites(&self) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.each()
            .filter(|(_, transaction)| self.is_initial(transaction))
    }

    /// Transactions of requests inside a dialog with this method, once for each hop.
    pub fn inside(&self, method: Method) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.each().filter(move |(_, transaction)| {
            transaction.method == method && !self.is_initial(transaction)
        })
    }

    /// Whether a transaction is an INVITE without To tag.
    pub fn is_initial(&self, transaction: &Transaction) -> bool {
        transaction.method == Method::Invite
            && transaction
                .request
                .is_some_and(|request| self.message(request).to_tag.is_absent())
    }

    /// The same request one or more hops further from its sender.
    pub fn children(
        &self,
        parent: TransactionIndex,
    ) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.each()
            .filter(move |(_, transaction)| transaction.parent == Some(parent))
    }

    /// Messages of one transaction, copies left out.
    pub fn messages_of(
        &self,
        index: TransactionIndex,
    ) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        let owned = self
            .owner
            .iter()
            .enumerate()
            .filter(move |(_, owner)| **owner == index);
        owned
            .map(|(place, _)| (MessageIndex(place as u32), self.messages[place]))
            .filter(|(_, message)| !message.flags.is_copy())
    }

    /// Every send of a transaction's request.
    pub fn sends_of(
        &self,
        index: TransactionIndex,
    ) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        let method = self.transaction(index).method;
        self.messages_of(index)
            .filter(move |(_, message)| message.is_request(method))
    }

    /// Every response of a transaction.
    pub fn responses_of(
        &self,
        index: TransactionIndex,
    ) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        self.messages_of(index)
            .filter(|(_, message)| message.status().is_some())
    }

    /// The status of a transaction's final response.
    pub fn final_status(&self, transaction: &Transaction) -> Option<StatusCode> {
        self.message(transaction.final_response?).status()
    }

    /// The last step of the attempt: the one whose result is the call's.
    pub fn last_step(&self) -> Option<TransactionIndex> {
        // Where the call was forked before the capture point, a branch that was answered decides.
        let answered = self.chain.iter().rev().find(|step| {
            self.final_status(self.transaction(**step))
                .is_some_and(StatusCode::is_success)
        });
        answered.or(self.chain.last()).copied()
    }

    /// From tag of the caller.
    pub fn caller_tag(&self) -> TextId {
        let first = self
            .chain
            .first()
            .and_then(|step| self.transaction(*step).request);
        first.map_or(TextId::default(), |request| self.message(request).from_tag)
    }

    /// Hops that took the Via stack off: the node that received the parent sent the child while the parent was pending.
    fn join_stripped_hops(&mut self) {
        let open: Vec<TransactionIndex> = self
            .each()
            .filter(|(_, t)| t.parent.is_none() && t.request.is_some())
            .map(|(index, _)| index)
            .collect();
        for &child in open.iter().skip(1) {
            let candidate = open
                .iter()
                .rev()
                .find(|parent| **parent < child && self.is_stripped_hop(**parent, child));
            if let Some(&parent) = candidate {
                self.transactions[child.0 as usize].parent = Some(parent);
            }
        }
    }

    fn is_stripped_hop(&self, parent: TransactionIndex, child: TransactionIndex) -> bool {
        let (p, c) = (self.transaction(parent), self.transaction(child));
        let (Some(p_request), Some(c_request)) = (p.request, c.request) else {
            return false;
        };
        let (from, to) = (self.message(p_request), self.message(c_request));
        let same_request = p.method == c.method && from.to_tag.is_absent() == to.to_tag.is_absent();
        let same_caller = from.from_tag == to.from_tag && from.cseq == to.cseq;
        let relayed = self.tables.node(p.destination) == self.tables.node(c.source)
            && self.tables.node(p.source) != self.tables.node(c.destination);
        let was_pending = p
            .final_response
            .is_none_or(|answer| self.message(answer).time >= to.time);
        let other_caller = p.method == Method::Invite && from.from_tag != to.from_tag;
        same_request
            && (same_caller || other_caller)
            && relayed
            && was_pending
            && from.via != to.via
    }

    /// The ACK to a 2xx is a transaction of its own: joins it to the INVITE that it confirms, hop by hop.
    fn join_acks(&mut self) {
        let acks: Vec<TransactionIndex> = self
            .each()
            .filter(|(_, t)| t.method == Method::Ack)
            .map(|(index, _)| index)
            .collect();
        for index in acks {
            let ack = *self.transaction(index);
            let message = self.message(ack.first);
            let invite = self.each().find(|(_, t)| {
                t.method == Method::Invite
                    && t.cseq == ack.cseq
                    && t.ack.is_none()
                    && self.tables.node(t.source) == self.tables.node(ack.source)
                    && self.tables.node(t.destination) == self.tables.node(ack.destination)
                    && self.final_status(t).is_some_and(StatusCode::is_success)
                    && t.first < ack.first
                    && self.message(t.first).group == message.group
            });
            if let Some((invite, _)) = invite {
                self.transactions[invite.0 as usize].ack = Some(ack.first);
            }
        }
    }

    /// INVITE transactions without a visible parent; of several legs only those that the first caller sent.
    fn edge(&self) -> Vec<TransactionIndex> {
        let roots = || {
            self.invites()
                .filter(|(_, transaction)| transaction.parent.is_none())
        };
        let caller = roots().next().map(|(_, first)| {
            (
                self.message(first.first).group,
                self.tables.node(first.source),
            )
        });
        let of_caller = |transaction: &Transaction| {
            caller.is_some_and(|(group, node)| {
                self.message(transaction.first).group == group
                    || self.tables.node(transaction.source) == node
            })
        };
        roots()
            .filter(|(_, transaction)| of_caller(transaction))
            .map(|(index, _)| index)
            .collect()
    }

    /// Legs of a B2BUA whose two sides have different addresses hang on the hop that was pending when they began.
    fn join_foreign_legs(&mut self) {
        let Some(first) = self.invites().next().map(|(_, first)| {
            (
                self.message(first.first).group,
                self.tables.node(first.source),
            )
        }) else {
            return;
        };
        let roots: Vec<TransactionIndex> = self
            .invites()
            .filter(|(_, t)| t.parent.is_none())
            .map(|(index, _)| index)
            .collect();
        for child in roots {
            let (group, node) = (
                self.message(self.transaction(child).first).group,
                self.tables.node(self.transaction(child).source),
            );
            if group == first.0 || node == first.1 {
                continue;
            }
            let began = self.message(self.transaction(child).first).time;
            let pending = self.invites().filter(|(index, t)| {
                *index < child
                    && self.message(t.first).group != group
                    && t.final_response
                        .is_none_or(|answer| self.message(answer).time >= began)
            });
            let parent = pending
                .max_by_key(|(index, t)| (self.tables.vias.get(t.via).depth, *index))
                .map(|(index, _)| index);
            self.transactions[child.0 as usize].parent = parent;
        }
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

    /// Messages that are no copies.
    pub fn originals(&self) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        let all = self
            .messages
            .iter()
            .enumerate()
            .map(|(place, message)| (MessageIndex(place as u32), *message));
        all.filter(|(_, message)| !message.flags.is_copy())
    }

    /// Short name of a message for ladders and evidence: `INVITE`, `488 Not Acceptable Here`.
    pub fn name(&self, message: &Message) -> String {
        match message.kind {
            MessageKind::Request(method) => method.text().to_owned(),
            MessageKind::Response(status) => {
                format!("{} {}", status.0, self.tables.text(message.line))
                    .trim_end()
                    .to_owned()
            }
        }
    }
}
