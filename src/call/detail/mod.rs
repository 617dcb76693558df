//! What is asked of one call on demand.

pub mod delay;
pub mod login;
pub mod rewriting;
pub mod silence;
pub mod target;
pub mod transfer;
