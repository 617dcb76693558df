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

/// The part of a call that the capture lacks.
#[derive(Clone, Copy)]
enum MissingPart<'a> {
    /// All that is sent to the one side that speaks.
    Requests,
    /// The INVITE.
    Start,
    /// An answer, which this request follows.
    Answers(&'a Message),
    /// The end, which may be among messages that were cut before their Call-ID.
    CutEnd,
    /// The end, too soon after the last message to say what became of the call.
    UnseenEnd,
    /// The end of a call that was up when the capture ended.
    LaterEnd,
}

impl MissingPart<'_> {
    fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Start => "start",
            Self::Answers(_) => "answers",
            Self::CutEnd | Self::UnseenEnd | Self::LaterEnd => "end",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Requests | Self::Answers(_) => {
                "Mirror both directions (SPAN rx and tx), or capture on one of the two hosts; a larger buffer (`tcpdump -B`) loses fewer packets."
            }
            _ => {
                "Capture longer, and with a filter that keeps fragments: `port 5060 or port 5061 or (ip[6:2] & 0x1fff != 0)`."
            }
        }
    }
}

/// What is missing of the call, so that nobody takes the silence for a fault.
pub(super) fn cap_incomplete(context: &CallContext<'_>) -> Option<Observation> {
    let part = missing_part(context)?;
    let (first, last) = (*context.transactions.messages.first()?, *context.transactions.messages.last()?);
    let (shown, shows) = match part {
        MissingPart::Start | MissingPart::Requests => (first, "the first message of the call"),
        MissingPart::Answers(follower) => (follower, "what shows that it was answered"),
        _ => (last, "the last message of the call"),
    };
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .beside()
            .titled(format!("The capture lacks the {} of this call", part.word()))
            .happened(explanation(context, part, shown))
            .remedy(part.remedy())
            .shown_by(context.shows(shown, shows))
            .at(shown.source, part.word()),
    )
}

fn missing_part<'a>(context: &CallContext<'a>) -> Option<MissingPart<'a>> {
    match context.outcome() {
        Outcome::StillUp => return Some(MissingPart::LaterEnd),
        Outcome::Partial => {}
        _ => return None,
    }
    let has_start = context.call.milestones.invited.is_some();
    Some(match acts_on_unseen(context) {
        _ if !has_start && speaks_alone(context) => MissingPart::Requests,
        _ if !has_start => MissingPart::Start,
        Some(follower) => MissingPart::Answers(follower),
        None if context.transactions.has_headless() => MissingPart::CutEnd,
        None => MissingPart::UnseenEnd,
    })
}

/// `shown` is the message beside which the part is missing.
fn explanation(context: &CallContext<'_>, part: MissingPart<'_>, shown: &Message) -> String {
    let capture = context.capture;
    let (sender, message, frame) = (capture.name(shown.source), context.transactions.name(shown), shown.at.frame);
    let watched = capture.watched_since(shown.time).as_secs_f64();
    match part {
        MissingPart::Requests => format!(
            "Only what {sender} sends is in the capture, and nothing that is sent to it: it answers requests that are not there, from {message} on (frame {frame}). The outcome is not judged."
        ),
        MissingPart::Start => {
            let after = shown.time.since(capture.start);
            let lost = match after > INVITE_WAIT {
                true => " The INVITE was most likely lost by the capture, not sent before it.",
                false => "",
            };
            format!(
                "The start of this call is not in the capture: its first message is {message} (frame {frame}, {} after the capture began). The outcome is not judged.{lost}",
                duration(after)
            )
        }
        MissingPart::Answers(_) => format!(
            "An answer to {sender} is not in the capture: its {message} (frame {frame}) follows one that is not there. The outcome is not judged."
        ),
        MissingPart::CutEnd => format!(
            "What became of this call is not in the capture: messages after {message} (frame {frame}) may be among those that were cut before they could be told apart. The outcome is not judged."
        ),
        MissingPart::UnseenEnd => format!(
            "The end of this call is not in the capture: after {message} (frame {frame}) the capture runs on for {watched:.1} s, too short to tell. The outcome is not judged."
        ),
        MissingPart::LaterEnd => {
            format!("The call was up when the capture ended, {watched:.1} s after its last message (frame {frame}).")
        }
    }
}

/// A request that follows an answer which the capture lacks: an ACK of none, or one with a tag that nobody gave its sender.
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
