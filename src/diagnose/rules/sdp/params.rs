//! sdp-codec-params: the same codec with parameters that do not fit together.
//!
//! Sources: RFC 3264 section 6.1, RFC 4867 section 8, RFC 3952 section 5, RFC 4733 section 2.4, RFC 6184 section 8.

use crate::call::negotiation;
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Evidence, Finding, Proof, Severity};
use crate::diagnose::knowledge::FactKind;
use crate::diagnose::rules::sdp::judge::{Test, Theory, explain};
use crate::diagnose::rules::sdp::offer::{self, Dimension};
use crate::diagnose::rules::sdp::refusal::{Refusal, main_line};
use crate::sip::sdp::{Codec, Media};

const RULE: &str = "sdp-codec-params";

/// A parameter in which two sides differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    codec: String,
    ours: String,
    theirs: String,
}

/// Codec, parameter, value where it is absent: parameters that both sides must give alike.
const SYMMETRIC: &[(&str, &str, &str)] = &[
    ("AMR", "octet-align", "0"),
    ("AMR-WB", "octet-align", "0"),
    ("ILBC", "mode", "30"),
    ("H264", "packetization-mode", "0"),
];

/// The first parameter of a common codec that must be equal and is not.
///
/// Quiet where any common codec has no such clash: the two sides can use that one.
fn clash(ours: &Media, theirs: &Media) -> Option<Clash> {
    let pairs: Vec<(&Codec, &Codec)> = ours
        .real_codecs()
        .flat_map(|a| {
            let same = theirs
                .real_codecs()
                .filter(|b| a.common_name() == b.common_name());
            same.map(move |b| (a, b))
        })
        .collect();
    let clashes: Vec<Option<Clash>> = pairs.iter().map(|(a, b)| codec_clash(a, b)).collect();
    if clashes.iter().any(Option::is_none) {
        return None;
    }
    clashes.into_iter().flatten().next()
}

fn codec_clash(ours: &Codec, theirs: &Codec) -> Option<Clash> {
    let differs = |(name, parameter, default): &(&str, &'static str, &'static str)| {
        if ours.common_name() != *name {
            return None;
        }
        let value = |codec: &Codec| codec.parameter(parameter).unwrap_or(default).to_owned();
        let (a, b) = (value(ours), value(theirs));
        (a != b).then(|| Clash {
            codec: ours.name.clone(),
            ours: format!("{parameter}={a}"),
            theirs: format!("{parameter}={b}"),
        })
    };
    SYMMETRIC.iter().find_map(differs)
}

/// Tests whether parameters were refused.
pub fn test(refusal: &Refusal<'_, '_>) -> Test {
    let Some(line) = refusal.main_line() else {
        return Test::Silent;
    };
    let found = refusal.retry_differences();
    let is_cured = found == [Dimension::Parameters];
    let mut known = refusal
        .known(FactKind::Accepted)
        .chain(refusal.known(FactKind::Described))
        .filter_map(|fact| refusal.shape(fact.answer))
        .chain(refusal.listed)
        .filter_map(main_line);
    let clash = known.find_map(|theirs| clash(line, theirs));
    let (confidence, proof, why) = match (is_cured, clash) {
        (true, _) => (
            Confidence::Certain,
            Proof::Comparison,
            "the next try, which differed in packet time or codec parameters alone, was accepted"
                .to_owned(),
        ),
        (false, Some(clash)) => (
            Confidence::Likely,
            Proof::Comparison,
            format!(
                "both sides know {} but the offer wants {} and the refuser {}",
                clash.codec, clash.ours, clash.theirs
            ),
        ),
        (false, None) => return Test::Open,
    };
    let scene = refusal.case.scene;
    Test::Fits(Box::new(Theory {
        dimension: Dimension::Parameters,
        confidence,
        proof,
        title: "Same codec, other parameters".to_owned(),
        why,
        remedy: format!(
            "Set equal packet time and codec parameters on {} and {}.",
            scene.name(refusal.offerer),
            scene.name(refusal.refuser)
        ),
        evidence: Vec::new(),
        signature: offer::codec_names(line),
    }))
}

/// The rule: refusals, and calls that were answered with parameters that clash.
pub fn sdp_codec_params(case: &Case<'_>) -> Option<Finding> {
    if !case.outcome().is_answered() {
        return explain(case, Dimension::Parameters);
    }
    let exchange = negotiation::exchange(&case.anatomy, case.dialogs.first()?.invite);
    let (offer, answer) = (
        case.message(exchange.offer?)?,
        case.message(exchange.answer?)?,
    );
    let sessions = &case.tables().sessions;
    let (ours, theirs) = (
        sessions.shape(offer.session),
        sessions.shape(answer.session),
    );
    let mut pairs = ours.medias.iter().zip(&theirs.medias).enumerate();
    let (place, clash) = pairs.find_map(|(place, (a, b))| {
        let is_used = !a.is_refused() && !b.is_refused();
        Some((place, clash(a, b).filter(|_| is_used)?))
    })?;
    let tables = case.tables();
    let line = |message: &crate::call::Message| {
        offer::media_line(tables, message.session, place).unwrap_or_default()
    };
    let finding = Finding::new(RULE, Severity::Warn, Confidence::Likely, Proof::Protocol)
        .says(
            format!("{} with parameters that do not fit", clash.codec),
            format!(
                "Both sides know {} but {} wants {} and {} {}: audio may be distorted or silent.",
                clash.codec,
                case.name(offer.source),
                clash.ours,
                case.name(answer.source),
                clash.theirs
            ),
            format!(
                "Set {} on both sides, or answer with the value that was offered.",
                clash.ours
            ),
        )
        .shown_by(Evidence::seen(offer.at, line(offer), clash.ours.clone()))
        .shown_by(Evidence::seen(
            answer.at,
            line(answer),
            clash.theirs.clone(),
        ))
        .at(answer.source, format!("{} {}", clash.codec, clash.theirs))
        .beside();
    Some(finding)
}
