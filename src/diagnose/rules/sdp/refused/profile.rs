//! sdp-profile-mismatch: plain RTP, SRTP or DTLS-SRTP, of which the refuser takes another than the offered one.
//!
//! Sources: RFC 3264 section 6, RFC 5764 section 8.

use crate::diagnose::background::media_capabilities::{Fact, FactKind};
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::refused::refusal::{Refusal, main_line};
use crate::diagnose::rules::sdp::refused::theory::{Test, Theory};
use crate::sip::sdp::Media;

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
    if asks_for_another(refusal) {
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
    by_other_calls(refusal, line)
}

/// Warning 302, or words about encryption.
fn asks_for_another(refusal: &Refusal<'_, '_>) -> bool {
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

fn by_other_calls(refusal: &Refusal<'_, '_>, line: &Media) -> Test {
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
        return by_rarity(refusal, line);
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

fn by_rarity(refusal: &Refusal<'_, '_>, line: &Media) -> Test {
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
