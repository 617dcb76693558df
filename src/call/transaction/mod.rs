//! Messages of a Call-ID become transactions, hops and dialogs.

pub(in crate::call) mod call_id_parts;
pub(in crate::call) mod call_transactions;
pub(in crate::call) mod dialog;
pub(in crate::call) mod hop_tree;
pub(in crate::call) mod join;
pub(in crate::call) mod pairing;
pub(in crate::call) mod timer;
