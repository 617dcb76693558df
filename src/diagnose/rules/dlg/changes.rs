//! Changes of a call, and what other requests stood in their way: one that was pending, or a CSeq that was no lower.
//!
//! Sources: RFC 3261 sections 12.2.2, 14.1 and 14.2.

use std::time::Duration;

use crate::call::{EndpointId, Message, Transaction, TransactionIndex};
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::sip::{HeaderName, Method};

/// How long a request without answer is under way at most (64 × T1, RFC 3261 section 17.1).
const PENDING_MAX: Duration = Duration::from_secs(32);
/// The longest Retry-After of a 500 to an offer that overlaps another one, in seconds (RFC 3261 section 14.2).
const RETRY_AFTER_MAX: u32 = 10;
/// Hops that a request is followed.
const HOPS_MAX: usize = 16;

/// Whether a request asks for a change of a call that is up.
pub(super) fn is_change(context: &CallContext<'_>, t: &Transaction) -> bool {
    matches!(t.method, Method::Invite | Method::Update)
        && t.request.is_some_and(|request| !context.transactions.message(request).to_tag.is_absent())
}

/// Whether a change was refused because another one was under way.
pub(in crate::diagnose::rules) fn is_collision(context: &CallContext<'_>, t: &Transaction, answer: &Message) -> bool {
    match answer.status().map_or(0, |status| status.0) {
        491 => true,
        500 => {
            let retry_after = context
                .header(answer, HeaderName::RetryAfter)
                .and_then(|value| value.split([';', ' ', '(']).next()?.parse::<u32>().ok());
            retry_after.is_some_and(|seconds| seconds <= RETRY_AFTER_MAX) && overlaps(context, t)
        }
        _ => false,
    }
}

/// Whether another change of the same call was pending when this one was sent.
fn overlaps(context: &CallContext<'_>, t: &Transaction) -> bool {
    let sent = context.transactions.message(t.first).time;
    context.transactions.each().any(|(_, other)| {
        is_change(context, other)
            && other.first != t.first
            && other.via != t.via
            && context.transactions.message(other.first).time <= sent
            && is_pending(context, other, sent)
    })
}

/// Whether a change had no final answer yet at a moment. The answer may be missing in the capture: an ACK shows that there was
/// one, and no request waits for ever.
pub(super) fn is_pending(context: &CallContext<'_>, change: &Transaction, at: Timestamp) -> bool {
    let sent = context.transactions.message(change.first);
    match change.final_response {
        Some(end) => context.transactions.message(end).time >= at,
        None => !is_acknowledged(context, sent) && at.since(sent.time) <= PENDING_MAX,
    }
}

/// Whether an ACK to an INVITE was sent, so that it had its answer.
fn is_acknowledged(context: &CallContext<'_>, invite: &Message) -> bool {
    context.transactions.originals().any(|(_, message)| {
        message.is_request(Method::Ack) && message.from_tag == invite.from_tag && message.cseq == invite.cseq
    })
}

/// The furthest node that is seen to have been asked and to have given the same answer.
pub(super) fn refuser(context: &CallContext<'_>, request: TransactionIndex) -> EndpointId {
    let mut hop = request;
    for _ in 0..HOPS_MAX {
        let status = context.transactions.final_status(context.transactions.transaction(hop));
        let mut next = context.transactions.children(hop);
        match next.find(|(_, t)| context.transactions.final_status(t) == status) {
            Some((further, _)) if further > hop => hop = further,
            _ => break,
        }
    }
    context.transactions.transaction(hop).destination
}

/// An earlier request of the same side in the call whose CSeq is not lower, so that this one has to be refused.
pub(in crate::diagnose::rules) fn higher_before<'a>(
    context: &CallContext<'a>,
    request: &Message,
) -> Option<&'a Message> {
    if request.to_tag.is_absent() {
        return None;
    }
    let mut all = context.transactions.originals().map(|(_, message)| message);
    all.find(|earlier| {
        earlier
            .method()
            .is_some_and(|method| !matches!(method, Method::Ack | Method::Cancel))
            && earlier.from_tag == request.from_tag
            && earlier.source == request.source
            && earlier.group == request.group
            && earlier.via != request.via
            && earlier.time < request.time
            && earlier.cseq >= request.cseq
            // Each dialog has numbers of its own, and a forked call has several dialogs.
            && (earlier.to_tag.is_absent() || earlier.to_tag == request.to_tag)
    })
}
