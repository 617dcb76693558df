//! Transfers: a REFER inside a call, what came back, and how the call that it asked for went.
//!
//! Sources: RFC 3515 (REFER, the NOTIFY that reports), RFC 4488 (without subscription), RFC 3892 (Referred-By).

use std::time::Duration;

use crate::call::outcome::call::Call;
use crate::call::outcome::call_index::CallIndex;
use crate::call::store::endpoint::EndpointId;
use crate::call::store::message::Message;
use crate::call::store::message_store::MessageStore;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_id_parts::is_challenge;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::pairing::{MessageIndex, TransactionIndex};
use crate::capture::Timestamp;
use crate::sip::{HeaderName, Method, NameAddr, StatusCode, SubscriptionState, Uri};

/// How soon the referred side calls the target.
const REFERRED_WAIT: Duration = Duration::from_secs(10);
/// Calls looked at to find the referred one.
const CALLS_MAX: usize = 2000;
/// Transfers of one call that are read; real calls have one or two.
const TRANSFERS_MAX: usize = 16;

/// One REFER with what became of it.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    /// The REFER on the hop next to its sender.
    pub refer: TransactionIndex,
    /// Who wants the transfer.
    pub transferor: EndpointId,
    /// Who is to call the target: the receiver of the REFER on its last hop.
    pub transferee: EndpointId,
    /// When it was sent.
    pub asked: Timestamp,
    /// Final status of the REFER.
    pub answer: Option<StatusCode>,
    /// The NOTIFY with the last final status of the new call, and that status.
    pub result: Option<(MessageIndex, StatusCode)>,
    /// The NOTIFY that ended the subscription without any final status.
    pub ended_without: Option<MessageIndex>,
    /// NOTIFY requests that report on it.
    pub notifies: u32,
}

/// The transfers of a call, without those that were only challenged and asked again.
pub fn transfers(transactions: &CallTransactions<'_>) -> Vec<Transfer> {
    let refers = transactions.all().filter(|hop| hop.method == Method::Refer && hop.parent.is_none());
    let refers: Vec<TransactionView<'_, '_>> = refers.filter(|hop| hop.request.is_some()).take(TRANSFERS_MAX).collect();
    let mut found = Vec::new();
    for (place, refer) in refers.iter().enumerate() {
        let next = refers.get(place + 1).map(|next| next.first);
        let is_step = refer.status().is_some_and(is_challenge) && next.is_some();
        if !is_step {
            found.extend(transfer(transactions, *refer, next));
        }
    }
    found
}

fn transfer(
    transactions: &CallTransactions<'_>,
    refer: TransactionView<'_, '_>,
    next: Option<MessageIndex>,
) -> Option<Transfer> {
    let request = refer.request()?;
    let is_same = |sent: &Message| sent.cseq == request.cseq && sent.from_tag == request.from_tag;
    let hops = transactions.all().filter(|hop| hop.method == Method::Refer && hop.request().is_some_and(is_same));
    let last_hop = hops.max_by_key(|hop| transactions.tables.vias.get(hop.via).depth);
    let mut transfer = Transfer {
        refer: refer.index(),
        transferor: refer.source,
        transferee: last_hop.map_or(refer.destination, |hop| hop.destination),
        asked: request.time,
        answer: refer.status(),
        result: None,
        ended_without: None,
        notifies: 0,
    };
    let notifies = transactions.originals().filter(|(at, message)| {
        message.is_request(Method::Notify)
            && *at > refer.first
            && next.is_none_or(|next| *at < next)
            && message.group == request.group
            && reports_transfer(transactions.tables, message)
    });
    for (at, message) in notifies {
        transfer.notifies += 1;
        if message.fragment >= 200 {
            transfer.result = Some((at, StatusCode(message.fragment)));
        }
        let state = transactions
            .tables
            .header(message, HeaderName::SubscriptionState)
            .map(|state| SubscriptionState::parse(state.as_bytes()));
        if state.is_some_and(|state| state.is_terminated()) && transfer.result.is_none() {
            transfer.ended_without = Some(at);
        }
    }
    Some(transfer)
}

