//! Family CALL: what happened to the call, where mostly nobody is to blame for it.

mod branches;
mod cancelled;
mod established;
mod forked;
mod mass_end;
mod redirected;
mod refused;
mod unanswered;

use crate::diagnose::rule::{Gate, Rule, Subject};
use crate::diagnose::{CallContext, Finding, Severity};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        subject: Subject::CallAndCapture(established::dropped_by_network, mass_end::mass_end),
        ..rule(
            "call-dropped-by-network",
            Severity::Error,
            "An established call was ended by a machine",
            established::dropped_by_network,
        )
    },
    rule("call-cancel-race", Severity::Warn, "Answered and cancelled at the same moment", cancelled::cancel_race),
    rule("call-no-answer", Severity::Info, "It rang, nobody answered", unanswered::no_answer),
    rule("call-declined", Severity::Info, "Call was declined", refused::declined),
    rule("call-busy", Severity::Info, "Callee busy", refused::busy),
    rule("call-cancelled", Severity::Info, "Caller gave up", cancelled::cancelled),
    rule("call-redirected", Severity::Error, "The call was redirected", redirected::redirected),
    rule("call-unreachable", Severity::Error, "User exists but has no reachable device", unanswered::unreachable),
    rule("call-fork", Severity::Warn, "Several devices were rung", branches::fork),
    rule("call-failover", Severity::Warn, "First route failed, another one carried the call", branches::failover),
    rule(
        "call-reinvite-rejected",
        Severity::Warn,
        "A change during the call was refused; the call continued",
        established::reinvite_rejected,
    ),
    rule(
        "call-announcement",
        Severity::Info,
        "The caller heard an announcement before the failure",
        unanswered::announcement,
    ),
];

const fn rule(
    id: &'static str,
    severity: Severity,
    title: &'static str,
    ask: fn(&CallContext<'_>) -> Option<Finding>,
) -> Rule {
    Rule { id, severity, title, subject: Subject::Call(ask), gate: Gate::Open }
}
