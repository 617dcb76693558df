//! sipscan reads captures and says for every SIP call how it ended and, where it failed, why.
//!
//! Bytes go in at the bottom, findings come out at the top; a floor imports itself and the floors above this line in the
//! list, never one below. docs/architecture.md walks one packet and one failed call through all of them.

pub mod reference;

pub mod capture;

pub mod net;

pub mod sip;

pub mod media;

pub mod call;

pub mod diagnose;

pub mod analysis;

pub mod check;

pub mod report;

pub mod cli;