/// Whether a NOTIFY is about a REFER.
fn reports_transfer(tables: &Tables, message: &Message) -> bool {
    message.fragment != 0
        || tables
            .header(message, HeaderName::Event)
            .is_some_and(|event| event.trim().to_ascii_lowercase().starts_with("refer"))
}

/// Whether the REFER asks for no reports: `Refer-Sub: false` or `Require: norefersub` (RFC 4488).
pub fn wants_no_report(tables: &Tables, refer: &Message) -> bool {
    let says =
        |name, word: &str| tables.header_values(refer, name).any(|value| value.to_ascii_lowercase().contains(word));
    says(HeaderName::ReferSub, "false") || says(HeaderName::Require, "norefersub")
}

/// The user part of the URI in a Refer-To, and in the addresses of calls; the host where there is no user.
pub fn party(address: &str) -> String {
    let uri = Uri::parse(NameAddr::parse(address.as_bytes()).uri);
    let part = uri.user.unwrap_or(uri.host_port.host);
    let end = part.iter().position(|byte| *byte == b';').unwrap_or(part.len());
    String::from_utf8_lossy(part.get(..end).unwrap_or_default()).into_owned()
}

/// The call that a transfer made somebody place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Referred {
    /// Its index among all calls.
    pub call: CallIndex,
    /// Whether the referred side itself placed it, or its INVITE names who asked for it; otherwise only its target and its
    /// time fit.
    pub is_sure: bool,
}

/// The call that the referred side placed because of a transfer; `refer` asked for it, `calls` are in the order of time.
pub fn referred_call(
    store: &MessageStore,
    calls: &[Call],
    transfer: &Transfer,
    refer: &Message,
    target: &str,
) -> Option<Referred> {
    let tables = &store.tables;
    if target.is_empty() {
        return None;
    }
    let first = calls.partition_point(|call| call.started < transfer.asked);
    let node = tables.node(transfer.transferee);
    let soon = calls
        .iter()
        .enumerate()
        .skip(first)
        .take(CALLS_MAX)
        .take_while(|(_, call)| call.started.since(transfer.asked) <= REFERRED_WAIT);
    let mut to_target = soon.filter(|(_, call)| party(tables.text(call.callee)) == target);
    let sure = to_target.clone().find(|(_, call)| tables.node(call.source) == node || is_referred(store, call, refer));
    let is_sure = sure.is_some();
    sure.or_else(|| to_target.next()).map(|(index, _)| Referred { call: CallIndex(index as u32), is_sure })
}

/// Whether the INVITE of a call names the sender of the REFER as who asked for it (RFC 3892), or is to take over the call that
/// Refer-To names (RFC 3891): somebody else may have asked for another call to the same target.
fn is_referred(store: &MessageStore, call: &Call, refer: &Message) -> bool {
    let tables = &store.tables;
    let sender = party(tables.text(refer.from));
    let named = tables.header(refer, HeaderName::ReferredBy).map(party);
    let wanted = tables.header(refer, HeaderName::ReferTo).unwrap_or_default();
    let is_named = |first: &Message| {
        let by = tables.header(first, HeaderName::ReferredBy).map(party);
        by.is_some_and(|by| !by.is_empty() && (by == sender || Some(by) == named))
    };
    let is_wanted = |first: &Message| {
        let value = tables.header(first, HeaderName::Replaces);
        let call_id = value.and_then(|value| value.split(';').next());
        // Refer-To has it escaped: what stands before the @ is enough to know it by.
        let local = call_id.and_then(|id| id.trim().split(['@', '%']).next());
        local.is_some_and(|local| !local.is_empty() && wanted.contains(local))
    };
    let legs = call.legs.iter();
    let mut firsts = legs.filter_map(|leg| store.messages_of(leg).first());
    firsts.any(|first| is_named(first) || is_wanted(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_of_a_refer_is_its_user_or_host() {
        assert_eq!("2003", party("\"Bob\" <sip:2003@pbx.example;user=phone>"));
        assert_eq!("2003", party("<sip:2003@pbx.example?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"));
        assert_eq!("pbx.example", party("sip:pbx.example"));
        assert_eq!("+4930", party("tel:+4930"));
        assert_eq!("", party(""));
    }
}
