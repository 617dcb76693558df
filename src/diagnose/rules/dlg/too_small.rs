//! Calls that fail because no session interval was agreed on (422).
//!
//! Source: RFC 4028 sections 5, 6 and 7.3.

use std::time::Duration;

use crate::call::Message;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof, Severity, Steps};
use crate::sip::{HeaderName, SessionExpires};

/// How long a caller takes at most to try again with a longer interval.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// The interval was refused as too small, and no later one was taken.
pub(super) fn too_small(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let request = context.refused_request()?;
    // A retry that stands before the refusal has been sent behind it all the same: the clock was set.
    let mut chain = context.transactions.chain.iter();
    if chain.any(|step| context.transactions.transaction(*step).cseq > refusal.cseq) {
        return None;
    }
    let is_watched = context.capture.watched_since(refusal.time) >= RETRY_WAIT;
    let wanted = context.header(refusal, HeaderName::MinSe);
    let offered = context.header(request, HeaderName::SessionExpires);
    let tries = context
        .transactions
        .chain
        .iter()
        .filter(|step| {
            let status = context.transactions.final_status(context.transactions.transaction(**step));
            status.is_some_and(|status| status.0 == 422)
        })
        .count();
    let again = match tries {
        0 | 1 if !is_watched => "The capture ends before the caller could try again with a longer one.".to_owned(),
        0 | 1 => "The caller did not try again with a longer one.".to_owned(),
        _ => format!("The caller tried {tries} times, and no interval was taken."),
    };
    let (title, explanation, remedy) = refusal_words(context, request, (wanted, offered), &again);
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .severity(if is_watched { Severity::Error } else { Severity::Warn })
            .titled(title)
            .happened(explanation)
            .remedy(remedy)
            .at(refuser, "422")
            .shown_by(match wanted {
                Some(_) => context.shows_header(refusal, HeaderName::MinSe, "the smallest interval that it takes"),
                None => context.shows(refusal, "the refusal, without Min-SE"),
            })
            .shown_by(match offered {
                Some(_) => context.shows_header(request, HeaderName::SessionExpires, "the interval that was offered"),
                None => context.shows(request, "no Session-Expires was offered"),
            }),
    )
}

/// What is said of a refused interval: `wanted` and `offered` as sent, and what the caller did next.
fn refusal_words(
    context: &CallContext<'_>,
    request: &Message,
    (wanted, offered): (Option<&str>, Option<&str>),
    again: &str,
) -> (&'static str, String, Steps) {
    let address = |endpoint| context.tables().endpoint(endpoint).address;
    let who = context.name(request.destination);
    let (here, there) = (address(request.source), address(request.destination));
    let offer = match offered.map(|offered| (offered, seconds(offered))) {
        None => "no interval".to_owned(),
        Some((_, Some(seconds))) => format!("{seconds} s"),
        Some((offered, None)) => format!("`{offered}`"),
    };
    let too_small = "The session interval is too small for the other side";
    match wanted {
        Some(wanted) if seconds(wanted).is_some() && seconds(wanted) <= offered.and_then(seconds) => (
            "The session interval was refused although it is large enough",
            format!(
                "{who} refused with 422 and says that it takes {wanted} s or more, but the INVITE offered {offer}: either it contradicts itself, or a proxy on the way to the node that refused had lowered the interval. {again}"
            ),
            Steps::from([
                format!(
                    "{here}: try again with `Min-SE: {wanted}` (RFC 4028 section 7.3), below which no proxy may lower the interval."
                ),
                format!(
                    "{there}, or the proxy behind it that lowers the interval: correct how it compares Session-Expires with the minimum, or the interval that it sets."
                ),
                format!("Until then {here}: leave session timers out."),
            ]),
        ),
        Some(wanted) => (
            too_small,
            format!("{who} takes session intervals of at least {wanted} s; the last INVITE offered {offer}. {again}"),
            Steps::from([
                format!("{here}: raise its session interval to {wanted} s or more."),
                "It should try again with the Min-SE of the 422 by itself (RFC 4028 section 7.3).".to_owned(),
            ]),
        ),
        None => (
            too_small,
            format!(
                "{who} refused with 422 an INVITE that offered {offer}, and its 422 lacks the Min-SE that RFC 4028 demands, so it does not tell which interval it takes. {again}"
            ),
            Steps::from([
                format!("{there}: put Min-SE into its 422."),
                format!("{here}: raise its session interval, such as to 1800 s."),
            ]),
        ),
    }
}

/// The seconds that a Session-Expires or Min-SE names.
fn seconds(value: &str) -> Option<u64> {
    SessionExpires::parse(value.as_bytes()).map(|parsed| parsed.seconds)
}
