//! Family SUB: subscriptions that bring no news: busy lamps, presence, voicemail lamps.
//!
//! Sources: RFC 6665 sections 4.1.2 and 4.4, RFC 3903, RFC 3842, RFC 4235.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::call::beside::other_request::OtherRequest;
use crate::call::{EndpointId, Message, NodeId, TextId};
use crate::diagnose::context::call_context::start_line;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity};
use crate::diagnose::rule::{Claim, Rule};
use crate::diagnose::rules::net::icmp;
use crate::sip::{Event, HeaderName, Method, SubscriptionState};

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule::of_capture("sub-failed", Severity::Warn, sub_failed)];

/// Sends after which a request without answer was not lost by chance.
const SENDS_MIN: u32 = 4;
/// How long the first NOTIFY may take.
const NOTIFY_WAIT: Duration = Duration::from_secs(32);
/// Frames that a claim quotes.
const FRAMES_MAX: usize = 5;
/// Ends of one subscription by its server that are no switch-over any more, and the time in which they come.
const ENDS_MIN: usize = 3;
const ENDS_WINDOW: Duration = Duration::from_secs(600);

/// What is wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Trouble {
    /// Refused with this status.
    Refused(u16),
    /// Never answered.
    Unanswered,
    /// Accepted, and no NOTIFY came.
    NoNotify,
    /// A NOTIFY ended it as rejected.
    Rejected,
    /// NOTIFYs ended it again and again although it may be asked for anew.
    TakenAway,
}

/// What makes requests one problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    method: u8,
    source: NodeId,
    destination: EndpointId,
    trouble: Trouble,
    event: TextId,
}

fn sub_failed(capture: &CaptureContext<'_>) -> Vec<Claim> {
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
    let mut groups: BTreeMap<Key, Vec<&OtherRequest>> = BTreeMap::new();
    for (place, request) in all.iter().enumerate() {
        let Some(trouble) = trouble(capture, request) else {
            continue;
        };
        let is_lasting = matches!(trouble, Trouble::NoNotify | Trouble::Rejected | Trouble::TakenAway)
            || settled.get(&subscription(capture, request)).is_none_or(|good| *good < place);
        if is_lasting {
            let key = Key {
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
        .map(|(key, requests)| claim(capture, key.trouble, &requests))
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

fn messages<'a>(capture: &CaptureContext<'a>, request: &OtherRequest) -> &'a [Message] {
    capture.store.messages_of(request.range)
}

/// The request as sent first.
fn sent<'a>(capture: &CaptureContext<'a>, request: &OtherRequest) -> Option<&'a Message> {
    let messages = messages(capture, request);
    let first = messages.partition_point(|message| message.time < request.sent);
    messages[first..].iter().find(|message| message.at == request.at && message.is_request(request.method))
}

fn event(capture: &CaptureContext<'_>, request: &OtherRequest) -> TextId {
    let Some(message) = sent(capture, request) else {
        return TextId::default();
    };
    let tables = &capture.store.tables;
    tables.header_id(message, HeaderName::Event)
}

/// Every message of the Call-ID that a request belongs to.
fn whole_group<'a>(capture: &CaptureContext<'a>, message: &Message) -> &'a [Message] {
    capture.store.messages_of_group(message.group)
}

fn is_one_directional(capture: &CaptureContext<'_>, request: &OtherRequest) -> bool {
    capture.is_one_directional(capture.node(request.source), capture.node(request.destination))
}

