//! What a signature says, held against the INVITE that carries it: age, numbers, form. The signature itself is not verified.
//!
//! Sources: RFC 8224 sections 4 to 6, RFC 8225 sections 4 and 5, RFC 8588, RFC 8946.

use crate::call::{EndpointId, Message, TextId, TransactionIndex};
use crate::diagnose::background::identity_tokens::{age, identities};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::sip::{HeaderName, Identity, NameAddr, Passport, TokenFault, Uri};

/// How old a token may be, in seconds (RFC 8224 section 6.2.2).
const FRESH_SECONDS: i64 = 60;
/// Digits below which a number is an extension that nobody signs.
const NUMBER_DIGITS_MIN: usize = 7;
/// INVITE transactions of one call that are looked at.
const HOPS_MAX: usize = 16;

/// Something that is wrong with a signature.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What is wrong, as the end of a sentence that begins with "its signature".
    pub text: String,
    /// What makes it the same problem in other calls.
    pub kind: &'static str,
    /// How sure.
    pub confidence: Confidence,
    /// Who writes it differently.
    pub fix: &'static str,
}

pub fn id_passport(context: &CallContext<'_>) -> Option<Observation> {
    if !context.requests_have(HeaderName::Identity) {
        return None;
    }
    let hops = context.transactions.invites().take(HOPS_MAX);
    let (index, fault) = hops.filter_map(|(index, _)| Some((index, fault_at(context, index)?))).next()?;
    let hop = context.transactions.transaction(index);
    let message = context.message(hop.request?)?;
    let signer = signer(context).unwrap_or(hop.source);
    let attested = attestation(context, message);
    Some(
        Observation::new(fault.confidence, Proof::Protocol)
            .beside()
            .titled(format!("The caller's signature {}", short(fault.kind)))
            .happened(format!(
                "On the way from {} to {} the signature {}.{attested} Networks that verify it show the call as spam or refuse it.",
                context.capture.name(hop.source),
                context.capture.name(hop.destination),
                fault.text
            ))
            .remedy(format!("{}: {}.", context.name(signer), fault.fix))
            .shown_by(context.shows_header(message, HeaderName::Identity, "the signed claims"))
            .at(signer, fault.kind),
    )
}

