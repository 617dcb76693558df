//! Windows of messages become the store.

pub(in crate::call) mod arrival;
pub(in crate::call) mod batch_interner;
pub(in crate::call) mod batch_strings;
pub(in crate::call) mod clock;
pub(in crate::call) mod copies;
pub(in crate::call) mod excerpt;
pub(in crate::call) mod inspection;
pub(in crate::call) mod intern;
pub(in crate::call) mod line_cache;
pub(in crate::call) mod message_batch;
pub(in crate::call) mod message_store_builder;
