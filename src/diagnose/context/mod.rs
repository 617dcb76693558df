//! What rules see: the capture, and one call taken apart.

pub(in crate::diagnose) mod call_context;
pub(in crate::diagnose) mod capture_context;
pub(in crate::diagnose) mod media_refusal;
