//! sdp-body-type: a body of a type that the refuser does not take.
//!
//! Sources: RFC 3261 sections 8.1.3.5, 21.4.7 and 21.4.13; RFC 5621.

use crate::call::Message;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rules::sdp::refused::refusal::{Refusal, is_refused, values};
use crate::diagnose::rules::sdp::refused::theory::{Test, Theory};
use crate::sip::{HeaderName, MediaType};

/// The dimension is judged by [`sdp_body_type`] alone: 415 and 406 with other bodies are no refusal of media.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    if !matches!(refusal.code, 406 | 415) {
        return Test::Silent;
    }
    match fault(refusal.context) {
        Some(fault) => Test::Fits(Box::new(theory(refusal.context, refusal.request, fault))),
        None => Test::Refuted("the refusal accepts application/sdp, which was sent".to_owned()),
    }
}

struct RefusedType {
    what: String,
    accepts: String,
    confidence: Confidence,
    header: HeaderName,
}

fn accepts(list: &[String], sent: &MediaType<'_>) -> bool {
    list.iter().any(|value| {
        let accepted = MediaType::parse(value.as_bytes());
        let is_kind = accepted.kind == b"*" || accepted.kind.eq_ignore_ascii_case(sent.kind);
        is_kind && (accepted.subtype == b"*" || accepted.subtype.eq_ignore_ascii_case(sent.subtype))
    })
}

fn fault(context: &CallContext<'_>) -> Option<RefusedType> {
    let (request, response) = (context.refused_request()?, context.refusal()?);
    match context.refusal_code() {
        415 => body_fault(context, request, response),
        406 => accept_fault(context, request),
        _ => None,
    }
}

fn body_fault(context: &CallContext<'_>, request: &Message, response: &Message) -> Option<RefusedType> {
    let encoding = context.header(request, HeaderName::ContentEncoding);
    if let Some(encoding) = encoding.filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        let taken = values(context, response, HeaderName::AcceptEncoding);
        if !taken.iter().any(|value| value.eq_ignore_ascii_case(encoding)) {
            return Some(RefusedType {
                what: format!("a body with Content-Encoding {encoding}"),
                accepts: taken.join(", "),
                confidence: if taken.is_empty() { Confidence::Likely } else { Confidence::Certain },
                header: HeaderName::ContentEncoding,
            });
        }
    }
    let text = context.header(request, HeaderName::ContentType)?;
    let sent = MediaType::parse(text.as_bytes());
    let taken = values(context, response, HeaderName::Accept);
    let what = text.split(';').next().unwrap_or(text).trim();
    let confidence = match (taken.is_empty(), accepts(&taken, &sent)) {
        // Devices refuse codecs so too.
        (true, _) if sent.is_sdp() => return None,
        (true, _) => Confidence::Likely,
        (false, true) if sent.is_multipart() => Confidence::Likely,
        (false, true) => return None,
        (false, false) => Confidence::Certain,
    };
    let what =
        if accepts(&taken, &sent) { format!("a part of the {what} body") } else { format!("a body of type {what}") };
    Some(RefusedType { what, accepts: taken.join(", "), confidence, header: HeaderName::ContentType })
}

fn accept_fault(context: &CallContext<'_>, request: &Message) -> Option<RefusedType> {
    let wanted = values(context, request, HeaderName::Accept);
    let sdp = MediaType::parse(b"application/sdp");
    (!wanted.is_empty() && !accepts(&wanted, &sdp)).then(|| RefusedType {
        what: format!("a caller that accepts {} alone", wanted.join(", ")),
        accepts: "application/sdp".to_owned(),
        confidence: Confidence::Likely,
        header: HeaderName::Accept,
    })
}

fn theory(context: &CallContext<'_>, request: &Message, fault: RefusedType) -> Theory {
    let capture = context.capture;
    let (offerer, refuser) =
        (capture.name(request.source), context.refuser().map(|refuser| capture.name(refuser)).unwrap_or_default());
    let accepts = match fault.accepts.as_str() {
        "" => String::new(),
        accepts => format!("; it accepts {accepts}"),
    };
    let remedy = match fault.header {
        HeaderName::Accept => {
            format!("On {offerer}: add application/sdp to the Accept header, or leave that header out.")
        }
        HeaderName::ContentEncoding => {
            format!("On {offerer}: send the body to {refuser} without encoding.")
        }
        _ => format!(
            "On {offerer} or the SBC before {refuser}: send application/sdp alone and strip the other parts of the body."
        ),
    };
    Theory {
        dimension: Dimension::Body,
        confidence: fault.confidence,
        proof: Proof::OwnWords,
        title: "The type of the body was refused".to_owned(),
        why: format!("it does not take {}{accepts}", fault.what),
        remedy: remedy.into(),
        evidence: vec![context.shows_header(request, fault.header, "what was sent")],
        signature: fault.what,
    }
}

/// The rule about body types.
pub fn sdp_body_type(context: &CallContext<'_>) -> Option<Observation> {
    if !is_refused(context) || !matches!(context.refusal_code(), 406 | 415) {
        return None;
    }
    let (refuser, request, response) = (context.refuser()?, context.refused_request()?, context.refusal()?);
    let theory = theory(context, request, fault(context)?);
    let accept = context.header(response, HeaderName::Accept).is_some();
    let shown = match accept {
        true => context.shows_header(response, HeaderName::Accept, "what the refuser accepts"),
        false => context.shows(response, "the refusal"),
    };
    let observation = Observation::new(theory.confidence, theory.proof)
        .titled(theory.title)
        .happened(format!("{} refused the call with {}", context.name(refuser), context.refusal_code()))
        .because(format!("{}.", theory.why))
        .remedy(theory.remedy)
        .shown_by(shown)
        .at(refuser, theory.signature);
    Some(
        theory
            .evidence
            .into_iter()
            .fold(observation, Observation::shown_by)
            .not("sdp-codec-mismatch", "the type of the body was refused, not what it describes"),
    )
}
