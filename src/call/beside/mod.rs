//! What happens beside calls: registrations, other requests, ICMP errors, look-ups of names.

pub mod binding;
pub mod dns;
pub mod icmp;
pub mod keepalive;
pub mod other_request;
pub mod registration;