fn trouble(capture: &CaptureContext<'_>, request: &OtherRequest) -> Option<Trouble> {
    let message = sent(capture, request)?;
    let is_notify = request.method == Method::Notify;
    match request.answer {
        Some((status, _, _)) if status.is_success() => accepted(capture, request, message),
        Some((status, _, _)) if is_notify => {
            let is_known = is_wanted_notify(capture, message);
            (is_known && matches!(status.0, 405 | 481 | 489 | 501)).then_some(Trouble::Refused(status.0))
        }
        Some((status, _, _)) => {
            let is_step = matches!(status.0, 401 | 407) || status.is_redirection();
            let is_end = status.0 == 481 && is_unsubscribe(capture, message);
            (!is_step && !is_end).then_some(Trouble::Refused(status.0))
        }
        None => {
            let is_lost = request.was_watched
                && request.sends >= SENDS_MIN
                && !is_one_directional(capture, request)
                && (!is_notify || is_wanted_notify(capture, message));
            is_lost.then_some(Trouble::Unanswered)
        }
    }
}

fn is_unsubscribe(capture: &CaptureContext<'_>, message: &Message) -> bool {
    let expires = capture.store.tables.header(message, HeaderName::Expires);
    expires.is_some_and(|expires| expires.trim() == "0")
}

fn state<'a>(capture: &CaptureContext<'a>, message: &Message) -> Option<SubscriptionState<'a>> {
    let value = capture.store.tables.header(message, HeaderName::SubscriptionState)?;
    Some(SubscriptionState::parse(value.as_bytes()))
}

/// A NOTIFY that its receiver had subscribed to in this capture, and not the last one of the subscription.
fn is_wanted_notify(capture: &CaptureContext<'_>, notify: &Message) -> bool {
    let subscribed = whole_group(capture, notify).iter().any(|message| {
        message.is_request(Method::Subscribe) && message.time <= notify.time && !is_unsubscribe(capture, message)
    });
    let gave_up = whole_group(capture, notify).iter().any(|message| {
        message.is_request(Method::Subscribe) && message.time <= notify.time && is_unsubscribe(capture, message)
    });
    let is_last = state(capture, notify).is_some_and(|state| state.is_terminated());
    subscribed && !gave_up && !is_last
}

/// A subscription that was accepted and then brought nothing, or was taken away.
fn accepted(capture: &CaptureContext<'_>, request: &OtherRequest, message: &Message) -> Option<Trouble> {
    if request.method == Method::Notify {
        let state = state(capture, message).filter(SubscriptionState::is_terminated)?;
        return match state.reason?.to_ascii_lowercase().as_slice() {
            b"rejected" => Some(Trouble::Rejected),
            b"deactivated" | b"probation" => Some(Trouble::TakenAway),
            _ => None,
        };
    }
    let (status, answered, _) = request.answer?;
    let is_new = request.method == Method::Subscribe && message.to_tag.is_absent();
    if !is_new || status.0 == 204 || is_unsubscribe(capture, message) {
        return None;
    }
    let is_notified = whole_group(capture, message).iter().any(|other| other.is_request(Method::Notify));
    let is_silent =
        !is_notified && capture.watched_since(answered) >= NOTIFY_WAIT && !is_one_directional(capture, request);
    is_silent.then_some(Trouble::NoNotify)
}

/// Whether any NOTIFY of a server was captured; where none was, the capture may not see the way that they take.
fn sees_notify_of(capture: &CaptureContext<'_>, request: &OtherRequest) -> bool {
    let server = capture.node(request.destination);
    let mut others = capture.requests.iter().take(10_000);
    others.any(|other| other.method == Method::Notify && capture.node(other.source) == server)
}

