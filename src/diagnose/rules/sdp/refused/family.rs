//! sdp-address-family: IPv4 media for an IPv6 device, or the reverse.
//!
//! Sources: RFC 3264 section 6, RFC 6157, RFC 4091, RFC 3261 section 20.43 (Warning 301).

use crate::diagnose::background::media_capabilities::{Fact, FactKind};
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::refused::refusal::{Refusal, main_line};
use crate::diagnose::rules::sdp::refused::theory::{Test, Theory};
use crate::sip::HeaderName;

/// Tests whether the address family was refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(is_v6) = refusal.offer.and_then(offer::only_family) else {
        return Test::Silent;
    };
    let tables = refusal.context.tables();
    let place = tables.sessions.media(refusal.request.session).first();
    let address = place.map(|at| at.address);
    if address.is_none_or(|address| address.is_unspecified()) {
        return Test::Silent;
    }
    let families: Vec<(bool, &Fact)> = refusal
        .known(FactKind::Accepted)
        .chain(refusal.known(FactKind::Described))
        .filter_map(|fact| Some((offer::only_family(refusal.shape(fact.answer)?)?, fact)))
        .collect();
    if let Some((_, fact)) = families.iter().find(|(theirs, _)| *theirs == is_v6) {
        let family = offer::family_name(is_v6);
        return Test::Refuted(format!("it uses {family} in other calls (frame {})", fact.at.frame));
    }
    let Some(sign) = sign(refusal, is_v6, families.first().map(|(_, fact)| *fact)) else {
        return Test::Open;
    };
    let address = address.map(|address| address.to_string()).unwrap_or_default();
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offerer), capture.name(refusal.refuser));
    let (ours, theirs) = (offer::family_name(is_v6), offer::family_name(!is_v6));
    let (confidence, proof) = sign.strength(refusal);
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Family,
        confidence,
        proof,
        title: format!("{ours} media were refused"),
        why: format!("the offer wants media at {address} ({ours}) and {}", sign.words(refusal, theirs)),
        remedy: format!(
            "On {offerer}: give the interface towards {refuser} an {theirs} media address, or let a dual-stack SBC relay the media."
        )
        .into(),
        evidence: Vec::new(),
        signature: ours.to_owned(),
    }))
}

/// What shows that the refuser wants the other family.
enum FamilySign<'a> {
    /// The refusal says so.
    OwnWords,
    /// The refusal lists the other family alone.
    OwnList,
    /// The next try, with the other family, was accepted.
    Retry,
    /// It has only used the other one.
    OtherCalls(&'a Fact),
    /// It is reached over the other one.
    OwnAddress,
}

/// The best sign; `other` is a call in which it used the other family.
fn sign<'a>(refusal: &Refusal<'_, '_>, is_v6: bool, other: Option<&'a Fact>) -> Option<FamilySign<'a>> {
    let text = &refusal.words.text;
    let says_so = refusal.words.warnings.contains(&301)
        || ["ipv4", "ipv6", "ip6", "address family", "address format"].iter().any(|word| text.contains(word));
    if says_so {
        return Some(FamilySign::OwnWords);
    }
    if refusal.listed.and_then(offer::only_family).is_some_and(|own| own != is_v6) {
        return Some(FamilySign::OwnList);
    }
    if refusal.is_cured_by(Dimension::Family) {
        return Some(FamilySign::Retry);
    }
    if let Some(fact) = other {
        return Some(FamilySign::OtherCalls(fact));
    }
    let is_foreign = refusal.context.tables().endpoint(refusal.refuser).address.is_ipv6() != is_v6;
    let is_unexplained = refusal.words.warnings.is_empty() && refusal.is_about_media();
    (is_foreign && is_unexplained).then_some(FamilySign::OwnAddress)
}

impl FamilySign<'_> {
    fn strength(&self, refusal: &Refusal<'_, '_>) -> (Confidence, Proof) {
        let shares_codec = |fact: &Fact| {
            let theirs = refusal.shape(fact.answer).and_then(main_line);
            theirs.zip(refusal.main_line()).is_some_and(|(theirs, ours)| offer::share_codec(ours, theirs).is_some())
        };
        match self {
            Self::OwnWords | Self::OwnList => (Confidence::Certain, Proof::OwnWords),
            Self::Retry => (Confidence::Certain, Proof::Comparison),
            Self::OtherCalls(fact) if shares_codec(fact) => (Confidence::Likely, Proof::Comparison),
            Self::OtherCalls(_) | Self::OwnAddress => (Confidence::Possible, Proof::Comparison),
        }
    }

    fn words(&self, refusal: &Refusal<'_, '_>, other: &str) -> String {
        match self {
            Self::OwnWords => {
                let warning = refusal.context.header(refusal.response, HeaderName::Warning);
                format!("the refusal says `{}`", warning.unwrap_or(&refusal.words.text))
            }
            Self::OwnList => format!("the {} lists {other} alone", refusal.code),
            Self::Retry => format!("the next try with {other} media was accepted"),
            Self::OtherCalls(fact) => format!("it has only used {other} (frame {})", fact.at.frame),
            Self::OwnAddress => format!("it is itself reached over {other}"),
        }
    }
}
