//! Family AUTH: digest authentication of calls and registrations, and refusals by policy.
//!
//! Sources: RFC 3261 section 22, RFC 7616, RFC 8760.

mod forbidden;
mod login;
mod outside;
mod refused;
mod stale;
mod unanswered;

use login::Login;

use crate::diagnose::Severity;
use crate::diagnose::rule::{Gate, Rule};

/// A rule that is asked about each login that led nowhere: of a call, of a registration, of other requests; and where it has
/// a further function, about each call without one.
macro_rules! of_logins {
    ($id:literal, $ask:path $(, $otherwise:path)?) => {
        Rule::of_call($id, Severity::Error, |context| match Login::of_call(context) {
            Some(login) => $ask(&login),
            None => None$(.or_else(|| $otherwise(context)))?,
        })
        .and_registration(|capture, device| $ask(&Login::of_device(capture, device)?))
        .and_capture(|capture| outside::claims(capture, $ask))
        .gated(Gate::Complete)
    };
}

/// The rules of this family; each speaks of calls, of registrations and of other requests.
pub const RULES: &[Rule] = &[
    of_logins!("auth-stale-loop", stale::auth_stale_loop),
    of_logins!("auth-algorithm", unanswered::auth_algorithm),
    of_logins!("auth-digest-error", refused::auth_digest_error),
    of_logins!("auth-rejected", refused::auth_rejected),
    of_logins!("auth-no-credentials", unanswered::auth_no_credentials, unanswered::auth_no_credentials_of_call)
        .gated(Gate::BothDirections),
    Rule::of_call("auth-forbidden", Severity::Error, forbidden::auth_forbidden_of_call)
        .and_registration(forbidden::auth_forbidden_of_registration)
        .gated(Gate::Complete),
];
