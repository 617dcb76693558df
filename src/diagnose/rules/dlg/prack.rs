//! Reliable provisional responses whose PRACK is missing or refused.
//!
//! Source: RFC 3262 sections 3 and 4.

use crate::call::silence::follows_timer;
use crate::call::{Message, Transaction, TransactionIndex};
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Evidence, Finding, Proof, Severity};
use crate::diagnose::rules::net::{in_messages, times};
use crate::sip::{HeaderName, Method, RAck, StatusCode};

/// Sends of one reliable response after which its PRACK is missing: the first and three repeats.
const SENDS_MIN: usize = 4;

/// A reliable 18x is repeated for want of a PRACK, or the PRACK was refused.
pub(super) fn dlg_prack(case: &Case<'_>) -> Option<Finding> {
    if case.call.retransmissions < 3 && !case.outcome().is_failure() {
        return None;
    }
    let steps: Vec<TransactionIndex> = case.anatomy.invites().map(|(index, _)| index).collect();
    // The hop nearest to the callee shows best what reached it.
    steps
        .into_iter()
        .rev()
        .find_map(|hop| unacknowledged(case, hop))
}

fn unacknowledged(case: &Case<'_>, hop: TransactionIndex) -> Option<Finding> {
    let invite = *case.anatomy.transaction(hop);
    let reliable: Vec<(u32, &Message)> = case
        .anatomy
        .responses_of(hop)
        .filter_map(|(_, message)| Some((sequence(case, message)?, message)))
        .collect();
    let (number, _) = *reliable.last()?;
    let sends: Vec<&Message> = reliable
        .iter()
        .filter(|(known, _)| *known == number)
        .map(|(_, message)| *message)
        .collect();
    let first = *sends.first()?;
    let prack = prack_of(case, &invite, number);
    let refused = prack.as_ref().and_then(|(_, t)| {
        let status = case.anatomy.final_status(t)?;
        (status.0 >= 300 && !matches!(status.0, 401 | 407)).then_some(status)
    });
    let fate = match (&prack, refused) {
        (None, _) if sends.len() >= SENDS_MIN => other_prack(case, first),
        (Some((message, _)), Some(status)) if case.outcome().is_failure() => format!(
            "the PRACK for it (frame {}) was answered {}",
            message.at.frame, status.0
        ),
        (Some((message, t)), None) => unheard(case, message, t, &sends)?,
        _ => return None,
    };
    let end = abandoned(case, &invite, &sends);
    let is_failure = case.outcome().is_failure();
    let mut finding = Finding::new(
        "dlg-prack",
        if is_failure {
            Severity::Error
        } else {
            Severity::Warn
        },
        Confidence::Certain,
        Proof::OwnWords,
    )
    .says(
        match &prack {
            Some(_) => "The PRACK for reliable ringing came to nothing".to_owned(),
            None => format!(
                "{} was not acknowledged with PRACK",
                first.status().map_or(0, |s| s.0)
            ),
        },
        format!(
            "{} sent its {} reliably (RSeq {number}) {}; {fate}{end}.",
            case.name(invite.destination),
            first.status().map_or(0, |status| status.0),
            times(sends.len())
        ),
        match (misnumbered(case, first), refused) {
            (Some(sent), _) if prack.is_none() => format!(
                "{}: RAck of a PRACK has to repeat RSeq and CSeq of the response: {number} {} INVITE, not {sent} (firmware, or an SBC that rewrites one of them).",
                case.tables().endpoint(invite.source).address,
                invite.cseq
            ),
            (_, Some(status)) => format!(
                "1. {}: find out why it answers {} to a PRACK that names its own response (state lost, or another node behind its address). 2. Otherwise: switch 100rel off on one side.",
                case.tables().endpoint(invite.destination).address,
                status.0
            ),
            _ => remedy(case, &invite, prack.is_some()),
        },
    )
    .at(invite.source, "prack");
    if let Some(evidence) = in_messages(case, &sends, "repeated for want of a PRACK") {
        finding = finding.shown_by(evidence);
    }
    finding = finding.shown_by(case.shows_header(first, HeaderName::RSeq, "asks for a PRACK"));
    finding = match prack {
        Some((message, _)) => {
            finding.shown_by(case.shows_header(message, HeaderName::RAck, "the PRACK for it"))
        }
        None => finding.shown_by(Evidence::Missing {
            expected: format!("PRACK with RAck {number} {} INVITE", invite.cseq),
            after: first.at,
            watched: case.scene.watched_since(first.time),
        }),
    };
    Some(if is_failure {
        finding
    } else {
        finding.beside()
    })
}

