//! ICMP errors about a request that nothing answered.
//!
//! Sources: RFC 792, RFC 4443; RFC 3261 sections 8.1.3.1 and 18.4 (a client treats them as 503).

use std::time::Duration;

use crate::call::beside::icmp::IcmpReport;
use crate::call::{EndpointId, Message, Transaction, TransactionIndex};
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::duration;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rules::net::silence::silent_request;
use crate::diagnose::rules::net::times;
use crate::net::{Endpoint, Transport};

/// How long after the last send a report may come.
const REPORT_WAIT: Duration = Duration::from_secs(5);

/// The request that nothing answered was reported as undeliverable.
pub(super) fn net_icmp(context: &CallContext<'_>) -> Option<Observation> {
    if context.capture.errors.is_empty() {
        return None;
    }
    let (hop, t) = silent_request(context)?;
    let reports = reports(context, t);
    let report = *reports.first()?;
    let request = context
        .transactions
        .sends_of(hop)
        .map(|(_, message)| message)
        .filter(|message| message.time <= report.time)
        .last()?;
    let later = context.transactions.sends_of(hop).filter(|(_, message)| message.time > report.time).count();
    let there = context.capture.store.tables.endpoint(t.destination);
    let reporter = reporter(report, there);
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
        consequence(report)
    );
    let observation = Observation::new(Confidence::Certain, Proof::Protocol)
        .titled(format!("{there} was reported unreachable: {}", report.meaning()))
        .happened(explanation)
        .remedy(remedy(report, context.tables().endpoint(t.source), there, t.transport))
        .shown_by(evidence(&reports))
        .shown_by(context.shows(request, "the request that could not be delivered"))
        .at(t.destination, report.meaning());
    Some(with_silence(context, hop, observation))
}

fn with_silence(context: &CallContext<'_>, hop: TransactionIndex, observation: Observation) -> Observation {
    let last = context.transactions.sends_of(hop).last();
    match last {
        Some((_, last)) if !is_alone(context, hop) => observation.not(
            "net-no-response",
            format!("the silence after frame {} has a reason that the network itself names", last.at.frame),
        ),
        _ => observation,
    }
}

fn is_alone(context: &CallContext<'_>, hop: TransactionIndex) -> bool {
    context.transactions.sends_of(hop).count() < 2
}

/// The first report about what one endpoint sent another in a span of time.
pub(in crate::diagnose::rules) fn between<'a>(
    capture: &CaptureContext<'a>,
    (here, there): (EndpointId, EndpointId),
    (from, until): (Timestamp, Timestamp),
) -> Option<&'a IcmpReport> {
    let tables = &capture.store.tables;
    let (source, destination) = (tables.endpoint(here), tables.endpoint(there));
    let mut about = capture.errors_about(capture.node(there), from, until.plus(REPORT_WAIT));
    about.find(|report| report.quoted.destination == destination && report.quoted.source == source)
}

/// Who reported, at the begin of a sentence.
pub(in crate::diagnose::rules) fn reporter(report: &IcmpReport, there: Endpoint) -> String {
    if report.reporter == there.address { format!("{there} itself") } else { format!("The router {}", report.reporter) }
}

/// Reports about this request: those that quote its addresses and ports while it was being sent.
pub(in crate::diagnose::rules) fn reports<'a>(context: &CallContext<'a>, t: &Transaction) -> Vec<&'a IcmpReport> {
    let capture = context.capture;
    let time = |index: Option<_>| index.and_then(|index| context.message(index));
    let (Some(first), Some(last)): (Option<&Message>, Option<&Message>) = (time(t.request), time(t.last_request))
    else {
        return Vec::new();
    };
    let tables = &capture.store.tables;
    let (source, destination) = (tables.endpoint(t.source), tables.endpoint(t.destination));
    let until = last.time.plus(REPORT_WAIT);
    let about = capture.errors_about(capture.node(t.destination), first.time, until);
    about
        .filter(|report| {
            let is_ours = report.quoted.destination == destination
                && report.quoted.source.address == source.address
                && (report.quoted.source.port == source.port || report.group == Some(first.group));
            is_ours && report.group.is_none_or(|group| group == first.group)
        })
        .collect()
}

pub(in crate::diagnose::rules) fn evidence(reports: &[&IcmpReport]) -> Evidence {
    let frames = reports.iter().map(|report| report.at).take(8).collect();
    let quote = reports.first().map_or(String::new(), |report| {
        format!(
            "ICMP{} type {} code {} from {}",
            if report.is_v6 { "v6" } else { "" },
            report.kind,
            report.code,
            report.reporter
        )
    });
    Evidence::in_frames(frames, quote, "the report that quotes the request")
}

pub(in crate::diagnose::rules) fn consequence(report: &IcmpReport) -> &'static str {
    match report.meaning() {
        "port unreachable" => "the host is up, and nothing listens on that port",
        "host unreachable" | "network unreachable" => "no packet gets there",
        "administratively prohibited" => "a firewall or access list refuses the packet",
        "packet too big" => "the packet is larger than a link on the way takes",
        "time exceeded" => "the packet went round in a routing loop, or its fragments never joined",
        "protocol unreachable" => "the host does not take UDP at all",
        _ => "the request was not delivered",
    }
}

/// Who changes what so that datagrams of `here` reach `there`.
pub(in crate::diagnose::rules) fn remedy(
    report: &IcmpReport,
    here: Endpoint,
    there: Endpoint,
    transport: Transport,
) -> Steps {
    match report.meaning() {
        "port unreachable" => Steps::from([
            format!(
                "{}: start the SIP service, or let it listen on {} port {}.",
                there.address,
                transport.word(),
                there.port
            ),
            format!("{}: or send to the port on which it does listen.", here.address),
        ]),
        "administratively prohibited" => {
            format!("{}: allow {} from {} to port {}.", report.reporter, transport.word(), here.address, there.port)
                .into()
        }
        "packet too big" => format!(
            "{}: send over TCP, or make the request smaller; or raise the MTU at {}.",
            here.address, report.reporter
        )
        .into(),
        "time exceeded" => format!(
            "Follow the route from {} to {}: {} sends the packet in a circle.",
            here.address, there.address, report.reporter
        )
        .into(),
        _ => Steps::from([
            format!("Is {} up and on its network?", there.address),
            format!("{}: correct its route to {}.", report.reporter, there.address),
        ]),
    }
}
