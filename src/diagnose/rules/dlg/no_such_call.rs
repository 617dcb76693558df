//! Requests inside a call that are answered as if there were no such call.
//!
//! Sources: RFC 3261 sections 12.2.2 and 9.2, RFC 5057 section 5.

use std::time::Duration;

use crate::call::{Dialog, DropCause, EndpointId, Message, Outcome, TextId, Transaction, detail::target, drop_cause};
use crate::diagnose::background::call_losses::Lost;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::duration;
use crate::diagnose::finding::{Confidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rules::dlg::agreed_path::departure;
use crate::sip::{HeaderName, Method};

/// How much time may lie between requests of both sides that crossed on their way.
const CROSSING: Duration = Duration::from_secs(2);
/// Hops that a request is followed back.
const HOPS_MAX: usize = 16;

/// Why the other side does not know the call.
enum WhyUnknown {
    /// The call had ended, by this BYE, so long before the answer.
    Ended(crate::capture::FrameRef, Duration),
    /// A tag is not one of the call's.
    Tags,
    /// It was sent to another node than the one that holds the call.
    OtherNode,
    /// Its node lost several calls at once: how many, and the first refusal.
    Restarted(Lost),
    /// Nothing in the capture shows it.
    Unclear,
}

/// A request inside the call got 481.
pub(super) fn dlg_no_such_call(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let dialog = context.dialogs.first()?;
    let cause = match context.outcome() {
        Outcome::Dropped => drop_cause(&context.transactions, dialog),
        _ => None,
    };
    let ended_it = match cause {
        Some(DropCause::NoSuchCall { request }) => Some(request),
        _ => None,
    };
    let refused = context.transactions.each().filter(|(index, t)| {
        let inside = t.request.is_some_and(|request| !context.transactions.message(request).to_tag.is_absent());
        let is_refused = context.transactions.final_status(t).is_some_and(|status| {
            status.0 == 481 || Some(*index) == ended_it && status.0 == 408 || ends_call(t.method, status.0)
        });
        inside && is_refused && concerns_call(t.method) && t.first > dialog.answer
    });
    // The deepest hop is the one where the request was refused first.
    let (_, t) = refused.max_by_key(|(_, t)| {
        (
            Some(t.cseq) == ended_it.map(|request| context.transactions.transaction(request).cseq),
            context.tables().vias.get(t.via).depth,
            std::cmp::Reverse(t.first),
        )
    })?;
    if context.transactions.final_status(t).is_some_and(|status| status.0 == 408) {
        return gone(context, t);
    }
    let request = context.transactions.message(t.request?);
    let answer = context.transactions.message(t.final_response?);
    // Whoever left the agreed path asked a node that cannot know the call.
    if answer.status()?.0 != 481 && departure(context).is_some() {
        return None;
    }
    let reason = reason(context, dialog, t, (request, answer));
    Some(observation(context, t, (request, answer), &reason, dialog))
}

/// Whether a refusal of a method says as much as 481: RFC 5057 section 5.1 has these codes end the call.
fn ends_call(method: Method, code: u16) -> bool {
    matches!(method, Method::Invite | Method::Bye | Method::Update) && matches!(code, 404 | 410 | 604)
}

/// Subscriptions and events have calls of their own; a 481 to them ends only those.
fn concerns_call(method: Method) -> bool {
    matches!(method, Method::Invite | Method::Bye | Method::Update | Method::Info | Method::Refer | Method::Prack)
}

fn reason(
    context: &CallContext<'_>,
    dialog: &Dialog,
    t: &Transaction,
    (request, answer): (&Message, &Message),
) -> WhyUnknown {
    // Whoever refuses may have hung up while the request was on its way; whoever asks must have done so before.
    let ended = |bye: &Message| bye.time < request.time || bye.from_tag == request.to_tag && bye.time <= answer.time;
    let bye = context.transactions.originals().map(|(_, m)| m).find(|m| {
        m.is_request(Method::Bye)
            && m.at != request.at
            && m.via != request.via
            && is_other_bye(context, t, m, request)
            && ended(m)
    });
    if let Some(bye) = bye {
        return WhyUnknown::Ended(bye.at, answer.time.since(bye.time));
    }
    let known = [dialog.to_tag, context.transactions.caller_tag()];
    let is_known = |tag: TextId| known.contains(&tag);
    if !is_known(request.to_tag) || !is_known(request.from_tag) {
        return WhyUnknown::Tags;
    }
    let contact = context
        .transactions
        .originals()
        .map(|(_, m)| m)
        .filter(|m| m.time <= request.time && m.source != request.source)
        .filter_map(|m| target::contact(context.tables(), m).and_then(target::address));
    let there = context.tables().endpoint(t.destination).address;
    let has_spoken = context
        .transactions
        .originals()
        .any(|(_, m)| m.time < request.time && context.capture.node(m.source) == context.capture.node(t.destination));
    if !has_spoken && !contact.into_iter().any(|address| address == there) {
        return WhyUnknown::OtherNode;
    }
    match context.capture.lost_at(t.destination, answer.time) {
        Some(lost) => WhyUnknown::Restarted(lost),
        None => WhyUnknown::Unclear,
    }
}

/// A BYE of this call that is not the refused request itself on another hop.
fn is_other_bye(context: &CallContext<'_>, t: &Transaction, bye: &Message, request: &Message) -> bool {
    let is_same_request = t.method == Method::Bye
        && bye.cseq == request.cseq
        && bye.from_tag == request.from_tag
        && (context.tables().vias.above(bye.via, request.via).is_some()
            || context.tables().vias.above(request.via, bye.via).is_some());
    !is_same_request
}

fn observation(
    context: &CallContext<'_>,
    t: &Transaction,
    (request, answer): (&Message, &Message),
    reason: &WhyUnknown,
    dialog: &Dialog,
) -> Observation {
    let (severity, confidence, signature) = reason.judged(t.method);
    let agreed = context.transactions.message(dialog.answer);
    let is_beside = !matches!(context.outcome(), Outcome::Dropped) || severity < Severity::Error;
    let observation = Observation::new(confidence, Proof::OwnWords)
        .severity(severity)
        .titled(format!("{} does not know this call", context.capture.name(t.destination)))
        .happened(format!(
            "{} answered the {} in frame {} with {},",
            context.name(t.destination),
            t.method.text(),
            request.at.frame,
            answer.status().map_or(0, |status| status.0)
        ))
        .because(format!("{}.", why(context, t, request, reason, dialog)))
        .remedy(remedy(context, t, request, reason, agreed))
        .shown_by(context.shows(answer, "there is no such call"))
        .shown_by(context.shows(request, "the request inside the call"))
        .shown_by(context.shows_header(agreed, HeaderName::Contact, "where the call was answered"))
        .at(t.destination, signature);
    if is_beside { observation.beside() } else { observation }
}

impl WhyUnknown {
    /// How bad where a request of this method was refused, how sure, and what makes it the same problem elsewhere.
    fn judged(&self, refused: Method) -> (Severity, Confidence, &'static str) {
        // Whoever hangs up loses nothing.
        let lost = if refused == Method::Bye { Severity::Warn } else { Severity::Error };
        match self {
            Self::Ended(..) => (Severity::Info, Confidence::Certain, "ended"),
            Self::Tags => (Severity::Error, Confidence::Certain, "tags"),
            Self::OtherNode => (Severity::Error, Confidence::Likely, "node"),
            Self::Restarted(_) => (lost, Confidence::Likely, "restarted"),
            Self::Unclear => (lost, Confidence::Possible, "unknown"),
        }
    }
}

fn why(context: &CallContext<'_>, t: &Transaction, request: &Message, reason: &WhyUnknown, dialog: &Dialog) -> String {
    match reason {
        WhyUnknown::Ended(bye, before) => {
            format!("the call had been ended by the BYE in frame {}, {} before", bye.frame, duration(*before))
        }
        WhyUnknown::Tags => format!(
            "its tags are not those of the call: To tag {} instead of {}",
            shown(context, request.to_tag),
            shown(context, dialog.to_tag)
        ),
        WhyUnknown::OtherNode => format!(
            "it went to {}, a node that never took part in the call before",
            context.capture.name(t.destination)
        ),
        WhyUnknown::Restarted(lost) => format!(
            "it lost its calls: within {:.0} s it answered requests of {} calls so (first in frame {}), and none before",
            lost.span.as_secs_f64().max(1.0),
            lost.calls,
            lost.first.frame
        ),
        WhyUnknown::Unclear => "it has no such call any more: possibly it restarted, lost the call at a switch-over, or had ended it without being heard".to_owned(),
    }
}

/// Who changes what; `agreed` is the answer that was acknowledged.
fn remedy(
    context: &CallContext<'_>,
    t: &Transaction,
    request: &Message,
    reason: &WhyUnknown,
    agreed: &Message,
) -> Steps {
    let address = |endpoint| context.tables().endpoint(endpoint).address;
    let there = address(t.destination);
    match reason {
        WhyUnknown::Ended(_, before) if *before <= CROSSING => {
            "Nothing is broken: both sides acted at the same moment.".into()
        }
        WhyUnknown::Ended(..) => format!(
            "{} did not know that the call was over: see what became of that BYE.",
            address(asker(context, t))
        )
        .into(),
        WhyUnknown::Tags => format!(
            "{}: send requests inside a call with the tags of the 200 that was acknowledged (frame {}); firmware.",
            address(request.source),
            agreed.at.frame
        )
        .into(),
        WhyUnknown::OtherNode => Steps::from([
            format!(
                "{}: keep requests of one call at one node (sticky routing, Record-Route with the node's own address).",
                address(request.source)
            ),
            format!("Or share calls between {there} and the node that answered."),
        ]),
        WhyUnknown::Restarted(_) => format!(
            "{there}: its log at that time (restart, switch-over); share calls between the nodes of a cluster, so that they outlive one."
        )
        .into(),
        WhyUnknown::Unclear => format!(
            "{there}: its log at that time (restart, switch-over, session time-out); share calls between the nodes of a cluster."
        )
        .into(),
    }
}

/// Who sent the refused request in the first place, whatever proxies passed it on.
fn asker(context: &CallContext<'_>, refused: &Transaction) -> EndpointId {
    let mut hop = *refused;
    for _ in 0..HOPS_MAX {
        match hop.parent {
            Some(parent) => hop = *context.transactions.transaction(parent),
            None => break,
        }
    }
    hop.source
}

fn shown<'a>(context: &CallContext<'a>, tag: TextId) -> &'a str {
    if tag.is_absent() { "none" } else { context.tables().text(tag) }
}

/// The request was answered 408: the way to the other side had died in the middle of the call.
fn gone(context: &CallContext<'_>, t: &Transaction) -> Option<Observation> {
    let request = context.transactions.message(t.request?);
    let answer = context.transactions.message(t.final_response?);
    Some(
        Observation::new(Confidence::Likely, Proof::OwnWords)
            .titled("The other side could no longer be reached during the call")
            .happened(format!(
                "{} answered the {} in frame {} with 408: what is behind it did not respond any more, and the call was ended.",
                context.name(t.destination),
                t.method.text(),
                request.at.frame
            ))
            .remedy(format!(
                "Behind {}: which device held the call, and is it reachable at its Contact at that time?",
                context.tables().endpoint(t.destination).address
            ))
            .shown_by(context.shows(answer, "nobody answered behind it"))
            .shown_by(context.shows(request, "the request inside the call"))
            .at(t.destination, "gone"),
    )
}
