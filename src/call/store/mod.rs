//! What is kept of a run: messages, and the texts, lists and tables that they share.

pub(in crate::call) mod arrival_log;
pub(in crate::call) mod endpoint;
pub(in crate::call) mod fast_map;
pub(in crate::call) mod header_list;
pub(in crate::call) mod id_table;
pub(in crate::call) mod message;
pub(in crate::call) mod message_store;
pub(in crate::call) mod messages;
pub(in crate::call) mod session;
pub(in crate::call) mod string_arena;
pub(in crate::call) mod tables;
pub(in crate::call) mod via_stack;