fn claim(capture: &CaptureContext<'_>, trouble: Trouble, requests: &[&OtherRequest]) -> Claim {
    let (first, last) = (requests[0], requests[requests.len() - 1]);
    let method = first.method.text();
    let asker = capture.name(first.source);
    let server = capture.name(first.destination);
    let event_text = capture.text(event(capture, first));
    let package = String::from_utf8_lossy(Event::parse(event_text.as_bytes()).package).into_owned();
    let about = match package.as_str() {
        "" => String::new(),
        package => format!(" for `{package}`"),
    };
    let uri = capture.text(first.uri);
    let answer = first.answer.and_then(|(_, _, at)| {
        messages(capture, first).iter().find(|message| message.at == at && message.status().is_some())
    });
    let ends = (first.source, first.destination);
    let report = icmp::between(capture, ends, (first.sent, last.sent)).filter(|_| trouble == Trouble::Unanswered);
    let (title, story, remedy, confidence) = match trouble {
        Trouble::Refused(code) => {
            let phrase = answer.map_or("", |answer| capture.text(answer.line));
            let offers = answer
                .and_then(|answer| capture.store.tables.header(answer, HeaderName::AllowEvents))
                .map_or(String::new(), |events| format!(" It offers {events}."));
            (
                format!("{method}{about} refused with {code}"),
                format!(
                    "{server} refused the {method}{about} of {asker} to `{uri}`: {code} {phrase}.{offers} What it should show stays dark; calls are not concerned."
                ),
                refused_remedy(code, &asker, &server, &package),
                Confidence::Certain,
            )
        }
        Trouble::Unanswered => (
            format!("{method}{about} is not answered"),
            format!(
                "{server} did not answer the {method}{about} of {asker}, sent {}.{}",
                counted(first.sends, "time"),
                report.map_or(String::new(), |report| format!(
                    " {} reported `{}` (frame {}): {}.",
                    icmp::reporter(report, capture.store.tables.endpoint(first.destination)),
                    report.meaning(),
                    report.at.frame,
                    icmp::consequence(report)
                ))
            ),
            format!(
                "Let packets of {asker} reach {server}: it is off, behind a NAT whose mapping has closed, or behind a firewall. A keep-alive every 25 s keeps a NAT open."
            ),
            Confidence::Likely,
        ),
        Trouble::NoNotify => (
            format!("Subscription{about} brings no news"),
            format!(
                "{server} accepted the subscription{about} of {asker} to `{uri}` and sent no NOTIFY within 32 s, which RFC 6665 demands at once."
            ),
            format!("{server}: find out whether it sends the NOTIFY, and to which address (Contact of the SUBSCRIBE)."),
            if sees_notify_of(capture, first) { Confidence::Likely } else { Confidence::Possible },
        ),
        Trouble::TakenAway => (
            format!("Subscription{about} is taken away again and again"),
            format!(
                "{asker} ended the subscription{about} of {server} {} (deactivated or probation), and the device asked anew each time: the lamp shows old news in between.",
                counted(requests.len() as u32, "time")
            ),
            format!(
                "{asker}: find out why it gives subscriptions up: a cluster that moves them, a limit, or a restart in a loop."
            ),
            Confidence::Certain,
        ),
        Trouble::Rejected => (
            format!("Subscription{about} was rejected"),
            format!("{asker} ended the subscription{about} of {server} with reason `rejected`: it may not watch this."),
            format!("{asker}: give the subscriber the right to watch, or take the lamp off {server}."),
            Confidence::Certain,
        ),
    };
    let observation = Observation::new(confidence, Proof::OwnWords)
        .beside()
        .titled(title)
        .happened(story)
        .remedy(remedy)
        .at(first.destination, format!("{method} {package} {trouble:?}"))
        .maybe_shown_by(
            answer
                .filter(|_| matches!(trouble, Trouble::Refused(_)))
                .map(|answer| Evidence::seen(answer.at, start_line(&capture.store.tables, answer), "the refusal")),
        )
        .maybe_shown_by(report.map(|report| icmp::evidence(&[report])))
        .shown_by(Evidence::in_frames(
            requests.iter().take(FRAMES_MAX).map(|request| request.at).collect(),
            format!("{method} {uri} SIP/2.0"),
            "the requests concerned",
        ));
    Claim {
        said: observation,
        calls: Vec::new(),
        count: requests.len() as u32,
        first_at: first.sent,
        last_at: last.sent,
        scope: format!("{} from {asker}", counted(requests.len() as u32, &format!("{method} request"))),
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
