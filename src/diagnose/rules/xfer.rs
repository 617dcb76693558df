//! Family XFER: transfers that did not reach their target.
//!
//! Sources: RFC 3515, RFC 3891 (Replaces), RFC 3892, RFC 4488, RFC 5589, RFC 7647.

mod replaces;

use std::time::Duration;

use crate::call::detail::transfer::{Transfer, party, referred_call, transfers, wants_no_report};
use crate::call::{Call, Message};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rule::Rule;
use crate::sip::{HeaderName, Method, StatusCode, SubscriptionState};

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule::of_call("xfer-failed", Severity::Error, xfer_failed)];

/// How long the transferee may be silent about the new call: 64 × T1.
const REPORT_WAIT: Duration = Duration::from_secs(32);

fn xfer_failed(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome().is_answered() {
        let all = transfers(&context.transactions);
        let last = all.last()?;
        return failed(context, last);
    }
    replaces::refused(context)
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
    let failed = new.filter(|call| call.outcome.is_failure() || call.outcome == crate::call::Outcome::Busy);
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
    context
        .transactions
        .originals()
        .map(|(_, message)| message)
        .find(|message| message.is_request(Method::Bye) && message.time >= transfer.asked)
}

fn failed(context: &CallContext<'_>, transfer: &Transfer) -> Option<Observation> {
    let refer = context.transactions.transaction(transfer.refer);
    let request = context.message(refer.request?)?;
    let target = context.header(request, HeaderName::ReferTo).map(party).unwrap_or_default();
    let placed = referred_call(context.capture.store, context.capture.calls, transfer, request, &target);
    // A call that only fits in time may be anybody's: it tells that the capture may hold the new one, and nothing more.
    let may_be_seen = placed.is_some();
    let new = placed.filter(|placed| placed.is_sure).and_then(|placed| context.capture.calls.get(placed.call.place()));
    let failure = failure(context, transfer, new, may_be_seen)?;
    let (transferor, transferee) =
        (context.capture.name(transfer.transferor), context.capture.name(transfer.transferee));
    let result_at = match &failure {
        Failure::Refused(message, _) | Failure::Reported(message, _) | Failure::Unfinished(message) => message.time,
        _ => new.map_or(context.capture.end, |call| call.ended),
    };
    let lost = bye_after(context, transfer).filter(|bye| {
        bye.time <= result_at && context.capture.node(bye.source) == context.capture.node(transfer.transferor)
    });
    let aftermath = match lost {
        Some(bye) => format!(
            " {transferor} had already hung up (frame {}), so the transferred party was left alone.",
            bye.at.frame
        ),
        None => String::new(),
    };
    let (title, story, remedy, confidence) = words(context, &failure, &transferor, &transferee, &target, new);
    let code = match &failure {
        Failure::Refused(_, code) | Failure::Reported(_, code) | Failure::Unreported(code) => *code,
        Failure::Unfinished(_) | Failure::Silent => 0,
    };
    let severity = match failure {
        Failure::Unfinished(_) | Failure::Silent => Severity::Warn,
        _ => Severity::Error,
    };
    let mut observation = Observation::new(confidence, Proof::OwnWords)
        .severity(severity)
        .beside()
        .titled(title)
        .happened(format!("{story}{aftermath}"))
        .remedy(remedy);
    match &failure {
        Failure::Refused(message, code) => {
            observation = observation.shown_by(context.shows(message, format!("the REFER was refused with {code}")));
        }
        Failure::Reported(message, code) => {
            observation = observation
                .shown_by(context.shows(message, format!("reports {code} for the new call (message/sipfrag)")));
        }
        Failure::Unreported(_) => {}
        Failure::Unfinished(message) => {
            observation = observation.shown_by(context.shows_header(
                message,
                HeaderName::SubscriptionState,
                "the reports end without a result",
            ));
        }
        Failure::Silent => {
            observation = observation.shown_by(Evidence::Missing {
                expected: "a NOTIFY about the new call".to_owned(),
                after: request.at,
                watched: context.capture.watched_since(request.time),
            });
        }
    }
    observation = observation.shown_by(context.shows_header(request, HeaderName::ReferTo, "the transfer asked for"));
    observation = observation.maybe_shown_by(
        new.and_then(|call| first_frame(context, call))
            .map(|frame| Evidence::seen(frame, format!("INVITE for {target}"), "the new call")),
    );
    Some(observation.at(transfer.transferee, format!("{code} {target}")))
}

fn words(
    context: &CallContext<'_>,
    failure: &Failure<'_>,
    transferor: &str,
    transferee: &str,
    target: &str,
    new: Option<&Call>,
) -> (String, String, Steps, Confidence) {
    let title = format!("Transfer to {target} failed");
    let end = new.map_or(String::new(), |call| {
        let phrase = context.capture.text(call.phrase);
        format!(" The new call ended {} ({}).", call.outcome.word(), phrase)
    });
    match failure {
        Failure::Refused(_, code @ (403 | 405 | 501 | 603)) => (
            title,
            format!("{transferee} takes no REFER from {transferor} and refused it with {code}."),
            Steps::from([
                format!("{transferee}: allow REFER for this peer."),
                format!("Or let {transferor} join the two calls itself instead of sending REFER."),
            ]),
            Confidence::Certain,
        ),
        Failure::Refused(_, code) => (
            title,
            format!("{transferee} refused the REFER of {transferor} with {code}."),
            format!(
                "Find out why {transferee} answers {code}: the address in Refer-To, the feature demanded, or the call that it names."
            ).into(),
            Confidence::Certain,
        ),
        Failure::Reported(_, code) => (
            title,
            format!("{transferee} called {target} for {transferor}, and the new call got {code}.{end}"),
            remedy_for(*code, transferor, target),
            Confidence::Certain,
        ),
        Failure::Unreported(code) => (
            title,
            format!(
                "{transferee} called {target} for {transferor}; the new call got {code}, and no NOTIFY told {transferor} so.{end}"
            ),
            remedy_for(*code, transferor, target),
            Confidence::Likely,
        ),
        Failure::Unfinished(_) => (
            format!("The transfer to {target} ended without a result"),
            format!(
                "{transferee} stopped reporting on the call to {target} that {transferor} had asked for, before that call had a result."
            ),
            format!(
                "Look at {transferee} for the call to {target}, and let {transferor} fetch the caller back when no result comes."
            ).into(),
            Confidence::Likely,
        ),
        Failure::Silent => (
            format!("No news of the transfer to {target}"),
            format!(
                "{transferee} accepted the REFER of {transferor}, and neither a new call nor a NOTIFY followed for 32 s; the new call may take a way that the capture does not show."
            ),
            format!("Look at {transferee} for the call to {target} that it was asked to place.").into(),
            Confidence::Possible,
        ),
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

fn first_frame(context: &CallContext<'_>, call: &Call) -> Option<crate::capture::FrameRef> {
    let leg = call.legs.first()?;
    context.capture.store.messages_of(leg).first().map(|message| message.at)
}
