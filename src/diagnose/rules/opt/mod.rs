//! Family OPT: keep-alives that say a peer is down.

mod outage;
mod peer_down;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::Rule;

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule::of_capture("opt-peer-down", Severity::Error, peer_down::opt_peer_down)];
