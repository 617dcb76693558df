//! Family NET: transport, NAT and firewalls.

mod ack;
mod ack_way;
mod alg;
mod broken;
mod carried;
mod fragment;
pub(in crate::diagnose::rules) mod icmp;
mod misrouted;
mod plain;
mod private;
mod retransmit;
mod silence;
mod tcp;
mod tls;
mod tls_closed;

use crate::call::{Message, TransactionIndex};
use crate::capture::FrameRef;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Evidence, Severity};
use crate::diagnose::rule::{Gate, Rule};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule::of_call("net-icmp", Severity::Error, icmp::net_icmp),
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

/// Frames that evidence names; the rest can be found from these.
const FRAMES_MAX: usize = 16;

/// Every send of a transaction's request, as evidence.
fn sends(context: &CallContext<'_>, hop: TransactionIndex, shows: &str) -> Option<Evidence> {
    let messages: Vec<&Message> = context.transactions.sends_of(hop).map(|(_, m)| m).collect();
    in_messages(context, &messages, shows)
}

/// Several messages that show one thing, as evidence; the first one is quoted.
pub(in crate::diagnose::rules) fn in_messages(
    context: &CallContext<'_>,
    messages: &[&Message],
    shows: &str,
) -> Option<Evidence> {
    let first = messages.first()?;
    let frames: Vec<FrameRef> = messages.iter().map(|message| message.at).take(FRAMES_MAX).collect();
    Some(Evidence::in_frames(frames, context.start_line(first), shows))
}

/// `once`, `twice` or `7 times`.
pub(in crate::diagnose::rules) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}
