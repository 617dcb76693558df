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
    Rule::of_call("sdp-body-type", Severity::Error, body::sdp_body_type),
    Rule::of_call("sdp-precondition", Severity::Error, precondition::sdp_precondition),
    Rule::of_call("sdp-crypto", Severity::Error, agreed::sdp_crypto),
    Rule::of_call("sdp-profile-mismatch", Severity::Error, sdp_profile_mismatch),
    Rule::of_call("sdp-address-family", Severity::Error, agreed::sdp_address_family),
    Rule::of_call("sdp-no-offer", Severity::Error, agreed::sdp_no_offer),
    Rule::of_call("sdp-malformed", Severity::Error, sdp_malformed),
    Rule::of_call("sdp-t38-refused", Severity::Error, fax::sdp_t38_refused),
    Rule::of_call("sdp-stream-refused", Severity::Error, streams::sdp_stream_refused),
    Rule::of_call("sdp-codec-mismatch", Severity::Error, sdp_codec_mismatch),
    Rule::of_call("sdp-codec-params", Severity::Error, params::sdp_codec_params),
    Rule::of_call("sdp-answer-invalid", Severity::Error, answer::sdp_answer_invalid),
    Rule::of_call("sdp-hold", Severity::Warn, hold::sdp_hold),
    Rule::of_call("sdp-unexplained-488", Severity::Error, unexplained::sdp_unexplained_488),
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
