//! Plain SIP that is sent to a port on which the server speaks TLS.
//!
//! Sources: RFC 3261 section 19.1.2 (5061 is the port of TLS), RFC 8446 section 5.1 (what a TLS server expects to read).

use crate::call::Outcome;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::net::Transport;

/// A request over plain TCP that nothing answers, at a port that answers ClientHellos.
pub(super) fn net_tls_of_call(context: &CallContext<'_>) -> Option<Observation> {
    let may_be_silence = context.outcome().is_failure() || context.outcome() == Outcome::Cancelled;
    if context.capture.handshakes.is_empty() || !may_be_silence {
        return None;
    }
    let (hop, t) = context.root()?;
    if t.transport != Transport::Tcp || context.transactions.responses_of(hop).next().is_some() {
        return None;
    }
    let request = context.message(t.request?)?;
    let server = context.tables().endpoint(t.destination);
    let hello = context.capture.handshakes.iter().find_map(|handshake| {
        let is_there = handshake.flow.destination == server;
        handshake.server_hello.filter(|_| is_there)
    })?;
    let client = context.tables().endpoint(t.source).address;
    Some(
        Observation::new(Confidence::Likely, Proof::Protocol)
            .titled(format!("Plain SIP to {server}, which speaks TLS"))
            .happened(format!(
                "{} sent its {} to {server} in the clear over TCP and got no answer; on that port the server speaks TLS (its ServerHello is frame {}).",
                context.name(t.source),
                t.method.text(),
                hello.at.frame
            ))
            .remedy(format!(
                "{client}: use TLS for {} port {}, or its port for plain TCP (5060 unless told otherwise).",
                server.address,
                server.port
            ))
            .shown_by(context.shows(request, "sent in the clear, and never answered"))
            .shown_by(Evidence::seen(hello.at, "ServerHello", "the same port speaks TLS"))
            .at(t.destination, "plain"),
    )
}
