//! How sdp-codec-mismatch tells what it found.
//!
//! Source: RFC 3551 (PCMU and PCMA, which nearly all devices take).

use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::words::{either, was};
use crate::diagnose::finding::{Confidence, Proof, Steps};
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::refused::refusal::Refusal;
use crate::diagnose::rules::sdp::refused::theory::Theory;
use crate::sip::sdp::Media;

/// The codecs that nearly all devices take.
const COMMON: [&str; 2] = ["PCMU", "PCMA"];

/// Whether a line offers one of the codecs that nearly all devices take.
pub fn is_common(line: &Media) -> bool {
    line.real_codecs().any(|codec| COMMON.contains(&codec.common_name()))
}

/// `another call` or `3 other calls`.
pub fn calls(count: u32) -> String {
    if count == 1 { "another call".to_owned() } else { format!("{count} other calls") }
}

/// The theory that the codecs of a line were refused; `theirs` is what the refuser takes, as far as it is known, and `proof` why.
pub fn theory(refusal: &Refusal<'_, '_>, line: &Media, theirs: &[String], proof: &str) -> Theory {
    let ours = offer::codec_names(line);
    let capture = refusal.context.capture;
    let (offerer, refuser) = (capture.name(refusal.offer_maker()), capture.name(refusal.refuser));
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).collect();
    let mut keys: Vec<&str> = line.real_codecs().map(|codec| codec.common_name()).collect();
    keys.sort_unstable();
    let bare = |codec: &&str| codec.split(" (").next().unwrap_or_default().to_owned();
    let mut wanted: Vec<String> = theirs.iter().map(bare).collect();
    if wanted.is_empty() {
        let lacking = COMMON.iter().filter(|name| !keys.contains(name));
        wanted = lacking.map(|name| (*name).to_owned()).collect();
    }
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let remedy = if wanted.is_empty() {
        Steps::from([
            format!("On {refuser}: see which codecs it allows for this peer, and allow {ours}."),
            format!("Or {offerer}: add one of those to its offer."),
        ])
    } else {
        let wanted = either(&wanted);
        Steps::from([
            format!("{offerer}: add {wanted} to the codecs that it offers ({ours} may stay behind it)."),
            format!("Or on {refuser}: allow {ours}, or let an SBC between them transcode."),
            format!("Re-test: an offer with {wanted} must be answered with it."),
        ])
    };
    Theory {
        dimension: Dimension::Codecs,
        confidence: Confidence::Possible,
        proof: Proof::CodeMeaning,
        title: format!("No common codec: {ours} {} refused", was(keys.len())),
        why: format!("the offer had only {ours} while {refuser} takes {} ({proof})", either(&theirs)),
        remedy,
        evidence: Vec::new(),
        signature: keys.join(","),
    }
}
