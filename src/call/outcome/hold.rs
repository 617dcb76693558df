//! Holds: when one side of a call made the other one wait, and whether that ended.
//!
//! Sources: RFC 3264 section 8.4, RFC 6337 section 5.3.

use crate::call::outcome::negotiation::{changes, exchange, is_agreed, is_held, used};
use crate::call::store::session::SessionId;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_transactions::CallTransactions;
use crate::call::transaction::pairing::MessageIndex;
use crate::sip::sdp::Direction;

fn is_inactive(tables: &Tables, session: SessionId) -> bool {
    let mut lines = used(tables.sessions.shape(session)).peekable();
    lines.peek().is_some() && lines.all(|media| media.direction() == Direction::Inactive)
}

/// One time on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The message that put the other side on hold.
    pub began: MessageIndex,
    /// The message that ended it; `None` where none did.
    pub ended: Option<MessageIndex>,
    /// Whether the other side held as well when the hold ended or the call did.
    pub is_mutual: bool,
    /// Whether neither side may send: the hold or its answer says inactive.
    pub is_silent: bool,
}

/// The times on hold of a call in the order of their begin, as agreed next to the caller.
pub fn holds(transactions: &CallTransactions<'_>) -> Vec<Hold> {
    let mut holds: Vec<Hold> = Vec::new();
    let first = transactions.last_step().map(|step| exchange(transactions, step));
    for (place, exchange) in first.into_iter().chain(changes(transactions)).enumerate() {
        if !is_agreed(transactions, &exchange) {
            continue;
        }
        let (Some(offer), Some(answer)) = (exchange.offer, exchange.answer) else {
            continue;
        };
        let silencer =
            [offer, answer].into_iter().find(|at| is_inactive(transactions.tables, transactions.message(*at).session));
        let is_silent = silencer.is_some();
        if place == 0 {
            // A call that begins one way, such as an announcement, is not on hold; one that begins inactive is.
            holds.extend(silencer.map(|began| Hold { began, ended: None, is_mutual: false, is_silent }));
            continue;
        }
        note(transactions, &mut holds, offer);
        for hold in holds.iter_mut().filter(|hold| hold.began == offer) {
            hold.is_silent = is_silent;
        }
        // Who answers a hold with inactive or sendonly may only mirror it.
        if !is_held(transactions.tables, transactions.message(offer).session) {
            note(transactions, &mut holds, answer);
        }
    }
    holds
}

fn note(transactions: &CallTransactions<'_>, holds: &mut Vec<Hold>, at: MessageIndex) {
    let node = |at: MessageIndex| transactions.tables.node(transactions.message(at).source);
    let is_held = is_held(transactions.tables, transactions.message(at).session);
    let other_holds = holds.iter().any(|hold| hold.ended.is_none() && node(hold.began) != node(at));
    let open = holds.iter_mut().find(|hold| hold.ended.is_none() && node(hold.began) == node(at));
    match (open, is_held) {
        (Some(hold), false) => hold.ended = Some(at),
        (None, true) => {
            for hold in holds.iter_mut().filter(|hold| hold.ended.is_none()) {
                hold.is_mutual = true;
            }
            holds.push(Hold { began: at, ended: None, is_mutual: other_holds, is_silent: false });
        }
        _ => {}
    }
}
