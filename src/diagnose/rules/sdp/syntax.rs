//! sdp-malformed and the refusals of sdp-no-offer: a description that cannot be read, or none where one is needed.
//!
//! Sources: RFC 8866 sections 5 and 9, RFC 3264 section 5, RFC 3261 sections 13.2.1 and 20.43 (Warning 307).

use crate::diagnose::finding::{Confidence, Evidence, Proof};
use crate::diagnose::knowledge::FactKind;
use crate::diagnose::rules::sdp::judge::{Test, Theory};
use crate::diagnose::rules::sdp::offer::Dimension;
use crate::diagnose::rules::sdp::refusal::Refusal;
use crate::sip::HeaderName;
use crate::sip::sdp::{SdpDefect, SdpDefectKind};

/// Tests whether the missing offer was refused.
pub fn test_presence(refusal: &Refusal<'_, '_>) -> Test {
    if !refusal.lacks_offer {
        return Test::Silent;
    }
    if let Some(fact) = refusal.known(FactKind::AcceptedWithout).next() {
        return Test::Refuted(format!(
            "it accepted an INVITE without offer (frame {})",
            fact.at.frame
        ));
    }
    let count = |kind| refusal.known(kind).map(|fact| fact.count).sum::<u32>();
    let (accepted, refused) = (count(FactKind::Accepted), count(FactKind::RefusedWithout));
    let is_told = [
        "offer",
        "no sdp",
        "missing sdp",
        "without sdp",
        "session description",
    ]
    .iter()
    .any(|word| refusal.words.text.contains(word));
    let is_plain = matches!(refusal.code, 488 | 606);
    // Other codes have other reasons; only a pattern without exception speaks.
    let is_pattern =
        accepted >= 2 && refused >= 2 && refusal.known(FactKind::Refused).next().is_none();
    let (confidence, proof) =
        if refusal.is_cured_by(Dimension::Presence) && (is_plain || is_told || is_pattern) {
            (Confidence::Certain, Proof::Comparison)
        } else if is_told {
            (Confidence::Certain, Proof::OwnWords)
        } else if is_plain && accepted >= 1 || is_pattern {
            (Confidence::Likely, Proof::Comparison)
        } else if is_plain {
            (Confidence::Possible, Proof::Protocol)
        } else {
            return Test::Silent;
        };
    let scene = refusal.case.scene;
    let (offerer, refuser) = (scene.name(refusal.offerer), scene.name(refusal.refuser));
    let mut why = "the INVITE carries no session description".to_owned();
    if refusal.is_cured_by(Dimension::Presence) {
        why.push_str(", and the next try with one was accepted");
    } else if accepted > 0 {
        why.push_str(&format!(
            ", while it accepted {accepted} with one and refused all {refused} without"
        ));
    }
    let shown = refusal.known(FactKind::Accepted).next();
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Presence,
        confidence,
        proof,
        title: "An INVITE without session description was refused".to_owned(),
        why,
        remedy: format!(
            "On {offerer}: send the offer in the INVITE towards {refuser} (\"early offer\"). Or let an SBC between \
             them insert one."
        ),
        evidence: shown
            .map(|fact| {
                refusal.shows_session(fact.at, fact.answer, "an INVITE with offer, accepted")
            })
            .into_iter()
            .collect(),
        signature: "no offer".to_owned(),
    }))
}

/// How bad a defect is for a reader of the description; 0 for what readers pass over.
fn weight(kind: SdpDefectKind) -> u8 {
    use SdpDefectKind as K;
    match kind {
        K::MissingKey | K::BadCrypto | K::TooMuch | K::UnlistedMap | K::RepeatedFormat => 0,
        K::MissingLine('s' | 't') | K::Order | K::NotUtf8 | K::OriginNumber | K::OriginFields => 1,
        _ => 2,
    }
}

/// Tests whether the syntax was refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(defect) = worst(refusal) else {
        return Test::Silent;
    };
    let accepted = refusal.known(FactKind::Accepted).find(|fact| {
        let theirs = refusal.shape(fact.offer);
        theirs.is_some_and(|sdp| sdp.defects.iter().any(|other| other.kind == defect.kind))
    });
    if let Some(fact) = accepted {
        return Test::Refuted(format!(
            "it accepted a description with the same defect (frame {})",
            fact.at.frame
        ));
    }
    let words = &refusal.words;
    let is_told = words.warnings.contains(&307)
        || [
            "malformed",
            "syntax",
            "parse",
            "invalid sdp",
            "bad sdp",
            "rtpmap",
            "session description",
        ]
        .iter()
        .any(|word| words.text.contains(word));
    let is_other = !is_told && !words.warnings.is_empty();
    let (confidence, proof) = match weight(defect.kind) {
        _ if is_told => (Confidence::Certain, Proof::OwnWords),
        2 if !is_other => (Confidence::Likely, Proof::Protocol),
        _ => (Confidence::Possible, Proof::Protocol),
    };
    let offerer = refusal.case.scene.name(refusal.offerer);
    let mut why = format!("the session description of {offerer} is malformed: {defect}");
    if is_told && let Some(warning) = refusal.case.header(refusal.response, HeaderName::Warning) {
        why.push_str(&format!("; the refusal says `{warning}`"));
    }
    let shown = Evidence::seen(
        refusal.request.at,
        defect.text.clone(),
        "the malformed part",
    );
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Syntax,
        confidence,
        proof,
        title: "The session description is malformed".to_owned(),
        why,
        remedy: format!(
            "On {offerer}: correct the template, firmware or header manipulation that makes this part ({defect})."
        ),
        evidence: vec![shown],
        signature: format!("{:?}", defect.kind),
    }))
}

fn worst<'a>(refusal: &Refusal<'_, 'a>) -> Option<&'a SdpDefect> {
    let defects = refusal.offer?.defects.iter();
    let graver = defects.filter(|defect| weight(defect.kind) > 0);
    graver.min_by_key(|defect| std::cmp::Reverse(weight(defect.kind)))
}
