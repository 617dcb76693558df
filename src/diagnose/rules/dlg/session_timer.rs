//! Calls that end because nobody refreshed them.
//!
//! Source: RFC 4028 sections 7 to 10.

use std::net::IpAddr;

use crate::call::outcome::refresh::{Interval, interval_at, is_refresh};
use crate::call::{Dialog, DropCause, EndpointId, Message, Outcome, TransactionIndex, answering_hop, drop_cause};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::times;
use crate::diagnose::finding::{Confidence, Observation, Proof, Steps};
use crate::diagnose::rules::dlg::changes::refuser;
use crate::diagnose::rules::dlg::joined_late::expired_unseen;
use crate::diagnose::rules::dlg::too_small::too_small;
use crate::sip::{HeaderName, StatusCode};

/// The session timer ran out, a refresh failed, or its interval was refused.
pub(super) fn dlg_session_timer(context: &CallContext<'_>) -> Option<Observation> {
    match context.outcome() {
        Outcome::Dropped => {
            let dialog = context.dialogs.first()?;
            match drop_cause(&context.transactions, dialog)? {
                DropCause::SessionTimer { bye, interval_seconds, .. } => {
                    expired(context, dialog, bye, interval_seconds)
                }
                DropCause::RefreshFailed { request, bye } => refresh_failed(context, dialog, request, bye),
                _ => None,
            }
        }
        Outcome::Rejected if context.code() == 422 => too_small(context),
        Outcome::Partial => expired_unseen(context),
        _ => None,
    }
}

fn expired(context: &CallContext<'_>, dialog: &Dialog, bye: TransactionIndex, seconds: u32) -> Option<Observation> {
    let transactions = &context.transactions;
    let bye = transactions.message(transactions.transaction(bye).request?);
    let interval = interval_at(transactions, dialog, bye.time)?;
    let set_by = transactions.message(interval.set_by);
    let talked = bye.time.since(transactions.message(dialog.answer).time);
    let since = bye.time.since(set_by.time).as_secs_f64();
    let left = f64::from(seconds) - since;
    let moment = if left > 1.0 {
        format!("{left:.0} s before the session timer of {seconds} s ran out")
    } else {
        format!("when the session timer of {seconds} s ran out")
    };
    let (who, remedy_at) = refresher(context, dialog, set_by, interval.refresher);
    let tried = tried(context, dialog, set_by);
    // A side that waits for the refresh ends the call by its timer; the one that was to send it may end it for any reason.
    let may_be_chance = tried.is_none() && interval.refresher == Some(bye.from_tag);
    let (confidence, caution) = if may_be_chance {
        (
            Confidence::Likely,
            " The side that was to refresh it ended it itself, so also consider a person who hung up at that moment.",
        )
    } else {
        (Confidence::Certain, "")
    };
    let was_refreshed = interval.set_by != dialog.answer;
    let never = if was_refreshed { "did not refresh it again" } else { "never refreshed it" };
    let setter = unasked(context, dialog, interval, tried.is_some());
    let (unasked, remedy) = repair(context, setter, &remedy_at);
    Some(
        Observation::new(confidence, Proof::OwnWords)
            .titled(format!("The session timer of {seconds} s ended the call"))
            .happened(format!(
                "The call was ended by {} after {:.0} s, {moment}: {who} {never}{}.{unasked}{caution}",
                context.capture.name(bye.source),
                talked.as_secs_f64(),
                tried.as_ref().map_or(String::new(), |(_, text)| text.clone())
            ))
            .remedy(remedy)
            .shown_by(context.shows_header(set_by, HeaderName::SessionExpires, "the interval that was agreed"))
            .shown_by(context.shows(bye, format!("the end, {since:.0} s later")))
            .not("call-dropped-by-network", "the end fits the session timer to the second")
            .at(set_by.source, format!("{seconds}"))
            .maybe_shown_by(tried.map(|(message, _)| context.shows(message, "the last try to refresh"))),
    )
}

/// What else is known, with a blank before it, and who changes what.
fn repair(context: &CallContext<'_>, setter: Option<EndpointId>, remedy_at: &str) -> (String, Steps) {
    match setter {
        Some(setter) => (
            format!(
                " The INVITE does not offer session timers, so the caller cannot be the refresher; {} made it that (RFC 4028 section 9).",
                context.capture.name(setter)
            ),
            Steps::from([
                format!(
                    "{}: refresh the call itself (refresher=uas) where the INVITE lacks `Supported: timer`.",
                    context.tables().endpoint(setter).address
                ),
                format!("Or switch session timers on at {remedy_at}, or off on both sides."),
            ]),
        ),
        None => (
            String::new(),
            Steps::from([
                format!(
                    "{remedy_at}: send the refresh (re-INVITE or UPDATE) half-way through the interval (RFC 4028)."
                ),
                "Or let the other side be the refresher, or switch session timers off on both sides.".to_owned(),
                "SBC and firewall between them: let UPDATE and re-INVITE through.".to_owned(),
            ]),
        ),
    }
}

