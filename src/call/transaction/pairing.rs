//! Transactions: which response, ACK and repetition belongs to which request, on which hop.
//!
//! Source: RFC 3261 sections 17.1.3 and 17.2.3 (matching by branch, sent-by and CSeq method), 9.1 (CANCEL), 17.1.1.3 (ACK).

use std::collections::HashMap;

use crate::call::store::endpoint::EndpointId;
use crate::call::store::fast_map::FastMap;
use crate::call::store::message::{Message, MessageKind};
use crate::call::store::tables::Tables;
use crate::call::store::via_stack::ViaId;
use crate::net::Transport;
use crate::sip::{Method, StatusCode};

/// A message of an [`crate::call::CallTransactions`], by its place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageIndex(pub u32);

/// A transaction of an [`crate::call::CallTransactions`], by the time of its first message.
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
    /// A failure that was there before the 2xx that `final_response` names.
    pub refused_before: Option<MessageIndex>,
    /// How often that final response was sent.
    pub final_sends: u32,
    /// Last send of that final response.
    pub last_final: Option<MessageIndex>,
    /// First ACK of the INVITE's own branch, or of a 2xx once it is joined to its INVITE.
    pub ack: Option<MessageIndex>,
    /// The same request one hop nearer to its sender.
    pub parent: Option<TransactionIndex>,
    /// Its INVITE was not captured, and its answers show that it was a further step of the attempt.
    pub is_unseen_step: bool,
}

/// The transactions of some messages, and to which one each message belongs.
#[derive(Debug)]
pub(in crate::call) struct Pairing {
    pub(in crate::call) transactions: Vec<Transaction>,
    /// For each message.
    pub(in crate::call) owner: Vec<TransactionIndex>,
    /// For each message: whether the sender had sent it before.
    pub(in crate::call) repeated: Vec<bool>,
}

/// Pairs messages in the order of capture; copies join the transaction of their original and change nothing in it.
pub(in crate::call) fn pair(messages: &[&Message], tables: &Tables) -> Pairing {
    // Each hop has an INVITE, an ACK and a BYE, with as many answers or more.
    let expected = (messages.len() / 2).min(WALKED_MAX);
    let mut pairing = Pairing {
        transactions: Vec::with_capacity(expected),
        owner: Vec::with_capacity(messages.len()),
        repeated: Vec::with_capacity(messages.len()),
    };
    let mut known_names = TransactionNames { names: Vec::with_capacity(expected), ..TransactionNames::default() };
    // Keys are far apart in memory: looked up one right behind the other, they are waited for together.
    let keys: Vec<u64> = messages.iter().map(|message| tables.vias.key(message.via)).collect();
    for ((place, message), key) in messages.iter().enumerate().zip(keys) {
        let index = MessageIndex(place as u32);
        let name = TransactionName { key, cseq: message.cseq, method: message.transaction_method() };
        let owner = find(&pairing.transactions, &known_names, message, name, tables).unwrap_or_else(|| {
            pairing.transactions.push(open(message, index, name.method));
            known_names.push(name)
        });
        let transaction = &mut pairing.transactions[owner as usize];
        let repeated = !message.flags.is_copy() && note(transaction, messages, message, index);
        pairing.owner.push(TransactionIndex(owner));
        pairing.repeated.push(repeated);
    }
    join_parents(&mut pairing.transactions, tables);
    pairing
}

/// What messages of one transaction have in common on every hop that sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct TransactionName {
    key: u64,
    cseq: u32,
    method: Method,
}

/// Transactions up to which walking over them is cheaper than hashing; nearly all calls have fewer.
const WALKED_MAX: usize = 48;

/// Transactions by name.
#[derive(Default)]
struct TransactionNames {
    names: Vec<TransactionName>,
    /// Filled from [`WALKED_MAX`] transactions on.
    places: FastMap<TransactionName, Vec<u32>>,
}

impl TransactionNames {
    /// Names the next transaction; gives its place.
    fn push(&mut self, name: TransactionName) -> u32 {
        let place = self.names.len() as u32;
        self.names.push(name);
        if self.names.len() == WALKED_MAX {
            for (place, name) in (0..).zip(&self.names) {
                self.places.entry(*name).or_default().push(place);
            }
        } else if self.names.len() > WALKED_MAX {
            self.places.entry(name).or_default().push(place);
        }
        place
    }

