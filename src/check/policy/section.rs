//! `[metrics]`, `[allow]`, `[forbid]` and `[compare]`.

use toml::de::DeValue;

use crate::call::Outcome;
use crate::check::filter::Filter;
use crate::check::policy::fields::{Fields, Placed, whole};
use crate::check::policy::limit::{
    Bound, Limit, METRICS, METRICS_KEYS, Number, REGISTRATION_METRICS, limit_keys, metric_names,
};
use crate::check::policy::{Change, CodePattern, Compare, Policy, Waiver, WaiverTarget};
use crate::check::verdict::VERDICT_NAMES;
use crate::diagnose::{Severity, rule_ids};
use crate::reference;

/// Keys of `[allow]`.
pub const ALLOW_KEYS: [&str; 4] = ["codes", "outcomes", "rules", "waivers"];
/// Keys of `[[allow.waivers]]`.
pub const WAIVER_KEYS: [&str; 7] = ["rule", "code", "outcome", "expectation", "calls", "reason", "expires"];
/// Keys of `[forbid]`.
pub const FORBID_KEYS: [&str; 4] = ["codes", "outcomes", "rules", "severity"];
/// Keys of `[compare]`.
pub const COMPARE_KEYS: [&str; 13] = [
    "key",
    "max_changed_calls",
    "max_missing_calls",
    "max_added_calls",
    "max_pdd_increase_ms",
    "max_setup_increase_ms",
    "max_reply_increase_ms",
    "min_effect_size",
    "min_sample",
    "new_findings",
    "codecs",
    "software",
    "headers",
];

/// The limits in a table on numbers of these names, each as `min_` and `max_`.
pub(super) fn limits<Of, About>(
    fields: &Fields<'_>,
    numbers: &'static [Number<Of, About>],
) -> Vec<Limit<Number<Of, About>>> {
    let mut limits = Vec::new();
    for number in numbers {
        let mut least = None;
        for bound in [Bound::Min, Bound::Max] {
            let key = format!("{}{}", bound.prefix(), number.name);
            let Some(value) = fields.number(&key) else {
                continue;
            };
            if bound == Bound::Min {
                least = Some(value);
            } else if least.is_some_and(|least| least > value) {
                let at = fields.at(&key);
                fields.page.blame(at, format!("{key} = {value} is less than min_{}: nothing can hold", number.name));
            }
            let line = fields.line(&key);
            limits.push(Limit { number, bound, value, line });
        }
    }
    limits
}

pub(super) fn metrics(fields: &Fields<'_>, policy: &mut Policy) {
    let keys = limit_keys(metric_names());
    let known: Vec<&str> = keys.iter().map(String::as_str).chain(METRICS_KEYS).collect();
    fields.known(&known);
    policy.metrics = limits(fields, &METRICS);
    policy.registrations = limits(fields, &REGISTRATION_METRICS);
    policy.min_sample = fields.count("min_sample").unwrap_or(0);
}

pub(super) fn codes(fields: &Fields<'_>, key: &str) -> Vec<Placed<CodePattern>> {
    fields.each(key, "codes from 100 to 699, or classes such as \"5xx\"", |value| match value {
        DeValue::Integer(integer) => whole(integer).and_then(CodePattern::from_number),
        DeValue::String(text) => CodePattern::parse(text),
        _ => None,
    })
}

pub(super) fn outcomes(fields: &Fields<'_>, key: &str) -> Vec<Placed<Outcome>> {
    let known = |text: &str| Outcome::ALL.into_iter().find(|outcome| outcome.word() == text);
    let words = || Outcome::ALL.iter().map(|outcome| outcome.word());
    let read = |(text, at): Placed<&str>| {
        let outcome = known(text);
        if outcome.is_none() {
            let hint = hint(text, words());
            fields.page.blame(at, format!("{key}: \"{text}\" is no outcome; {hint}"));
        }
        Some((outcome?, at))
    };
    fields.texts(key).into_iter().filter_map(read).collect()
}

fn rules(fields: &Fields<'_>, key: &str) -> Vec<Placed<String>> {
    let read = |(id, at): Placed<&str>| {
        if rule_ids().contains(&id) {
            return Some((id.to_owned(), at));
        }
        let hint = match reference::nearest(id, rule_ids().iter().copied(), 1).first() {
            Some(near) => format!("did you mean {near}?"),
            None => "sipscan rules lists them".to_owned(),
        };
        fields.page.blame(at, format!("{key}: \"{id}\" is no rule; {hint}"));
        None
    };
    fields.texts(key).into_iter().filter_map(read).collect()
}

/// A suggestion, or every word that is known.
pub(super) fn hint<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> String {
    let words: Vec<&str> = words.collect();
    match reference::nearest(text, words.iter().copied(), 1).first() {
        Some(near) => format!("did you mean {near}?"),
        None => format!("it is one of {}", words.join(", ")),
    }
}

fn bare<T>(placed: Vec<Placed<T>>) -> Vec<T> {
    placed.into_iter().map(|(value, _)| value).collect()
}

pub(super) fn allow(fields: &Fields<'_>, policy: &mut Policy) {
    fields.known(&ALLOW_KEYS);
    policy.allow.codes = bare(codes(fields, "codes"));
    policy.allow.outcomes = bare(outcomes(fields, "outcomes"));
    policy.allow.rules = bare(rules(fields, "rules"));
    for entry in fields.tables("waivers") {
        policy.waivers.extend(waiver(&entry));
    }
}

