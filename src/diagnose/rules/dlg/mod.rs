//! Family DLG: inside a call.

mod agreed_path;
mod bye;
pub(in crate::diagnose::rules) mod changes;
mod glare;
mod joined_late;
mod no_such_call;
mod other_end;
mod prack;
mod route_set;
mod session_timer;
mod swallowed;
mod too_small;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("dlg-session-timer", Severity::Error, session_timer::dlg_session_timer).gated(Gate::BothDirections),
    Rule::of_call("dlg-prack", Severity::Error, prack::dlg_prack).gated(Gate::BothDirections),
    Rule::of_call("dlg-route-set-lost", Severity::Error, route_set::dlg_route_set_lost).gated(Gate::BothDirections),
    Rule::of_call("dlg-no-such-call", Severity::Error, no_such_call::dlg_no_such_call),
    Rule::of_call("dlg-bye-lost", Severity::Error, bye::dlg_bye_lost).gated(Gate::BothDirections),
    Rule::of_call("dlg-glare", Severity::Warn, glare::dlg_glare),
];
