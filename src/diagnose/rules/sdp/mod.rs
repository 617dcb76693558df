//! Family SDP: which dimension of an offer was refused, and what does not fit in an answered one.

mod agreed;
mod answer;
mod body;
mod codec;
mod codec_words;
mod family;
mod fax;
mod hold;
mod judge;
mod offer;
mod params;
mod precondition;
mod profile;
mod refusal;
mod settings;
mod streams;
mod syntax;
mod unexplained;
mod versions;

use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Observation, Severity};
use crate::diagnose::rule::Rule;
use crate::diagnose::rules::sdp::offer::Dimension;

/// The rules of this family, in the order in which equal explanations are preferred.
pub const RULES: &[Rule] = &[
    Rule::of_call("sdp-body-type", Severity::Error, "Body format or Accept header refused", body::sdp_body_type),
    Rule::of_call("sdp-precondition", Severity::Error, "Resource reservation failed", precondition::sdp_precondition),
    Rule::of_call("sdp-crypto", Severity::Error, "SRTP keys cannot be agreed", agreed::sdp_crypto),
    Rule::of_call("sdp-profile-mismatch", Severity::Error, "Encrypted against plain media", sdp_profile_mismatch),
    Rule::of_call("sdp-address-family", Severity::Error, "IPv4 against IPv6", agreed::sdp_address_family),
    Rule::of_call(
        "sdp-no-offer",
        Severity::Error,
        "Session description missing where one is required",
        agreed::sdp_no_offer,
    ),
    Rule::of_call("sdp-malformed", Severity::Error, "Session description has a syntax error", sdp_malformed),
    Rule::of_call("sdp-t38-refused", Severity::Error, "Fax switch-over refused", fax::sdp_t38_refused),
    Rule::of_call(
        "sdp-stream-refused",
        Severity::Error,
        "Video or another extra stream refused",
        streams::sdp_stream_refused,
    ),
    Rule::of_call("sdp-codec-mismatch", Severity::Error, "No common codec", sdp_codec_mismatch),
    Rule::of_call("sdp-codec-params", Severity::Error, "Same codec, incompatible parameters", params::sdp_codec_params),
    Rule::of_call(
        "sdp-answer-invalid",
        Severity::Error,
        "The answer does not fit the offer",
        answer::sdp_answer_invalid,
    ),
    Rule::of_call("sdp-hold", Severity::Warn, "Call is on hold, or was never resumed", hold::sdp_hold),
    Rule::of_call(
        "sdp-unexplained-488",
        Severity::Error,
        "Media refused, exact reason not provable",
        unexplained::sdp_unexplained_488,
    ),
];

fn sdp_profile_mismatch(context: &CallContext<'_>) -> Option<Observation> {
    judge::explain(context, Dimension::Profile)
}

fn sdp_malformed(context: &CallContext<'_>) -> Option<Observation> {
    judge::explain(context, Dimension::Syntax)
}

fn sdp_codec_mismatch(context: &CallContext<'_>) -> Option<Observation> {
    judge::explain(context, Dimension::Codecs)
}
