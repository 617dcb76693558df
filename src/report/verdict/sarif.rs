//! SARIF 2.1.0: one result for each failure, for code scanning pages and editors.
//!
//! Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::check::{Judgement, Proof, Status, Verdict};
use crate::report::escape;

/// Where the schema of the format is published.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes the document.
///
/// # Errors
/// Whatever `out` returns.
pub fn write(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let mut kinds: Vec<&str> = judgement.verdicts.iter().map(|verdict| verdict.kind.word()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let rules: Vec<Value> =
        kinds.iter().map(|kind| json!({"id": kind, "shortDescription": {"text": description(kind)}})).collect();
    let results: Vec<Value> = judgement
        .verdicts
        .iter()
        .filter(|verdict| verdict.status != Status::Holds)
        .map(|verdict| result(judgement, verdict))
        .collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "sipscan",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn description(kind: &str) -> &'static str {
    match kind {
        "metrics" => "A ratio, delay or count is outside its limit",
        "outcomes" => "Calls ended in a way that is not accepted",
        "codes" => "Calls ended with a forbidden code",
        "findings" => "A rule found a fault",
        "comparison" => "The candidate differs from the baseline",
        _ => "Calls are not as the policy expects",
    }
}

fn result(judgement: &Judgement, verdict: &Verdict) -> Value {
    let mut text = format!("{}: {}", verdict.name, verdict.sentence());
    for line in judgement.proof_lines(verdict) {
        text.push('\n');
        text.push_str(&line);
    }
    let lines: Vec<_> = text.lines().map(escape::terminal).collect();
    let mut result = json!({
        "ruleId": verdict.kind.word(),
        "level": "error",
        "message": {"text": lines.join("\n")},
        "locations": [place(judgement, verdict)],
        "partialFingerprints": {"expectation/v1": format!("{}/{}", verdict.kind.word(), escape::terminal(&verdict.name))},
        "properties": {"proofs": verdict.proofs.iter().map(proof).collect::<Vec<_>>()},
    });
    if let Status::Waived(reason) = &verdict.status {
        result["suppressions"] = json!([{"kind": "external", "justification": escape::terminal(reason)}]);
    }
    result
}

/// The line of the policy that asks for it, else the first capture: a result must have a file to be shown at.
fn place(judgement: &Judgement, verdict: &Verdict) -> Value {
    let location = |path: &str, line: u32| {
        json!({"physicalLocation": {
            "artifactLocation": {"uri": uri(path)},
            "region": {"startLine": line},
        }})
    };
    match verdict.line {
        Some(line) if !judgement.policy.is_empty() => location(&judgement.policy, line),
        _ => location(judgement.captures.first().map_or("capture", String::as_str), 1),
    }
}

fn proof(proof: &Proof) -> Value {
    let frames: Vec<Value> = proof.frames.iter().map(|at| json!({"file": at.file, "frame": at.frame})).collect();
    json!({"call": proof.call, "call_id": escape::terminal(&proof.call_id), "frames": frames})
}

/// A path as a relative URI reference: all but unreserved characters and slashes percent-encoded (RFC 3986 section 2.3).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
