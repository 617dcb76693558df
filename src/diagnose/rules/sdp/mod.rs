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
use crate::diagnose::finding::{Finding, Severity};
use crate::diagnose::rule::{Gate, Rule, Subject};
use crate::diagnose::rules::sdp::offer::Dimension;

/// The rules of this family, in the order in which equal explanations are preferred.
pub const RULES: &[Rule] = &[
    rule("sdp-body-type", Severity::Error, "Body format or Accept header refused", body::sdp_body_type),
    rule("sdp-precondition", Severity::Error, "Resource reservation failed", precondition::sdp_precondition),
    rule("sdp-crypto", Severity::Error, "SRTP keys cannot be agreed", agreed::sdp_crypto),
    rule("sdp-profile-mismatch", Severity::Error, "Encrypted against plain media", sdp_profile_mismatch),
    rule("sdp-address-family", Severity::Error, "IPv4 against IPv6", agreed::sdp_address_family),
    rule("sdp-no-offer", Severity::Error, "Session description missing where one is required", agreed::sdp_no_offer),
    rule("sdp-malformed", Severity::Error, "Session description has a syntax error", sdp_malformed),
    rule("sdp-t38-refused", Severity::Error, "Fax switch-over refused", fax::sdp_t38_refused),
    rule("sdp-stream-refused", Severity::Error, "Video or another extra stream refused", streams::sdp_stream_refused),
    rule("sdp-codec-mismatch", Severity::Error, "No common codec", sdp_codec_mismatch),
    rule("sdp-codec-params", Severity::Error, "Same codec, incompatible parameters", params::sdp_codec_params),
    rule("sdp-answer-invalid", Severity::Error, "The answer does not fit the offer", answer::sdp_answer_invalid),
    rule("sdp-hold", Severity::Warn, "Call is on hold, or was never resumed", hold::sdp_hold),
    rule(
        "sdp-unexplained-488",
        Severity::Error,
        "Media refused, exact reason not provable",
        unexplained::sdp_unexplained_488,
    ),
];

const fn rule(
    id: &'static str,
    severity: Severity,
    title: &'static str,
    ask: fn(&CallContext<'_>) -> Option<Finding>,
) -> Rule {
    Rule { id, severity, title, subject: Subject::Call(ask), gate: Gate::Open }
}

fn sdp_profile_mismatch(context: &CallContext<'_>) -> Option<Finding> {
    judge::explain(context, Dimension::Profile)
}

fn sdp_malformed(context: &CallContext<'_>) -> Option<Finding> {
    judge::explain(context, Dimension::Syntax)
}

fn sdp_codec_mismatch(context: &CallContext<'_>) -> Option<Finding> {
    judge::explain(context, Dimension::Codecs)
}
