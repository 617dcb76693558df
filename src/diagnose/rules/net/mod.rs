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
use crate::diagnose::rule::{Gate, Rule, Subject};

/// The rules of this family.
pub const RULES: &[Rule] = &[
    Rule {
        id: "net-icmp",
        severity: Severity::Error,
        title: "Reported unreachable",
        subject: Subject::Call(icmp::net_icmp),
        gate: Gate::Open,
    },
    Rule {
        id: "net-tcp",
        severity: Severity::Error,
        title: "TCP connection fails",
        subject: Subject::CallAndCapture(broken::net_tcp_of_call, tcp::net_tcp),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "net-tls",
        severity: Severity::Error,
        title: "TLS handshake fails",
        subject: Subject::CallAndCapture(plain::net_tls_of_call, tls::net_tls),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "net-udp-fragment",
        severity: Severity::Error,
        title: "Large SIP message over UDP is lost or fragmented",
        subject: Subject::CallAndCapture(fragment::net_udp_fragment, fragment::net_udp_fragment_delivered),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "net-response-misrouted",
        severity: Severity::Error,
        title: "Answers go to the wrong address or port",
        subject: Subject::Call(misrouted::net_response_misrouted),
        gate: Gate::Open,
    },
    Rule {
        id: "net-no-response",
        severity: Severity::Error,
        title: "No answer at all",
        subject: Subject::Call(silence::net_no_response),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "net-ack-lost",
        severity: Severity::Error,
        title: "Answered, then dropped because the ACK is missing",
        subject: Subject::Call(ack::net_ack_lost),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "net-private-address",
        severity: Severity::Warn,
        title: "A private address is advertised to the outside",
        subject: Subject::Call(private::net_private_address),
        gate: Gate::BothDirections,
    },
    Rule {
        id: "net-sip-alg",
        severity: Severity::Warn,
        title: "A router rewrites SIP",
        subject: Subject::Call(alg::net_sip_alg),
        gate: Gate::Open,
    },
    Rule {
        id: "net-retransmit",
        severity: Severity::Warn,
        title: "Messages are repeated",
        subject: Subject::Capture(retransmit::net_retransmit),
        gate: Gate::Open,
    },
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
