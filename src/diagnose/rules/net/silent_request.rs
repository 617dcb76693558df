//! The request at which a failed call ends because nothing answered it.
//!
//! Source: RFC 3261 section 8.1.3.1 (what a proxy answers for a peer that is silent).

use crate::call::detail::silence::silent_hop;
use crate::call::{Outcome, Transaction, TransactionIndex};
use crate::diagnose::context::call_context::CallContext;

/// The request at which a failed call ends, where nothing at all answered it.
pub(super) fn silent_request<'a>(context: &'a CallContext<'_>) -> Option<(TransactionIndex, &'a Transaction)> {
    let may_be_silence = match context.outcome() {
        Outcome::TimedOut | Outcome::Cancelled => true,
        Outcome::Unreachable | Outcome::ServerFailed | Outcome::Rejected => {
            matches!(context.code(), 408 | 477 | 480 | 500 | 502 | 503 | 504)
        }
        _ => false,
    };
    if !may_be_silence {
        return None;
    }
    let hop = silent_hop(&context.transactions)?;
    Some((hop, context.transactions.transaction(hop)))
}
