//! Calls that a verifier refused for their signature: 428, 436, 437, 438, 403 "Stale Date".
//!
//! Sources: RFC 8224 sections 6.2.2 and 13.2; RFC 9410 (Reason: STIR).

use crate::call::{Message, TransactionIndex};
use crate::diagnose::background::identity_tokens::identities;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof, Steps};
use crate::diagnose::rules::id::signature::{PassportFault, fault_at, signer};
use crate::sip::{HeaderName, Identity, Method, Reason};

pub fn id_verify_failed(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_failure() || context.outcome().is_answered() {
        return went_on(context);
    }
    let code = context.refusal_code();
    let is_stale = code == 403
        && context.refusal().is_some_and(|refusal| {
            let phrase = context.tables().text(refusal.line).to_ascii_lowercase();
            phrase.contains("stale date")
        });
    match code {
        428 => missing(context),
        436..=438 => refused(context, code),
        403 if is_stale => refused(context, code),
        _ => None,
    }
}

fn is_signed(context: &CallContext<'_>, message: &Message) -> bool {
    identities(context.capture, message).next().is_some()
}

/// The hop on which the Identity header was seen last and the next one, which lacks it.
fn removed(context: &CallContext<'_>) -> Option<(TransactionIndex, TransactionIndex)> {
    let signed = |index: TransactionIndex| {
        context
            .transactions
            .transaction(index)
            .last_request
            .and_then(|request| context.message(request))
            .is_some_and(|request| is_signed(context, request))
    };
    let mut pairs = context.path().windows(2);
    pairs.find(|pair| signed(pair[0].0) && !signed(pair[1].0)).map(|pair| (pair[0].0, pair[1].0))
}

fn missing(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let who = context.name(refuser);
    let base = |confidence| Observation::new(confidence, Proof::OwnWords);
    if let Some((before, after)) = removed(context) {
        let (kept, lost) = (context.transactions.transaction(before), context.transactions.transaction(after));
        let (signed, bare) = (context.message(kept.last_request?)?, context.message(lost.last_request?)?);
        let remover = context.name(kept.destination);
        return Some(
            base(Confidence::Certain)
                .titled("The call's signature was removed on the way")
                .happened(format!( "{who} refused the call with 428"))
                .because(format!(
                    "it came without Identity header. {remover} received it signed (frame {}) and sent it on without the signature (frame {}).",
                    signed.at.frame,
                    bare.at.frame
                ))
                .remedy(format!(
                    "{remover}: pass the Identity header on (let it through in the header rules), or sign the call again."
                ))
                .shown_by(context.shows_header(signed, HeaderName::Identity, "signed when it arrived"))
                .shown_by(context.shows(bare, "sent on without Identity"))
                .shown_by(context.shows(refusal, "the refusal"))
                .at(kept.destination, "428 removed"),
        );
    }
    if is_signed(context, request) {
        return Some(
            base(Confidence::Likely)
                .titled("A signature of another kind is wanted")
                .happened(format!(
                    "{who} refused the call with 428 although the INVITE carries an Identity header: it wants one with another extension (ppt) or for other numbers."
                ))
                .remedy(format!("Ask the operator of {who} which PASSporT type it wants, and sign with that."))
                .shown_by(context.shows_header(request, HeaderName::Identity, "the signature that it got"))
                .shown_by(context.shows(refusal, "the refusal"))
                .at(refuser, "428 other"),
        );
    }
    let first = context.capture.name(context.call.source);
    Some(
        base(Confidence::Certain)
            .titled("The call is not signed")
            .happened(format!(
                "{who} takes signed calls alone and refused this one with 428: no INVITE of it carries an Identity header, from {first} onwards."
            ))
            .remedy(format!("{first}: sign calls (STIR/SHAKEN), or send them by a provider that signs them."))
            .shown_by(context.shows(request, "the INVITE, without Identity"))
            .shown_by(context.shows(refusal, "the refusal"))
            .at(refuser, "428 unsigned"),
    )
}

