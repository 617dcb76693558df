//! What happened to calls that were up: cut by a machine, or a change in them refused.
//!
//! Sources: RFC 3261 sections 14.1 and 15, RFC 3326, RFC 5057 section 5.1, RFC 6141.

use std::time::Duration;

use crate::call::outcome::negotiation::{Change, change_wanted};
use crate::call::{
    DropCause, Message, Outcome, Transaction, TransactionIndex, drop_cause, names_network_cause, second_bye,
};
use crate::diagnose::finding::words::duration;
use crate::diagnose::rules::dlg::changes::{higher_before, is_collision};
use crate::diagnose::{CallContext, Confidence, Observation, Proof, Steps};
use crate::reference::Cause as Meaning;
use crate::sip::{HeaderName, Method};

/// How soon a side hangs up because a change that it asked for was refused.
const GIVE_UP_WAIT: Duration = Duration::from_secs(3);
/// Limits on the duration of calls that products ship with or operators set, in minutes.
const LIMITS_MIN: [f64; 7] = [10.0, 15.0, 20.0, 30.0, 60.0, 90.0, 120.0];
/// How far a talk may miss such a limit, in minutes.
const LIMIT_SLACK_MIN: f64 = 0.03;
const MINUTE_MS: f64 = 60_000.0;
/// How soon a refused change is tried again and then succeeds.
const RETRY_WAIT: Duration = Duration::from_secs(10);

pub fn call_dropped_by_network_of_call(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome() == Outcome::Completed {
        return timed_out(context);
    }
    if context.outcome() != Outcome::Dropped {
        return None;
    }
    let dialog = context.dialogs.first()?;
    let DropCause::Network { bye } = drop_cause(&context.transactions, dialog)? else {
        return None;
    };
    let hop = context.transactions.transaction(bye);
    let request = context.message(hop.request?)?;
    let answer = context.message(dialog.answer)?;
    // A BYE that was passed on comes from the farthest node that sent it.
    let first = context
        .transactions
        .each()
        .filter(|(_, t)| t.method == Method::Bye && t.request.is_some())
        .min_by_key(|(_, t)| t.first)
        .map_or(hop, |(_, first)| first);
    let node = context.name(first.source);
    let talked = duration(request.time.since(answer.time));
    let reason = context
        .header(request, HeaderName::Reason)
        .or_else(|| context.header(request, HeaderName::XAsteriskHangupCauseCode));
    let Some(reason) = reason.filter(|_| names_network_cause(&context.transactions, request)) else {
        let other = context.transactions.transaction(second_bye(&context.transactions, dialog)?);
        let second = context.message(other.request?)?;
        let observation = Observation::new(Confidence::Likely, Proof::Protocol)
            .titled("The call was ended from the middle")
            .happened(format!(
                "{node} hung up on both sides {talked} after the call was answered, {} apart; neither party had hung up.",
                duration(second.time.since(request.time))
            ))
            .remedy(format!(
                "Look at the log of {node} at that moment: media timeout, credit or duration limit, restart, or a hang-up by an operator."
            ))
            .shown_by(context.shows(request, "hung up on one side"))
            .shown_by(context.shows(second, "hung up on the other side"))
            .at(first.source, "both sides");
        return Some(observation);
    };
    let meaning = crate::call::Cause::of(context.tables(), request)
        .q850
        .and_then(Meaning::q850)
        .map(|entry| format!(" ({})", entry.name))
        .filter(|_| !reason.contains("text="))
        .unwrap_or_default();
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .titled("The call was ended by the network")
            .happened(format!(
                "{node} ended the call {talked} after it was answered and gives the reason {reason}{meaning}: no person sends that."
            ))
            .remedy(format!(
                "Look at the log of {node} at that moment, and at the trunk or line behind it, for the cause named."
            ))
            .shown_by(context.shows_header(request, HeaderName::Reason, "why the call was ended"))
            .shown_by(context.shows(answer, "the call was answered"))
            .at(first.source, reason.split(";text").next().unwrap_or(reason)),
    )
}

/// A talk that ended where a limit on the duration of calls does, as hardly any at that node lasts longer.
fn timed_out(context: &CallContext<'_>) -> Option<Observation> {
    let talk = context.call.milestones.talk_ms()?;
    // Shorter talks of equal length are load tests.
    let is_limit = LIMITS_MIN.iter().any(|minutes| (talk / MINUTE_MS - minutes).abs() < LIMIT_SLACK_MIN);
    if !is_limit {
        return None;
    }
    let bye = context.transactions.transaction(context.dialogs.first()?.bye?);
    let timer = context.capture.timers.talk(context.capture.node(bye.source), talk)?;
    let request = context.message(bye.request?)?;
    let node = context.name(bye.source);
    let minutes = talk / MINUTE_MS;
    Some(
        Observation::new(Confidence::Possible, Proof::Timing)
            .warn()
            .titled("The call may have been ended by a limit on its duration")
            .happened(format!(
                "{node} hung up after {minutes:.0} min, as in {} of the {} calls of this node that lasted that long; a person may have hung up as well.",
                timer.ended,
                timer.lasted
            ))
            .remedy(format!(
                "Look for a limit of {minutes:.0} min on the duration of calls at {node}, or at the node behind it."
            ))
            .shown_by(context.shows(request, "the call was ended"))
            .at(bye.source, format!("{minutes:.0} min"))
            .beside(),
    )
}

