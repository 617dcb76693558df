//! ICMP errors about a request: which quote it, what they mean for it, and who mends that.
//!
//! Sources: RFC 792, RFC 4443; RFC 3261 sections 8.1.3.1 and 18.4 (a client treats them as 503).

use std::time::Duration;

use crate::call::beside::icmp::{IcmpMeaning, IcmpReport};
use crate::call::{EndpointId, MessageIndex, Transaction};
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Evidence, Steps};
use crate::net::{Endpoint, Transport};

/// Frames that evidence names.
const FRAMES_MAX: usize = 8;
/// How long after the last send a report may come.
const REPORT_WAIT: Duration = Duration::from_secs(5);

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
    let message = |index: Option<MessageIndex>| index.and_then(|index| context.message(index));
    let (Some(first), Some(last)) = (message(t.request), message(t.last_request)) else {
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

/// Some reports, as evidence; the first one is quoted.
pub(in crate::diagnose::rules) fn evidence(reports: &[&IcmpReport]) -> Evidence {
    let frames = reports.iter().map(|report| report.at).take(FRAMES_MAX).collect();
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

/// What a report means for the request.
pub(in crate::diagnose::rules) fn consequence(report: &IcmpReport) -> &'static str {
    match report.meaning() {
        IcmpMeaning::PortUnreachable => "the host is up, and nothing listens on that port",
        IcmpMeaning::HostUnreachable | IcmpMeaning::NetworkUnreachable => "no packet gets there",
        IcmpMeaning::Prohibited => "a firewall or access list refuses the packet",
        IcmpMeaning::TooBig => "the packet is larger than a link on the way takes",
        IcmpMeaning::TimeExceeded => "the packet went round in a routing loop, or its fragments never joined",
        IcmpMeaning::ProtocolUnreachable => "the host does not take UDP at all",
        IcmpMeaning::DestinationUnreachable | IcmpMeaning::Other => "the request was not delivered",
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
        IcmpMeaning::PortUnreachable => Steps::from([
            format!(
                "{}: start the SIP service, or let it listen on {} port {}.",
                there.address,
                transport.word(),
                there.port
            ),
            format!("{}: or send to the port on which it does listen.", here.address),
        ]),
        IcmpMeaning::Prohibited => {
            format!("{}: allow {} from {} to port {}.", report.reporter, transport.word(), here.address, there.port)
                .into()
        }
        IcmpMeaning::TooBig => format!(
            "{}: send over TCP, or make the request smaller; or raise the MTU at {}.",
            here.address, report.reporter
        )
        .into(),
        IcmpMeaning::TimeExceeded => format!(
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
