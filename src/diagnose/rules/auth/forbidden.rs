//! 403: calls and registrations that a server refuses by policy, and what sets them apart from those that it accepts.
//!
//! Sources: RFC 3261 sections 10.3 and 21.4.4; RFC 8224 section 6.2.2 ("Stale Date").

use super::Login;
use super::refused::names_login;
use crate::call::beside::registration::{Registration, RegistrationOutcome};
use crate::call::detail::login::LoginFault;
use crate::call::survey::number_acceptance::{AcceptanceCount, CONTRAST_MIN, NumberAcceptance, Prefix, asserted};
use crate::call::{Cause, Outcome, is_challenge};
use crate::diagnose::finding::words::counted;
use crate::diagnose::{CallContext, CaptureContext, Confidence, Evidence, Observation, Proof, Steps};
use crate::sip::HeaderName;
use crate::sip::number::{Number, user_of};

/// Q.850: anonymous calls are rejected, the matter of id-anonymous.
const ANONYMOUS_REJECTED: u16 = 24;
/// Words of a phrase that leave the refusal to the rules about call signatures.
const SIGNATURES: [&str; 5] = ["stale", "identity", "passport", "signature", "attest"];
/// Words of a phrase or Warning that name a policy.
const POLICY: [&str; 26] = [
    "allow",
    "permi",
    "barr",
    "block",
    "black",
    "caller",
    "calling",
    "cli ",
    "number",
    "destination",
    "international",
    "credit",
    "balance",
    "fund",
    "account",
    "domain",
    "address",
    "acl",
    "unauthori",
    "not authori",
    "denied",
    "relay",
    "prohibit",
    "restrict",
    "suspend",
    "policy",
];

pub fn auth_forbidden_of_call(context: &CallContext<'_>) -> Option<Observation> {
    let is_refused = matches!(context.outcome(), Outcome::Rejected | Outcome::AuthFailed);
    if !is_refused || context.refusal_code() != 403 {
        return None;
    }
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    if Cause::of(context.tables(), refusal).q850 == Some(ANONYMOUS_REJECTED) {
        return None;
    }
    let phrase = context.capture.text(refusal.line);
    let words = own_words(context, phrase);
    let spoken = words.to_ascii_lowercase();
    if SIGNATURES.iter().any(|other| spoken.contains(other)) {
        return None;
    }
    let server = context.name(refuser);
    let caller = user_of(context.capture.text(context.call.caller));
    let callee = user_of(context.capture.text(context.call.callee));
    let observation = |confidence, proof, why: String, remedy: Steps, signature: String| {
        Observation::new(confidence, proof)
            .titled(format!("{} forbids the call", context.capture.name(refuser)))
            .happened(format!("{server} answered 403 {phrase}: {why}"))
            .remedy(remedy)
            .shown_by(context.shows(refusal, "the refusal"))
            .at(refuser, signature)
    };
    if let Some(apart) = contrast(context) {
        let observation = observation(Confidence::Likely, Proof::Comparison, apart.why, apart.remedy, apart.signature);
        return Some(observation.maybe_shown_by(apart.accepted));
    }
    let is_about_login = names_login(&spoken) || super::names_nonce(&spoken);
    if is_about_login && context.outcome() == Outcome::AuthFailed {
        return None;
    }
    if is_unseen_login(context) {
        return Some(observation(
            Confidence::Possible,
            Proof::CodeMeaning,
            format!(
                "it had asked for a login before, and the request that it refuses is not in the capture: the password of {caller} may be wrong, or the call not allowed."
            ),
            format!("On {server}: look up why it refused the call from {caller} to {callee}.").into(),
            "unseen".to_owned(),
        ));
    }
    if POLICY.iter().any(|word| spoken.contains(word)) {
        return Some(observation(
            Confidence::Certain,
            Proof::OwnWords,
            format!("it gives the reason \"{words}\" for the call from {caller} to {callee}."),
            format!("On {server}: change the rule that it names, for {caller} or for {callee}.").into(),
            words,
        ));
    }
    let login = if context.outcome() == Outcome::AuthFailed { "a login that it does not accept, " } else { "" };
    Some(observation(
        Confidence::Possible,
        Proof::CodeMeaning,
        format!(
            "its policy does not allow this call; {login}the address it came from, the caller ID {caller}, the number {callee} or the account may be why, and no accepted call in this capture tells which."
        ),
        Steps::from([
            format!("On {server}: look up which rule refused the call from {caller} to {callee}."),
            "Compare with a call that it accepts: source address, caller ID, called number.".to_owned(),
        ]),
        String::new(),
    ))
}

/// Whether the refused request is not in the capture, and followed a request for a login.
fn is_unseen_login(context: &CallContext<'_>) -> bool {
    let transactions = &context.transactions;
    let steps = || transactions.chain.iter().map(|step| transactions.transaction(*step));
    let is_unseen = steps().next_back().is_some_and(|last| last.request.is_none());
    is_unseen && steps().any(|step| transactions.final_status(step).is_some_and(is_challenge))
}

/// What the server says beyond the code's own phrase; empty where nothing.
fn own_words(context: &CallContext<'_>, phrase: &str) -> String {
    let refusal = context.refusal();
    let warning = refusal.and_then(|refusal| context.header(refusal, HeaderName::Warning));
    if let Some(warning) = warning {
        return warning.splitn(3, ' ').nth(2).unwrap_or(warning).trim_matches('"').to_owned();
    }
    let is_plain = phrase.is_empty() || phrase.eq_ignore_ascii_case("forbidden");
    if is_plain { String::new() } else { phrase.to_owned() }
}

