//! What an attacker may put into captures and saved reports, and a judgement full of it.

use sipscan::analysis::CallField;
use sipscan::check::{
    ChangedCall, Comparison, Judgement, Kind, Proof, SetChange, Shift, Side, Status, Subject, Transition, Verdict,
};

/// Clears a screen, turns the reading direction, ends a CDATA section, begins a command of GitHub, a table cell, a directive.
pub const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{202e} <a href=\"x\">&'\u{fffe}\u{ffff}]]>\r\n::error::x%0A%0D::set-output name=x::y # TODO | `x` @all";

/// A judgement whose every text comes from an attacker.
fn judgement() -> Judgement {
    let text = HOSTILE;
    let mut failing = Verdict::new(Kind::Expectation, text, false, text).at_line(3);
    failing.proofs = vec![Proof { call: Some(1), call_id: text.to_owned(), note: text.to_owned(), frames: Vec::new() }];
    let mut waived = failing.clone();
    waived.status = Status::Waived(text.to_owned());
    Judgement {
        task: "check",
        policy: "a b,c:d.toml".to_owned(),
        captures: vec![text.to_owned()],
        comparison: Some(Comparison {
            baseline: vec![text.to_owned()],
            candidate: vec![text.to_owned()],
            transitions: vec![Transition { before: text.to_owned(), after: text.to_owned(), calls: 1 }],
            changed: vec![ChangedCall {
                baseline: Some(1),
                candidate: Some(1),
                caller: text.to_owned(),
                callee: text.to_owned(),
                before: text.to_owned(),
                after: text.to_owned(),
                before_note: text.to_owned(),
                after_note: text.to_owned(),
            }],
            shifts: vec![Shift {
                measure: CallField::PddMs,
                node: text.to_owned(),
                baseline: Side { count: 1, p50: 1.0, p95: 1.0 },
                candidate: Side { count: 1, p50: 1.0, p95: 1.0 },
                effect_size: 0.0,
                grows: false,
                worst: Vec::new(),
            }],
            differences: vec![SetChange {
                subject: Subject::CallerSoftware,
                before: text.to_owned(),
                after: text.to_owned(),
                count: 1,
                call: Some(1),
            }],
            ..Comparison::default()
        }),
        verdicts: vec![Verdict::new(Kind::Metric, "min_calls", true, "5"), failing, waived],
        ..Judgement::default()
    }
}

/// That judgement in one form of report.
pub fn written(write: impl Fn(&Judgement, &mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&judgement(), &mut out).expect("memory takes it");
    String::from_utf8(out).expect("UTF-8")
}
