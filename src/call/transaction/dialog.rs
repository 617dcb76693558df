//! The dialog that carried the talk: which 2xx was taken, its ACK, and who ended it.
//!
//! Source: RFC 3261 sections 12, 13.2.2.4 and 15.

use std::time::Duration;

use crate::call::store::string_arena::TextId;
use crate::call::transaction::call_transactions::CallTransactions;
use crate::call::transaction::transaction::{MessageIndex, TransactionIndex};
use crate::sip::{Method, StatusCode};

/// A caller that took another answer of a forked call hangs up on this one within this time (RFC 3261 section 13.2.2.4).
pub const UNWANTED_ANSWER_WAIT: Duration = Duration::from_secs(2);

/// A dialog confirmed by a 2xx to the INVITE.
#[derive(Debug, Clone, Copy)]
pub struct Dialog {
    /// The INVITE transaction next to the caller that was answered.
    pub invite: TransactionIndex,
    /// The first 2xx of this dialog on that hop.
    pub answer: MessageIndex,
    /// To tag of that answer.
    pub to_tag: TextId,
    /// The first BYE of this dialog, on the hop next to the caller where it was seen there.
    pub bye: Option<TransactionIndex>,
}

/// Every dialog that was confirmed on the hop next to the caller, the one that carried the call first.
pub fn dialogs(transactions: &CallTransactions<'_>) -> Vec<Dialog> {
    let mut dialogs: Vec<Dialog> = Vec::new();
    let answered = transactions.chain.iter().copied().filter(|step| {
        let status = transactions.final_status(transactions.transaction(*step));
        status.is_some_and(StatusCode::is_success)
    });
    for step in answered {
        let answers =
            transactions.responses_of(step).filter(|(_, message)| message.status().is_some_and(StatusCode::is_success));
        for (answer, message) in answers {
            // Bounded: a forged capture may answer one INVITE with any number of tags.
            if dialogs.len() < 64 && !dialogs.iter().any(|known| known.to_tag == message.to_tag) {
                let bye = bye_of(transactions, step, answer, message.to_tag);
                dialogs.push(Dialog { invite: step, answer, to_tag: message.to_tag, bye });
            }
        }
    }
    if let Some(kept) = dialogs.iter().position(|dialog| !was_unwanted(transactions, dialog)) {
        dialogs.swap(0, kept);
    }
    dialogs
}

fn was_unwanted(transactions: &CallTransactions<'_>, dialog: &Dialog) -> bool {
    let Some(request) = dialog.bye.and_then(|bye| transactions.transaction(bye).request) else {
        return false;
    };
    let bye = transactions.message(request);
    bye.from_tag == transactions.caller_tag()
        && bye.time.since(transactions.message(dialog.answer).time) <= UNWANTED_ANSWER_WAIT
}

fn bye_of(
    transactions: &CallTransactions<'_>,
    step: TransactionIndex,
    answer: MessageIndex,
    to_tag: TextId,
) -> Option<TransactionIndex> {
    let invite = transactions.transaction(step);
    let node = |endpoint| transactions.tables.node(endpoint);
    let edge = (node(invite.source), node(invite.destination));
    let byes = || {
        transactions.each().filter(move |(_, transaction)| {
            let Some(request) = transaction.request else {
                return false;
            };
            let message = transactions.message(request);
            let in_dialog = to_tag.is_absent() || message.to_tag == to_tag || message.from_tag == to_tag;
            transaction.method == Method::Bye && request > answer && in_dialog
        })
    };
    let on_edge = byes().find(|(_, transaction)| {
        let pair = (node(transaction.source), node(transaction.destination));
        pair == edge || pair == (edge.1, edge.0)
    });
    on_edge.or_else(|| byes().next()).map(|(index, _)| index)
}
