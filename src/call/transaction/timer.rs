//! The timers and limits of RFC 3261: how long something may take, how many hops there may be.

use std::time::Duration;

use crate::sip::Method;

/// How long an INVITE without any response is repeated: 64 × T1 (RFC 3261 section 17.1.1.2, timer B).
pub(in crate::call) const TIMER_B: Duration = Duration::from_secs(32);
/// How long a proxy lets a call ring at least (RFC 3261 section 16.6 step 11, timer C).
pub(in crate::call) const TIMER_C: Duration = Duration::from_secs(180);
/// How long before its answer an INVITE may have been sent: timer C and some slack.
const INVITE_ANSWER_WAIT: Duration = Duration::from_secs(200);
/// How long before its answer any other request may have been sent: 64 × T1 (RFC 3261 section 17.1.2.2, timer F).
pub(in crate::call) const REQUEST_ANSWER_WAIT: Duration = Duration::from_secs(32);
/// Hops followed from node to node; RFC 3261 section 16.6 allows 70.
pub(in crate::call) const HOPS_MAX: usize = 70;

/// How long before its answer a request may have been sent.
pub(in crate::call) fn answer_wait(method: Method) -> Duration {
    if method == Method::Invite { INVITE_ANSWER_WAIT } else { REQUEST_ANSWER_WAIT }
}
