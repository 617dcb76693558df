//! What is wrong with a subscription, as its requests show.
//!
//! Sources: RFC 6665 sections 4.1.2 and 4.4.

use std::time::Duration;

use crate::call::beside::other_request::OtherRequest;
use crate::call::{Message, TextId};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::sip::{HeaderName, Method, SubscriptionState};

/// Sends after which a request without answer was not lost by chance.
const SENDS_MIN: u32 = 4;
/// How long the first NOTIFY may take.
const NOTIFY_WAIT: Duration = Duration::from_secs(32);
/// Requests among which a NOTIFY of the same server is looked for.
const REQUESTS_MAX: usize = 10_000;

/// What is wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Trouble {
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

/// The request as sent first.
fn sent<'a>(capture: &CaptureContext<'a>, request: &OtherRequest) -> Option<&'a Message> {
    let messages = capture.store.messages_of(request.range);
    let first = messages.partition_point(|message| message.time < request.sent);
    messages[first..].iter().find(|message| message.at == request.at && message.is_request(request.method))
}

/// The id of the Event header of a request.
pub(super) fn event(capture: &CaptureContext<'_>, request: &OtherRequest) -> TextId {
    let Some(message) = sent(capture, request) else {
        return TextId::default();
    };
    let tables = &capture.store.tables;
    tables.header_id(message, HeaderName::Event)
}

fn is_one_directional(capture: &CaptureContext<'_>, request: &OtherRequest) -> bool {
    capture.is_one_directional(capture.node(request.source), capture.node(request.destination))
}

/// What is wrong with a request.
pub(super) fn trouble(capture: &CaptureContext<'_>, request: &OtherRequest) -> Option<Trouble> {
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
    let subscribed = capture.store.messages_of_group(notify.group).iter().any(|message| {
        message.is_request(Method::Subscribe) && message.time <= notify.time && !is_unsubscribe(capture, message)
    });
    let gave_up = capture.store.messages_of_group(notify.group).iter().any(|message| {
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
    let is_notified =
        capture.store.messages_of_group(message.group).iter().any(|other| other.is_request(Method::Notify));
    let is_silent =
        !is_notified && capture.watched_since(answered) >= NOTIFY_WAIT && !is_one_directional(capture, request);
    is_silent.then_some(Trouble::NoNotify)
}

/// The response that settled a request.
pub(super) fn answer<'a>(capture: &CaptureContext<'a>, request: &OtherRequest) -> Option<&'a Message> {
    let (_, _, at) = request.answer?;
    capture.store.messages_of(request.range).iter().find(|message| message.at == at && message.status().is_some())
}

/// Whether any NOTIFY of a server was captured; where none was, the capture may not see the way that they take.
pub(super) fn sees_notify_of(capture: &CaptureContext<'_>, request: &OtherRequest) -> bool {
    let server = capture.node(request.destination);
    let mut others = capture.requests.iter().take(REQUESTS_MAX);
    others.any(|other| other.method == Method::Notify && capture.node(other.source) == server)
}
