//! sdp-profile-mismatch and the refusals of sdp-crypto: plain, SRTP or DTLS-SRTP, and the keys for it.
//!
//! Sources: RFC 3264 section 6, RFC 4568 sections 5.1.2 and 6, RFC 5763 section 5, RFC 5764 section 8, RFC 8122 section 5.

use crate::diagnose::background::media_capabilities::{Fact, FactKind};
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::sdp::judge::{Test, Theory};
use crate::diagnose::rules::sdp::offer::{self, Dimension, suites};
use crate::diagnose::rules::sdp::refusal::{Refusal, main_line};
use crate::sip::sdp::{Media, SdpDefectKind};

/// Hash functions that a certificate fingerprint may use (RFC 8122 section 5).
const HASHES: &[&str] = &["sha-1", "sha-224", "sha-256", "sha-384", "sha-512", "md5", "md2"];

/// Tests whether the profile was refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(line) = refusal.main_line().filter(|line| line.profile.is_rtp()) else {
        return Test::Silent;
    };
    if let Some(because) = refuter(refusal, line) {
        return Test::Refuted(because);
    }
    if let Some(theirs) = refusal.listed.and_then(main_line)
        && theirs.profile.is_rtp()
    {
        if theirs.profile == line.profile {
            return Test::Refuted(format!("the {} itself lists {}", refusal.code, theirs.profile_text));
        }
        let why = format!("the {} lists {}", refusal.code, offer::profile_words(theirs));
        return fits(refusal, line, (Confidence::Certain, Proof::OwnWords), &why, None);
    }
    if is_told(refusal) {
        let words = refusal.context.header(refusal.response, crate::sip::HeaderName::Warning);
        let why = match words {
            Some(words) => format!("the refusal says `{words}`"),
            None => "its reason phrase asks for another one".to_owned(),
        };
        return fits(refusal, line, (Confidence::Certain, Proof::OwnWords), &why, None);
    }
    if refusal.is_cured_by(Dimension::Profile)
        && let Some(retry) = refusal.retry
    {
        let theirs = refusal.shape(retry.offer).and_then(main_line);
        let why = format!("the next try with {} was accepted", theirs.map(offer::profile_words).unwrap_or_default());
        let proof = (Confidence::Certain, Proof::Comparison);
        let shown = refusal.shows_session(retry.at, retry.answer, "the retry was accepted");
        return fits(refusal, line, proof, &why, Some(shown));
    }
    compared(refusal, line)
}

/// Warning 302, or words about encryption.
fn is_told(refusal: &Refusal<'_, '_>) -> bool {
    let words = &refusal.words;
    let says = |list: &[&str]| list.iter().any(|word| words.text.contains(word));
    words.warnings.contains(&302) || says(&["srtp", "savp", "encrypt", "secure media", "rtp/avp"])
}

/// The refuser took the same profile in another call.
fn refuter(refusal: &Refusal<'_, '_>, line: &Media) -> Option<String> {
    let fact = refusal.known(FactKind::Accepted).find(|fact| {
        let answer = refusal.shape(fact.answer).and_then(|sdp| same_kind(sdp, line));
        let theirs = refusal.shape(fact.offer).and_then(|sdp| same_kind(sdp, line));
        theirs.is_some_and(|theirs| theirs.profile == line.profile) && answer.is_some_and(|answer| !answer.is_refused())
    })?;
    Some(format!("it accepted {} before (frame {})", line.profile_text, fact.at.frame))
}

fn same_kind<'s>(sdp: &'s crate::sip::Sdp, line: &Media) -> Option<&'s Media> {
    sdp.media(line.kind)
}

fn compared(refusal: &Refusal<'_, '_>, line: &Media) -> Test {
    let accepted: Vec<(&Fact, &Media)> = refusal
        .known(FactKind::Accepted)
        .chain(refusal.known(FactKind::Described))
        .chain(refusal.known(FactKind::AcceptedWithout))
        .filter_map(|fact| Some((fact, same_kind(refusal.shape(fact.answer)?, line)?)))
        .filter(|(_, media)| media.profile.is_rtp() && !media.is_refused())
        .collect();
    if accepted.iter().any(|(_, media)| media.profile == line.profile) {
        return Test::Refuted(format!("it uses {} in other calls", line.profile_text));
    }
    let refused: u32 = refusal
        .known(FactKind::Refused)
        .filter(|fact| {
            let theirs = refusal.shape(fact.offer).and_then(|sdp| same_kind(sdp, line));
            theirs.is_some_and(|theirs| theirs.profile == line.profile)
        })
        .map(|fact| fact.count)
        .sum();
    let Some((fact, media)) = accepted.first() else {
        return unknown(refusal, line);
    };
    let total: u32 = accepted.iter().map(|(fact, _)| fact.count).sum();
    let shares_codec = accepted.iter().any(|(_, media)| offer::share_codec(line, media).is_some());
    let confidence = match refused {
        2.. if shares_codec => Confidence::Likely,
        _ if shares_codec && total >= 2 && line.profile.is_secure() != media.profile.is_secure() => Confidence::Likely,
        _ => Confidence::Possible,
    };
    let why = format!(
        "it used {} in {}, and refused {} {}",
        offer::profile_words(media),
        if total == 1 { "the only accepted call".to_owned() } else { format!("all {total} accepted calls") },
        line.profile_text,
        if refused == 1 { "the one time that it came".to_owned() } else { format!("each of {refused} times") }
    );
    let shown = refusal.shows_session(fact.at, fact.answer, "what the same device took");
    fits(refusal, line, (confidence, Proof::Comparison), &why, Some(shown))
}

