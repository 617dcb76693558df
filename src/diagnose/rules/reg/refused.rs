//! A REGISTER that the registrar refused, by the code of its answer.
//!
//! Sources: RFC 3261 sections 10.3, 20.23, 21.4 and 21.5; RFC 5626 section 11.6 (439).

use crate::call::beside::registration::RegistrationOutcome;
use crate::call::{Message, TextId};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Proof, Steps};
use crate::diagnose::rules::reg::failure::{Exchange, RegisterFailure, failure, others, who};
use crate::sip::{HeaderName, Uri, Warning};

/// The answer says it itself.
const CERTAIN: (Confidence, Proof) = (Confidence::Certain, Proof::OwnWords);
/// The answer says it, and others fit it too.
const LIKELY: (Confidence, Proof) = (Confidence::Likely, Proof::OwnWords);
/// Tries of the whole capture among which one in another domain is looked for.
const ATTEMPTS_MAX: usize = 2_000;

/// What a registrar says with a code.
enum RefusalKind {
    TooBrief,
    UnknownAddress,
    Malformed,
    NoRegistrar,
    Feature,
    SilentBehind,
    Fault,
    Elsewhere,
    Unclear,
}

impl RefusalKind {
    fn of(code: u16) -> Self {
        match code {
            423 => Self::TooBrief,
            404 => Self::UnknownAddress,
            400 | 416 => Self::Malformed,
            405 | 501 => Self::NoRegistrar,
            420 | 421 | 439 | 494 | 555 => Self::Feature,
            408 | 504 => Self::SilentBehind,
            500..=599 => Self::Fault,
            300..=399 => Self::Elsewhere,
            _ => Self::Unclear,
        }
    }
}

/// What the registrar refused a REGISTER with.
pub(super) fn refused(capture: &CaptureContext<'_>, exchange: &Exchange<'_>, code: u16) -> RegisterFailure {
    let refusal = RegisterRefusal {
        capture,
        exchange,
        code,
        who: who(capture, exchange.attempt),
        registrar: capture.name(exchange.attempt.registrar),
        phrase: exchange.answer.map_or("", |answer| capture.text(answer.line)),
    };
    match RefusalKind::of(code) {
        RefusalKind::TooBrief => refusal.too_brief(),
        RefusalKind::UnknownAddress => refusal.unknown_address(),
        RefusalKind::Malformed => refusal.malformed(),
        RefusalKind::NoRegistrar => refusal.no_registrar(),
        RefusalKind::Feature => refusal.feature(),
        RefusalKind::SilentBehind => refusal.silent_behind(),
        RefusalKind::Fault => refusal.fault(),
        RefusalKind::Elsewhere => refusal.elsewhere(),
        RefusalKind::Unclear => refusal.unclear(),
    }
}

/// A refusal, with the names that say it.
struct RegisterRefusal<'s, 'a> {
    capture: &'s CaptureContext<'a>,
    exchange: &'s Exchange<'a>,
    code: u16,
    who: String,
    registrar: String,
    phrase: &'a str,
}

impl RegisterRefusal<'_, '_> {
    /// The registrar wants bindings that last longer.
    fn too_brief(&self) -> RegisterFailure {
        let Self { exchange, who, registrar, .. } = self;
        let header = |message: &Message, name| self.capture.store.tables.header(message, name).map(str::trim);
        let least = exchange.answer.and_then(|answer| header(answer, HeaderName::MinExpires));
        let contact = self.capture.text(exchange.attempt.contact).to_ascii_lowercase();
        let asked = contact
            .rsplit_once("expires=")
            .map(|(_, value)| value.split([';', ',', '>']).next().unwrap_or_default().to_owned())
            .or_else(|| header(exchange.request, HeaderName::Expires).map(str::to_owned));
        let asked = asked.map_or(String::new(), |asked| format!(" It asked for {asked} s."));
        let wants = least.map_or("does not say how much it wants, although RFC 3261 has it".to_owned(), |least| {
            format!("wants at least {least} s")
        });
        failure(
            CERTAIN,
            "The expiry asked for is too short",
            format!(
                "{who} could not register: {registrar} answered 423 and {wants}.{asked} The device did not try again with more."
            ),
            format!("On the device: set the registration expiry to {} s or more.", least.unwrap_or("3600")),
        )
    }

    fn unknown_address(&self) -> RegisterFailure {
        let Self { capture, exchange, who, registrar, phrase, .. } = self;
        failure(
            CERTAIN,
            "The registrar does not know this address",
            format!(
                "{who} could not register at {registrar}: 404 {phrase}. It asked `{}` to register {}.",
                capture.text(exchange.request.line),
                capture.text(exchange.attempt.aor)
            ),
            Steps::from([
                format!("On the device: set user and domain as {registrar} has them."),
                format!("Or create the user there.{}", self.domains()),
            ]),
        )
    }

