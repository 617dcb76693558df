//! Transfers by REFER that did not reach their target.
//!
//! Sources: RFC 3515, RFC 3891 (Replaces), RFC 3892, RFC 4488, RFC 5589, RFC 7647.

use std::time::Duration;

use crate::call::detail::transfer::{Transfer, party, referred_call, transfers, wants_no_report};
use crate::call::{Call, EndpointId, Message, Outcome};
use crate::capture::FrameRef;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rules::xfer::replaces;
use crate::sip::{HeaderName, Method, StatusCode, SubscriptionState};

/// How long the transferee may be silent about the new call: 64 × T1.
const REPORT_WAIT: Duration = Duration::from_secs(32);

/// The last transfer of a call failed, or a call that was to take another one's place.
pub(super) fn xfer_failed(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return replaces::refused(context);
    }
    let last = transfers(&context.transactions).pop()?;
    Some(observation(context, &failed(context, &last)?))
}

/// A transfer that failed.
struct FailedTransfer<'a> {
    transferor: EndpointId,
    transferee: EndpointId,
    /// The REFER.
    request: &'a Message,
    /// Whom the new call was for.
    target: String,
    /// The new call, where it is surely that one.
    new: Option<&'a Call>,
    failure: Failure<'a>,
    /// The BYE with which the transferor had left before the result was known.
    left: Option<&'a Message>,
}

/// What made a transfer fail.
enum Failure<'a> {
    /// The REFER itself was refused.
    Refused(&'a Message, u16),
    /// The new call failed, as a NOTIFY says.
    Reported(&'a Message, u16),
    /// The new call failed, and nobody said so.
    Unreported(u16),
    /// The reports ended without a result.
    Unfinished(&'a Message),
    /// Nobody said anything.
    Silent,
}

impl<'a> Failure<'a> {
    /// The status of it; 0 where there is none.
    fn code(&self) -> u16 {
        match self {
            Self::Refused(_, code) | Self::Reported(_, code) | Self::Unreported(code) => *code,
            Self::Unfinished(_) | Self::Silent => 0,
        }
    }

    /// The message that says so.
    fn message(&self) -> Option<&'a Message> {
        match self {
            Self::Refused(message, _) | Self::Reported(message, _) | Self::Unfinished(message) => Some(message),
            Self::Unreported(_) | Self::Silent => None,
        }
    }

    fn judged(&self) -> (Severity, Confidence) {
        match self {
            Self::Refused(..) | Self::Reported(..) => (Severity::Error, Confidence::Certain),
            Self::Unreported(_) => (Severity::Error, Confidence::Likely),
            Self::Unfinished(_) => (Severity::Warn, Confidence::Likely),
            Self::Silent => (Severity::Warn, Confidence::Possible),
        }
    }
}

fn failure<'a>(
    context: &CallContext<'a>,
    transfer: &Transfer,
    new: Option<&Call>,
    may_be_seen: bool,
) -> Option<Failure<'a>> {
    let refer = context.transactions.transaction(transfer.refer);
    let answer = refer.final_response.and_then(|answer| context.message(answer));
    if let (Some(answer), Some(status)) = (answer, transfer.answer)
        && status.0 >= 300
        && !matches!(status.0, 401 | 407)
    {
        return Some(Failure::Refused(answer, status.0));
    }
    if let Some((notify, status)) = transfer.result {
        let notify = context.message(notify)?;
        return (status.0 >= 300).then_some(Failure::Reported(notify, status.0));
    }
    let failed = new.filter(|call| call.outcome.is_failure() || call.outcome == Outcome::Busy);
    if let Some(code) = failed.and_then(|call| call.final_code) {
        return Some(Failure::Unreported(code.0));
    }
    if let Some(notify) = transfer.ended_without.filter(|_| !may_be_seen) {
        let notify = context.message(notify)?;
        return gave_up(context, notify).then_some(Failure::Unfinished(notify));
    }
    let request = context.message(refer.request?)?;
    let ended = bye_after(context, transfer).map_or(context.capture.end, |bye| bye.time);
    let pair = (context.capture.node(transfer.transferor), context.capture.node(transfer.transferee));
    let is_silent = transfer.answer.is_some_and(StatusCode::is_success)
        && transfer.notifies == 0
        && !may_be_seen
        && !wants_no_report(context.tables(), request)
        && ended.since(request.time) >= REPORT_WAIT
        && !context.capture.is_one_directional(pair.0, pair.1);
    is_silent.then_some(Failure::Silent)
}

