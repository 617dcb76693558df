//! Answered calls whose media cannot work: no description where one is needed, keys that were not offered, two families.
//!
//! Sources: RFC 3261 section 13.2.1, RFC 4568 section 5.1.2, RFC 5763 section 5, RFC 3264 section 6, RFC 6157.

use crate::call::Message;
use crate::call::outcome::negotiation::is_whole;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::sdp::offer::{self, suites};
use crate::sip::sdp::{Media, Setup};

/// The offer and the answer of the dialog that carried the call, next to the caller.
fn opening<'a>(context: &CallContext<'a>) -> Option<(&'a Message, &'a Message)> {
    let exchange = context.opening()?;
    Some((context.message(exchange.offer?)?, context.message(exchange.answer?)?))
}

/// A call that was answered without the description that was due.
pub fn without_answer(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let dialog = context.dialogs.first()?;
    let invite = context.transactions.transaction(dialog.invite);
    let exchange = context.opening()?;
    let request = context.message(invite.last_request?)?;
    let answer = context.message(dialog.answer)?;
    if exchange.answer.is_some() || !is_whole(request) || !is_whole(answer) {
        return None;
    }
    let responses = || context.transactions.responses_of(dialog.invite).map(|(_, message)| message);
    if responses().any(|message| !is_whole(message)) {
        return None;
    }
    let (guilty, lacks, what) = if exchange.is_delayed {
        let ack = context.message(invite.ack?)?;
        if !is_whole(ack) || ack.flags.has_body() {
            return None;
        }
        exchange.offer?;
        let what = "its ACK carries no answer to the offer in the 200";
        (ack.source, ack, what)
    } else {
        if request.session.is_absent() || responses().any(|message| message.flags.has_body()) {
            return None;
        }
        (answer.source, answer, "its 200 carries no answer to the offer in the INVITE")
    };
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .warn()
            .titled("Session description missing in an answered call")
            .happened(format!(
                "{} left it out: {what}, so no codec and no media address were agreed.",
                context.name(guilty)
            ))
            .remedy(format!(
                "On {}: send the session description that RFC 3261 section 13.2.1 wants here.",
                context.capture.name(guilty)
            ))
            .shown_by(context.shows(lacks, "no session description"))
            .at(guilty, what)
            .beside(),
    )
}

/// A call that was answered with keys that do not fit the offer.
pub fn misfit_keys(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let (offer, answer) = opening(context)?;
    let sessions = &context.tables().sessions;
    let (ours, theirs) = (sessions.shape(offer.session), sessions.shape(answer.session));
    let mut pairs = ours.medias.iter().zip(&theirs.medias).enumerate();
    let (place, what) = pairs.find_map(|(place, (a, b))| {
        let is_used = !a.is_refused() && !b.is_refused() && b.profile.is_secure();
        Some((place, is_used.then(|| key_fault(a, b))??))
    })?;
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .warn()
            .titled("SRTP keys do not fit")
            .happened(format!("{} answered with {what}: the media cannot be decrypted.", context.name(answer.source)))
            .remedy(format!(
                "On {}: answer with one of the offered crypto lines, its tag included, or with the other DTLS role.",
                context.capture.name(answer.source)
            ))
            .shown_by(Evidence::seen(
                answer.at,
                offer::media_line(context.tables(), answer.session, place).unwrap_or_default(),
                what.clone(),
            ))
            .at(answer.source, what)
            .beside(),
    )
}

fn key_fault(ours: &Media, theirs: &Media) -> Option<String> {
    let (offered, answered) = (&ours.common, &theirs.common);
    if answered.crypto.is_empty() && answered.fingerprint_hash.is_none() {
        return Some(format!("{} and no key", theirs.profile_text));
    }
    if answered.crypto.len() == 1 && !offered.crypto.is_empty() {
        let chosen = answered.crypto.first()?;
        let same_suite = |suite: &str| suite.eq_ignore_ascii_case(&chosen.suite);
        let is_offered = offered.crypto.iter().any(|crypto| crypto.tag == chosen.tag && same_suite(&crypto.suite));
        if !is_offered {
            let names = offer::list(suites(ours).into_iter().map(str::to_owned));
            return Some(format!("the key {} (tag {}) while {names} was offered", chosen.suite, chosen.tag));
        }
    }
    let uses_dtls = offered.fingerprint_hash.is_some() && answered.fingerprint_hash.is_some();
    match (offered.setup?, answered.setup?) {
        (_, Setup::ActPass) if uses_dtls => Some("the DTLS role actpass, which only an offer may have".to_owned()),
        (Setup::Active, Setup::Active) if uses_dtls => Some("the DTLS role active like the offer".to_owned()),
        (Setup::Passive, Setup::Passive) if uses_dtls => Some("the DTLS role passive like the offer".to_owned()),
        _ => None,
    }
}

/// A call whose two sides have media addresses of different families.
pub fn two_families(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let (offer, answer) = opening(context)?;
    let sessions = &context.tables().sessions;
    let only = |message: &Message| {
        let mut places = sessions.media(message.session).iter();
        let is_hold = places.any(|at| at.address.is_unspecified());
        offer::only_family(sessions.shape(message.session)).filter(|_| !is_hold)
    };
    let (ours, theirs) = (only(offer)?, only(answer)?);
    if ours == theirs {
        return None;
    }
    Some(
        Observation::new(Confidence::Likely, Proof::Protocol)
            .warn()
            .titled("Media addresses of two families")
            .happened(format!(
                "{} offered {} media and {} answered with {}: without a relay that has both there is no audio.",
                context.name(offer.source),
                offer::family_name(ours),
                context.name(answer.source),
                offer::family_name(theirs)
            ))
            .remedy(format!(
                "Give {} an {} media address towards {}, or let a dual-stack SBC relay the media.",
                context.capture.name(answer.source),
                offer::family_name(ours),
                context.capture.name(offer.source)
            ))
            .shown_by(context.shows(answer, "the answer"))
            .shown_by(context.shows(offer, "the offer"))
            .at(answer.source, offer::family_name(theirs))
            .beside(),
    )
}
