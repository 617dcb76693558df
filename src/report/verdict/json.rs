//! A check or comparison as JSON, described in docs/ci.md: `sipscan-check/1`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::check::{ChangedCall, Comparison, Judgement, Status, Verdict};
use crate::report::json::Lines;

/// Name and version of the document's form; fields may be added within a version, none is lost or renamed.
pub const SCHEMA: &str = "sipscan-check/1";

/// Writes the document.
///
/// # Errors
/// Whatever `out` returns.
pub fn write(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let (holds, fails, waived) = judgement.counts();
    let document = json!({
        "schema": SCHEMA,
        "sipscan": env!("CARGO_PKG_VERSION"),
        "task": judgement.task,
        "holds": judgement.holds(),
        "policy": Some(&judgement.policy).filter(|policy| !policy.is_empty()),
        "captures": judgement.captures,
        "calls": judgement.calls,
        "counts": {"holds": holds, "fails": fails, "waived": waived},
        "verdicts": judgement.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "comparison": judgement.comparison.as_ref().map(comparison),
    });
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::default());
    document.serialize(&mut serializer)?;
    writeln!(out)
}

fn verdict(verdict: &Verdict) -> Value {
    let reason = match &verdict.status {
        Status::Waived(reason) => Some(reason),
        _ => None,
    };
    let proofs: Vec<Value> = verdict
        .proofs
        .iter()
        .map(|proof| {
            let frames: Vec<Value> =
                proof.frames.iter().map(|at| json!({"file": at.file, "frame": at.frame})).collect();
            json!({"call": proof.call, "call_id": proof.call_id, "note": proof.note, "frames": frames})
        })
        .collect();
    json!({
        "kind": verdict.kind.word(),
        "name": verdict.name,
        "status": verdict.status.word(),
        "said": verdict.said,
        "reason": reason,
        "policy_line": verdict.line,
        "proofs": proofs,
    })
}

fn comparison(comparison: &Comparison) -> Value {
    let rules = |rules: &[(String, u32)]| -> Vec<Value> {
        let lines = rules.iter().map(|(rule, count)| json!({"rule": rule, "count": count}));
        lines.collect()
    };
    let calls = |calls: &[ChangedCall]| -> Vec<Value> { calls.iter().map(changed).collect() };
    let transitions: Vec<Value> = comparison
        .transitions
        .iter()
        .map(|t| json!({"before": t.before, "after": t.after, "calls": t.calls}))
        .collect();
    let side = |side: &crate::check::Side| json!({"count": side.count, "p50_ms": rounded(side.p50), "p95_ms": rounded(side.p95)});
    let shifts: Vec<Value> = comparison
        .shifts
        .iter()
        .map(|shift| {
            json!({
                "measure": shift.measure.name(),
                "node": Some(&shift.node).filter(|node| !node.is_empty()),
                "baseline": side(&shift.baseline),
                "candidate": side(&shift.candidate),
                "effect_size": rounded(shift.effect_size),
                "grows": shift.grows,
            })
        })
        .collect();
    let differences: Vec<Value> = comparison
        .differences
        .iter()
        .map(|change| {
            json!({"subject": change.subject.word(), "before": change.before, "after": change.after, "count": change.count, "call": change.call})
        })
        .collect();
    json!({
        "baseline": comparison.baseline,
        "candidate": comparison.candidate,
        "baseline_calls": comparison.baseline_calls,
        "candidate_calls": comparison.candidate_calls,
        "transitions": transitions,
        "changed": calls(&comparison.changed),
        "missing": calls(&comparison.missing),
        "added": calls(&comparison.added),
        "shifts": shifts,
        "new_findings": rules(&comparison.new_findings),
        "gone_findings": rules(&comparison.gone_findings),
        "differences": differences,
    })
}

fn changed(call: &ChangedCall) -> Value {
    json!({
        "baseline": call.baseline,
        "candidate": call.candidate,
        "caller": call.caller,
        "callee": call.callee,
        "before": call.before,
        "after": call.after,
        "before_note": call.before_note,
        "after_note": call.after_note,
    })
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0 + 0.0
}