fn short(kind: &str) -> &str {
    match kind {
        "age" | "date" => "is not fresh",
        "caller" => "is for another caller",
        "called" => "is for another called number",
        "replay" => "was used before",
        _ => "is malformed",
    }
}

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
pub fn fault_at(context: &CallContext<'_>, hop: TransactionIndex) -> Option<Fault> {
    let message = context.message(context.transactions.transaction(hop).request?)?;
    let ids: Vec<TextId> = identities(context.capture, message).take(8).collect();
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

fn fault(kind: &'static str, confidence: Confidence, text: String, fix: &'static str) -> Option<Fault> {
    Some(Fault { text, kind, confidence, fix })
}

fn fault_of(
    context: &CallContext<'_>,
    message: &Message,
    id: TextId,
    identity: &Identity<'_>,
    is_diverted: bool,
) -> Option<Fault> {
    let passport = match identity.passport() {
        Ok(passport) => passport,
        Err(TokenFault::Compact) => return None,
        Err(_) if message.flags.is_cut() => return None,
        Err(damage) => {
            return fault(
                "token",
                Confidence::Certain,
                format!("cannot be read: {damage}"),
                "send the token whole, on one line; no element on the way may shorten or fold the Identity header",
            );
        }
    };
    form(identity, &passport)
        .or_else(|| numbers(context, message, &passport, is_diverted))
        .or_else(|| freshness(context, message, id, &passport))
}

fn form(identity: &Identity<'_>, passport: &Passport) -> Option<Fault> {
    const FIX: &str = "sign with typ passport, alg ES256 and the same ppt and certificate address in token and header";
    let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let certain = Confidence::Certain;
    if passport.algorithm.as_deref() != Some("ES256") {
        let text = format!("names the algorithm {}, and only ES256 is taken", said(&passport.algorithm));
        return fault("alg", certain, text, FIX);
    }
    if passport.kind.as_deref() != Some("passport") {
        return fault("typ", certain, format!("has typ {} instead of passport", said(&passport.kind)), FIX);
    }
    let beside = identity.extension().map(|ppt| String::from_utf8_lossy(ppt).into_owned());
    if beside.is_some() && beside != passport.extension {
        let text = format!("says ppt {} in the header and {} in the token", said(&beside), said(&passport.extension));
        return fault("ppt", certain, text, FIX);
    }
    let is_shaken = passport.extension.as_deref() == Some("shaken");
    if is_shaken && !matches!(passport.attestation.as_deref(), Some("A" | "B" | "C")) {
        let text = format!("has the attestation {}, which must be A, B or C", said(&passport.attestation));
        return fault("attest", certain, text, FIX);
    }
    let info = identity.info().map(|info| String::from_utf8_lossy(info).into_owned());
    match (&info, &passport.certificate_url) {
        (Some(info), Some(url)) if info != url => {
            fault("x5u", certain, format!("names two certificates, {info} in the header and {url} in the token"), FIX)
        }
        (_, Some(url)) if !url.to_ascii_lowercase().starts_with("https://") => {
            fault("x5u", certain, format!("names a certificate that is not fetched over https: {url}"), FIX)
        }
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

fn numbers(context: &CallContext<'_>, message: &Message, passport: &Passport, is_diverted: bool) -> Option<Fault> {
    const FIX: &str = "sign after the last change of the numbers, and let no element behind the signer rewrite them";
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
        let text = format!(
            "is for the caller {}, and the call shows {}",
            passport.origin.as_deref().unwrap_or_default(),
            callers[0]
        );
        return fault("caller", Confidence::Certain, text, FIX);
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
    if all_differ && !is_diverted {
        let text = format!("is for a call to {}, and the call goes to {}", passport.destinations.join(", "), called[0]);
        return fault("called", Confidence::Certain, text, FIX);
    }
    None
}

fn freshness(context: &CallContext<'_>, message: &Message, id: TextId, passport: &Passport) -> Option<Fault> {
    const FIX: &str = "sign each call when it is placed, with a clock that NTP keeps right";
    let tokens = context.capture.tokens();
    if let Some((first, group)) = tokens.first_use(id)
        && group != message.group
        && message.time.since(first).as_secs() as i64 > FRESH_SECONDS
    {
        let text = format!("was already used in another call {} s before", message.time.since(first).as_secs());
        return fault("replay", Confidence::Certain, text, FIX);
    }
    let issued = passport.issued_at?;
    let date = context.header(message, HeaderName::Date).and_then(unix_seconds);
    if let Some(date) = date
        && (date.saturating_sub(issued)).abs() > FRESH_SECONDS
    {
        let text = format!(
            "was issued {} s {} the Date of the INVITE",
            date.abs_diff(issued),
            if issued < date { "before" } else { "after" }
        );
        return fault("date", Confidence::Certain, text, FIX);
    }
    let age = age(context.capture, message, id)?;
    // Where most tokens of the capture seem equally old, it is the clock of the capture that is off.
    let usual = tokens.usual_age().filter(|usual| usual.abs() > FRESH_SECONDS);
    let is_clock = date.is_some() || usual.is_some_and(|usual| age.abs_diff(usual) <= 120);
    if age.abs() <= FRESH_SECONDS || is_clock {
        return None;
    }
    let (confidence, caution) = match tokens.usual_age() {
        Some(_) => (Confidence::Certain, ""),
        None => (Confidence::Likely, ", by the clock of the capture"),
    };
    let text =
        format!("was issued {} s {} the call{caution}", age.unsigned_abs(), if age > 0 { "before" } else { "after" });
    fault("age", confidence, text, FIX)
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
    let parts: Vec<i64> =
        clock.split(':').map(|part| part.parse().ok().filter(|part| (0..=60).contains(part))).collect::<Option<_>>()?;
    let [hour, minute, second] = parts.as_slice() else {
        return None;
    };
    // Days since 1970 in the Gregorian calendar, the year counted from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests;
