//! sdp-codec-mismatch: no codec in common, as far as the refuser is known.
//!
//! Sources: RFC 3264 section 6.1, RFC 3261 sections 20.43 and 21.4.26.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnose::background::media_capabilities::{Fact, FactKind};
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Proof};
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::refused::codec_words::{calls, is_common, theory};
use crate::diagnose::rules::sdp::refused::refusal::{Refusal, main_line};
use crate::diagnose::rules::sdp::refused::theory::Test;
use crate::sip::Sdp;
use crate::sip::sdp::Media;

/// Accepted and refused offers from which on a comparison is proof.
const ACCEPTED_MIN: u32 = 3;
/// See [`ACCEPTED_MIN`].
const REFUSED_MIN: u32 = 2;

/// Tests whether the codecs were refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(line) = refusal.main_line() else {
        return Test::Silent;
    };
    if line.real_codecs().next().is_none() {
        return Test::Silent;
    }
    if let Some(answer) = own_list(refusal, line) {
        return answer;
    }
    if let Some(because) = refuter(refusal, line) {
        return Test::Refuted(because);
    }
    if refusal.is_cured_by(Dimension::Codecs) {
        return by_retry(refusal, line);
    }
    by_other_calls(refusal, line)
        .or_else(|| by_own_words(refusal, line))
        .or_else(|| by_rarity(refusal, line))
        .unwrap_or(Test::Open)
}

fn line_of<'s>(sdp: &'s Sdp, like: &Media) -> Option<&'s Media> {
    let mut lines = sdp.medias.iter();
    lines.find(|media| media.kind == like.kind && media.real_codecs().next().is_some())
}

/// The refusal lists what its sender can do (RFC 3261 section 21.4.26).
fn own_list(refusal: &Refusal<'_, '_>, line: &Media) -> Option<Test> {
    let listed = line_of(refusal.listed?, line)?;
    if let Some(common) = offer::share_codec(line, listed) {
        return Some(Test::Refuted(format!("the {} itself lists {}, which was offered", refusal.code, common.name)));
    }
    let names = offer::each_codec(listed);
    let proof = format!("its {} says so", refusal.code);
    let mut theory = theory(refusal, line, &names, &proof);
    (theory.confidence, theory.proof) = (Confidence::Certain, Proof::OwnWords);
    theory.evidence.push(refusal.shows_session(
        refusal.response.at,
        refusal.response.session,
        "the refusal lists what its sender takes",
    ));
    Some(Test::Fits(Box::new(theory)))
}

/// The refuser takes one of the offered codecs, as another call shows.
fn refuter(refusal: &Refusal<'_, '_>, line: &Media) -> Option<String> {
    let answered = refusal.known(FactKind::Accepted).find_map(|fact| {
        let (theirs, answer) = (refusal.shape(fact.offer)?, refusal.shape(fact.answer)?);
        let (before, answer) = (line_of(theirs, line)?, line_of(answer, line)?);
        let is_alike =
            before.profile == line.profile && offer::families(before) == offer::families(line) && !answer.is_refused();
        let common = offer::share_codec(line, answer).filter(|_| is_alike)?;
        Some((fact, common))
    });
    if let Some((fact, codec)) = answered {
        return Some(format!(
            "it answered {} in {} with the same profile and address family (frame {})",
            codec.name,
            calls(fact.count),
            fact.at.frame
        ));
    }
    // What it offers may differ from peer to peer; what it answers here counts more.
    if refusal.known(FactKind::Accepted).next().is_some() {
        return None;
    }
    let own = refusal.known(FactKind::Offered).chain(refusal.known(FactKind::AcceptedWithout));
    let offered = own.into_iter().find_map(|fact| {
        let session = if fact.kind == FactKind::Offered { fact.offer } else { fact.answer };
        let theirs = line_of(refusal.shape(session)?, line)?;
        let common = offer::share_codec(line, theirs)?;
        (theirs.profile == line.profile).then_some((fact, common))
    });
    let (fact, codec) = offered?;
    Some(format!("it offers {} itself (frame {})", codec.name, fact.at.frame))
}

