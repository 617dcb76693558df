//! sdp-malformed and the refusals of sdp-no-offer: a description that cannot be read, or none where one is needed.
//!
//! Sources: RFC 8866 sections 5 and 9, RFC 3264 section 5, RFC 3261 sections 13.2.1 and 20.43 (Warning 307).

use crate::diagnose::background::media_capabilities::FactKind;
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Evidence, Proof};
use crate::diagnose::rules::sdp::offer::{Gravity, differs_only_in, gravity};
use crate::diagnose::rules::sdp::refused::refusal::Refusal;
use crate::diagnose::rules::sdp::refused::theory::{Test, Theory};
use crate::sip::sdp::{SdpDefect, SdpDefectKind};
use crate::sip::{HeaderName, MediaType};

/// Tests whether the missing offer was refused.
pub fn test_presence(refusal: &Refusal<'_, '_>) -> Test {
    if !refusal.lacks_offer {
        return Test::Silent;
    }
    if let Some(fact) = refusal.known(FactKind::AcceptedWithout).next() {
        return Test::Refuted(format!("it accepted an INVITE without offer (frame {})", fact.at.frame));
    }
    let count = |kind| refusal.known(kind).map(|fact| fact.count).sum::<u32>();
    let (accepted, refused) = (count(FactKind::Accepted), count(FactKind::RefusedWithout));
    let says_so = ["offer", "no sdp", "missing sdp", "without sdp", "session description"]
        .iter()
        .any(|word| refusal.words.text.contains(word));
    let is_plain = matches!(refusal.code, 488 | 606);
    // Other codes have other reasons; only a pattern without exception speaks.
    let is_pattern = !matches!(refusal.code, 480 | 503)
        && accepted >= 2
        && refused >= 2
        && refusal.known(FactKind::Refused).next().is_none();
    let (confidence, proof) = if refusal.is_cured_by(Dimension::Presence) && (is_plain || says_so || is_pattern) {
        (Confidence::Certain, Proof::Comparison)
    } else if says_so {
        (Confidence::Certain, Proof::OwnWords)
    } else if is_plain && accepted >= 1 || is_pattern {
        (Confidence::Likely, Proof::Comparison)
    } else if announces_body(refusal) {
        (Confidence::Likely, Proof::Protocol)
    } else if is_plain {
        (Confidence::Possible, Proof::Protocol)
    } else {
        return Test::Silent;
    };
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offerer), capture.name(refusal.refuser));
    let mut why = "the INVITE carries no session description".to_owned();
    if refusal.is_cured_by(Dimension::Presence) {
        why.push_str(", and the next try with one was accepted");
    } else if accepted > 0 {
        why.push_str(&format!(", while it accepted {accepted} with one and refused all {refused} without"));
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
        )
        .into(),
        evidence: shown
            .map(|fact| refusal.shows_session(fact.at, fact.answer, "an INVITE with offer, accepted"))
            .into_iter()
            .collect(),
        signature: "no offer".to_owned(),
    }))
}

/// Whether the request names a session description that it does not carry.
fn announces_body(refusal: &Refusal<'_, '_>) -> bool {
    let named = refusal.context.header(refusal.request, HeaderName::ContentType);
    named.is_some_and(|value| MediaType::parse(value.as_bytes()).is_sdp()) && matches!(refusal.code, 400 | 488 | 606)
}

/// Tests whether the syntax was refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(defect) = &worst(refusal) else {
        return Test::Silent;
    };
    let accepted = refusal.known(FactKind::Accepted).find(|fact| {
        let theirs = refusal.shape(fact.offer);
        theirs.is_some_and(|sdp| sdp.defects.iter().any(|other| other.kind == defect.kind))
    });
    if let Some(fact) = accepted {
        return Test::Refuted(format!("it accepted a description with the same defect (frame {})", fact.at.frame));
    }
    let words = &refusal.words;
    let says_so = words.warnings.contains(&307)
        || ["malformed", "syntax", "parse", "invalid sdp", "bad sdp", "rtpmap", "session description"]
            .iter()
            .any(|word| words.text.contains(word));
    let is_other = !says_so && !words.warnings.is_empty();
    let (confidence, proof) = match gravity(defect.kind) {
        _ if says_so => (Confidence::Certain, Proof::OwnWords),
        _ if is_cured(refusal) => (Confidence::Certain, Proof::Comparison),
        Gravity::Grave if !is_other && !is_avoidable(refusal, defect) => (Confidence::Likely, Proof::Protocol),
        _ => (Confidence::Possible, Proof::Protocol),
    };
    let offerer = refusal.context.capture.name(refusal.offerer);
    let mut why = format!("the session description of {offerer} is malformed: {defect}");
    if says_so && let Some(warning) = refusal.context.header(refusal.response, HeaderName::Warning) {
        why.push_str(&format!("; the refusal says `{warning}`"));
    }
    // The media lines are shown anyhow; any other line is worth a look of its own.
    let is_other_line = !defect.text.is_empty() && !defect.text.starts_with("m=");
    let shown = is_other_line.then(|| Evidence::seen(refusal.request.at, defect.text.clone(), "the malformed line"));
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Syntax,
        confidence,
        proof,
        title: "The session description is malformed".to_owned(),
        why,
        remedy: format!(
            "On {offerer}: correct the template, firmware or header manipulation that makes this part ({defect})."
        )
        .into(),
        evidence: shown.into_iter().collect(),
        signature: format!("{:?}", defect.kind),
    }))
}

/// Whether the next try, without the defect and otherwise alike, was accepted.
fn is_cured(refusal: &Refusal<'_, '_>) -> bool {
    let found = refusal.retry_differences();
    // A defect hides what it spoils: an address, or a codec.
    let hidden = [Dimension::Syntax, Dimension::Family, Dimension::Codecs];
    found.contains(&Dimension::Syntax) && differs_only_in(&found, &hidden)
}

/// Whether the defect spoils one payload type alone, and another one is left to answer with.
fn is_avoidable(refusal: &Refusal<'_, '_>, defect: &SdpDefect) -> bool {
    use SdpDefectKind as K;
    let spoils_one = matches!(defect.kind, K::MissingMap | K::BadMap | K::TwoCodecs | K::BadFormat);
    let mut left = refusal.main_line().into_iter().flat_map(|line| line.real_codecs());
    spoils_one && left.next().is_some()
}

fn worst(refusal: &Refusal<'_, '_>) -> Option<SdpDefect> {
    if refusal.offer?.defects.is_empty() {
        return None;
    }
    let sessions = &refusal.context.tables().sessions;
    let defects = sessions.defects(refusal.request.session).into_iter();
    let graver = defects.filter(|defect| gravity(defect.kind) > Gravity::None);
    graver.min_by_key(|defect| std::cmp::Reverse(gravity(defect.kind)))
}
