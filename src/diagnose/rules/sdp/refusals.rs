//! The rules about one dimension of the offer: a refusal that it explains best, or an answered call in which it does not fit.

use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::Observation;
use crate::diagnose::rules::sdp::refused::explained;
use crate::diagnose::rules::sdp::{agreed, clash, extra_stream, fax_switch};

/// Keys that were refused, or do not fit the offered ones.
pub fn sdp_crypto(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Keys)).or_else(|| agreed::misfit_keys(context))
}

/// A refused profile.
pub fn sdp_profile_mismatch(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Profile))
}

/// A refused address family, or two of them in one call.
pub fn sdp_address_family(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Family)).or_else(|| agreed::two_families(context))
}

/// A refused INVITE without offer, or a call without an answer to one.
pub fn sdp_no_offer(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Presence)).or_else(|| agreed::without_answer(context))
}

/// A description that was refused for its syntax.
pub fn sdp_malformed(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Syntax))
}

/// A refused fax call, or a refused switch to fax and back.
pub fn sdp_t38_refused(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Fax)).or_else(|| fax_switch::switch_refused(context))
}

/// A call that was refused with its extra lines, or answered without one.
pub fn sdp_stream_refused(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Streams)).or_else(|| extra_stream::left_out(context))
}

/// Refused codecs.
pub fn sdp_codec_mismatch(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Codecs))
}

/// Refused parameters, or such as clash with the answer's.
pub fn sdp_codec_params(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, Some(Dimension::Parameters)).or_else(|| clash::clashing(context))
}

/// A refusal that no dimension is known to explain.
pub fn sdp_unexplained_488(context: &CallContext<'_>) -> Option<Observation> {
    explained(context, None)
}
