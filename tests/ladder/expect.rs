//! What a ladder says the analysis must find.

use sipscan::analysis::{Analysis, CallEntry};
use sipscan::call::detail::delay::stages;
use sipscan::call::detail::rewriting::{RewriteKind, rewriting};
use sipscan::call::transactions_of;
use sipscan::diagnose::{Finding, Severity};

/// What is wrong with an analysis, by line of the ladder; empty where all expectations hold.
pub fn failures(analysis: &Analysis, expectations: &[(usize, String)]) -> Vec<String> {
    let check = |(line, text): &(usize, String)| {
        holds(analysis, text).err().map(|why| format!("line {line}: expect {text}: {why}"))
    };
    expectations.iter().filter_map(check).collect()
}

fn holds(analysis: &Analysis, text: &str) -> Result<(), String> {
    let mut words = text.split_whitespace();
    let (mut what, mut rest): (&str, Vec<&str>) = (words.next().unwrap_or_default(), words.collect());
    let mut number = 1;
    if what == "call" {
        number = rest.first().and_then(|number| number.parse().ok()).ok_or("call needs a number")?;
        what = rest.get(1).copied().ok_or("nothing is expected of the call")?;
        rest = rest.split_off(2);
    }
    let value = rest.join(" ");
    let call = || analysis.calls.get(number - 1).ok_or_else(|| format!("there are {} calls", analysis.calls.len()));
    match what {
        "calls" => same(&value, &analysis.calls.len().to_string()),
        "outcome" => same(&value, call()?.call.outcome.word()),
        "code" => same(&value, &call()?.call.final_code.map_or("none".to_owned(), |code| code.0.to_string())),
        "ended-by" => same(&value, call()?.call.ended_by.map_or("none", |party| party.word())),
        "primary" => same(&value, call()?.primary().map_or("none", |finding| finding.rule)),
        "origin" => {
            let origin = call()?.call.origin.map(|origin| analysis.store.tables.endpoint(origin.endpoint).to_string());
            same(&value, &origin.unwrap_or_else(|| "none".to_owned()))
        }
        "copies" => same(&value, &analysis.fitness.copies.to_string()),
        "retransmissions" => same(&value, &call()?.call.retransmissions.to_string()),
        "legs" => same(&value, &call()?.call.legs.len().to_string()),
        "pdd" => near(&value, call()?.call.milestones.pdd_ms()),
        "ring" => near(&value, call()?.call.milestones.ring_ms()),
        "setup" => near(&value, call()?.call.milestones.setup_ms()),
        "messages" => same(&value, &call()?.call.messages.to_string()),
        "teardown" => near(&value, call()?.call.milestones.teardown_ms()),
        "hops" => same(&value, &call()?.call.hops.len().to_string()),
        "registrations" => same(&value, &analysis.registrations.len().to_string()),
        "others" => same(&value, &analysis.other_requests.len().to_string()),
        "delay" => delay(analysis, call()?, &rest),
        "rewritten" => rewritten(analysis, call()?, &rest),
        "talk" => near(&value, call()?.call.milestones.talk_ms()),
        "finding" => finding(analysis, number, &rest),
        "no" => absent(analysis, &value),
        "says" => says(analysis, &rest),
        "unsaid" => match says(analysis, &rest) {
            Ok(()) => Err("it says so".to_owned()),
            Err(_) => Ok(()),
        },
        "shown-says" => super::shown::says(analysis, &value),
        "shown-unsaid" => super::shown::unsaid(analysis, &value),
        "incident" => incident(analysis, &rest),
        _ => Err("unknown expectation".to_owned()),
    }
}

fn same(expected: &str, got: &str) -> Result<(), String> {
    if expected.split('|').any(|expected| expected == got) { Ok(()) } else { Err(format!("got {got}")) }
}

fn near(expected: &str, got: Option<f64>) -> Result<(), String> {
    let expected = super::parse::duration_us(expected) as f64 / 1000.0;
    match got {
        Some(got) if (got - expected).abs() <= 0.5 => Ok(()),
        got => Err(format!("got {got:?} ms")),
    }
}

/// `delay STAGE TIME STAGE TIME ...`: the stages of the post-dial delay, in their order, which add up to it.
fn delay(analysis: &Analysis, entry: &CallEntry, words: &[&str]) -> Result<(), String> {
    let transactions = transactions_of(&analysis.store, &entry.call.legs);
    let stages = stages(&transactions);
    let sum: f64 = stages.iter().map(|stage| stage.millis()).sum();
    let whole = entry.call.milestones.pdd_ms().unwrap_or(0.0);
    if (sum - whole).abs() > 1e-6 {
        return Err(format!("the stages last {sum} ms, the delay {whole} ms"));
    }
    let told: Vec<String> = stages.iter().map(|stage| format!("{} {}ms", stage.kind.word(), stage.millis())).collect();
    same(&words.join(" "), &told.join(" "))
}

