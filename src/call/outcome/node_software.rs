//! Products: what software a node is, by messages that it made itself rather than passed on.
//!
//! A proxy passes Server and User-Agent of others on; its own are in 100 Trying, in requests that carry its Via alone, and in
//! responses that no hop behind it gave. Source: RFC 3261 sections 16.6, 16.7, 20.35 and 20.41.

use crate::call::store::endpoint::EndpointId;
use crate::call::store::message::Message;
use crate::call::store::string_arena::TextId;
use crate::call::transaction::call_transactions::CallTransactions;
use crate::call::transaction::pairing::MessageIndex;
use crate::sip::{HeaderName, StatusCode};

/// Messages of one node that are looked at.
const LOOK_MAX: usize = 32;

/// The product at an endpoint, as a message of this call says that it made itself, else another port of its node; absent where none does.
///
/// A proxy and a PBX may share a host: what the endpoint says of itself goes first.
pub fn own_software(transactions: &CallTransactions<'_>, endpoint: EndpointId) -> TextId {
    let node = transactions.tables.node(endpoint);
    let from_it = transactions.originals().filter(|(_, message)| transactions.tables.node(message.source) == node);
    let mut best = ((false, 0), TextId::default());
    for (index, message) in from_it.take(LOOK_MAX) {
        let Some(software) = named(transactions, message) else {
            continue;
        };
        let weight = weight(transactions, index, message);
        let rank = (message.source == endpoint, weight);
        if weight > 0 && rank > best.0 {
            best = (rank, software);
        }
    }
    best.1
}

fn named(transactions: &CallTransactions<'_>, message: &Message) -> Option<TextId> {
    let headers = transactions.tables.headers.get(message.headers);
    let mut products = headers.filter(|(name, _)| matches!(name, HeaderName::Server | HeaderName::UserAgent));
    products.next().map(|(_, id)| id)
}

/// How surely the sender made a message itself; 0 where it passed it on.
fn weight(transactions: &CallTransactions<'_>, index: MessageIndex, message: &Message) -> u8 {
    let Some(hop) = transactions.hop_of(index) else {
        return 0;
    };
    match message.status() {
        // Every hop answers 100 itself (section 16.2).
        Some(StatusCode(100)) => 3,
        Some(status) => {
            let was_passed_on = hop.children().any(|child| {
                let mut behind = child.responses();
                behind.any(|(_, response)| response.status() == Some(status))
            });
            u8::from(!was_passed_on)
        }
        None => {
            let is_alone = transactions.tables.vias.get(message.via).depth <= 1;
            let was_sent_it = hop.parent.is_some();
            if is_alone && !was_sent_it { 2 } else { 0 }
        }
    }
}