fn unknown(refusal: &Refusal<'_, '_>, line: &Media) -> Test {
    let is_hinted_elsewhere = !refusal.words.warnings.is_empty() || !refusal.is_about_media();
    if !line.profile.is_secure() || is_hinted_elsewhere {
        return Test::Open;
    }
    let why = "most phones and trunks take plain RTP (RTP/AVP) only";
    fits(refusal, line, (Confidence::Possible, Proof::CodeMeaning), why, None)
}

fn fits(
    refusal: &Refusal<'_, '_>,
    line: &Media,
    (confidence, proof): (Confidence, Proof),
    why: &str,
    shown: Option<crate::diagnose::finding::Evidence>,
) -> Test {
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offerer), capture.name(refusal.refuser));
    let remedy = if line.profile.is_secure() {
        format!(
            "On {offerer}: make SRTP optional or turn it off towards {refuser}. Or on {refuser}: allow {}. \
             Or let the SBC between them end the encryption.",
            line.profile_text
        )
    } else {
        format!(
            "On {offerer}: offer SRTP towards {refuser}. Or on {refuser}: make encryption optional. \
             Or let the SBC between them encrypt."
        )
    };
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Profile,
        confidence,
        proof,
        title: format!("{} was refused", offer::profile_words(line)),
        why: format!("the offer insists on {} and {why}", offer::profile_words(line)),
        remedy: remedy.into(),
        evidence: shown.into_iter().collect(),
        signature: line.profile_text.to_ascii_uppercase(),
    }))
}

/// Tests whether the keys were refused.
pub fn test_keys(refusal: &Refusal<'_, '_>) -> Test {
    let Some(line) = refusal.main_line().filter(|line| line.profile.is_secure()) else {
        return Test::Silent;
    };
    if let Some((what, confidence)) = key_defect(refusal, line) {
        if let Some(fact) = accepted_like(refusal, line) {
            return Test::Refuted(format!("it accepted such an offer before (frame {})", fact.at.frame));
        }
        return keys_fit(refusal, line, confidence, Proof::Protocol, &what);
    }
    let ours = suites(line);
    let theirs: Vec<(&Fact, &Media)> = refusal
        .known(FactKind::Accepted)
        .chain(refusal.known(FactKind::Described))
        .filter_map(|fact| Some((fact, same_kind(refusal.shape(fact.answer)?, line)?)))
        .filter(|(_, media)| media.profile.is_secure() && !media.is_refused())
        .collect();
    let listed = refusal.listed.and_then(|sdp| same_kind(sdp, line));
    let listed = listed.filter(|media| media.profile.is_secure() && !suites(media).is_empty());
    let known = listed.into_iter().chain(theirs.iter().map(|(_, media)| *media));
    let mut known_suites: Vec<&str> = known.flat_map(suites).collect();
    known_suites.sort_unstable();
    known_suites.dedup();
    if ours.iter().any(|suite| known_suites.contains(suite)) {
        return Test::Refuted("it uses an offered suite in other calls".to_owned());
    }
    let is_cured = refusal.is_cured_by(Dimension::Keys);
    let is_told =
        ["crypto", "cipher", "suite", "fingerprint", "dtls"].iter().any(|word| refusal.words.text.contains(word));
    let confidence = match (listed.is_some() || is_cured, !known_suites.is_empty() || is_told) {
        _ if ours.is_empty() && !is_cured && !is_told => return Test::Open,
        (true, _) => Confidence::Certain,
        (false, true) => Confidence::Likely,
        (false, false) => return Test::Open,
    };
    let names = offer::list(ours.iter().map(|suite| (*suite).to_owned()));
    let what = match offer::list(known_suites.iter().map(|suite| (*suite).to_owned())) {
        theirs if theirs.is_empty() => format!("offers only the keys {names}"),
        theirs => format!("offers only {names}, while the refuser uses {theirs}"),
    };
    let proof = match listed.is_some() || is_told {
        true => Proof::OwnWords,
        false => Proof::Comparison,
    };
    keys_fit(refusal, line, confidence, proof, &what)
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
        let theirs = refusal.shape(fact.offer).and_then(|sdp| same_kind(sdp, line));
        theirs.is_some_and(|theirs| {
            theirs.profile == line.profile
                && theirs.common.crypto == line.common.crypto
                && theirs.common.fingerprint_hash == line.common.fingerprint_hash
        })
    })
}

fn keys_fit(refusal: &Refusal<'_, '_>, line: &Media, confidence: Confidence, proof: Proof, what: &str) -> Test {
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
