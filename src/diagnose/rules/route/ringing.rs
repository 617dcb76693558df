//! Ringing: it shows that the called number exists, whatever the call is refused with in the end.
//!
//! Sources: RFC 3261 sections 21.1.2 and 21.1.5 (180, 183).

use crate::call::{Message, Transaction};
use crate::diagnose::CallContext;

/// Whether a device alerted; an announcement in a 183 is how networks say that a number does not exist.
pub(super) fn has_rung(context: &CallContext<'_>, root: &Transaction) -> bool {
    let first = root.alerting.and_then(|alerting| context.message(alerting));
    let is_progress = |message: &Message| message.status().is_some_and(|status| status.0 == 183);
    root.ringing.is_some() || first.is_some_and(|first| !is_progress(first))
}
