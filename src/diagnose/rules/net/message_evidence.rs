//! Evidence in several messages: the sends of a request, or answers that come again.

use crate::call::{Message, TransactionIndex};
use crate::capture::FrameRef;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::Evidence;

/// Frames that evidence names; the rest can be found from these.
pub(super) const FRAMES_MAX: usize = 16;

/// Every send of a transaction's request, as evidence.
pub(super) fn sends(context: &CallContext<'_>, hop: TransactionIndex, shows: &str) -> Option<Evidence> {
    let messages: Vec<&Message> = context.transactions.sends_of(hop).map(|(_, m)| m).collect();
    in_messages(context, &messages, shows)
}

/// Several messages that show one thing, as evidence; the first one is quoted.
pub(in crate::diagnose::rules) fn in_messages(
    context: &CallContext<'_>,
    messages: &[&Message],
    shows: &str,
) -> Option<Evidence> {
    let first = messages.first()?;
    let frames: Vec<FrameRef> = messages.iter().map(|message| message.at).take(FRAMES_MAX).collect();
    Some(Evidence::in_frames(frames, context.start_line(first), shows))
}
