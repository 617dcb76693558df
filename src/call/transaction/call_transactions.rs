//! The transactions of one call: its messages paired, the tree of hops, and the steps of the attempt.
//!
//! Built on demand from the messages of the call and thrown away after use; what is kept of a call is [`crate::call::Call`]. Each
//! transaction is looked at through a [`TransactionView`], which knows its messages and its neighbours by name.

use std::ops::Deref;

use crate::call::store::endpoint::NodeId;
use crate::call::store::message::{Message, MessageKind};
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::call::transaction::pairing::{MessageIndex, Transaction, TransactionIndex};
use crate::sip::{Method, StatusCode};

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

/// One transaction of a call: one request on one hop, with everything that answered it there.
///
/// Two references and a number, made without any search, so that a view costs no more than the index that it stands for. Methods
/// give messages: `hop.request()` is the INVITE as it was sent first, `hop.status()` the code of what answered it in the end. The
/// fields of [`Transaction`] are there too, and give places: `hop.request < other.final_response` says which came first.
#[derive(Debug, Clone, Copy)]
pub struct TransactionView<'t, 'm> {
    call: &'t CallTransactions<'m>,
    transaction: &'t Transaction,
    index: TransactionIndex,
}

impl Deref for TransactionView<'_, '_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        self.transaction
    }
}

impl<'t, 'm> TransactionView<'t, 'm> {
    /// Its place among the transactions of the call.
    pub fn index(self) -> TransactionIndex {
        self.index
    }

    /// The request as it was sent first; `None` where only answers were captured.
    pub fn request(self) -> Option<&'m Message> {
        self.message_at(self.transaction.request)
    }

    /// The request as it was sent last.
    pub fn last_request(self) -> Option<&'m Message> {
        self.message_at(self.transaction.last_request)
    }

    /// Its first message of either direction.
    pub fn first(self) -> &'m Message {
        self.call.message(self.transaction.first)
    }

    /// Its last message of either direction.
    pub fn last(self) -> &'m Message {
        self.call.message(self.transaction.last)
    }

    /// The first response that says that the callee is being alerted or heard: 180 to 189.
    pub fn alerting(self) -> Option<&'m Message> {
        self.message_at(self.transaction.alerting)
    }

    /// The final response: the first 2xx, else the first of any other class.
    pub fn final_response(self) -> Option<&'m Message> {
        self.message_at(self.transaction.final_response)
    }

    /// The ACK of that, where the transaction is an INVITE.
    pub fn ack(self) -> Option<&'m Message> {
        self.message_at(self.transaction.ack)
    }

    /// The status of the final response.
    pub fn status(self) -> Option<StatusCode> {
        self.final_response()?.status()
    }

    /// Whether it was answered by a 2xx.
    pub fn is_success(self) -> bool {
        self.status().is_some_and(StatusCode::is_success)
    }

    /// The node that sent the request.
    pub fn source_node(self) -> NodeId {
        self.call.tables.node(self.transaction.source)
    }

    /// The node that received the request.
    pub fn destination_node(self) -> NodeId {
        self.call.tables.node(self.transaction.destination)
    }

    /// The nodes that sent and received the request.
    pub fn nodes(self) -> (NodeId, NodeId) {
        (self.source_node(), self.destination_node())
    }

    /// The key of the lowest value of its Via stack: that of the node where the request began, as far as proxies keep the stack.
    pub fn lowest_via(self) -> Option<u64> {
        self.call.tables.vias.values(self.via).last().map(|value| value.key)
    }

    /// Whether it is an INVITE that sets up the call rather than changes it: without a To tag, captured or known by its answers alone.
    pub fn is_initial(self) -> bool {
        self.method == Method::Invite
            && match self.request() {
                Some(request) => request.to_tag.is_absent(),
                None => self.is_unseen_step,
            }
    }

    /// The same request one hop nearer to its sender.
    pub fn parent(self) -> Option<Self> {
        self.transaction.parent.map(|parent| self.call.hop(parent))
    }

    /// The same request one hop further from its sender, once for each that it was sent to.
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.call.all().filter(move |other| other.parent == Some(self.index))
    }

    /// Its messages in the order of capture, copies left out.
    pub fn messages(self) -> impl Iterator<Item = (MessageIndex, &'m Message)> {
        let owned = self.call.owner.iter().zip(&self.call.messages).enumerate();
        owned
            .filter(move |(_, (owner, message))| **owner == self.index && !message.flags.is_copy())
            .map(|(place, (_, message))| (MessageIndex(place as u32), *message))
    }

    /// Every send of its request.
    pub fn sends(self) -> impl Iterator<Item = (MessageIndex, &'m Message)> {
        self.messages().filter(move |(_, message)| message.is_request(self.method))
    }

    /// Every response.
    pub fn responses(self) -> impl Iterator<Item = (MessageIndex, &'m Message)> {
        self.messages().filter(|(_, message)| message.status().is_some())
    }

    fn message_at(self, index: Option<MessageIndex>) -> Option<&'m Message> {
        index.map(|index| self.call.message(index))
    }

    fn indexed(self) -> (TransactionIndex, &'t Transaction) {
        (self.index, self.transaction)
    }
}

