//! Calls that had begun before the capture and end when the interval of their last refresh runs out.
//!
//! Source: RFC 4028 sections 9 and 10.

use crate::call::Transaction;
use crate::call::outcome::refresh::read;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::sip::{HeaderName, Method, StatusCode};

/// A BYE at the end of the interval that the last refresh agreed on, of a call whose INVITE was not captured.
pub(super) fn expired_unseen(context: &CallContext<'_>) -> Option<Observation> {
    let transactions = &context.transactions;
    if !context.dialogs.is_empty() || !transactions.chain.is_empty() {
        return None;
    }
    let byes = transactions.each().filter(|(_, t)| t.method == Method::Bye);
    let (_, bye) = byes.min_by_key(|(_, t)| t.first)?;
    let request = context.message(bye.request?)?;
    let refreshed = |t: &Transaction| {
        let is_done = transactions.final_status(t).is_some_and(StatusCode::is_success);
        let is_refresh = matches!(t.method, Method::Invite | Method::Update);
        t.final_response.filter(|_| is_refresh && is_done)
    };
    let answers = transactions.each().filter_map(|(_, t)| refreshed(t));
    let last = answers
        .filter(|answer| transactions.message(*answer).time <= request.time)
        .max_by_key(|answer| transactions.message(*answer).time)?;
    let interval = read(transactions, last)?;
    let answer = transactions.message(last);
    let since = request.time.since(answer.time);
    if !interval.ends_after(since) {
        return None;
    }
    let by = context.capture.name(bye.source);
    let seconds = interval.seconds;
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .beside()
            .titled(format!("The session timer of {seconds} s ended the call"))
            .happened(format!(
                "The call had begun before this capture. Its last refresh agreed on a session interval of {seconds} s, nobody refreshed it again, and {by} ended it {:.0} s later.",
                since.as_secs_f64()
            ))
            .remedy(format!(
                "{by} and the other side: send the refresh (re-INVITE or UPDATE) half-way through every interval, not once (RFC 4028)."
            ))
            .remedy("SBC and firewall between them: let UPDATE and re-INVITE through for as long as the call lasts.")
            .shown_by(context.shows_header(answer, HeaderName::SessionExpires, "the interval that was agreed"))
            .shown_by(context.shows(request, format!("the end, {:.0} s later", since.as_secs_f64())))
            .at(bye.source, format!("{seconds}")),
    )
}
