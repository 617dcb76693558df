//! Family CALL: what happened to the call, where mostly nobody is to blame for it.

mod branches;
mod cancelled;
mod established;
mod forked;
mod mass_end;
mod redirected;
mod refused;
mod unanswered;

use crate::diagnose::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call(
        "call-dropped-by-network",
        Severity::Error,
        "An established call was ended by a machine",
        established::dropped_by_network,
    )
    .and_capture(mass_end::mass_end),
    Rule::of_call(
        "call-cancel-race",
        Severity::Warn,
        "Answered and cancelled at the same moment",
        cancelled::cancel_race,
    ),
    Rule::of_call("call-no-answer", Severity::Info, "It rang, nobody answered", unanswered::no_answer),
    Rule::of_call("call-declined", Severity::Info, "Call was declined", refused::declined),
    Rule::of_call("call-busy", Severity::Info, "Callee busy", refused::busy),
    Rule::of_call("call-cancelled", Severity::Info, "Caller gave up", cancelled::cancelled),
    Rule::of_call("call-redirected", Severity::Error, "The call was redirected", redirected::redirected),
    Rule::of_call(
        "call-unreachable",
        Severity::Error,
        "User exists but has no reachable device",
        unanswered::unreachable,
    ),
    Rule::of_call("call-fork", Severity::Warn, "Several devices were rung", branches::fork),
    Rule::of_call(
        "call-failover",
        Severity::Warn,
        "First route failed, another one carried the call",
        branches::failover,
    ),
    Rule::of_call(
        "call-reinvite-rejected",
        Severity::Warn,
        "A change during the call was refused; the call continued",
        established::reinvite_rejected,
    ),
    Rule::of_call(
        "call-announcement",
        Severity::Info,
        "The caller heard an announcement before the failure",
        unanswered::announcement,
    ),
];
