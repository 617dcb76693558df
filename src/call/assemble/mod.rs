//! Groups by Call-ID become calls, and legs of one call are brought together.

pub(in crate::call) mod build;
pub(in crate::call) mod leg;
pub(in crate::call) mod split;
