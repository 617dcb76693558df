//! Refusals of sdp-crypto: SRTP keys that are faulty, or of no suite that the refuser takes.
//!
//! Sources: RFC 4568 sections 5.1.2 and 6, RFC 5763 section 5, RFC 8122 section 5.

use crate::diagnose::background::media_capabilities::{Fact, FactKind};
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::sdp::offer::{self, suites};
use crate::diagnose::rules::sdp::refused::refusal::Refusal;
use crate::diagnose::rules::sdp::refused::theory::{Test, Theory};
use crate::sip::sdp::{Media, SdpDefectKind};

/// Hash functions that a certificate fingerprint may use (RFC 8122 section 5).
const HASHES: &[&str] = &["sha-1", "sha-224", "sha-256", "sha-384", "sha-512", "md5", "md2"];

/// Tests whether the keys were refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(line) = refusal.main_line().filter(|line| line.profile.is_secure()) else {
        return Test::Silent;
    };
    if let Some((what, confidence)) = key_defect(refusal, line) {
        if let Some(fact) = accepted_like(refusal, line) {
            return Test::Refuted(format!("it accepted such an offer before (frame {})", fact.at.frame));
        }
        return fits(refusal, line, confidence, Proof::Protocol, &what);
    }
    let ours = suites(line);
    let theirs: Vec<(&Fact, &Media)> = refusal
        .known(FactKind::Accepted)
        .chain(refusal.known(FactKind::Described))
        .filter_map(|fact| Some((fact, refusal.shape(fact.answer)?.media(line.kind)?)))
        .filter(|(_, media)| media.profile.is_secure() && !media.is_refused())
        .collect();
    let listed = refusal.listed.and_then(|sdp| sdp.media(line.kind));
    let listed = listed.filter(|media| media.profile.is_secure() && !suites(media).is_empty());
    let known = listed.into_iter().chain(theirs.iter().map(|(_, media)| *media));
    let mut known_suites: Vec<&str> = known.flat_map(suites).collect();
    known_suites.sort_unstable();
    known_suites.dedup();
    if ours.iter().any(|suite| known_suites.contains(suite)) {
        return Test::Refuted("it uses an offered suite in other calls".to_owned());
    }
    let is_cured = refusal.is_cured_by(Dimension::Keys);
    let says_so =
        ["crypto", "cipher", "suite", "fingerprint", "dtls"].iter().any(|word| refusal.words.text.contains(word));
    let confidence = match (listed.is_some() || is_cured, !known_suites.is_empty() || says_so) {
        _ if ours.is_empty() && !is_cured && !says_so => return Test::Open,
        (true, _) => Confidence::Certain,
        (false, true) => Confidence::Likely,
        (false, false) => return Test::Open,
    };
    let names = offer::list(ours.iter().map(|suite| (*suite).to_owned()));
    let what = match offer::list(known_suites.iter().map(|suite| (*suite).to_owned())) {
        theirs if theirs.is_empty() => format!("offers only the keys {names}"),
        theirs => format!("offers only {names}, while the refuser uses {theirs}"),
    };
    let proof = match listed.is_some() || says_so {
        true => Proof::OwnWords,
        false => Proof::Comparison,
    };
    fits(refusal, line, confidence, proof, &what)
}

/// What is wrong with the keys of an offer in itself.
fn key_defect(refusal: &Refusal<'_, '_>, line: &Media) -> Option<(String, Confidence)> {
    let defects = &refusal.offer?.defects;
    let has = |kind| defects.iter().find(|defect| defect.kind == kind);
    if line.common.crypto.is_empty() && line.common.fingerprint_hash.is_none() {
        return match has(SdpDefectKind::BadCrypto) {
            Some(defect) => Some((format!("has a faulty key: {defect}"), Confidence::Certain)),
            None => Some(("carries no key".to_owned(), Confidence::Certain)),
        };
    }
    // One good line is enough: the answerer may choose it.
    let is_usable = line
        .common
        .crypto
        .iter()
        .any(|crypto| crypto.expected_octets().is_none_or(|octets| octets == crypto.key_octets));
    if let Some(defect) = has(SdpDefectKind::BadCrypto)
        && !is_usable
        && line.common.fingerprint_hash.is_none()
    {
        return Some((format!("has a faulty key: {defect}"), Confidence::Certain));
    }
    let hash = line.common.fingerprint_hash.as_deref()?;
    (line.common.crypto.is_empty() && !HASHES.contains(&hash))
        .then(|| (format!("has a fingerprint of the unknown kind {hash}"), Confidence::Likely))
}

fn accepted_like<'a>(refusal: &Refusal<'_, 'a>, line: &Media) -> Option<&'a Fact> {
    refusal.known(FactKind::Accepted).find(|fact| {
        let theirs = refusal.shape(fact.offer).and_then(|sdp| sdp.media(line.kind));
        theirs.is_some_and(|theirs| {
            theirs.profile == line.profile
                && theirs.common.crypto == line.common.crypto
                && theirs.common.fingerprint_hash == line.common.fingerprint_hash
        })
    })
}

fn fits(refusal: &Refusal<'_, '_>, line: &Media, confidence: Confidence, proof: Proof, what: &str) -> Test {
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offerer), capture.name(refusal.refuser));
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Keys,
        confidence,
        proof,
        title: "SRTP keys cannot be agreed".to_owned(),
        why: format!("the offer announces encrypted media ({}) and {what}", line.profile_text),
        remedy: format!(
            "On {offerer}: offer AES_CM_128_HMAC_SHA1_80 with a fresh key of 30 octets, or a DTLS fingerprint, in \
             every encrypted line, or offer RTP/AVP towards {refuser}."
        )
        .into(),
        evidence: Vec::new(),
        signature: format!("{} {}", line.profile_text, suites(line).join(",")),
    }))
}
