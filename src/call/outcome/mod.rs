//! What became of a call: its record, how it ended, where that began, and what was negotiated.

pub(in crate::call) mod call;
pub(in crate::call) mod call_index;
pub(in crate::call) mod ending;
pub mod hold;
pub mod negotiation;
pub(in crate::call) mod node_software;
pub(in crate::call) mod origin;
pub(in crate::call) mod reason;
pub mod refresh;
pub(in crate::call) mod verdict;
