//! What a signature says, held against the INVITE that carries it: age, numbers, form. The signature itself is not verified.
//!
//! Sources: RFC 8224 sections 4 to 6, RFC 8225 sections 4 and 5, RFC 8588, RFC 8946.

mod fault;

pub use fault::PassportFault;

use crate::call::{EndpointId, Message, TextId, TransactionIndex};
use crate::diagnose::background::identity_tokens::{age, identities};
use crate::diagnose::context::call_context::CallContext;
use crate::sip::{HeaderName, Identity, NameAddr, Passport, TokenFault, Uri};

/// How old a token may be, in seconds (RFC 8224 section 6.2.2).
const FRESH_SECONDS: i64 = 60;
/// Digits below which a number is an extension that nobody signs.
const NUMBER_DIGITS_MIN: usize = 7;
/// INVITE transactions of one call that are looked at.
pub const HOPS_MAX: usize = 16;
/// Signatures of one INVITE that are looked at.
const SIGNATURES_MAX: usize = 8;
/// How far two ages may differ that one wrong clock makes, in seconds.
const CLOCK_SLACK_SECONDS: u64 = 120;

/// The node that put the first Identity header into the call.
pub fn signer(context: &CallContext<'_>) -> Option<EndpointId> {
    let mut hops = context.transactions.invites().take(HOPS_MAX);
    hops.find(|(_, hop)| {
        hop.request
            .and_then(|request| context.message(request))
            .is_some_and(|request| identities(context.capture, request).next().is_some())
    })
    .map(|(_, hop)| hop.source)
}

/// What is wrong with the signatures of the INVITE on one hop; nothing where one of them is sound.
pub fn fault_at(context: &CallContext<'_>, hop: TransactionIndex) -> Option<PassportFault> {
    let message = context.message(context.transactions.transaction(hop).request?)?;
    let ids: Vec<TextId> = identities(context.capture, message).take(SIGNATURES_MAX).collect();
    let parsed: Vec<(TextId, Identity<'_>)> =
        ids.iter().map(|id| (*id, Identity::parse(context.capture.text(*id).as_bytes()))).collect();
    let is_diverted = parsed.iter().any(|(_, identity)| identity.extension() == Some(b"div"));
    let mut first = None;
    for (id, identity) in
        parsed.iter().filter(|(_, identity)| !matches!(identity.extension(), Some(b"div" | b"rph" | b"rcd" | b"msg")))
    {
        // One good signature among several is enough (RFC 8224 section 6.2.1).
        let fault = fault_of(context, message, *id, identity, is_diverted)?;
        first = first.or(Some(fault));
    }
    first
}

fn fault_of(
    context: &CallContext<'_>,
    message: &Message,
    id: TextId,
    identity: &Identity<'_>,
    is_diverted: bool,
) -> Option<PassportFault> {
    let passport = match identity.passport() {
        Ok(passport) => passport,
        Err(TokenFault::Compact) => return None,
        Err(_) if message.flags.is_cut() => return None,
        Err(damage) => return Some(PassportFault::Token(damage)),
    };
    form(identity, &passport)
        .or_else(|| numbers(context, message, &passport, is_diverted))
        .or_else(|| freshness(context, message, id, &passport))
}

fn form(identity: &Identity<'_>, passport: &Passport) -> Option<PassportFault> {
    if passport.algorithm.as_deref() != Some("ES256") {
        return Some(PassportFault::Algorithm(passport.algorithm.clone()));
    }
    if passport.kind.as_deref() != Some("passport") {
        return Some(PassportFault::Type(passport.kind.clone()));
    }
    let header = identity.extension().map(|ppt| String::from_utf8_lossy(ppt).into_owned());
    if header.is_some() && header != passport.extension {
        return Some(PassportFault::Extension { header, token: passport.extension.clone() });
    }
    let is_shaken = passport.extension.as_deref() == Some("shaken");
    if is_shaken && !matches!(passport.attestation.as_deref(), Some("A" | "B" | "C")) {
        return Some(PassportFault::Attestation(passport.attestation.clone()));
    }
    let token = passport.certificate_url.clone()?;
    match identity.info().map(|info| String::from_utf8_lossy(info).into_owned()) {
        Some(header) if header != token => Some(PassportFault::TwoCertificates { header, token }),
        _ if !token.to_ascii_lowercase().starts_with("https://") => Some(PassportFault::PlainCertificate(token)),
        _ => None,
    }
}

/// Digits of a number or URI, without what only separates.
fn digits(text: &str) -> String {
    let uri = Uri::parse(text.as_bytes());
    let user = if text.contains(':') {
        String::from_utf8_lossy(uri.user.unwrap_or_default()).into_owned()
    } else {
        text.to_owned()
    };
    let user = user.split(';').next().unwrap_or_default();
    if user.chars().any(|c| c.is_ascii_alphabetic()) {
        return String::new();
    }
    user.chars().filter(char::is_ascii_digit).collect()
}

/// Whether two ways of writing may be the same number: one ends with the other's national part.
fn may_be_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    short.len() < NUMBER_DIGITS_MIN || long.ends_with(short)
}

