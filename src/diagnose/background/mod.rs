//! What rules compare a call with: facts over the whole capture.

pub(in crate::diagnose) mod contrast;
pub(in crate::diagnose) mod cross_call_index;
pub(in crate::diagnose) mod device;
pub(in crate::diagnose) mod logins;
pub(in crate::diagnose) mod losses;
pub(in crate::diagnose) mod media_capabilities;
pub(in crate::diagnose) mod message_time_index;
pub(in crate::diagnose) mod node_activity;
