//! Transactions: which response, ACK and repetition belongs to which request, on which hop.
//!
//! Source: RFC 3261 sections 17.1.3 and 17.2.3 (matching by branch, sent-by and CSeq method), 9.1 (CANCEL), 17.1.1.3 (ACK).

use std::collections::HashMap;

use crate::call::endpoint::EndpointId;
use crate::call::message::{Message, MessageKind};
use crate::call::tables::Tables;
use crate::call::via::ViaId;
use crate::net::Transport;
use crate::sip::{Method, StatusCode};

/// A message of an [`crate::call::Anatomy`], by its place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageIndex(pub u32);

/// A transaction of an [`crate::call::Anatomy`], by the time of its first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionIndex(pub u32);

/// One request on one hop with everything that answered it there.
#[derive(Debug, Clone, Copy)]
pub struct Transaction {
    /// Method of the request; an INVITE's ACK for a failure belongs to the INVITE.
    pub method: Method,
    /// CSeq number.
    pub cseq: u32,
    /// Via stack of the request on this hop.
    pub via: ViaId,
    /// Sender of the request.
    pub source: EndpointId,
    /// Receiver of the request.
    pub destination: EndpointId,
    /// What carried it.
    pub transport: Transport,
    /// First message of either direction.
    pub first: MessageIndex,
    /// Last message of either direction.
    pub last: MessageIndex,
    /// First send of the request; `None` where only answers were captured.
    pub request: Option<MessageIndex>,
    /// Last send of the request.
    pub last_request: Option<MessageIndex>,
    /// How often the request was sent.
    pub sends: u32,
    /// First 100 Trying.
    pub trying: Option<MessageIndex>,
    /// First provisional response that says the callee is being alerted or heard: 180 to 189.
    pub alerting: Option<MessageIndex>,
    /// First 180.
    pub ringing: Option<MessageIndex>,
    /// The final response: the first 2xx, else the first of any other class.
    pub final_response: Option<MessageIndex>,
    /// How often that final response was sent.
    pub final_sends: u32,
    /// Last send of that final response.
    pub last_final: Option<MessageIndex>,
    /// First ACK of the INVITE's own branch, or of a 2xx once the anatomy has joined it.
    pub ack: Option<MessageIndex>,
    /// The same request one hop nearer to its sender.
    pub parent: Option<TransactionIndex>,
    /// Its INVITE was not captured, and its answers show that it was a further step of the attempt.
    pub is_unseen_step: bool,
}

/// The transactions of some messages, and to which one each message belongs.
#[derive(Debug, Default)]
pub(in crate::call) struct Pairing {
    pub(in crate::call) transactions: Vec<Transaction>,
    /// For each message.
    pub(in crate::call) owner: Vec<TransactionIndex>,
    /// For each message: whether the sender had sent it before.
    pub(in crate::call) repeated: Vec<bool>,
}

/// Pairs messages in the order of capture; copies join the transaction of their original and change nothing in it.
pub(in crate::call) fn pair(messages: &[&Message], tables: &Tables) -> Pairing {
    let mut pairing = Pairing::default();
    let mut latest: HashMap<(u64, u32, Method), Vec<u32>, foldhash::fast::FixedState> =
        HashMap::default();
    for (place, message) in messages.iter().enumerate() {
        let index = MessageIndex(place as u32);
        let key = tables.vias.get(message.via).key;
        let method = message.transaction_method();
        let owner = find(&pairing.transactions, &latest, message, key, method, tables)
            .unwrap_or_else(|| {
                let new = pairing.transactions.len() as u32;
                pairing.transactions.push(open(message, index, method));
                latest
                    .entry((key, message.cseq, method))
                    .or_default()
                    .push(new);
                new
            });
        let transaction = &mut pairing.transactions[owner as usize];
        let repeated = !message.flags.is_copy() && note(transaction, messages, message, index);
        pairing.owner.push(TransactionIndex(owner));
        pairing.repeated.push(repeated);
    }
    join_parents(&mut pairing.transactions, tables);
    pairing
}

type Latest = HashMap<(u64, u32, Method), Vec<u32>, foldhash::fast::FixedState>;

