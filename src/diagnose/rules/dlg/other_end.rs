//! What became of a call on the side that a hang-up never reached.

use crate::call::Message;
use crate::diagnose::context::call_context::CallContext;
use crate::sip::Method;

/// The BYE with which the other side ended the call by itself.
pub(super) fn later_end<'a>(context: &CallContext<'a>, bye: &Message) -> Option<&'a Message> {
    let mut all = context.transactions.originals().map(|(_, message)| message);
    all.find(|message| message.is_request(Method::Bye) && message.from_tag == bye.to_tag && message.time > bye.time)
}

/// For how long that side held the call, as the end of a sentence.
pub(super) fn held_on(bye: &Message, end: &Message) -> String {
    let seconds = end.time.since(bye.time).as_secs_f64();
    format!("held the call for another {seconds:.0} s (its own BYE is frame {})", end.at.frame)
}