    /// The latest transaction of a name that is accepted.
    fn latest(&self, name: TransactionName, mut accepts: impl FnMut(u32) -> bool) -> Option<u32> {
        if self.names.len() >= WALKED_MAX {
            let places = self.places.get(&name)?;
            return places.iter().rev().copied().find(|place| accepts(*place));
        }
        let all = self.names.iter().enumerate().rev();
        all.filter(|(_, known)| **known == name).map(|(place, _)| place as u32).find(|place| accepts(*place))
    }
}

fn find(
    transactions: &[Transaction],
    known_names: &TransactionNames,
    message: &Message,
    own: TransactionName,
    tables: &Tables,
) -> Option<u32> {
    let of_invite = TransactionName { method: Method::Invite, ..own };
    let far = |place: u32| {
        let transaction = &transactions[place as usize];
        if message.method().is_some() {
            (transaction.destination, message.destination)
        } else {
            (transaction.destination, message.source)
        }
    };
    let is_exact = |place: u32| {
        let (known, seen) = far(place);
        known == seen
    };
    let latest = known_names.latest(own, |_| true);
    // Nearly every message is of the latest transaction of its name.
    if let Some(place) = latest
        && is_exact(place)
    {
        return Some(place);
    }
    let name = match own.method {
        _ if latest.is_some() => own,
        // The ACK for a failure has the INVITE's branch; the one for a 2xx is a transaction of its own.
        Method::Ack => of_invite,
        // A response repeats the CSeq of its request, even where that named the wrong method.
        method if message.status().is_some() && method != Method::Cancel => of_invite,
        _ => return None,
    };
    let exact = known_names.latest(name, is_exact);
    let same_node = || {
        known_names.latest(name, |place| {
            let (known, seen) = far(place);
            tables.node(known) == tables.node(seen)
        })
    };
    // A response from an unexpected address, and every copy, still belongs to the request that its branch names.
    let any = || {
        let is_bound = message.status().is_some() || message.flags.is_copy();
        known_names.latest(name, |_| true).filter(|_| is_bound)
    };
    exact.or_else(same_node).or_else(any)
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
        refused_before: None,
        final_sends: 0,
        last_final: None,
        ack: None,
        parent: None,
        is_unseen_step: false,
    }
}

/// Notes a message in its transaction; says whether its sender had sent it before.
fn note(transaction: &mut Transaction, messages: &[&Message], message: &Message, index: MessageIndex) -> bool {
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
        MessageKind::Response(status) => note_response(transaction, messages, message, index, status),
    }
}

fn note_response(
    transaction: &mut Transaction,
    messages: &[&Message],
    message: &Message,
    index: MessageIndex,
    status: StatusCode,
) -> bool {
    let same =
        |known: Option<MessageIndex>| known.is_some_and(|known| messages[known.0 as usize].digest == message.digest);
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
            let before = transaction.final_response.map(|known| messages[known.0 as usize]);
            let repeated = before.is_some_and(|known| known.kind == message.kind && known.to_tag == message.to_tag);
            let is_better = status.is_success()
                && before.is_some_and(|known| known.status().is_some_and(|known| !known.is_success()));
            if is_better {
                transaction.refused_before = transaction.final_response;
            }
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
    let stack_of = |transaction: &Transaction| (transaction.via, transaction.method);
    let mut first: FastMap<(ViaId, Method), usize> = HashMap::default();
    let is_walked = transactions.len() <= WALKED_MAX;
    if !is_walked {
        for (place, transaction) in transactions.iter().enumerate() {
            first.entry(stack_of(transaction)).or_insert(place);
        }
    }
    for child in 0..transactions.len() {
        let (via, method) = stack_of(&transactions[child]);
        let mut below = tables.vias.get(via).below;
        while !below.is_empty() {
            let stack = (below, method);
            let place = match is_walked {
                true => transactions.iter().position(|t| stack_of(t) == stack),
                false => first.get(&stack).copied(),
            };
            if let Some(parent) = place {
                transactions[child].parent = Some(TransactionIndex(parent as u32));
                break;
            }
            below = tables.vias.get(below).below;
        }
    }
}