impl<'a> CallTransactions<'a> {
    /// The message at an index.
    pub fn message(&self, index: MessageIndex) -> &'a Message {
        self.messages[index.0 as usize]
    }

    /// The transaction at an index, to be looked at.
    pub fn hop(&self, index: TransactionIndex) -> TransactionView<'_, 'a> {
        TransactionView { call: self, transaction: self.transaction(index), index }
    }

    /// Every transaction in the order of its first message.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = TransactionView<'_, 'a>> {
        let indexed = self.transactions.iter().enumerate();
        indexed.map(|(place, transaction)| TransactionView {
            call: self,
            transaction,
            index: TransactionIndex(place as u32),
        })
    }

    /// The INVITEs that set up the call rather than change it, once for each hop.
    pub fn initial_invites(&self) -> impl Iterator<Item = TransactionView<'_, 'a>> {
        self.all().filter(|hop| hop.is_initial())
    }

    /// The requests inside a dialog with this method, once for each hop.
    pub fn in_dialog(&self, method: Method) -> impl Iterator<Item = TransactionView<'_, 'a>> {
        self.all().filter(move |hop| hop.method == method && !hop.is_initial())
    }

    /// The steps of the attempt next to the caller, in the order of time.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = TransactionView<'_, 'a>> {
        self.chain.iter().map(|step| self.hop(*step))
    }

    /// The last step of the attempt: the one whose result is the call's.
    pub fn deciding_step(&self) -> Option<TransactionView<'_, 'a>> {
        // Where the call was forked before the capture point, a branch that was answered decides.
        self.steps().rev().find(|step| step.is_success()).or_else(|| self.steps().next_back())
    }

    /// The transaction that a message is of.
    pub fn hop_of(&self, message: MessageIndex) -> Option<TransactionView<'_, 'a>> {
        self.owner.get(message.0 as usize).map(|owner| self.hop(*owner))
    }

    /// Messages that are no copies.
    pub fn originals(&self) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        let all = self.messages.iter().enumerate().map(|(place, message)| (MessageIndex(place as u32), *message));
        all.filter(|(_, message)| !message.flags.is_copy())
    }

    /// From tag of the caller.
    pub fn caller_tag(&self) -> TextId {
        let first = self.steps().next().and_then(TransactionView::request);
        first.map_or(TextId::default(), |request| request.from_tag)
    }

    /// How many messages that are no copies their sender had sent before.
    pub fn retransmissions(&self) -> u32 {
        let sent = self.repeated.iter().zip(&self.messages);
        sent.filter(|(repeated, message)| **repeated && !message.flags.is_copy()).count() as u32
    }

    /// Whether the capture cut some message before what distinguishes messages was complete.
    pub fn has_headless(&self) -> bool {
        self.messages.iter().any(|message| message.flags.is_headless())
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

/// The same by index, for those that compare places rather than look at messages.
impl<'a> CallTransactions<'a> {
    /// The transaction at an index.
    pub fn transaction(&self, index: TransactionIndex) -> &Transaction {
        &self.transactions[index.0 as usize]
    }

    /// Every transaction with its index.
    pub fn each(&self) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.all().map(TransactionView::indexed)
    }

    /// [`CallTransactions::initial_invites`] by index.
    pub fn invites(&self) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.initial_invites().map(TransactionView::indexed)
    }

    /// [`CallTransactions::in_dialog`] by index.
    pub fn inside(&self, method: Method) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.in_dialog(method).map(TransactionView::indexed)
    }

    /// [`TransactionView::is_initial`] of a transaction.
    pub fn is_initial(&self, transaction: &Transaction) -> bool {
        transaction.method == Method::Invite
            && match transaction.request {
                Some(request) => self.message(request).to_tag.is_absent(),
                None => transaction.is_unseen_step,
            }
    }

    /// [`TransactionView::children`] by index.
    pub fn children(&self, parent: TransactionIndex) -> impl Iterator<Item = (TransactionIndex, &Transaction)> {
        self.hop(parent).children().map(TransactionView::indexed)
    }

    /// [`TransactionView::messages`] of the transaction at an index.
    pub fn messages_of(&self, index: TransactionIndex) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        self.hop(index).messages()
    }

    /// [`TransactionView::sends`] of the transaction at an index.
    pub fn sends_of(&self, index: TransactionIndex) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        self.hop(index).sends()
    }

    /// [`TransactionView::responses`] of the transaction at an index.
    pub fn responses_of(&self, index: TransactionIndex) -> impl Iterator<Item = (MessageIndex, &'a Message)> {
        self.hop(index).responses()
    }

    /// The status of a transaction's final response.
    pub fn final_status(&self, transaction: &Transaction) -> Option<StatusCode> {
        self.message(transaction.final_response?).status()
    }

    /// [`CallTransactions::deciding_step`] by index.
    pub fn last_step(&self) -> Option<TransactionIndex> {
        self.deciding_step().map(TransactionView::index)
    }
}