/// Whether the NOTIFY that ended the reports says that the transferee stopped trying; `noresource` is also sent after a success.
fn gave_up(context: &CallContext<'_>, notify: &Message) -> bool {
    let state = context.header(notify, HeaderName::SubscriptionState);
    let reason = state.and_then(|state| SubscriptionState::parse(state.as_bytes()).reason);
    reason.is_some_and(|reason| {
        [&b"timeout"[..], b"giveup", b"rejected"].iter().any(|word| reason.eq_ignore_ascii_case(word))
    })
}

/// The first BYE behind the REFER.
fn bye_after<'a>(context: &CallContext<'a>, transfer: &Transfer) -> Option<&'a Message> {
    let mut all = context.transactions.originals().map(|(_, message)| message);
    all.find(|message| message.is_request(Method::Bye) && message.time >= transfer.asked)
}

fn failed<'a>(context: &CallContext<'a>, transfer: &Transfer) -> Option<FailedTransfer<'a>> {
    let capture = context.capture;
    let request = context.message(context.transactions.transaction(transfer.refer).request?)?;
    let target = context.header(request, HeaderName::ReferTo).map(party).unwrap_or_default();
    let placed = referred_call(capture.store, capture.calls, transfer, request, &target);
    // A call that only fits in time may be anybody's: it means that the capture may hold the new one, and nothing more.
    let may_be_seen = placed.is_some();
    let new = placed.filter(|placed| placed.is_sure).and_then(|placed| capture.calls.get(placed.call.place()));
    let failure = failure(context, transfer, new, may_be_seen)?;
    let result_at = match failure.message() {
        Some(message) => message.time,
        None => new.map_or(capture.end, |call| call.ended),
    };
    let left = bye_after(context, transfer)
        .filter(|bye| bye.time <= result_at && capture.node(bye.source) == capture.node(transfer.transferor));
    let Transfer { transferor, transferee, .. } = *transfer;
    Some(FailedTransfer { transferor, transferee, request, target, new, failure, left })
}

fn observation(context: &CallContext<'_>, failed: &FailedTransfer<'_>) -> Observation {
    let FailedTransfer { request, target, new, failure, .. } = failed;
    let proof = match failure {
        Failure::Refused(message, code) => Some(context.shows(message, format!("the REFER was refused with {code}"))),
        Failure::Reported(message, code) => {
            Some(context.shows(message, format!("reports {code} for the new call (message/sipfrag)")))
        }
        Failure::Unreported(_) => None,
        Failure::Unfinished(message) => {
            let shows = "the reports end without a result";
            Some(context.shows_header(message, HeaderName::SubscriptionState, shows))
        }
        Failure::Silent => Some(Evidence::Missing {
            expected: "a NOTIFY about the new call".to_owned(),
            after: request.at,
            watched: context.capture.watched_since(request.time),
        }),
    };
    let new_frame = new.and_then(|call| first_frame(context, call));
    let (severity, confidence) = failure.judged();
    Observation::new(confidence, Proof::OwnWords)
        .severity(severity)
        .beside()
        .titled(match failure {
            Failure::Unfinished(_) => format!("The transfer to {target} ended without a result"),
            Failure::Silent => format!("No news of the transfer to {target}"),
            _ => format!("Transfer to {target} failed"),
        })
        .happened(story(context, failed))
        .remedy(remedy(context, failed))
        .maybe_shown_by(proof)
        .shown_by(context.shows_header(request, HeaderName::ReferTo, "the transfer asked for"))
        .maybe_shown_by(new_frame.map(|frame| Evidence::seen(frame, format!("INVITE for {target}"), "the new call")))
        .at(failed.transferee, format!("{} {target}", failure.code()))
}

