//! Family SDP: which dimension of an offer was refused, and what does not fit in an answered one.

mod agreed;
mod answer;
mod clash;
mod extra_stream;
mod fax_switch;
mod hold;
mod offer;
mod precondition;
mod refusals;
mod refused;
mod settings;
mod versions;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family, in the order in which equal explanations are preferred.
pub const RULES: &[Rule] = &[
    Rule::of_call("sdp-body-type", Severity::Error, refused::sdp_body_type),
    Rule::of_call("sdp-precondition", Severity::Error, precondition::sdp_precondition),
    Rule::of_call("sdp-crypto", Severity::Error, refusals::sdp_crypto),
    Rule::of_call("sdp-profile-mismatch", Severity::Error, refusals::sdp_profile_mismatch),
    Rule::of_call("sdp-address-family", Severity::Error, refusals::sdp_address_family),
    Rule::of_call("sdp-no-offer", Severity::Error, refusals::sdp_no_offer),
    Rule::of_call("sdp-malformed", Severity::Error, refusals::sdp_malformed),
    Rule::of_call("sdp-t38-refused", Severity::Error, refusals::sdp_t38_refused),
    Rule::of_call("sdp-stream-refused", Severity::Error, refusals::sdp_stream_refused),
    Rule::of_call("sdp-codec-mismatch", Severity::Error, refusals::sdp_codec_mismatch),
    Rule::of_call("sdp-codec-params", Severity::Error, refusals::sdp_codec_params),
    Rule::of_call("sdp-answer-invalid", Severity::Error, answer::sdp_answer_invalid),
    Rule::of_call("sdp-hold", Severity::Warn, hold::sdp_hold),
    Rule::of_call("sdp-unexplained-488", Severity::Error, refusals::sdp_unexplained_488),
];
