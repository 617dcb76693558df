//! 403: calls and registrations that a server refuses by policy, and what those that it accepts lack.
//!
//! Sources: RFC 3261 sections 10.3 and 21.4.4; RFC 8224 section 6.2.2 ("Stale Date").

use crate::call::beside::registration::{Registration, RegistrationOutcome};
use crate::call::detail::login::LoginFault;
use crate::call::survey::number_acceptance::{CONTRAST_MIN, NumberAcceptance, Prefix, asserted};
use crate::call::{Cause, EndpointId, Message, Outcome, is_challenge};
use crate::diagnose::finding::words::{counted, was};
use crate::diagnose::rules::auth::login::{Login, names_login, names_nonce};
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

/// A call that a server refused with 403.
struct ForbiddenCall<'a> {
    /// The server.
    refuser: EndpointId,
    /// The 403.
    refusal: &'a Message,
    /// Why, as far as the capture shows.
    ground: Ground<'a>,
}

/// Why a server refused a call with 403.
enum Ground<'a> {
    /// The calls that it accepts lack what this one has in common with other refused ones.
    Contrast(AcceptedContrast<'a>),
    /// Unknown: the request that it refuses is not in the capture, and followed a request for a login.
    UnseenLogin,
    /// The policy that its own words name.
    Stated(String),
    /// Its policy, no more is known.
    Unstated,
}

impl Ground<'_> {
    fn degree(&self) -> (Confidence, Proof) {
        match self {
            Self::Contrast(_) => (Confidence::Likely, Proof::Comparison),
            Self::UnseenLogin | Self::Unstated => (Confidence::Possible, Proof::CodeMeaning),
            Self::Stated(_) => (Confidence::Certain, Proof::OwnWords),
        }
    }
}

pub fn auth_forbidden_of_call(context: &CallContext<'_>) -> Option<Observation> {
    let ForbiddenCall { refuser, refusal, ground } = forbidden_call(context)?;
    let server = context.name(refuser);
    let (caller, callee) = (user_of(context.capture.text(context.call.caller)), called(context));
    let (why, remedy): (String, Steps) = match &ground {
        Ground::Contrast(contrast) => (contrast.sentence(), contrast.remedy(context, &server)),
        Ground::UnseenLogin => (
            format!(
                "it had asked for a login before, and the request that it refuses is not in the capture: the password of {caller} may be wrong, or the call not allowed."
            ),
            format!("On {server}: look up why it refused the call from {caller} to {callee}.").into(),
        ),
        Ground::Stated(words) => (
            format!("it gives the reason \"{words}\" for the call from {caller} to {callee}."),
            format!("On {server}: change the rule that it names, for {caller} or for {callee}.").into(),
        ),
        Ground::Unstated => (
            format!(
                "its policy does not allow this call; {}the address it came from, the caller ID {caller}, the number {callee} or the account may be why, and no accepted call in this capture tells which.",
                if context.outcome() == Outcome::AuthFailed { "a login that it does not accept, " } else { "" }
            ),
            Steps::from([
                format!("On {server}: look up which rule refused the call from {caller} to {callee}."),
                "Compare with a call that it accepts: source address, caller ID, called number.".to_owned(),
            ]),
        ),
    };
    let (confidence, proof) = ground.degree();
    let observation = Observation::new(confidence, proof)
        .titled(format!("{} forbids the call", context.capture.name(refuser)))
        .happened(format!("{server} answered 403 {}: {why}", context.capture.text(refusal.line)))
        .remedy(remedy)
        .shown_by(context.shows(refusal, "the refusal"));
    Some(match ground {
        Ground::Contrast(contrast) => {
            observation.at(refuser, contrast.first.kind.words()).maybe_shown_by(contrast.accepted(context))
        }
        Ground::UnseenLogin => observation.at(refuser, "unseen"),
        Ground::Stated(words) => observation.at(refuser, words),
        Ground::Unstated => observation.at(refuser, ""),
    })
}

fn called<'a>(context: &CallContext<'a>) -> &'a str {
    user_of(context.capture.text(context.call.callee))
}

/// A call that was refused by policy, and not for its anonymous caller, its signature or its login.
fn forbidden_call<'a>(context: &'a CallContext<'_>) -> Option<ForbiddenCall<'a>> {
    let is_refused = matches!(context.outcome(), Outcome::Rejected | Outcome::AuthFailed);
    if !is_refused || context.refusal_code() != 403 {
        return None;
    }
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    if Cause::of(context.tables(), refusal).q850 == Some(ANONYMOUS_REJECTED) {
        return None;
    }
    let words = own_words(context, context.capture.text(refusal.line));
    let folded = words.to_ascii_lowercase();
    if SIGNATURES.iter().any(|other| folded.contains(other)) {
        return None;
    }
    let is_about_login = || names_login(&folded) || names_nonce(&folded);
    let ground = match contrast(context) {
        Some(contrast) => Ground::Contrast(contrast),
        None if context.outcome() == Outcome::AuthFailed && is_about_login() => return None,
        None if is_unseen_login(context) => Ground::UnseenLogin,
        None if POLICY.iter().any(|word| folded.contains(word)) => Ground::Stated(words),
        None => Ground::Unstated,
    };
    Some(ForbiddenCall { refuser, refusal, ground })
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

/// What a refused call has in common with other refused ones of its server, and accepted ones lack.
struct AcceptedContrast<'a> {
    reception: &'a NumberAcceptance,
    /// The node that sent the refused call.
    sender: EndpointId,
    /// What counts most.
    first: ForbiddenFeature<'a>,
    /// What else they have in common.
    others: Vec<ForbiddenFeature<'a>>,
}

