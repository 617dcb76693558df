//! Family CALL: what happened to the call, where mostly nobody is to blame for it.

mod branches;
mod cancelled;
mod established;
mod failover;
mod fork;
mod forked;
mod mass_end;
mod redirected;
mod refused;
mod unanswered;

use crate::diagnose::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("call-dropped-by-network", Severity::Error, established::call_dropped_by_network_of_call)
        .and_capture(mass_end::call_dropped_by_network_of_capture),
    Rule::of_call("call-cancel-race", Severity::Warn, cancelled::call_cancel_race),
    Rule::of_call("call-no-answer", Severity::Info, unanswered::call_no_answer),
    Rule::of_call("call-declined", Severity::Warn, refused::call_declined),
    Rule::of_call("call-busy", Severity::Info, refused::call_busy),
    Rule::of_call("call-cancelled", Severity::Info, cancelled::call_cancelled),
    Rule::of_call("call-redirected", Severity::Error, redirected::call_redirected),
    Rule::of_call("call-unreachable", Severity::Error, unanswered::call_unreachable),
    Rule::of_call("call-fork", Severity::Warn, fork::call_fork),
    Rule::of_call("call-failover", Severity::Warn, failover::call_failover),
    Rule::of_call("call-reinvite-rejected", Severity::Warn, established::call_reinvite_rejected),
    Rule::of_call("call-announcement", Severity::Info, unanswered::call_announcement),
];