/// `rewritten HOP PART PART ...`: what is different on a hop, counted from 1, in its order.
fn rewritten(analysis: &Analysis, entry: &CallEntry, words: &[&str]) -> Result<(), String> {
    let (hop, parts) = words.split_first().ok_or("which hop?")?;
    let transactions = transactions_of(&analysis.store, &entry.call.legs);
    let hop: usize = hop.parse().map_err(|_| "the hop is no number")?;
    let (index, _) = transactions.invites().nth(hop.wrapping_sub(1)).ok_or("there is no such hop")?;
    let told: Vec<String> = rewriting(&transactions, index)
        .iter()
        .map(|rewrite| match rewrite.how {
            RewriteKind::Added => format!("+{}", rewrite.part.word()),
            RewriteKind::Removed => format!("-{}", rewrite.part.word()),
            RewriteKind::Changed => rewrite.part.word().to_owned(),
        })
        .collect();
    same(&parts.join(" "), &told.join(" "))
}

/// `finding RULE [SEVERITY] [CONFIDENCE]` of a call, a registration, or an incident without calls.
fn finding(analysis: &Analysis, number: usize, words: &[&str]) -> Result<(), String> {
    let rule = words.first().ok_or("which rule?")?;
    let of_call = analysis.calls.get(number - 1).map(|entry: &CallEntry| entry.findings.iter()).into_iter().flatten();
    let registered = analysis.registrations.iter().flat_map(|entry| &entry.findings);
    let incidents = analysis.incidents.iter().map(|incident| &incident.finding);
    let all: Vec<&Finding> = of_call.chain(registered).chain(incidents).collect();
    let found = all.iter().find(|finding| finding.rule == *rule).ok_or_else(|| format!("found {:?}", rules(&all)))?;
    for word in &words[1..] {
        if found.severity.word() != *word && found.seen.confidence.word() != *word {
            return Err(format!("it is {} and {}", found.severity.word(), found.seen.confidence.word()));
        }
    }
    Ok(())
}

/// Every finding of the run.
fn everywhere(analysis: &Analysis) -> impl Iterator<Item = &Finding> {
    let calls = analysis.calls.iter().flat_map(|entry| &entry.findings);
    let registered = analysis.registrations.iter().flat_map(|entry| &entry.findings);
    let incidents = analysis.incidents.iter().map(|incident| &incident.finding);
    calls.chain(registered).chain(incidents)
}

/// `says RULE WORDS`: the words are in the title or the explanation of a finding of this rule, anywhere; `unsaid` has the opposite.
fn says(analysis: &Analysis, words: &[&str]) -> Result<(), String> {
    let (rule, words) = words.split_first().ok_or("which rule?")?;
    let words = words.join(" ");
    let findings = everywhere(analysis).filter(|finding| finding.rule == *rule);
    let incidents = analysis.incidents.iter().filter(|incident| incident.finding.rule == *rule);
    let texts: Vec<String> = findings
        .map(|finding| format!("{} {}", finding.title(), finding.explanation()))
        .chain(incidents.map(|incident| format!("{} {}", incident.title(), incident.explanation())))
        .collect();
    if texts.iter().any(|text| text.contains(&words)) { Ok(()) } else { Err(format!("it says {texts:?}")) }
}

/// `no RULE`, `no error`, `no finding`, anywhere.
fn absent(analysis: &Analysis, what: &str) -> Result<(), String> {
    let hit = everywhere(analysis).find(|finding| match what {
        "finding" => true,
        "error" => finding.severity == Severity::Error,
        rule => finding.rule == rule,
    });
    hit.map_or(Ok(()), |finding| Err(format!("{}: {}", finding.rule, finding.explanation())))
}

/// `incident RULE COUNT`.
fn incident(analysis: &Analysis, words: &[&str]) -> Result<(), String> {
    let [rule, count] = words else {
        return Err("incident needs a rule and a count".to_owned());
    };
    let counts: Vec<String> = analysis
        .incidents
        .iter()
        .filter(|incident| incident.finding.rule == *rule)
        .map(|incident| incident.count.to_string())
        .collect();
    if counts.iter().any(|got| got == count) { Ok(()) } else { Err(format!("got {counts:?}")) }
}

fn rules(findings: &[&Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule).collect()
}
