//! Family DLG: inside a call.

mod bye;
mod glare;
mod joined_late;
mod no_such_call;
mod prack;
mod route_set;
mod session_timer;
mod swallowed;
mod too_small;

pub(in crate::diagnose::rules) use glare::{higher_before, is_collision};

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        id: "dlg-session-timer",
        severity: Severity::Error,
        title: "Call cut by the session timer",
        subject: Subject::Call(session_timer::dlg_session_timer),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "dlg-prack",
        severity: Severity::Error,
        title: "Reliable ringing was not acknowledged",
        subject: Subject::Call(prack::dlg_prack),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "dlg-route-set-lost",
        severity: Severity::Error,
        title: "In-dialog requests do not follow the agreed path",
        subject: Subject::Call(route_set::dlg_route_set_lost),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "dlg-no-such-call",
        severity: Severity::Error,
        title: "The other side does not know this call",
        subject: Subject::Call(no_such_call::dlg_no_such_call),
        gate: Gate::Open,
    },
    Rule {
        id: "dlg-bye-lost",
        severity: Severity::Error,
        title: "Hang-up did not reach the other side",
        subject: Subject::Call(bye::dlg_bye_lost),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "dlg-glare",
        severity: Severity::Info,
        title: "Both sides changed the call at once",
        subject: Subject::Call(glare::dlg_glare),
        gate: Gate::Open,
    },
];
