//! Family NET: transport, NAT and firewalls.

mod ack;
mod ack_way;
mod alg;
mod broken;
mod carried;
mod fragment;
pub(in crate::diagnose::rules) mod icmp;
pub(in crate::diagnose::rules) mod message_evidence;
mod misrouted;
mod plain;
mod private;
mod retransmit;
mod silence;
mod silent_request;
mod tcp;
mod tls;
mod tls_closed;
mod undeliverable;

use crate::diagnose::finding::Severity;
use crate::diagnose::rule::{Gate, Rule};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("net-icmp", Severity::Error, undeliverable::net_icmp),
    Rule::of_call("net-tcp", Severity::Error, broken::net_tcp_of_call)
        .and_capture(tcp::net_tcp_of_capture)
        .gated(Gate::BothDirections),
    Rule::of_call("net-tls", Severity::Error, plain::net_tls_of_call)
        .and_capture(tls::net_tls_of_capture)
        .gated(Gate::BothDirections),
    Rule::of_call("net-udp-fragment", Severity::Error, fragment::net_udp_fragment_of_call)
        .and_capture(fragment::net_udp_fragment_of_capture)
        .gated(Gate::BothDirections),
    Rule::of_call("net-response-misrouted", Severity::Error, misrouted::net_response_misrouted),
    Rule::of_call("net-no-response", Severity::Error, silence::net_no_response).gated(Gate::BothDirections),
    Rule::of_call("net-ack-lost", Severity::Error, ack::net_ack_lost).gated(Gate::BothDirections),
    Rule::of_call("net-private-address", Severity::Warn, private::net_private_address).gated(Gate::BothDirections),
    Rule::of_call("net-sip-alg", Severity::Warn, alg::net_sip_alg),
    Rule::of_capture("net-retransmit", Severity::Warn, retransmit::net_retransmit),
];