    fn malformed(&self) -> RegisterFailure {
        let Self { capture, exchange, code, who, registrar, phrase } = self;
        let expires = capture.store.tables.header(exchange.request, HeaderName::Expires);
        let is_star = capture.text(exchange.attempt.contact).trim() == "*";
        let defects = capture.defects(exchange.request);
        let (confidence, fault) = if is_star && expires.is_none_or(|expires| expires.trim() != "0") {
            (Confidence::Certain, "`Contact: *` may only come with `Expires: 0`".to_owned())
        } else if let Some(defect) = defects.first() {
            (Confidence::Likely, capture.text(defect.sentence).to_owned())
        } else {
            (Confidence::Possible, "nothing that can be checked is wrong with it".to_owned())
        };
        failure(
            (confidence, Proof::Protocol),
            "The REGISTER is refused as malformed",
            format!("{who} could not register: {registrar} answered {code} {phrase}. In the REGISTER: {fault}."),
            "On the device, or on the router that rewrites its SIP: correct this part of the REGISTER.",
        )
    }

    fn no_registrar(&self) -> RegisterFailure {
        let Self { code, who, registrar, phrase, .. } = self;
        failure(
            CERTAIN,
            "This server takes no registrations",
            format!("{who} could not register: {registrar} does not take REGISTER ({code} {phrase})."),
            "On the device: set the registrar's address, which may differ from that of the outbound proxy.",
        )
    }

    fn feature(&self) -> RegisterFailure {
        let Self { code, who, registrar, phrase, .. } = self;
        failure(
            CERTAIN,
            "The registrar demands or lacks a feature",
            format!("{who} could not register at {registrar}: {code} {phrase}.{}", self.named_feature()),
            format!("Switch the feature on or off on both sides alike: on the device and on {registrar}."),
        )
    }

    /// A proxy waited for the registrar, or the registrar for its database.
    fn silent_behind(&self) -> RegisterFailure {
        let Self { capture, exchange, code, who, registrar, phrase } = self;
        failure(
            LIKELY,
            format!("{registrar} got no answer from behind it"),
            format!(
                "{who} could not register: {registrar} answered {code} {phrase}, as a proxy does that waited in vain for the registrar behind it, or a registrar for its database.{}",
                others(capture, exchange.attempt)
            ),
            Steps::from([
                format!("Behind {registrar}: is the registrar, or the database that it asks, up, and does it answer?"),
                format!("{registrar}: is that the right next hop for this domain?"),
            ]),
        )
    }

    fn fault(&self) -> RegisterFailure {
        let Self { capture, exchange, code, who, registrar, phrase } = self;
        failure(
            LIKELY,
            "The registrar failed",
            format!(
                "{who} could not register: {registrar} answered {code} {phrase}.{}",
                others(capture, exchange.attempt)
            ),
            format!(
                "{registrar}: look for the fault at this moment in its log and in the database or server behind it."
            ),
        )
    }

    fn elsewhere(&self) -> RegisterFailure {
        let Self { code, who, registrar, phrase, .. } = self;
        failure(
            CERTAIN,
            "The registrar sends the device elsewhere",
            format!("{who} was sent elsewhere by {registrar} ({code} {phrase}) and did not follow."),
            "On the device: set the registrar that the Contact of this answer names.",
        )
    }

    fn unclear(&self) -> RegisterFailure {
        let Self { code, who, registrar, phrase, .. } = self;
        failure(
            (Confidence::Likely, Proof::CodeMeaning),
            format!("Registration refused with {code}"),
            format!("{who} could not register: {registrar} answered {code} {phrase}."),
            format!("Read the log of {registrar} for this REGISTER; nothing in it shows more than the code."),
        )
    }

    /// The domain in which another device registered at the same registrar, where it differs.
    fn domains(&self) -> String {
        let Self { capture, exchange, .. } = self;
        let host = |id: TextId| {
            String::from_utf8_lossy(Uri::parse(capture.text(id).as_bytes()).host_port.host).to_ascii_lowercase()
        };
        let own = host(exchange.attempt.aor);
        let node = capture.node(exchange.attempt.registrar);
        let mut good = capture.attempts.iter().take(ATTEMPTS_MAX).filter(|attempt| {
            attempt.outcome == RegistrationOutcome::Registered && capture.node(attempt.registrar) == node
        });
        good.find(|attempt| host(attempt.aor) != own).map_or(String::new(), |attempt| {
            format!(" Other devices register there in the domain {}.", host(attempt.aor))
        })
    }

    /// The feature that the answer names, or what it warns of.
    fn named_feature(&self) -> String {
        let tables = &self.capture.store.tables;
        let Some(answer) = self.exchange.answer else {
            return String::new();
        };
        let named = [HeaderName::Unsupported, HeaderName::Require]
            .into_iter()
            .find_map(|name| tables.header(answer, name))
            .map(|tag| format!(" It names `{tag}`."));
        let warned = || {
            let warning = tables.header(answer, HeaderName::Warning)?;
            let text = Warning::parse(warning.as_bytes()).text;
            Some(format!(" It warns: {}.", String::from_utf8_lossy(text)))
        };
        named.or_else(warned).unwrap_or_default()
    }
}
