//! `[[expect]]`: what a group of calls must be like.

use crate::check::filter::Filter;
use crate::check::policy::fields::Fields;
use crate::check::policy::limit::{CALL_NUMBERS, group_metrics, limit_keys};
use crate::check::policy::section::{codes, hint, limits, outcomes};
use crate::check::policy::sequence::{Sequence, is_message};
use crate::check::policy::{Expect, HeaderExpect, Policy};
use crate::sip::HeaderName;

/// Keys of `[[expect]]` beside the limits on numbers of a call and on metrics of the group.
pub const EXPECT_KEYS: [&str; 16] = [
    "name",
    "calls",
    "min_calls",
    "max_calls",
    "allow_none",
    "min_percent",
    "outcome",
    "codes",
    "transport",
    "ended_by",
    "codecs_offered",
    "codecs_answered",
    "codec",
    "sequence",
    "headers",
    "holds",
];
/// Of these, what says which calls are meant rather than what they must be like.
const CONDITIONS: [&str; 4] = ["name", "calls", "allow_none", "min_percent"];
/// Keys whose list, where one is given, says what is allowed.
const LISTS: [&str; 6] = ["outcome", "codes", "transport", "ended_by", "codec", "headers"];
/// Keys of `[[expect.headers]]`.
pub const HEADER_KEYS: [&str; 4] = ["name", "message", "matches", "absent"];
/// What carries SIP.
const TRANSPORTS: [&str; 6] = ["udp", "tcp", "tls", "sctp", "ws", "hep"];
/// Who may end a call.
const PARTIES: [&str; 3] = ["caller", "callee", "network"];
/// Bytes of a regular expression once compiled; more is written by accident.
const REGEX_BYTES_MAX: usize = 1 << 20;

pub(super) fn read(fields: &Fields<'_>, policy: &mut Policy) {
    let limited = CALL_NUMBERS.iter().map(|number| number.name);
    let number_keys = limit_keys(limited.chain(group_metrics().iter().map(|number| number.name)));
    let known: Vec<&str> = number_keys.iter().map(String::as_str).chain(EXPECT_KEYS).collect();
    let is_known = fields.known(&known);
    let Some((name, name_at)) = fields.text("name") else {
        if !fields.has("name") && is_known {
            let what = "an expectation needs a name: name = \"what reports call it\"";
            fields.page.blame(fields.at, what.to_owned());
        }
        return;
    };
    if name.trim().is_empty() {
        let what = "name is empty; it is what reports call the expectation".to_owned();
        fields.page.blame(name_at, what);
    }
    fields.not_empty(&LISTS);
    if policy.expects.iter().any(|earlier| earlier.name == name) {
        fields.page.blame(name_at, format!("name: \"{name}\" is the name of another expectation too"));
    }
    let (min_calls, max_calls) = (fields.count("min_calls"), fields.count("max_calls"));
    if let (Some(min), Some(max)) = (min_calls, max_calls)
        && min > max
    {
        let at = fields.at("max_calls");
        fields.page.blame(at, format!("max_calls = {max} is less than min_calls: nothing can hold"));
    }
    let list = |key: &str| -> Vec<String> {
        let texts = fields.texts(key).into_iter();
        texts.map(|(text, _)| text.to_owned()).collect()
    };
    let expect = Expect {
        name: name.to_owned(),
        line: fields.page.line(fields.at),
        calls: fields.expression("calls", Filter::condition),
        min_calls,
        max_calls,
        allow_none: fields.flag("allow_none").unwrap_or(false),
        min_percent: fields.number("min_percent").unwrap_or(100.0),
        outcomes: outcomes(fields, "outcome").into_iter().map(|(outcome, _)| outcome).collect(),
        codes: codes(fields, "codes").into_iter().map(|(code, _)| code).collect(),
        transports: words(fields, "transport", &TRANSPORTS),
        ended_by: words(fields, "ended_by", &PARTIES),
        codecs_offered: fields.has("codecs_offered").then(|| list("codecs_offered")),
        codecs_answered: fields.has("codecs_answered").then(|| list("codecs_answered")),
        codec: list("codec"),
        metrics: limits(fields, group_metrics()),
        numbers: limits(fields, &CALL_NUMBERS),
        sequence: sequence(fields),
        headers: fields.tables("headers").iter().filter_map(header).collect(),
        holds: fields.expression("holds", Filter::condition),
    };
    let is_demand = |key: &str| !CONDITIONS.contains(&key) && fields.has(key);
    if is_known && !known.iter().any(|key| is_demand(key)) {
        let what = format!("expectation \"{name}\" asks for nothing; give outcome, codes, min_calls or another key");
        fields.page.blame(fields.at, what);
    }
    policy.expects.push(expect);
}

impl Expect {
    /// Whether it asks something of each call, rather than of their number alone.
    pub fn has_demand_on_calls(&self) -> bool {
        self.judges_ending()
            || !self.transports.is_empty()
            || !self.ended_by.is_empty()
            || self.codecs_offered.is_some()
            || self.codecs_answered.is_some()
            || !self.codec.is_empty()
            || !self.numbers.is_empty()
            || self.sequence.is_some()
            || !self.headers.is_empty()
            || self.holds.is_some()
    }

    /// Whether it says how its calls must end, so that such an ending fails no other check.
    pub fn judges_ending(&self) -> bool {
        !self.outcomes.is_empty() || !self.codes.is_empty()
    }
}

fn words(fields: &Fields<'_>, key: &str, known: &[&str]) -> Vec<String> {
    let mut words = Vec::new();
    for (text, at) in fields.texts(key) {
        if known.contains(&text) {
            words.push(text.to_owned());
        } else {
            let hint = hint(text, known.iter().copied());
            fields.page.blame(at, format!("{key}: \"{text}\" is not known; {hint}"));
        }
    }
    words
}

fn sequence(fields: &Fields<'_>) -> Option<Sequence> {
    let (text, at) = fields.text("sequence")?;
    Sequence::parse(text).map_err(|why| fields.page.blame(at, format!("sequence {why}"))).ok()
}

fn header(fields: &Fields<'_>) -> Option<HeaderExpect> {
    let is_known = fields.known(&HEADER_KEYS);
    let Some((text, at)) = fields.text("name") else {
        if !fields.has("name") && is_known {
            let what = "a header needs a name: name = \"P-Asserted-Identity\"".to_owned();
            fields.page.blame(fields.at, what);
        }
        return None;
    };
    let name = HeaderName::from_bytes(text.as_bytes());
    if matches!(name, HeaderName::Other | HeaderName::Malformed) || !crate::call::keeps_header(name) {
        fields.page.blame(
            at,
            format!("name: values of the header field \"{text}\" are not kept, so nothing can be said of it"),
        );
        return None;
    }
    let matches = fields.text("matches").and_then(|(pattern, at)| {
        let built = regex::RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build();
        let why = |error: regex::Error| {
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default().trim().to_owned();
            fields.page.blame(at, format!("matches is no regular expression: {last}"));
        };
        built.map_err(why).ok()
    });
    let message = fields.text("message").map_or("INVITE", |(message, at)| {
        if !is_message(message) {
            let what = format!("message: \"{message}\" is no method and no code; write INVITE, 200 or the like");
            fields.page.blame(at, what);
        }
        message
    });
    Some(HeaderExpect { name, message: message.to_owned(), matches, absent: fields.flag("absent").unwrap_or(false) })
}