/// Something that every call refused with 403 has and no accepted one.
struct ForbiddenFeature<'a> {
    kind: FeatureKind<'a>,
    /// How many calls with it were refused.
    refused: u32,
}

/// By what a server may judge a call.
enum FeatureKind<'a> {
    /// The address that it came from.
    Source(String),
    /// The user of From.
    CallerId(&'a str),
    /// The asserted identity.
    Identity(&'a str),
    /// How the called number begins.
    Prefix(String),
}

impl FeatureKind<'_> {
    /// What follows `calls that`.
    fn words(&self) -> String {
        match self {
            Self::Source(address) => format!("came from {address}"),
            Self::CallerId(caller) => format!("used the caller ID {caller}"),
            Self::Identity(identity) => format!("vouched for the identity {identity}"),
            Self::Prefix(head) => format!("went to numbers that begin with {head}"),
        }
    }
}

impl AcceptedContrast<'_> {
    fn sentence(&self) -> String {
        let also: Vec<String> = self.others.iter().map(|feature| feature.kind.words()).collect();
        let also = if also.is_empty() {
            String::new()
        } else {
            format!(" They also {}, which may be the reason as well.", also.join(" and "))
        };
        let (refused, accepted) = (self.first.refused, self.reception.all.accepted);
        format!(
            "{} that {} {} refused with 403, and {} without that {} accepted.{also}",
            counted(refused, "call"),
            self.first.kind.words(),
            was(refused as usize),
            counted(accepted, "call"),
            was(accepted as usize),
        )
    }

    fn remedy(&self, context: &CallContext<'_>, server: &str) -> Steps {
        let sender = || context.name(self.sender);
        match &self.first.kind {
            FeatureKind::Source(address) => {
                format!("On {server}: add {address} to the addresses that may call, or let {address} log in.").into()
            }
            FeatureKind::CallerId(caller) => {
                let example = self.reception.all.first.map_or(String::new(), |accepted| {
                    format!(", such as {}", user_of(context.capture.text(accepted.from)))
                });
                Steps::from([
                    format!("On {}: send a caller ID that {server} allows{example}.", sender()),
                    format!("Or have {caller} allowed there."),
                ])
            }
            FeatureKind::Identity(_) => {
                format!("On {}: send an asserted identity that {server} allows.", sender()).into()
            }
            FeatureKind::Prefix(head) => {
                format!("On {server}: allow calls to {head}… for this account, where they are wanted.").into()
            }
        }
    }

    /// The first call that the server accepted.
    fn accepted(&self, context: &CallContext<'_>) -> Option<Evidence> {
        let accepted = self.reception.all.first?;
        let quote = format!("INVITE {} SIP/2.0", context.capture.text(accepted.uri));
        Some(Evidence::seen(accepted.at, quote, "a call that it accepted"))
    }
}

fn contrast<'a>(context: &'a CallContext<'_>) -> Option<AcceptedContrast<'a>> {
    let capture = context.capture;
    let reception = capture.reception(context.refuser()?)?;
    let request = context.refused_request()?;
    if reception.all.accepted < CONTRAST_MIN {
        return None;
    }
    let source = capture.node(request.source);
    let caller = user_of(capture.text(request.from));
    let identity = asserted(request.headers, capture.store);
    let head = Number::of(capture.text(request.line)).as_ref().map(Prefix::of);
    let kinds = [
        (FeatureKind::Source(context.tables().endpoints.address(source).to_string()), reception.sources.get(&source)),
        (FeatureKind::CallerId(caller), reception.callers.get(caller)),
        (FeatureKind::Identity(identity), reception.asserted.get(identity).filter(|_| !identity.is_empty())),
        (
            FeatureKind::Prefix(head.map_or(String::new(), |head| head.to_string())),
            head.and_then(|head| reception.prefixes.get(&head)),
        ),
    ];
    let mut features = kinds.into_iter().filter_map(|(kind, tally)| {
        let tally = tally.filter(|own| own.accepted == 0 && own.forbidden >= CONTRAST_MIN)?;
        Some(ForbiddenFeature { kind, refused: tally.forbidden })
    });
    Some(AcceptedContrast { reception, sender: request.source, first: features.next()?, others: features.collect() })
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
