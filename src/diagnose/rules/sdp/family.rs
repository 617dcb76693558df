//! sdp-address-family: IPv4 media for an IPv6 device, or the reverse.
//!
//! Sources: RFC 3264 section 6, RFC 6157, RFC 4091, RFC 3261 section 20.43 (Warning 301).

use crate::call::outcome::negotiation::used;
use crate::diagnose::background::media_capabilities::FactKind;
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::sdp::judge::{Test, Theory};
use crate::diagnose::rules::sdp::offer::{self, Dimension};
use crate::diagnose::rules::sdp::refusal::{Refusal, main_line};
use crate::sip::Sdp;

/// The one family that all lines in use can be reached by: true for IPv6; `None` where both or none is there.
pub fn only_family(sdp: &Sdp) -> Option<bool> {
    let is_told = |media: &&crate::sip::sdp::Media| {
        media.connection.as_ref().is_some_and(|connection| connection.address.is_some())
    };
    let (mut v4, mut v6) = (false, false);
    for media in used(sdp).filter(is_told) {
        let (has_v4, has_v6) = offer::families(media);
        (v4, v6) = (v4 || has_v4, v6 || has_v6);
    }
    (v4 != v6).then_some(v6)
}

/// `IPv6` or `IPv4`.
pub fn name(is_v6: bool) -> &'static str {
    if is_v6 { "IPv6" } else { "IPv4" }
}

/// Tests whether the address family was refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(is_v6) = refusal.offer.and_then(only_family) else {
        return Test::Silent;
    };
    let tables = refusal.context.tables();
    let place = tables.sessions.media(refusal.request.session).first();
    let address = place.map(|at| at.address);
    if address.is_none_or(|address| address.is_unspecified()) {
        return Test::Silent;
    }
    let families: Vec<(bool, &crate::diagnose::background::media_capabilities::Fact)> = refusal
        .known(FactKind::Accepted)
        .chain(refusal.known(FactKind::Described))
        .filter_map(|fact| Some((only_family(refusal.shape(fact.answer)?)?, fact)))
        .collect();
    if let Some((_, fact)) = families.iter().find(|(theirs, _)| *theirs == is_v6) {
        return Test::Refuted(format!("it uses {} in other calls (frame {})", name(is_v6), fact.at.frame));
    }
    let theirs = |sdp: Option<&Sdp>| sdp.and_then(only_family).is_some_and(|own| own != is_v6);
    let is_foreign = tables.endpoint(refusal.refuser).address.is_ipv6() != is_v6;
    let text = &refusal.words.text;
    let is_told = refusal.words.warnings.contains(&301)
        || ["ipv4", "ipv6", "ip6", "address family", "address format"].iter().any(|word| text.contains(word));
    let (confidence, proof, why) = if is_told {
        let warning = refusal.context.header(refusal.response, crate::sip::HeaderName::Warning);
        let why = format!("the refusal says `{}`", warning.unwrap_or(text));
        (Confidence::Certain, Proof::OwnWords, why)
    } else if theirs(refusal.listed) {
        let why = format!("the {} lists {} alone", refusal.code, name(!is_v6));
        (Confidence::Certain, Proof::OwnWords, why)
    } else if refusal.is_cured_by(Dimension::Family) {
        let why = format!("the next try with {} media was accepted", name(!is_v6));
        (Confidence::Certain, Proof::Comparison, why)
    } else if let Some((_, fact)) = families.first() {
        let why = format!("it has only used {} (frame {})", name(!is_v6), fact.at.frame);
        let shares = refusal
            .shape(fact.answer)
            .and_then(main_line)
            .zip(refusal.main_line())
            .is_some_and(|(a, b)| offer::share_codec(b, a).is_some());
        let confidence = if shares { Confidence::Likely } else { Confidence::Possible };
        (confidence, Proof::Comparison, why)
    } else if is_foreign && refusal.words.warnings.is_empty() && refusal.is_about_media() {
        let why = format!("it is itself reached over {}", name(!is_v6));
        (Confidence::Possible, Proof::Comparison, why)
    } else {
        return Test::Open;
    };
    let address = address.map(|address| address.to_string()).unwrap_or_default();
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offerer), capture.name(refusal.refuser));
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Family,
        confidence,
        proof,
        title: format!("{} media were refused", name(is_v6)),
        why: format!("the offer wants media at {address} ({}) and {why}", name(is_v6)),
        remedy: format!(
            "On {offerer}: give the interface towards {refuser} an {} media address, or let a dual-stack SBC relay the media.",
            name(!is_v6)
        ).into(),
        evidence: Vec::new(),
        signature: name(is_v6).to_owned(),
    }))
}