fn waiver(fields: &Fields<'_>) -> Option<Waiver> {
    fields.known(&WAIVER_KEYS);
    let rule = rules(fields, "rule").into_iter().map(|(id, _)| WaiverTarget::Rule(id));
    let code = codes(fields, "code").into_iter().map(|(code, _)| WaiverTarget::Code(code));
    let outcome = outcomes(fields, "outcome").into_iter().map(|(word, _)| WaiverTarget::Outcome(word));
    let expectation = fields.text("expectation").map(|(name, _)| WaiverTarget::Expectation(name.to_owned()));
    let mut targets: Vec<WaiverTarget> = rule.chain(code).chain(outcome).chain(expectation).collect();
    let named = ["rule", "code", "outcome", "expectation"].into_iter().filter(|key| fields.has(key)).count();
    if named != 1 || targets.len() > 1 {
        fields.page.blame(
            fields.at,
            "a waiver is about one thing: give one of rule, code, outcome and expectation".to_owned(),
        );
        return None;
    }
    if fields.has("expectation") && fields.has("calls") {
        fields
            .page
            .blame(fields.at("calls"), "a waiver of an expectation is about all its calls; leave calls out".to_owned());
    }
    let reason = fields.text("reason").map(|(reason, _)| reason.trim()).filter(|reason| !reason.is_empty());
    if reason.is_none() {
        fields.page.blame(fields.at, "a waiver needs a reason: reason = \"why this is accepted for now\"".to_owned());
    }
    Some(Waiver {
        target: targets.pop()?,
        calls: fields.expression("calls", Filter::condition),
        reason: reason?.to_owned(),
        expires: fields.day("expires"),
        line: fields.page.line(fields.at),
    })
}

pub(super) fn forbid(fields: &Fields<'_>, policy: &mut Policy) {
    fields.known(&FORBID_KEYS);
    policy.forbid.codes = bare(codes(fields, "codes"));
    policy.forbid.outcomes = bare(outcomes(fields, "outcomes"));
    policy.forbid.rules = bare(rules(fields, "rules"));
    if let Some(severity) = severity(fields, "severity") {
        policy.forbid.severity = severity;
    }
}

/// The word for no severity at all.
const NO_SEVERITY: &str = "none";

/// A severity, or `none`; `None` where the key is absent or wrong.
fn severity(fields: &Fields<'_>, key: &str) -> Option<Option<Severity>> {
    let (text, at) = fields.text(key)?;
    if text == NO_SEVERITY {
        return Some(None);
    }
    let severity = Severity::of_word(text);
    if severity.is_none() {
        fields.page.blame(at, format!("{key}: \"{text}\" is no severity; it is error, warn, info, or {NO_SEVERITY}"));
    }
    severity.map(Some)
}

fn change(fields: &Fields<'_>, key: &str, default: Change) -> Change {
    match fields.text(key) {
        None => default,
        Some(("fail", _)) => Change::Fail,
        Some(("report", _)) => Change::Report,
        Some((other, at)) => {
            fields.page.blame(at, format!("{key}: \"{other}\" is neither fail nor report"));
            default
        }
    }
}

pub(super) fn compare(fields: &Fields<'_>) -> Compare {
    fields.known(&COMPARE_KEYS);
    let default = Compare::default();
    Compare {
        key: fields.expression("key", Filter::key),
        max_changed_calls: fields.count("max_changed_calls").unwrap_or(default.max_changed_calls),
        max_missing_calls: fields.count("max_missing_calls").unwrap_or(default.max_missing_calls),
        max_added_calls: fields.count("max_added_calls").unwrap_or(default.max_added_calls),
        max_pdd_increase_ms: fields.number("max_pdd_increase_ms").unwrap_or(default.max_pdd_increase_ms),
        max_setup_increase_ms: fields.number("max_setup_increase_ms").unwrap_or(default.max_setup_increase_ms),
        max_reply_increase_ms: fields.number("max_reply_increase_ms").unwrap_or(default.max_reply_increase_ms),
        min_effect_size: fields.number("min_effect_size").unwrap_or(default.min_effect_size),
        min_sample: fields.count("min_sample").unwrap_or(default.min_sample),
        new_findings: severity(fields, "new_findings").unwrap_or(default.new_findings),
        codecs: change(fields, "codecs", default.codecs),
        software: change(fields, "software", default.software),
        headers: change(fields, "headers", default.headers),
    }
}

/// What is allowed and forbidden at once.
pub(super) fn contradictions(fields: &Fields<'_>, policy: &Policy) {
    let both = |what: String| {
        fields.page.blame(fields.at("forbid"), format!("{what} is both allowed and forbidden; keep one"));
    };
    let (allow, forbid) = (&policy.allow, &policy.forbid);
    for code in allow.codes.iter().filter(|code| forbid.codes.contains(code)) {
        both(format!("code {code}"));
    }
    for outcome in allow.outcomes.iter().filter(|outcome| forbid.outcomes.contains(outcome)) {
        both(format!("outcome {}", outcome.word()));
    }
    for rule in allow.rules.iter().filter(|rule| forbid.rules.contains(rule)) {
        both(format!("rule {rule}"));
    }
    for waiver in &policy.waivers {
        let WaiverTarget::Expectation(name) = &waiver.target else {
            continue;
        };
        let is_known = policy.expects.iter().any(|expect| &expect.name == name)
            || policy.metrics.iter().any(|limit| &limit.key() == name)
            || VERDICT_NAMES.contains(&name.as_str());
        if !is_known {
            fields.page.blame_line(
                waiver.line,
                {
                    let names = policy.expects.iter().map(|expect| expect.name.as_str());
                    let names = names.chain(VERDICT_NAMES);
                    let hint = reference::nearest(name, names, 1);
                    let hint = hint.first().map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
                    format!("\"{name}\" is no expectation of this policy, no limit of [metrics] and no line of a comparison{hint}")
                },
            );
        }
    }
}