fn by_retry(refusal: &Refusal<'_, '_>, line: &Media) -> Test {
    let (Some(retry), Some(answer)) = (refusal.retry, refusal.retry.and_then(|retry| refusal.shape(retry.answer)))
    else {
        return Test::Open;
    };
    let retried = main_line(answer).map(offer::each_codec).unwrap_or_default();
    let mut proof = format!(
        "the next try, which differed in codecs alone, was answered with {}",
        offer::list(retried.iter().cloned())
    );
    let mut names = retried;
    if let Some(answered) = answered(refusal, line)
        && answered.total > 1
    {
        names.retain(|name| !answered.codecs.contains(name));
        names.splice(0..0, answered.codecs);
        proof = format!("{proof}; {}", answered.words);
    }
    let mut theory = theory(refusal, line, &names, &proof);
    (theory.confidence, theory.proof) = (Confidence::Certain, Proof::Comparison);
    theory.evidence.push(refusal.shows_session(retry.at, retry.answer, "the retry with other codecs was accepted"));
    Test::Fits(Box::new(theory))
}

/// What the refuser took or listed in other calls has none of the offered codecs.
fn by_other_calls(refusal: &Refusal<'_, '_>, line: &Media) -> Option<Test> {
    let described = refusal.known(FactKind::Described).find_map(|fact| {
        let theirs = line_of(refusal.shape(fact.answer)?, line)?;
        Some((fact, theirs))
    });
    if let Some((fact, theirs)) = described {
        let common = offer::share_codec(line, theirs);
        if let Some(common) = common {
            let because = format!("it lists {} itself (frame {})", common.name, fact.at.frame);
            return Some(Test::Refuted(because));
        }
        let names = offer::each_codec(theirs);
        let mut theory = theory(refusal, line, &names, "it describes itself so");
        (theory.confidence, theory.proof) = (Confidence::Certain, Proof::Comparison);
        theory.evidence.push(refusal.shows_session(fact.at, fact.answer, "what the same device says it takes"));
        return Some(Test::Fits(Box::new(theory)));
    }
    let accepted: Vec<(&Fact, &Media)> = refusal
        .known(FactKind::Accepted)
        .filter_map(|fact| Some((fact, line_of(refusal.shape(fact.answer)?, line)?)))
        .collect();
    if accepted.iter().any(|(_, theirs)| offer::share_codec(line, theirs).is_some()) {
        return Some(Test::Open);
    }
    let answered = answered(refusal, line)?;
    let first = answered.first;
    let alike: u32 = refusal.accepted_but_for(&[Dimension::Codecs]).map(|(fact, _, _)| fact.count).sum();
    let confidence = match alike {
        ACCEPTED_MIN.. if answered.refused >= REFUSED_MIN => Confidence::Certain,
        1.. => Confidence::Likely,
        0 => Confidence::Possible,
    };
    let (names, proof) = (answered.codecs, answered.words);
    let mut theory = theory(refusal, line, &names, &proof);
    (theory.confidence, theory.proof) = (confidence, Proof::Comparison);
    let names_codecs = names_codecs(refusal, line);
    if names_codecs {
        theory.proof = Proof::OwnWords;
        theory.confidence = theory.confidence.max(Confidence::Likely);
    }
    theory.evidence.push(refusal.shows_session(
        first.at,
        first.answer,
        "what the same device answered in another call",
    ));
    Some(Test::Fits(Box::new(theory)))
}

/// What the refuser answered in other calls.
struct Answered<'a> {
    /// The codecs that it chose, each with its payload number.
    codecs: Vec<String>,
    /// Calls that it answered.
    total: u32,
    /// Offers without any of these codecs that it refused.
    refused: u32,
    /// The first answer.
    first: &'a Fact,
    /// All that in words.
    words: String,
}

fn answered<'a>(refusal: &Refusal<'_, 'a>, line: &Media) -> Option<Answered<'a>> {
    let mut first = None;
    let mut chosen: BTreeMap<&str, (String, u32)> = BTreeMap::new();
    for fact in refusal.known(FactKind::Accepted) {
        let answer = refusal.shape(fact.answer).and_then(|sdp| line_of(sdp, line));
        let Some(answer) = answer else {
            continue;
        };
        first = first.or(Some(fact));
        for (place, codec) in answer.real_codecs().enumerate() {
            let count = if place == 0 { fact.count } else { 0 };
            let known = chosen.entry(codec.common_name()).or_insert_with(|| (offer::codec_name(codec), 0));
            known.1 += count;
        }
    }
    let first = first?;
    let total: u32 = chosen.values().map(|(_, count)| *count).sum();
    let refused = refused_without(refusal, line, &chosen.keys().copied().collect());
    let mut each: Vec<(&str, u32)> =
        chosen.iter().filter(|(_, (_, count))| *count > 0).map(|(name, (_, count))| (*name, *count)).collect();
    each.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let counts = match each.as_slice() {
        [(name, _)] => format!("{name} in {}", calls(total)),
        several => {
            let each = several.iter().map(|(name, count)| format!("{name} in {count}"));
            format!("{} other calls", offer::list(each))
        }
    };
    let mut names: Vec<(String, u32)> = chosen.values().cloned().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let without = match refused {
        0 | 1 => String::new(),
        refused if chosen.len() == 1 => format!(", and refused all {refused} offers without it"),
        refused => format!(", and refused all {refused} offers without any of these"),
    };
    Some(Answered {
        codecs: names.into_iter().map(|(name, _)| name).collect(),
        total,
        refused,
        first,
        words: format!("it answered {counts} (frame {}){without}", first.at.frame),
    })
}

