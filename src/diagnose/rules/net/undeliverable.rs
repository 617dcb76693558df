//! A request that nothing answered, and that a router or the host itself reported as undeliverable.
//!
//! Sources: RFC 792, RFC 4443; RFC 3261 sections 8.1.3.1 and 18.4 (a client treats them as 503).

use crate::call::TransactionIndex;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::{duration, times};
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rules::net::icmp;
use crate::diagnose::rules::net::silent_request::silent_request;

/// The request that nothing answered was reported as undeliverable.
pub(super) fn net_icmp(context: &CallContext<'_>) -> Option<Observation> {
    if context.capture.errors.is_empty() {
        return None;
    }
    let (hop, t) = silent_request(context)?;
    let reports = icmp::reports(context, t);
    let report = *reports.first()?;
    let request = context
        .transactions
        .sends_of(hop)
        .map(|(_, message)| message)
        .filter(|message| message.time <= report.time)
        .last()?;
    let later = context.transactions.sends_of(hop).filter(|(_, message)| message.time > report.time).count();
    let there = context.capture.store.tables.endpoint(t.destination);
    let reporter = icmp::reporter(report, there);
    let ignored = if later > 0 {
        format!(" {} ignored this and sent it {} more.", context.capture.name(t.source), times(later))
    } else {
        String::new()
    };
    let explanation = format!(
        "{reporter} reported `{}` for {there} {} after the {}: {}.{ignored}",
        report.meaning(),
        duration(report.time.since(request.time)),
        t.method.text(),
        icmp::consequence(report)
    );
    let observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .titled(format!("{there} was reported unreachable: {}", report.meaning()))
        .happened(explanation)
        .remedy(icmp::remedy(report, context.tables().endpoint(t.source), there, t.transport))
        .shown_by(icmp::evidence(&reports))
        .shown_by(context.shows(request, "the request that could not be delivered"))
        .at(t.destination, report.meaning());
    Some(with_silence(context, hop, observation))
}

/// With the silence ruled out where the request was repeated: its reason is known.
fn with_silence(context: &CallContext<'_>, hop: TransactionIndex, observation: Observation) -> Observation {
    let sends = || context.transactions.sends_of(hop);
    match sends().last() {
        Some((_, last)) if sends().count() > 1 => observation.not(
            "net-no-response",
            format!("the silence after frame {} has a reason that the network itself names", last.at.frame),
        ),
        _ => observation,
    }
}
