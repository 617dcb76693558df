//! Signatures that do not fit the INVITE that carries them, or that are weak.
//!
//! Source: RFC 8224 section 6.2.

use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Observation, Proof};
use crate::diagnose::rules::id::signature::{HOPS_MAX, attestation, fault_at, signer};
use crate::sip::HeaderName;

pub fn id_passport(context: &CallContext<'_>) -> Option<Observation> {
    if !context.requests_have(HeaderName::Identity) {
        return None;
    }
    let mut hops = context.transactions.invites().take(HOPS_MAX);
    let (index, fault) = hops.find_map(|(index, _)| Some((index, fault_at(context, index)?)))?;
    let hop = context.transactions.transaction(index);
    let message = context.message(hop.request?)?;
    let signer = signer(context).unwrap_or(hop.source);
    let attested = attestation(context, message);
    Some(
        Observation::new(fault.confidence(), Proof::Protocol)
            .beside()
            .titled(format!("The caller's signature {}", fault.title()))
            .happened(format!(
                "On the way from {} to {} the signature {fault}.{attested} Networks that verify it show the call as spam or refuse it.",
                context.capture.name(hop.source),
                context.capture.name(hop.destination)
            ))
            .remedy(format!("{}: {}.", context.name(signer), fault.fix()))
            .shown_by(context.shows_header(message, HeaderName::Identity, "the signed claims"))
            .at(signer, fault.signature()),
    )
}