fn numbers(
    context: &CallContext<'_>,
    message: &Message,
    passport: &Passport,
    is_diverted: bool,
) -> Option<PassportFault> {
    let tables = context.tables();
    let asserted = tables
        .header_values(message, HeaderName::PAssertedIdentity)
        .flat_map(|value| value.split(','))
        .map(|value| digits(&String::from_utf8_lossy(NameAddr::parse(value.as_bytes()).uri)));
    let from = digits(tables.text(message.from));
    let callers: Vec<String> = asserted.chain([from]).filter(|number| number.len() >= NUMBER_DIGITS_MIN).collect();
    let signed = passport.origin.as_deref().map(digits).unwrap_or_default();
    let differs = |signed: &str, shown: &[String]| {
        signed.len() >= NUMBER_DIGITS_MIN
            && !shown.is_empty()
            && !shown.iter().any(|number| may_be_same(signed, number))
    };
    if differs(&signed, &callers) {
        let signed = passport.origin.clone().unwrap_or_default();
        return Some(PassportFault::Caller { signed, shown: callers[0].clone() });
    }
    let called: Vec<String> = [message.to, message.line]
        .into_iter()
        .map(|id| digits(tables.text(id)))
        .filter(|number| number.len() >= NUMBER_DIGITS_MIN)
        .collect();
    let is_diverted = is_diverted
        || tables.header(message, HeaderName::Diversion).is_some()
        || tables.header(message, HeaderName::HistoryInfo).is_some();
    let all_differ = !passport.destinations.is_empty()
        && passport.destinations.iter().all(|signed| differs(&digits(signed), &called));
    (all_differ && !is_diverted)
        .then(|| PassportFault::Called { signed: passport.destinations.join(", "), shown: called[0].clone() })
}

fn freshness(context: &CallContext<'_>, message: &Message, id: TextId, passport: &Passport) -> Option<PassportFault> {
    let tokens = context.capture.tokens();
    if let Some((first, group)) = tokens.first_use(id)
        && group != message.group
        && message.time.since(first).as_secs() as i64 > FRESH_SECONDS
    {
        return Some(PassportFault::Replay { seconds: message.time.since(first).as_secs() });
    }
    let issued = passport.issued_at?;
    let date = context.header(message, HeaderName::Date).and_then(unix_seconds);
    if let Some(date) = date.filter(|date| date.saturating_sub(issued).abs() > FRESH_SECONDS) {
        return Some(PassportFault::Date { issued, date });
    }
    let seconds = age(context.capture, message, id)?;
    // Where most tokens of the capture seem equally old, it is the clock of the capture that is off.
    let usual = tokens.usual_age().filter(|usual| usual.abs() > FRESH_SECONDS);
    let is_clock = date.is_some() || usual.is_some_and(|usual| seconds.abs_diff(usual) <= CLOCK_SLACK_SECONDS);
    let is_clock_known = tokens.usual_age().is_some();
    (seconds.abs() > FRESH_SECONDS && !is_clock).then_some(PassportFault::Age { seconds, is_clock_known })
}

/// What the attestation means, as a sentence with a blank before it; empty where there is none.
pub fn attestation(context: &CallContext<'_>, message: &Message) -> String {
    let level = identities(context.capture, message)
        .find_map(|id| Identity::parse(context.capture.text(id).as_bytes()).passport().ok())
        .and_then(|passport| passport.attestation);
    match level.as_deref() {
        Some("A") => " Attestation A: the provider knows the caller and its right to the number.",
        Some("B") => " Attestation B: the provider knows the caller, not its right to the number.",
        Some("C") => " Attestation C: the provider only knows the gateway that the call came in by.",
        _ => "",
    }
    .to_owned()
}

/// Seconds since 1970 of a Date header, `Sat, 13 Nov 2010 23:29:00 GMT`.
fn unix_seconds(date: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = date.split_whitespace().collect();
    let [_, day, month, year, clock, ..] = words.as_slice() else {
        return None;
    };
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? as i64 + 1;
    let (day, year): (i64, i64) = (day.parse().ok()?, year.parse().ok()?);
    if !(1970..=9999).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    let fields: Vec<i64> =
        clock.split(':').map(|part| part.parse().ok().filter(|part| (0..=60).contains(part))).collect::<Option<_>>()?;
    let [hour, minute, second] = fields.as_slice() else {
        return None;
    };
    // Days since 1970 in the Gregorian calendar, the year counted from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests;
