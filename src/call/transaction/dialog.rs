//! The dialog that carried the talk: which 2xx was taken, its ACK, and who ended it.
//!
//! Source: RFC 3261 sections 12, 13.2.2.4 and 15.

use std::time::Duration;

use crate::call::store::string_arena::TextId;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::pairing::{MessageIndex, TransactionIndex};
use crate::sip::{Method, StatusCode};

/// A caller that took another answer of a forked call hangs up on this one within this time (RFC 3261 section 13.2.2.4).
pub(in crate::call) const UNWANTED_ANSWER_WAIT: Duration = Duration::from_secs(2);

/// Dialogs distinguished in one call; a forged capture may answer one INVITE with any number of tags.
const DIALOGS_MAX: usize = 64;

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
    for step in transactions.steps().filter(|step| step.is_success()) {
        let answers = step.responses().filter(|(_, message)| message.status().is_some_and(StatusCode::is_success));
        for (answer, message) in answers {
            let to_tag = message.to_tag;
            if dialogs.len() < DIALOGS_MAX && !dialogs.iter().any(|known| known.to_tag == to_tag) {
                let bye = bye_of(transactions, step, answer, to_tag);
                dialogs.push(Dialog { invite: step.index(), answer, to_tag, bye });
            }
        }
    }
    if let Some(kept) = dialogs.iter().position(|dialog| !was_unwanted(transactions, dialog)) {
        dialogs.swap(0, kept);
    }
    dialogs
}

fn was_unwanted(transactions: &CallTransactions<'_>, dialog: &Dialog) -> bool {
    let Some(bye) = dialog.bye.and_then(|bye| transactions.hop(bye).request()) else {
        return false;
    };
    bye.from_tag == transactions.caller_tag()
        && bye.time.since(transactions.message(dialog.answer).time) <= UNWANTED_ANSWER_WAIT
}

fn bye_of(
    transactions: &CallTransactions<'_>,
    invite: TransactionView<'_, '_>,
    answer: MessageIndex,
    to_tag: TextId,
) -> Option<TransactionIndex> {
    let edge = invite.nodes();
    let byes = || {
        transactions.all().filter(move |hop| {
            let Some(request) = hop.request() else {
                return false;
            };
            let in_dialog = to_tag.is_absent() || request.to_tag == to_tag || request.from_tag == to_tag;
            hop.method == Method::Bye && hop.request > Some(answer) && in_dialog
        })
    };
    let on_edge = byes().find(|hop| hop.nodes() == edge || hop.nodes() == (edge.1, edge.0));
    on_edge.or_else(|| byes().next()).map(TransactionView::index)
}