pub fn call_reinvite_rejected(context: &CallContext<'_>) -> Option<Observation> {
    let dialog = context.dialogs.first()?;
    let changes = context.transactions.each().filter(|(_, t)| {
        matches!(t.method, Method::Invite | Method::Update)
            && t.parent.is_none()
            && t.request.is_some_and(|request| request > dialog.answer)
            && !context.transactions.is_initial(t)
    });
    changes.into_iter().find_map(|(index, change)| refused(context, index, change))
}

fn refused(context: &CallContext<'_>, index: TransactionIndex, change: &Transaction) -> Option<Observation> {
    let answer = context.message(change.final_response?)?;
    let request = context.message(change.request?)?;
    let code = answer.status()?.0;
    // These end the call, the matter of dlg-no-such-call; 487 is the sender's own CANCEL, and 491 the matter of dlg-glare.
    if code < 300 || matches!(code, 404 | 408 | 410 | 481 | 487 | 491 | 604) {
        return None;
    }
    if matches!(code, 401 | 407 | 422 | 500) && was_cured(context, change, answer) {
        return None;
    }
    // Collisions and CSeq numbers that run backwards are the matter of dlg-glare, a login request that nothing followed that of
    // auth-no-credentials, a switch to fax that of sdp-t38-refused.
    let wanted = change_wanted(&context.transactions, index);
    let is_of_other_rule = matches!(code, 401 | 407) && !was_repeated(context, change)
        || matches!(wanted, Change::Fax | Change::Voice)
        || is_collision(context, change, answer)
        || code == 500 && higher_before(context, request).is_some();
    if is_of_other_rule {
        return None;
    }
    let is_end = context.call.milestones.hung_up.filter(|bye| *bye >= answer.time);
    let after = is_end.map(|bye| bye.since(answer.time));
    let by_asker = context.transactions.each().any(|(_, t)| {
        t.method == Method::Bye
            && t.request.is_some_and(|bye| context.transactions.message(bye).from_tag == request.from_tag)
    });
    let end = match after {
        Some(after) if by_asker && after <= GIVE_UP_WAIT => {
            format!("{} hung up {} later, most likely because of it.", context.name(change.source), duration(after))
        }
        Some(after) => format!("The call itself went on for {}.", duration(after)),
        None => "The call itself went on.".to_owned(),
    };
    let since = context.seconds_in(request);
    let asker = context.name(change.source);
    let refuser = context.name(change.destination);
    let words = context.header(answer, HeaderName::Warning).map_or(String::new(), |warning| format!(" ({warning})"));
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .titled("A change during the call was refused")
            .happened(format!(
                "{since:.1} s into the call {asker} asked {}; {refuser} refused with {code} {}{words}. {end}",
                wanted.words(),
                context.capture.text(answer.line)
            ))
            .remedy(remedy(&refuser, &asker, wanted, change.method))
            .shown_by(context.shows(answer, "the refusal"))
            .shown_by(context.shows(request, "the change asked for"))
            .at(change.destination, format!("{code} {}", wanted.words()))
            .beside(),
    )
}

fn was_cured(context: &CallContext<'_>, change: &Transaction, answer: &Message) -> bool {
    context.transactions.each().any(|(_, t)| {
        let later = t.first > change.first
            && t.method == change.method
            && !context.transactions.is_initial(t)
            && context.message(t.first).is_some_and(|next| next.time.since(answer.time) <= RETRY_WAIT);
        later && context.transactions.final_status(t).is_some_and(crate::sip::StatusCode::is_success)
    })
}

/// Whether the same side asked once more, whatever came of it.
fn was_repeated(context: &CallContext<'_>, change: &Transaction) -> bool {
    let sender = |t: &Transaction| context.message(t.first).map(|first| first.from_tag);
    context.transactions.each().any(|(_, next)| {
        next.method == change.method
            && next.first > change.first
            && next.cseq > change.cseq
            && sender(next) == sender(change)
    })
}

fn remedy(refuser: &str, asker: &str, wanted: Change, method: Method) -> Steps {
    match wanted {
        Change::Refresh if method == Method::Invite => Steps::from([
            format!("On {refuser}: answer a re-INVITE that changes nothing with 200."),
            format!("Or on {asker}: refresh by UPDATE, or switch off re-INVITEs that change nothing."),
        ]),
        Change::NewOffer => Steps::from([
            format!(
                "On {refuser}: answer a re-INVITE without session description with an offer of its own, as RFC 3261 section 14.2 has it."
            ),
            format!("Or on {asker}: send the session description in the re-INVITE."),
        ]),
        _ => {
            format!("On {refuser}: allow {asker} {} during a call. Or stop {asker} from asking for it.", wanted.words())
                .into()
        }
    }
}