/// Who made the caller the refresher of a call whose INVITE offers no session timers; `None` where it does, or did try.
fn unasked(context: &CallContext<'_>, dialog: &Dialog, interval: Interval, has_tried: bool) -> Option<EndpointId> {
    let invite = context.transactions.transaction(dialog.invite);
    let request = context.message(invite.request?)?;
    let tables = context.tables();
    let mut supported = tables.header_values(request, HeaderName::Supported);
    let offers = supported.any(|value| value.to_ascii_lowercase().contains("timer"))
        || tables.header(request, HeaderName::SessionExpires).is_some();
    let is_caller = interval.refresher == Some(context.transactions.caller_tag());
    let is_first = interval.set_by == dialog.answer;
    // The furthest 2xx that names the caller was written by who decided so.
    let decided = context.dialogs.first().map(|_| answering_hop(&context.transactions, dialog));
    let decider = decided.map(|hop| context.transactions.transaction(hop)).filter(|hop| {
        let answer = hop.final_response.and_then(|answer| context.message(answer));
        answer.is_some_and(|answer| tables.header(answer, HeaderName::SessionExpires).is_some())
    });
    (!offers && !has_tried && is_caller && is_first && !request.flags.is_cut())
        .then_some(decider.map_or(invite.destination, |hop| hop.destination))
}

/// Who was to refresh, for a sentence, and the address for the remedy.
fn refresher(
    context: &CallContext<'_>,
    dialog: &Dialog,
    set_by: &Message,
    tag: Option<crate::call::TextId>,
) -> (String, String) {
    let invite = context.transactions.transaction(dialog.invite);
    let address = |endpoint| context.tables().endpoint(endpoint).address.to_string();
    match tag {
        None => ("nobody was named as refresher, and nobody".to_owned(), address(invite.source)),
        Some(tag) => {
            let is_caller = tag == context.transactions.caller_tag();
            let at = if is_caller { invite.source } else { invite.destination };
            let side = if is_caller { "caller" } else { "callee" };
            let word = if tag == set_by.from_tag { "uac" } else { "uas" };
            (format!("the {side}'s side ({}, refresher={word})", context.capture.name(at)), address(at))
        }
    }
}

/// A refresh after the interval was set that did not succeed.
fn tried<'a>(context: &CallContext<'a>, dialog: &Dialog, set_by: &Message) -> Option<(&'a Message, String)> {
    let transactions = &context.transactions;
    let (_, t) = transactions
        .each()
        .filter(|(_, t)| is_refresh(transactions, dialog, t))
        .filter(|(_, t)| transactions.message(t.first).time > set_by.time)
        .last()?;
    let request = transactions.message(t.request?);
    let fate = match transactions.final_status(t) {
        Some(status) if status.is_success() => return None,
        Some(status) => format!("got {}", status.0),
        None => format!("was sent {} and never answered", times(t.sends as usize)),
    };
    Some((request, format!("; the {} in frame {} {fate}", t.method.text(), request.at.frame)))
}

fn refresh_failed(
    context: &CallContext<'_>,
    dialog: &Dialog,
    request: TransactionIndex,
    bye: TransactionIndex,
) -> Option<Observation> {
    let transactions = &context.transactions;
    let refresh = transactions.transaction(request);
    let message = transactions.message(refresh.request?);
    let bye = transactions.message(transactions.transaction(bye).request?);
    let refuser = refuser(context, request);
    let (there, method) = (context.tables().endpoint(refuser).address, refresh.method.text());
    let (fate, remedy): (_, Steps) = match transactions.final_status(refresh) {
        Some(status) => {
            (format!("was answered {} by {}", status.0, context.name(refuser)), refusal_remedy(status, there, method))
        }
        None => (
            format!(
                "was sent {} to {} and never answered",
                times(refresh.sends as usize),
                context.capture.name(refuser)
            ),
            format!(
                "{there}: answer the refresh of a call that it knows; SBC and firewall before it: let {method} through."
            )
            .into(),
        ),
    };
    let talked = bye.time.since(transactions.message(dialog.answer).time);
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .titled("The refresh of the session failed")
            .happened(format!(
                "After {:.0} s {} ended the call",
                talked.as_secs_f64(),
                context.capture.name(bye.source)
            ))
            .because(format!("its refresh ({method}, frame {}) {fate}.", message.at.frame))
            .remedy(remedy)
            .shown_by(context.shows(message, "the refresh that failed"))
            .shown_by(context.shows(bye, "the end of the call"))
            .at(refuser, "refresh"),
    )
}

/// Who changes what so that a refresh is not refused with this status.
fn refusal_remedy(status: StatusCode, there: IpAddr, method: &str) -> Steps {
    match status.0 {
        405 | 501 => Steps::from([
            format!(
                "{there}: take {method} inside a call, or say in Allow that it does not, so that the other side refreshes with re-INVITE."
            ),
            "Or switch session timers off on both sides.".to_owned(),
        ]),
        401 | 407 => Steps::from([
            format!("The side that refreshes: answer the login request for its {method}."),
            format!("Or on {there}: ask for no login inside a call that it accepted."),
        ]),
        403 => format!(
            "{there}: do not judge a request inside a call that it accepted like a new call (login, permission, allowed addresses); a refresh comes from the same side as the call."
        ).into(),
        488 | 415 | 606 => Steps::from([
            format!("{there}: take a refresh that changes no media."),
            "The side that refreshes: repeat the description agreed on, with the same version in o=, or use UPDATE without a body."
                .to_owned(),
        ]),
        404 | 410 | 481 | 604 => format!(
            "{there}: answer the refresh of a call that it knows (calls shared between the nodes of a cluster, requests of one call kept at one node)."
        ).into(),
        _ => {
            format!("{there}: its log at that time tells why it refuses a {method} that only refreshes the call.").into()
        }
    }
}