/// What sets the refused calls of a server apart from the accepted ones.
struct Apart {
    why: String,
    remedy: Steps,
    signature: String,
    accepted: Option<Evidence>,
}

fn contrast(context: &CallContext<'_>) -> Option<Apart> {
    let refuser = context.refuser()?;
    let reception = context.capture.reception(refuser)?;
    let request = context.refused_request()?;
    let separates = |own: Option<&AcceptanceCount>| {
        own.is_some_and(|own| own.accepted == 0 && own.forbidden >= CONTRAST_MIN)
            && reception.all.accepted >= CONTRAST_MIN
    };
    let source = context.capture.node(request.source);
    let caller = user_of(context.capture.text(request.from));
    let vouched = asserted(request.headers, context.capture.store);
    let number = Number::of(context.capture.text(request.line));
    let head = number.as_ref().map(Prefix::of);
    let alike = head.and_then(|head| reception.prefixes.get(&head));
    let head = head.map_or(String::new(), |head| head.to_string());
    let address = context.tables().endpoints.address(source);
    let server = context.name(refuser);
    let features: [(_, _, _, Steps); 4] = [
        (
            separates(reception.sources.get(&source)),
            reception.sources.get(&source),
            format!("came from {address}"),
            format!("On {server}: add {address} to the addresses that may call, or let {address} log in.").into(),
        ),
        (
            separates(reception.callers.get(caller)),
            reception.callers.get(caller),
            format!("used the caller ID {caller}"),
            Steps::from([
                format!(
                    "On {}: send a caller ID that {server} allows{}.",
                    context.name(request.source),
                    example(context, reception)
                ),
                format!("Or have {caller} allowed there."),
            ]),
        ),
        (
            !vouched.is_empty() && separates(reception.asserted.get(vouched)),
            reception.asserted.get(vouched),
            format!("vouched for the identity {vouched}"),
            format!("On {}: send an asserted identity that {server} allows.", context.name(request.source)).into(),
        ),
        (
            separates(alike),
            alike,
            format!("went to numbers that begin with {head}"),
            format!("On {server}: allow calls to {head}… for this account, where they are wanted.").into(),
        ),
    ];
    let apart: Vec<_> = features.into_iter().filter(|(is, ..)| *is).collect();
    let (_, tally, what, remedy) = apart.first()?;
    let refused = tally.map_or(0, |tally| tally.forbidden);
    let also: Vec<&str> = apart.iter().skip(1).map(|(_, _, what, _)| what.as_str()).collect();
    let also = if also.is_empty() {
        String::new()
    } else {
        format!(" They also {}, which may be the reason as well.", also.join(" and "))
    };
    let accepted = reception.all.first.map(|accepted| {
        let quote = format!("INVITE {} SIP/2.0", context.capture.text(accepted.uri));
        Evidence::seen(accepted.at, quote, "a call that it accepted")
    });
    Some(Apart {
        why: format!(
            "{} that {what} {} refused with 403, and {} without that {} accepted.{also}",
            counted(refused, "call"),
            if refused == 1 { "was" } else { "were" },
            counted(reception.all.accepted, "call"),
            if reception.all.accepted == 1 { "was" } else { "were" },
        ),
        remedy: remedy.clone(),
        signature: what.clone(),
        accepted,
    })
}

fn example(context: &CallContext<'_>, reception: &NumberAcceptance) -> String {
    reception
        .all
        .first
        .map_or(String::new(), |accepted| format!(", such as {}", user_of(context.capture.text(accepted.from))))
}

pub fn auth_forbidden_of_registration(capture: &CaptureContext<'_>, device: &Registration) -> Option<Observation> {
    if device.outcome != RegistrationOutcome::Failed || device.final_code?.0 != 403 {
        return None;
    }
    let login = Login::of_device(capture, device);
    let user = user_of(capture.text(device.aor));
    let server = capture.name(device.registrar);
    let attempt = device.attempts.last().and_then(|index| capture.attempts.get(*index as usize))?;
    let frame = attempt.answered_at.unwrap_or(attempt.asked_at);
    let other = login
        .as_ref()
        .filter(|login| matches!(login.fault, LoginFault::Forbidden { .. }))
        .map(Login::login_name)
        .filter(|name| name.split('@').next() != Some(user));
    // A refusal as the answer to the login of the user itself is the matter of auth-rejected.
    if attempt.has_credentials && other.is_none() {
        return None;
    }
    let (why, confidence, proof) = match other {
        Some(name) => (
            format!(
                "the device logged in as {name} and may not register {user} with that login, as far as the names tell."
            ),
            Confidence::Likely,
            Proof::Protocol,
        ),
        None if attempt.challenges > 0 => (
            "it had asked for a login before, and the request that it refuses is not in the capture: the login may be wrong, or the name not allowed to register there.".to_owned(),
            Confidence::Possible,
            Proof::CodeMeaning,
        ),
        None => (
            format!(
                "it did not ask for a login, so the address {} or the name {user} is not allowed to register there.",
                capture.name(device.source)
            ),
            Confidence::Possible,
            Proof::CodeMeaning,
        ),
    };
    Some(
        Observation::new(confidence, proof)
            .titled(format!("{server} forbids the registration of {user}"))
            .happened(format!("{server} answered 403: {why}"))
            .remedy(format!(
                "On {server}: see whether {user} exists, may register, and may do so from {}.",
                capture.name(device.source)
            ))
            .shown_by(Evidence::seen(frame, "SIP/2.0 403", "the refusal"))
            .at(device.registrar, user),
    )
}
