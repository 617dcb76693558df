//! Needs: what rules may ask of the rest of the capture, as can be seen by what became of its calls and requests. What only serves to judge
//! failures of one kind is not gathered where there are none, so that a large capture of healthy calls costs no more than it must.

use crate::call::beside::other_request::OtherRequest;
use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::call::{Call, Outcome, is_challenge};
use crate::diagnose::input::DiagnosisInput;
use crate::sip::Method;

/// Which kinds of trouble the capture holds; each says what rules ask where there is such trouble, and nowhere else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Something was sent again, was not answered, or began before the capture: who spoke when, and which device is where.
    pub(super) silence: bool,
    /// A login was refused or never made: which ones were accepted elsewhere.
    pub(super) refused_login: bool,
    /// A call was sent elsewhere and nobody followed.
    pub(super) redirection: bool,
    /// A call was not answered: what its callee had registered.
    pub(super) unanswered_call: bool,
}

impl Needs {
    /// Looks at every call, try to register and request once.
    pub(super) fn of(input: &DiagnosisInput<'_>) -> Self {
        let mut needs = Self { silence: !input.handshakes.is_empty(), ..Self::default() };
        for call in input.calls {
            needs.silence |= call.retransmissions > 0 || call.outcome == Outcome::Partial || has_silent_hop(call);
            needs.refused_login |= call.outcome == Outcome::AuthFailed;
            needs.redirection |= call.outcome == Outcome::Redirected;
            needs.unanswered_call |= !call.outcome.is_answered();
        }
        for attempt in input.attempts {
            needs.silence |= attempt.sends > attempt.challenges + 1;
            needs.refused_login |= is_refused(attempt);
        }
        for request in input.requests {
            needs.silence |= request.sends > 1 || is_ignored(request);
            needs.refused_login |= is_challenged(request);
        }
        needs
    }
}

/// Whether nothing came back on some hop, as far as the capture shows.
fn has_silent_hop(call: &Call) -> bool {
    call.hops.iter().any(|hop| hop.reply_ms.is_none())
}

/// Whether a request was not answered; a keep-alive also where its answer says that nobody is there.
fn is_ignored(request: &OtherRequest) -> bool {
    request.answer.is_none_or(|(status, _, _)| request.method == Method::Options && status.is_failure())
}

/// Whether a try to register ended in a refusal or at a challenge.
pub(super) fn is_refused(attempt: &RegisterAttempt) -> bool {
    matches!(attempt.outcome, RegistrationOutcome::Failed | RegistrationOutcome::Challenged)
}

/// Whether the answer to a request asks for a login.
pub(super) fn is_challenged(request: &OtherRequest) -> bool {
    request.answer.is_some_and(|(status, _, _)| is_challenge(status))
}