fn refused(context: &CallContext<'_>, code: u16) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let (root, _) = context.root()?;
    let who = context.name(refuser);
    let fault = fault_at(context, root);
    let url = certificate(context, request);
    let at_url = url.as_ref().map_or(String::new(), |url| format!(" ({url})"));
    let meaning = match code {
        436 => format!("it could not fetch the certificate that the signature names{at_url}"),
        437 => format!("it does not accept the certificate of the signature{at_url}"),
        438 => "the signature does not fit the call".to_owned(),
        _ => "the signature is too old".to_owned(),
    };
    let signer_name = signer(context).map_or("The signing provider".to_owned(), |node| context.name(node));
    let (confidence, cause, fix): (_, _, Steps) = match &fault {
        Some(fault) => (
            Confidence::Certain,
            format!(" In the INVITE that it got, the signature {fault}."),
            format!("{signer_name}: {}.", fault.fix()).into(),
        ),
        None if !is_signed(context, request) => (
            Confidence::Likely,
            " The INVITE as captured carries no Identity header.".to_owned(),
            format!("{signer_name}: sign the call, and let every element pass the Identity header on.").into(),
        ),
        None => (
            Confidence::Likely,
            " Nothing in the INVITE shows why.".to_owned(),
            match code {
                436 => Steps::from([
                    format!("Fetch the certificate{at_url} from outside over https."),
                    format!("{signer_name}: name an address that everybody can reach."),
                ]),
                437 => format!(
                    "{signer_name}: sign with a certificate of an approved authority that is valid and covers the caller's number."
                ).into(),
                _ => format!(
                    "{signer_name}: sign last, after every change of numbers and Date, with a clock that NTP keeps right."
                ).into(),
            },
        ),
    };
    Some(
        Observation::new(confidence, Proof::OwnWords)
            .titled(format!("The call's signature was refused ({code})"))
            .happened(format!("{who} refused the call with {code}: {meaning}.{cause}"))
            .remedy(fix)
            .shown_by(context.shows(refusal, "the refusal"))
            .shown_by(context.shows_header(request, HeaderName::Identity, "the signature that it got"))
            .at(refuser, format!("{code} {}", fault.as_ref().map_or("", PassportFault::signature))),
    )
}

fn certificate(context: &CallContext<'_>, request: &Message) -> Option<String> {
    let id = identities(context.capture, request).next()?;
    let info = Identity::parse(context.capture.text(id).as_bytes()).info()?;
    Some(String::from_utf8_lossy(info).into_owned())
}

/// A verifier that lets the call go on says in a provisional or final response why it does not trust it.
fn went_on(context: &CallContext<'_>) -> Option<Observation> {
    if !context.responses_have(HeaderName::Reason) {
        return None;
    }
    let originals = context.transactions.originals();
    let mut answers = originals.filter(|(_, message)| message.is_response_to(Method::Invite));
    let (message, cause) = answers.find_map(|(_, message)| Some((message, stir_cause(context, message)?)))?;
    let who = context.name(message.source);
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .warn()
            .beside()
            .titled("The call's signature was not accepted, the call went on")
            .happened(format!(
                "{who} told the caller's side that the signature failed (STIR cause {cause}) and let the call go on."
            ))
            .remedy(
                "The signing provider: sign last, with the numbers that the call shows, a fresh token and a reachable certificate.",
            )
            .shown_by(context.shows_header(message, HeaderName::Reason, "what the verifier says"))
            .at(message.source, format!("STIR {cause}")),
    )
}

fn stir_cause(context: &CallContext<'_>, message: &Message) -> Option<u16> {
    let values = context.tables().header_values(message, HeaderName::Reason);
    let mut reasons = values.flat_map(|value| value.split(',')).map(|value| Reason::parse(value.as_bytes()));
    reasons.find(|reason| reason.protocol.eq_ignore_ascii_case(b"STIR"))?.cause
}
