//! Subscriptions and publications that are refused, unanswered, without news, or taken away.
//!
//! Sources: RFC 6665 sections 4.1.2 and 4.4, RFC 3903, RFC 3842, RFC 4235.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::other_request::OtherRequest;
use crate::call::{EndpointId, Message, NodeId, TextId};
use crate::diagnose::context::call_context::start_line;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::net::icmp;
use crate::diagnose::rules::sub::trouble::{Trouble, answer, event, sees_notify_of, trouble};
use crate::sip::{Event, HeaderName, Method};

/// Frames that a claim quotes.
const FRAMES_MAX: usize = 5;
/// Ends of one subscription by its server that are no switch-over any more, and the time in which they come.
const ENDS_MIN: usize = 3;
const ENDS_WINDOW: Duration = Duration::from_secs(600);

/// What makes requests one problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct GroupKey {
    method: u8,
    source: NodeId,
    destination: EndpointId,
    trouble: Trouble,
    event: TextId,
}

/// Every subscription that does not work.
pub(super) fn sub_failed(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let concerned =
        |request: &&OtherRequest| matches!(request.method, Method::Subscribe | Method::Publish | Method::Notify);
    // The last success of a subscription settles what went wrong before.
    let mut settled: HashMap<(Method, NodeId, TextId, TextId), usize> = HashMap::new();
    let all: Vec<&OtherRequest> = capture.requests.iter().filter(concerned).collect();
    for (place, request) in all.iter().enumerate() {
        if request.answer.is_some_and(|(status, _, _)| status.is_success()) {
            settled.insert(subscription(capture, request), place);
        }
    }
    let mut groups: BTreeMap<GroupKey, Vec<&OtherRequest>> = BTreeMap::new();
    for (place, request) in all.iter().enumerate() {
        let Some(trouble) = trouble(capture, request) else {
            continue;
        };
        let is_lasting = matches!(trouble, Trouble::NoNotify | Trouble::Rejected | Trouble::TakenAway)
            || settled.get(&subscription(capture, request)).is_none_or(|good| *good < place);
        if is_lasting {
            let key = GroupKey {
                method: request.method as u8,
                source: capture.node(request.source),
                destination: request.destination,
                trouble,
                event: event(capture, request),
            };
            groups.entry(key).or_default().push(request);
        }
    }
    groups
        .into_iter()
        .filter(|(_, requests)| !capture.is_hostile(requests[0].source))
        .filter(|(key, requests)| key.trouble != Trouble::TakenAway || is_loop(requests))
        .map(|(key, requests)| claim(capture, &Complaint::new(capture, key.trouble, &requests)))
        .collect()
}

/// Whether so many come so close together that the subscription never lasts.
fn is_loop(requests: &[&OtherRequest]) -> bool {
    let mut runs = requests.windows(ENDS_MIN);
    runs.any(|run| run[ENDS_MIN - 1].sent.since(run[0].sent) <= ENDS_WINDOW)
}

fn subscription(capture: &CaptureContext<'_>, request: &OtherRequest) -> (Method, NodeId, TextId, TextId) {
    (request.method, capture.node(request.source), request.uri, event(capture, request))
}

/// Requests with one trouble, as they are named in sentences.
struct Complaint<'a> {
    trouble: Trouble,
    requests: &'a [&'a OtherRequest],
    /// The first of them.
    first: &'a OtherRequest,
    asker: String,
    server: String,
    uri: &'a str,
    /// The event package; empty where none is named.
    package: String,
    /// The response to the first of them.
    answer: Option<&'a Message>,
    /// The ICMP error about requests that nothing answered.
    report: Option<&'a IcmpReport>,
}

impl<'a> Complaint<'a> {
    fn new(capture: &'a CaptureContext<'_>, trouble: Trouble, requests: &'a [&'a OtherRequest]) -> Self {
        let (first, last) = (requests[0], requests[requests.len() - 1]);
        let event = capture.text(event(capture, first));
        let ends = (first.source, first.destination);
        let report = icmp::between(capture, ends, (first.sent, last.sent));
        Self {
            trouble,
            requests,
            first,
            asker: capture.name(first.source),
            server: capture.name(first.destination),
            uri: capture.text(first.uri),
            package: String::from_utf8_lossy(Event::parse(event.as_bytes()).package).into_owned(),
            answer: answer(capture, first),
            report: report.filter(|_| trouble == Trouble::Unanswered),
        }
    }

    /// Which package it is about, with a blank before it.
    fn about(&self) -> String {
        if self.package.is_empty() { String::new() } else { format!(" for `{}`", self.package) }
    }
}

