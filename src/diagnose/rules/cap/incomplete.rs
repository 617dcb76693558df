//! Calls of which the capture lacks the start, the answer or the end.
//!
//! Source: RFC 3261 sections 16.8 and 17 (how long a call that was not answered may still be going on).

use std::time::Duration;

use crate::call::{Message, Outcome};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::duration;
use crate::diagnose::finding::{Confidence, Observation, Proof};

/// An INVITE cannot have been sent longer before its first answer than this: timer C and some slack.
const INVITE_WAIT: Duration = Duration::from_secs(200);

/// Requests inside a call that are looked at.
const REQUESTS_MAX: usize = 64;

/// What is missing of the call, so that nobody takes the silence for a fault.
pub(super) fn cap_incomplete(context: &CallContext<'_>) -> Option<Observation> {
    if !matches!(context.outcome(), Outcome::Partial | Outcome::StillUp) {
        return None;
    }
    let capture = context.capture;
    let (first, last) = (*context.transactions.messages.first()?, *context.transactions.messages.last()?);
    let has_start = context.call.milestones.invited.is_some();
    let acting = acts_on_unseen(context);
    let (part, explanation) = match context.outcome() {
        Outcome::Partial if !has_start && speaks_alone(context) => (
            "requests",
            format!(
                "Only what {} sends is in the capture, and nothing that is sent to it: it answers requests that are not there, from {} on (frame {}). The outcome is not judged.",
                capture.name(first.source),
                context.transactions.name(first),
                first.at.frame
            ),
        ),
        Outcome::Partial if !has_start => {
            let after = first.time.since(capture.start);
            let lost = if after > INVITE_WAIT {
                " The INVITE was most likely lost by the capture, not sent before it."
            } else {
                ""
            };
            (
                "start",
                format!(
                    "The start of this call is not in the capture: its first message is {} (frame {}, {} after the capture began). The outcome is not judged.{lost}",
                    context.transactions.name(first),
                    first.at.frame,
                    duration(after)
                ),
            )
        }
        Outcome::Partial if acting.is_some() => (
            "answers",
            format!(
                "An answer to {} is not in the capture: its {} (frame {}) follows one that is not there. The outcome is not judged.",
                capture.name(acting.unwrap_or(first).source),
                context.transactions.name(acting.unwrap_or(first)),
                acting.unwrap_or(first).at.frame
            ),
        ),
        Outcome::Partial if context.transactions.has_headless() => (
            "end",
            format!(
                "What became of this call is not in the capture: messages after {} (frame {}) may be among those that were cut before they could be told apart. The outcome is not judged.",
                context.transactions.name(last),
                last.at.frame
            ),
        ),
        Outcome::Partial => (
            "end",
            format!(
                "The end of this call is not in the capture: after {} (frame {}) the capture runs on for {:.1} s, too short to tell. The outcome is not judged.",
                context.transactions.name(last),
                last.at.frame,
                capture.watched_since(last.time).as_secs_f64()
            ),
        ),
        Outcome::StillUp => (
            "end",
            format!(
                "The call was up when the capture ended, {:.1} s after its last message (frame {}).",
                capture.watched_since(last.time).as_secs_f64(),
                last.at.frame
            ),
        ),
        _ => return None,
    };
    let shown = match part {
        "start" | "requests" => first,
        "answers" => acting.unwrap_or(first),
        _ => last,
    };
    let shows = match part {
        "start" | "requests" => "the first message of the call",
        "answers" => "what shows that it was answered",
        _ => "the last message of the call",
    };
    let remedy = match part {
        "requests" | "answers" => {
            "Mirror both directions (SPAN rx and tx), or capture on one of the two hosts; a larger buffer (`tcpdump -B`) loses fewer packets."
        }
        _ => {
            "Capture longer, and with a filter that keeps fragments: `port 5060 or port 5061 or (ip[6:2] & 0x1fff != 0)`."
        }
    };
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .beside()
            .titled(format!("The capture lacks the {part} of this call"))
            .happened(explanation)
            .remedy(remedy)
            .shown_by(context.shows(shown, shows))
            .at(shown.source, part),
    )
}

/// A request that follows an answer which the capture lacks: an ACK of none, or one with a tag that nobody told its sender.
fn acts_on_unseen<'a>(context: &CallContext<'a>) -> Option<&'a Message> {
    let transactions = &context.transactions;
    let node = |endpoint| context.capture.node(endpoint);
    let heard = |request: &Message| {
        transactions.messages.iter().any(|message| {
            let given = match message.status() {
                Some(_) => message.to_tag,
                None => message.from_tag,
            };
            given == request.to_tag && node(message.destination) == node(request.source)
        })
    };
    let requests = transactions.originals().map(|(_, message)| message);
    let mut inside =
        requests.filter(|message| message.method().is_some() && !message.to_tag.is_absent()).take(REQUESTS_MAX);
    inside.find(|request| !heard(request))
}

/// Whether one side alone speaks in the call, and answers.
fn speaks_alone(context: &CallContext<'_>) -> bool {
    let messages = &context.transactions.messages;
    let node = |message: &Message| context.capture.node(message.source);
    messages.len() > 1
        && messages.windows(2).all(|pair| node(pair[0]) == node(pair[1]))
        && messages.iter().any(|message| message.status().is_some())
}
