//! Calls of which the capture lacks the start, the answer or the end.
//!
//! Source: RFC 3261 sections 16.8 and 17 (how long a call that was not answered may still be going on).

use std::time::Duration;

use crate::call::Outcome;
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Finding, Proof, Severity};
use crate::diagnose::words::duration;
use crate::sip::Method;

/// An INVITE cannot have been sent longer before its first answer than this: timer C and some slack.
const INVITE_WAIT: Duration = Duration::from_secs(200);

/// What is missing of the call, so that nobody takes the silence for a fault.
pub(super) fn cap_incomplete(case: &Case<'_>) -> Option<Finding> {
    let scene = case.scene;
    let (first, last) = (
        *case.anatomy.messages.first()?,
        *case.anatomy.messages.last()?,
    );
    let has_start = case.call.milestones.invited.is_some();
    let (part, explanation) = match case.outcome() {
        Outcome::Partial if !has_start => {
            let after = first.time.since(scene.start);
            let lost = if after > INVITE_WAIT {
                " The INVITE was most likely lost by the capture, not sent before it."
            } else {
                ""
            };
            (
                "start",
                format!(
                    "The start of this call is not in the capture: its first message is {} (frame {}, {} after the capture began). The outcome is not judged.{lost}",
                    case.anatomy.name(first),
                    first.at.frame,
                    duration(after)
                ),
            )
        }
        Outcome::Partial if has_gone_on(case) => (
            "answer",
            format!(
                "The answer to this call is not in the capture, and the call went on behind it: its last message is {} (frame {}). The outcome is not judged.",
                case.anatomy.name(last),
                last.at.frame
            ),
        ),
        Outcome::Partial => (
            "end",
            format!(
                "The end of this call is not in the capture: after {} (frame {}) the capture runs on for {:.1} s, too short to tell. The outcome is not judged.",
                case.anatomy.name(last),
                last.at.frame,
                scene.end.since(last.time).as_secs_f64()
            ),
        ),
        Outcome::StillUp => (
            "end",
            format!(
                "The call was up when the capture ended, {:.1} s after its last message (frame {}).",
                scene.end.since(last.time).as_secs_f64(),
                last.at.frame
            ),
        ),
        _ => return None,
    };
    let shown = if part == "start" { first } else { last };
    let finding = Finding::new(
        "cap-incomplete",
        Severity::Info,
        Confidence::Certain,
        Proof::Protocol,
    )
    .beside()
    .says(
        format!("The capture lacks the {part} of this call"),
        explanation,
        "Capture longer, and with a filter that keeps fragments: `port 5060 or port 5061 or (ip[6:2] & 0x1fff != 0)`.",
    )
    .shown_by(case.shows(shown, format!("the {} message of the call", if part == "start" { "first" } else { "last" })))
    .at(shown.source, part);
    Some(finding)
}

/// Whether a side acted on an answer: requests inside the dialog need the tag that the answer alone holds.
fn has_gone_on(case: &Case<'_>) -> bool {
    let mut messages = case.anatomy.originals().map(|(_, message)| message);
    messages.any(|message| {
        matches!(message.method(), Some(Method::Ack | Method::Bye)) && !message.to_tag.is_absent()
    })
}
