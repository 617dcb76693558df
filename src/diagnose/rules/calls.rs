//! Family CALL: what happened to the call, where nobody is to blame for it.

use crate::call::Outcome;
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Finding, Proof, Severity};
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule {
    id: "call-busy",
    severity: Severity::Info,
    title: "Callee busy",
    subject: Subject::Call(call_busy),
    gate: Gate::Open,
}];

fn call_busy(case: &Case<'_>) -> Option<Finding> {
    if case.outcome() != Outcome::Busy {
        return None;
    }
    let (refuser, refusal) = (case.refuser()?, case.refusal()?);
    let callee = case.scene.text(case.call.callee);
    let after = refusal.time.millis_since(case.call.milestones.invited?);
    let finding = Finding::new(
        "call-busy",
        Severity::Info,
        Confidence::Certain,
        Proof::OwnWords,
    )
    .says(
        format!("{callee} was busy"),
        format!(
            "{} answered {} {after:.0} ms after the call began.",
            case.name(refuser),
            case.refusal_code()
        ),
        "Nothing is broken; call waiting, a hunt group or voicemail on busy would take such calls.",
    )
    .shown_by(case.shows(refusal, "the busy answer"))
    .at(refuser, case.refusal_code());
    Some(finding)
}