/// How many offers of the same form but without these codecs were refused.
fn refused_without(refusal: &Refusal<'_, '_>, line: &Media, names: &BTreeSet<&str>) -> u32 {
    let refused = refusal.known(FactKind::Refused).filter(|fact| {
        let theirs = refusal.shape(fact.offer);
        let found = offer::differences(refusal.offer, theirs);
        let theirs = theirs.and_then(|sdp| line_of(sdp, line));
        offer::differs_only_in(&found, &[Dimension::Codecs])
            && theirs.is_some_and(|theirs| !theirs.real_codecs().any(|codec| names.contains(codec.common_name())))
    });
    refused.map(|fact| fact.count).sum()
}

/// Warning 304 is about the medium: of an offer with codecs that nearly all devices take it does not say that they are at fault.
fn names_codecs(refusal: &Refusal<'_, '_>, line: &Media) -> bool {
    let words = &refusal.words;
    let is_single = refusal.offer.is_some_and(|offer| offer.medias.len() == 1);
    let names_other = ["video", "srtp", "savp", "encrypt", "t38", "t.38", "ipv"];
    let is_other = names_other.iter().any(|word| words.text.contains(word));
    !is_other
        && (words.warnings.contains(&305)
            || words.warnings.contains(&304) && is_single && !is_common(line)
            || words.text.contains("codec")
            || words.text.contains("media format"))
}

/// The refuser says that it is the codec, or a gateway's cause does.
fn by_own_words(refusal: &Refusal<'_, '_>, line: &Media) -> Option<Test> {
    let is_cause = matches!(refusal.words.q850, Some(65 | 88))
        && matches!(refusal.code, 488 | 606)
        && line.real_codecs().count() == 1;
    if !names_codecs(refusal, line) && !is_cause {
        return None;
    }
    let words = refusal.context.header(refusal.response, crate::sip::HeaderName::Warning);
    let what = words.map_or_else(
        || match refusal.words.q850.filter(|_| is_cause) {
            Some(cause) => {
                format!("its Q.850 cause {cause} says that it lacks the bearer capability")
            }
            None => "its reason phrase names the codec".to_owned(),
        },
        |words| format!("the refusal says `{words}`"),
    );
    let mut theory = theory(refusal, line, &[], &what);
    theory.why = format!("the offer had only {} and {what}", offer::codec_names(line));
    (theory.confidence, theory.proof) = (Confidence::Likely, Proof::OwnWords);
    Some(Test::Fits(Box::new(theory)))
}

/// Nothing is known of the refuser, and the offer has not the codecs that nearly all devices take.
fn by_rarity(refusal: &Refusal<'_, '_>, line: &Media) -> Option<Test> {
    let refuses_all = refusal.known(FactKind::Refused).any(|fact| {
        let theirs = refusal.shape(fact.offer).and_then(main_line);
        theirs.is_some_and(|theirs| is_common(theirs) && theirs.profile == line.profile)
    });
    let is_rare = !is_common(line) || line.real_codecs().count() == 1;
    let is_about_codecs = refusal.words.warnings.iter().all(|code| matches!(code, 304 | 305 | 399));
    let is_plain = matches!(refusal.code, 488 | 606 | 415 | 406);
    if refuses_all || !is_rare || !is_about_codecs || !is_plain {
        return None;
    }
    let mut theory = theory(refusal, line, &[], "");
    theory.why = format!(
        "the offer had only {}; what {} takes is not in this capture",
        offer::codec_names(line),
        refusal.context.capture.name(refusal.refuser)
    );
    (theory.confidence, theory.proof) = (Confidence::Possible, Proof::CodeMeaning);
    Some(Test::Fits(Box::new(theory)))
}
