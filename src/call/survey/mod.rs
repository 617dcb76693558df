//! What all calls together show: metrics, loads, timers, what the capture lacks.

pub(in crate::call) mod census;
pub mod chance;
pub(in crate::call) mod direction;
pub mod fixed_timers;
pub mod load;
pub mod metrics;
pub mod missing_messages;
pub mod number_acceptance;
pub mod profile;