/// A PRACK that was repeated on its timer because nothing answered it.
fn unheard(
    case: &Case<'_>,
    prack: &Message,
    t: &Transaction,
    sends: &[&Message],
) -> Option<String> {
    let times_sent: Vec<_> = case
        .anatomy
        .originals()
        .map(|(_, m)| m)
        .filter(|m| m.is_request(Method::Prack) && m.via == t.via && m.destination == t.destination)
        .map(|m| m.time)
        .collect();
    let is_lost = t.final_response.is_none()
        && !t.transport.is_reliable()
        && times_sent.len() >= SENDS_MIN
        && follows_timer(&times_sent);
    if !is_lost {
        return None;
    }
    let count = times(times_sent.len());
    let is_repeated = sends.last().is_some_and(|last| last.time > prack.time);
    Some(match is_repeated {
        true => format!(
            "the PRACK (frame {}) was sent {count} and never answered, and the response was repeated all the same: the PRACK does not arrive",
            prack.at.frame
        ),
        false => format!(
            "the PRACK (frame {}) was sent {count} and its 200 never came, although the response was not repeated any more",
            prack.at.frame
        ),
    })
}

/// The RSeq of a response that asks for a PRACK.
fn sequence(case: &Case<'_>, message: &Message) -> Option<u32> {
    let is_provisional = message
        .status()
        .is_some_and(|status| (101..200).contains(&status.0));
    let asks = case
        .tables()
        .header_values(message, HeaderName::Require)
        .any(|value| value.to_ascii_lowercase().contains("100rel"));
    if !is_provisional || !asks {
        return None;
    }
    case.header(message, HeaderName::RSeq)?.trim().parse().ok()
}

/// The PRACK that names this response, as the callee's side saw it.
fn prack_of<'a>(
    case: &'a Case<'_>,
    invite: &Transaction,
    number: u32,
) -> Option<(&'a Message, &'a Transaction)> {
    let mut all = case.anatomy.each().filter_map(|(_, t)| {
        let request = case
            .anatomy
            .message(t.request.filter(|_| t.method == Method::Prack)?);
        let value = RAck::parse(case.header(request, HeaderName::RAck)?.as_bytes());
        let is_for =
            value.rseq == Some(number) && value.cseq.number.is_none_or(|n| n == invite.cseq);
        is_for.then_some((request, t))
    });
    let node = case.scene.node(invite.destination);
    let arrived = |(_, t): &(&Message, &Transaction)| case.scene.node(t.destination) == node;
    all.find(arrived)
}

/// What came in place of the PRACK.
fn other_prack(case: &Case<'_>, first: &Message) -> String {
    let other = case
        .anatomy
        .originals()
        .map(|(_, message)| message)
        .find(|message| message.is_request(Method::Prack) && message.time >= first.time);
    match other {
        None => "no PRACK was ever sent".to_owned(),
        Some(prack) => format!(
            "the only PRACK (frame {}, to {}) has RAck {}",
            prack.at.frame,
            case.scene.name(prack.destination),
            case.header(prack, HeaderName::RAck).unwrap_or("missing")
        ),
    }
}

/// RAck of a PRACK that came in place of the one that was due.
fn misnumbered<'a>(case: &'a Case<'_>, first: &Message) -> Option<&'a str> {
    let mut sent = case.anatomy.originals().map(|(_, message)| message);
    let prack =
        sent.find(|message| message.is_request(Method::Prack) && message.time >= first.time)?;
    case.header(prack, HeaderName::RAck)
}

fn abandoned(case: &Case<'_>, invite: &Transaction, sends: &[&Message]) -> String {
    let answer = invite
        .final_response
        .map(|answer| case.anatomy.message(answer));
    match (answer, sends.first()) {
        (Some(answer), Some(first)) if !answer.status().is_some_and(StatusCode::is_success) => {
            format!(
                ", and the set-up ended with {} after {:.1} s",
                answer.status().map_or(0, |status| status.0),
                answer.time.since(first.time).as_secs_f64()
            )
        }
        _ => String::new(),
    }
}

fn remedy(case: &Case<'_>, invite: &Transaction, was_sent: bool) -> String {
    let tables = case.tables();
    let (caller, callee) = (
        tables.endpoint(invite.source).address,
        tables.endpoint(invite.destination).address,
    );
    if was_sent {
        return format!(
            "1. The way of PRACK and its 200 between {caller} and {callee}: Contact and Record-Route of the 18x, NAT, firewalls. 2. {callee}: does it answer PRACK at all? 3. Otherwise: switch 100rel off on one side."
        );
    }
    format!(
        "1. {caller}: it offers 100rel (Supported or Require), so it has to send PRACK to the Contact and Route of the 18x; or switch 100rel off there. 2. {callee}: or do not require 100rel. 3. Firewalls between them: let PRACK through."
    )
}