fn find(
    transactions: &[Transaction],
    latest: &Latest,
    message: &Message,
    key: u64,
    method: Method,
    tables: &Tables,
) -> Option<u32> {
    let own = latest.get(&(key, message.cseq, method));
    let candidates = match method {
        // The ACK for a failure has the INVITE's branch; the one for a 2xx is a transaction of its own.
        Method::Ack => own.or_else(|| latest.get(&(key, message.cseq, Method::Invite)))?,
        // A response repeats the CSeq of its request, even where that named the wrong method.
        _ => own.or_else(|| {
            let is_odd = message.status().is_some() && method != Method::Cancel;
            latest
                .get(&(key, message.cseq, Method::Invite))
                .filter(|_| is_odd)
        })?,
    };
    let far = |id: &u32| {
        let transaction = &transactions[*id as usize];
        if message.method().is_some() {
            (transaction.destination, message.destination)
        } else {
            (transaction.destination, message.source)
        }
    };
    let exact = candidates.iter().rev().find(|id| {
        let (known, seen) = far(id);
        known == seen
    });
    let same_node = || {
        candidates.iter().rev().find(|id| {
            let (known, seen) = far(id);
            tables.node(known) == tables.node(seen)
        })
    };
    // A response from an unexpected address, and every copy, still belongs to the request that its branch names.
    let any = || {
        candidates
            .last()
            .filter(|_| message.status().is_some() || message.flags.is_copy())
    };
    exact.or_else(same_node).or_else(any).copied()
}

fn open(message: &Message, index: MessageIndex, method: Method) -> Transaction {
    let (source, destination) = match message.kind {
        MessageKind::Request(_) => (message.source, message.destination),
        MessageKind::Response(_) => (message.destination, message.source),
    };
    Transaction {
        method,
        cseq: message.cseq,
        via: message.via,
        source,
        destination,
        transport: message.transport,
        first: index,
        last: index,
        request: None,
        last_request: None,
        sends: 0,
        trying: None,
        alerting: None,
        ringing: None,
        final_response: None,
        final_sends: 0,
        last_final: None,
        ack: None,
        parent: None,
        is_unseen_step: false,
    }
}

/// Files a message in its transaction; says whether its sender had sent it before.
fn note(
    transaction: &mut Transaction,
    messages: &[&Message],
    message: &Message,
    index: MessageIndex,
) -> bool {
    transaction.last = index;
    match message.kind {
        MessageKind::Request(Method::Ack) if transaction.method == Method::Invite => {
            let repeated = transaction.ack.is_some();
            transaction.ack.get_or_insert(index);
            repeated
        }
        MessageKind::Request(_) => {
            transaction.sends += 1;
            transaction.last_request = Some(index);
            let repeated = transaction.request.is_some();
            transaction.request.get_or_insert(index);
            repeated
        }
        MessageKind::Response(status) => {
            note_response(transaction, messages, message, index, status)
        }
    }
}

fn note_response(
    transaction: &mut Transaction,
    messages: &[&Message],
    message: &Message,
    index: MessageIndex,
    status: StatusCode,
) -> bool {
    let same = |known: Option<MessageIndex>| {
        known.is_some_and(|known| messages[known.0 as usize].digest == message.digest)
    };
    match status.0 {
        100 => {
            let repeated = same(transaction.trying);
            transaction.trying.get_or_insert(index);
            repeated
        }
        101..=199 => {
            let repeated = same(transaction.alerting) || same(transaction.ringing);
            if (180..=189).contains(&status.0) {
                transaction.alerting.get_or_insert(index);
            }
            if status.0 == 180 {
                transaction.ringing.get_or_insert(index);
            }
            repeated
        }
        _ => {
            let before = transaction
                .final_response
                .map(|known| messages[known.0 as usize]);
            let repeated = before
                .is_some_and(|known| known.kind == message.kind && known.to_tag == message.to_tag);
            let is_better = status.is_success()
                && before
                    .is_some_and(|known| known.status().is_some_and(|known| !known.is_success()));
            if before.is_none() || is_better {
                transaction.final_response = Some(index);
                transaction.final_sends = 0;
            }
            if repeated || before.is_none() || is_better {
                transaction.final_sends += 1;
                transaction.last_final = Some(index);
            }
            repeated
        }
    }
}

/// Finds for each request the same request one visible hop nearer to its sender: a tail of its Via stack.
fn join_parents(transactions: &mut [Transaction], tables: &Tables) {
    if transactions.len() < 2 {
        return;
    }
    let mut by_stack: HashMap<(ViaId, Method), u32, foldhash::fast::FixedState> =
        HashMap::default();
    for (place, transaction) in transactions.iter().enumerate() {
        by_stack
            .entry((transaction.via, transaction.method))
            .or_insert(place as u32);
    }
    for transaction in transactions {
        let mut below = tables.vias.get(transaction.via).below;
        while !below.is_empty() {
            if let Some(&parent) = by_stack.get(&(below, transaction.method)) {
                transaction.parent = Some(TransactionIndex(parent));
                break;
            }
            below = tables.vias.get(below).below;
        }
    }
}