fn claim(capture: &CaptureContext<'_>, complaint: &Complaint<'_>) -> Claim {
    let Complaint { trouble, requests, first, report, .. } = complaint;
    let method = first.method.text();
    let refusal = complaint.answer.filter(|_| matches!(trouble, Trouble::Refused(_)));
    let said = Observation::new(confidence(capture, complaint), Proof::OwnWords)
        .beside()
        .titled(title(complaint))
        .happened(story(capture, complaint))
        .remedy(remedy(complaint))
        .at(first.destination, format!("{method} {} {trouble:?}", complaint.package))
        .maybe_shown_by(
            refusal.map(|answer| Evidence::seen(answer.at, start_line(&capture.store.tables, answer), "the refusal")),
        )
        .maybe_shown_by(report.map(|report| icmp::evidence(&[report])))
        .shown_by(Evidence::in_frames(
            requests.iter().take(FRAMES_MAX).map(|request| request.at).collect(),
            format!("{method} {} SIP/2.0", complaint.uri),
            "the requests concerned",
        ));
    let count = requests.len() as u32;
    Claim {
        said,
        calls: Vec::new(),
        count,
        first_at: first.sent,
        last_at: requests[requests.len() - 1].sent,
        scope: format!("{} from {}", counted(count, &format!("{method} request")), complaint.asker),
    }
}

fn confidence(capture: &CaptureContext<'_>, complaint: &Complaint<'_>) -> Confidence {
    match complaint.trouble {
        Trouble::Refused(_) | Trouble::TakenAway | Trouble::Rejected => Confidence::Certain,
        Trouble::Unanswered => Confidence::Likely,
        Trouble::NoNotify if sees_notify_of(capture, complaint.first) => Confidence::Likely,
        Trouble::NoNotify => Confidence::Possible,
    }
}

fn title(complaint: &Complaint<'_>) -> String {
    let (method, about) = (complaint.first.method.text(), complaint.about());
    match complaint.trouble {
        Trouble::Refused(code) => format!("{method}{about} refused with {code}"),
        Trouble::Unanswered => format!("{method}{about} is not answered"),
        Trouble::NoNotify => format!("Subscription{about} brings no news"),
        Trouble::TakenAway => format!("Subscription{about} is taken away again and again"),
        Trouble::Rejected => format!("Subscription{about} was rejected"),
    }
}

fn story(capture: &CaptureContext<'_>, complaint: &Complaint<'_>) -> String {
    let Complaint { first, asker, server, uri, answer, .. } = complaint;
    let (method, about) = (first.method.text(), complaint.about());
    match complaint.trouble {
        Trouble::Refused(code) => {
            let phrase = answer.map_or("", |answer| capture.text(answer.line));
            let offers = answer
                .and_then(|answer| capture.store.tables.header(answer, HeaderName::AllowEvents))
                .map_or(String::new(), |events| format!(" It offers {events}."));
            format!(
                "{server} refused the {method}{about} of {asker} to `{uri}`: {code} {phrase}.{offers} What it should show stays dark; calls are not concerned."
            )
        }
        Trouble::Unanswered => {
            let there = capture.store.tables.endpoint(first.destination);
            let reported = complaint.report.map_or(String::new(), |report| {
                format!(
                    " {} reported `{}` (frame {}): {}.",
                    icmp::reporter(report, there),
                    report.meaning(),
                    report.at.frame,
                    icmp::consequence(report)
                )
            });
            let sends = counted(first.sends, "time");
            format!("{server} did not answer the {method}{about} of {asker}, sent {sends}.{reported}")
        }
        Trouble::NoNotify => format!(
            "{server} accepted the subscription{about} of {asker} to `{uri}` and sent no NOTIFY within 32 s, which RFC 6665 demands at once."
        ),
        Trouble::TakenAway => format!(
            "{asker} ended the subscription{about} of {server} {} (deactivated or probation), and the device asked anew each time: the lamp shows old news in between.",
            counted(complaint.requests.len() as u32, "time")
        ),
        Trouble::Rejected => {
            format!("{asker} ended the subscription{about} of {server} with reason `rejected`: it may not watch this.")
        }
    }
}

fn remedy(complaint: &Complaint<'_>) -> String {
    let Complaint { asker, server, package, .. } = complaint;
    match complaint.trouble {
        Trouble::Refused(code) => refused_remedy(code, asker, server, package),
        Trouble::Unanswered => format!(
            "Let packets of {asker} reach {server}: it is off, behind a NAT whose mapping has closed, or behind a firewall. A keep-alive every 25 s keeps a NAT open."
        ),
        Trouble::NoNotify => {
            format!("{server}: find out whether it sends the NOTIFY, and to which address (Contact of the SUBSCRIBE).")
        }
        Trouble::TakenAway => format!(
            "{asker}: find out why it gives subscriptions up: a cluster that moves them, a limit, or a restart in a loop."
        ),
        Trouble::Rejected => {
            format!("{asker}: give the subscriber the right to watch, or take the lamp off {server}.")
        }
    }
}

fn refused_remedy(code: u16, asker: &str, server: &str, package: &str) -> String {
    match code {
        489 => format!(
            "{asker}: subscribe to an event that {server} offers instead of `{package}`, or switch the package on at {server}."
        ),
        403 | 603 => format!("{server}: give {asker} the right to watch this address, or take it off the device."),
        404 | 410 | 604 => {
            format!("{asker}: correct the address to watch; {server} does not know it.")
        }
        405 | 501 => {
            format!("{asker}: switch this off; {server} does not serve it. Or send it to the server that does.")
        }
        412 | 481 => {
            format!("{asker}: begin anew without the old state; {server} has forgotten it, as after a restart.")
        }
        423 => format!("{asker}: ask for a longer expiry than before, at least Min-Expires."),
        _ => format!("{server}: look up in its log why it refuses this."),
    }
}