fn story(context: &CallContext<'_>, failed: &FailedTransfer<'_>) -> String {
    let FailedTransfer { target, failure, .. } = failed;
    let (transferor, transferee) = (context.capture.name(failed.transferor), context.capture.name(failed.transferee));
    let end = failed.new.map_or(String::new(), |call| {
        format!(" The new call ended {} ({}).", call.outcome.word(), context.capture.text(call.phrase))
    });
    let left = failed.left.map_or(String::new(), |bye| {
        let frame = bye.at.frame;
        format!(" {transferor} had already hung up (frame {frame}), so the transferred party was left alone.")
    });
    let story = match failure {
        Failure::Refused(_, code @ (403 | 405 | 501 | 603)) => {
            format!("{transferee} takes no REFER from {transferor} and refused it with {code}.")
        }
        Failure::Refused(_, code) => format!("{transferee} refused the REFER of {transferor} with {code}."),
        Failure::Reported(_, code) => {
            format!("{transferee} called {target} for {transferor}, and the new call got {code}.{end}")
        }
        Failure::Unreported(code) => format!(
            "{transferee} called {target} for {transferor}; the new call got {code}, and no NOTIFY told {transferor} so.{end}"
        ),
        Failure::Unfinished(_) => format!(
            "{transferee} stopped reporting on the call to {target} that {transferor} had asked for, before that call had a result."
        ),
        Failure::Silent => format!(
            "{transferee} accepted the REFER of {transferor}, and neither a new call nor a NOTIFY followed for 32 s; the new call may take a way that the capture does not show."
        ),
    };
    story + &left
}

fn remedy(context: &CallContext<'_>, failed: &FailedTransfer<'_>) -> Steps {
    let target = &failed.target;
    let (transferor, transferee) = (context.capture.name(failed.transferor), context.capture.name(failed.transferee));
    match failed.failure {
        Failure::Refused(_, 403 | 405 | 501 | 603) => Steps::from([
            format!("{transferee}: allow REFER for this peer."),
            format!("Or let {transferor} join the two calls itself instead of sending REFER."),
        ]),
        Failure::Refused(_, code) => format!(
            "Find out why {transferee} answers {code}: the address in Refer-To, the feature demanded, or the call that it names."
        )
        .into(),
        Failure::Reported(_, code) | Failure::Unreported(code) => remedy_for(code, &transferor, target),
        Failure::Unfinished(_) => format!(
            "Look at {transferee} for the call to {target}, and let {transferor} fetch the caller back when no result comes."
        )
        .into(),
        Failure::Silent => {
            format!("Look at {transferee} for the call to {target} that it was asked to place.").into()
        }
    }
}

fn remedy_for(code: u16, transferor: &str, target: &str) -> Steps {
    match code {
        486 | 600 | 603 | 480 | 408 | 487 => format!(
            "Transfer again when {target} can take the call. {transferor}: wait for the result before hanging up, so that the caller can be fetched back."
        ).into(),
        481 => format!(
            "{transferor}: name the call to replace as its receiver knows it: to-tag and from-tag in Replaces are seen from there."
        ).into(),
        _ => {
            format!("Repair the call to {target} first (its own finding says why it failed), then transfer again.").into()
        }
    }
}

fn first_frame(context: &CallContext<'_>, call: &Call) -> Option<FrameRef> {
    let leg = call.legs.first()?;
    context.capture.store.messages_of(leg).first().map(|message| message.at)
}
