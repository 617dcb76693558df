//! Reliable provisional responses whose PRACK is missing or refused.
//!
//! Source: RFC 3262 sections 3 and 4.

use crate::call::detail::silence::follows_timer;
use crate::call::{Message, Outcome, Transaction, TransactionIndex, detail::target};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rules::net::{in_messages, times};
use crate::sip::{HeaderName, Method, RAck, StatusCode};

/// Sends of one reliable response after which its PRACK is missing: the first and three repeats.
const SENDS_MIN: usize = 4;

/// A reliable 18x is repeated for want of a PRACK, or the PRACK was refused.
pub(super) fn dlg_prack(context: &CallContext<'_>) -> Option<Observation> {
    if context.call.retransmissions < 3 && !context.outcome().is_failure() {
        return None;
    }
    let steps: Vec<TransactionIndex> = context.transactions.invites().map(|(index, _)| index).collect();
    // The hop nearest to the callee shows best what reached it.
    let mut hops = steps.into_iter().rev();
    hops.find_map(|hop| unanswered_offer(context, hop).or_else(|| unacknowledged(context, hop)))
}

/// Codes with which a side gives up that got no answer to its offer, or cannot go on without one.
const NO_ANSWER_CODES: [u16; 9] = [400, 406, 408, 415, 488, 500, 503, 504, 606];

/// The INVITE brought no offer, a reliable response did, and its PRACK brought no answer (RFC 3262 section 5).
fn unanswered_offer(context: &CallContext<'_>, hop: TransactionIndex) -> Option<Observation> {
    let invite = *context.transactions.transaction(hop);
    let request = context.message(invite.request?)?;
    let ended = invite.final_response.and_then(|end| context.message(end));
    let gave_up = match ended.and_then(Message::status) {
        Some(status) => NO_ANSWER_CODES.contains(&status.0),
        None => context.outcome() == Outcome::TimedOut,
    };
    let bare = |message: &Message| message.session.is_absent() && !message.flags.is_cut();
    if !gave_up || !context.outcome().is_failure() || !bare(request) {
        return None;
    }
    let mut reliable =
        context.transactions.responses_of(hop).filter_map(|(_, message)| Some((sequence(context, message)?, message)));
    let (number, offer) = reliable.find(|(_, message)| !message.session.is_absent())?;
    let (prack, _) = prack_of(context, &invite, number).filter(|(prack, _)| bare(prack))?;
    let (caller, callee) = (context.capture.name(invite.source), context.name(invite.destination));
    Some(
        Observation::new(Confidence::Likely, Proof::Protocol)
            .titled("The PRACK does not answer the offer of the reliable response")
            .happened(format!(
                "The INVITE of {caller} came without a session description, so {callee} made the offer in its reliable {} (frame {}). The PRACK (frame {}) brought no answer to it, as RFC 3262 section 5 demands{};",
                offer.status().map_or(0, |status| status.0),
                offer.at.frame,
                prack.at.frame,
                abandoned(context, &invite, &[offer])
            ))
            .because("of that.")
            .remedy(format!(
                "{}: answer the offer of a reliable response in its PRACK, or put an offer into the INVITE.",
                context.tables().endpoint(invite.source).address
            ))
            .remedy(format!(
                "Or switch 100rel off at {} or {}.",
                context.tables().endpoint(invite.source).address,
                context.tables().endpoint(invite.destination).address
            ))
            .shown_by(context.shows(prack, "the PRACK, without a session description"))
            .shown_by(context.shows(offer, "the offer that it had to answer"))
            .shown_by(context.shows(request, "the INVITE, without an offer"))
            .at(invite.source, "offer"),
    )
}

fn unacknowledged(context: &CallContext<'_>, hop: TransactionIndex) -> Option<Observation> {
    let invite = *context.transactions.transaction(hop);
    let reliable: Vec<(u32, &Message)> = context
        .transactions
        .responses_of(hop)
        .filter_map(|(_, message)| Some((sequence(context, message)?, message)))
        .collect();
    let (number, _) = *reliable.last()?;
    let sends: Vec<&Message> =
        reliable.iter().filter(|(known, _)| *known == number).map(|(_, message)| *message).collect();
    let first = *sends.first()?;
    let prack = prack_of(context, &invite, number);
    let refused = prack.as_ref().and_then(|(_, t)| {
        let status = context.transactions.final_status(t)?;
        (status.0 >= 300 && !matches!(status.0, 401 | 407)).then_some(status)
    });
    let fate = match (&prack, refused) {
        (None, _) if sends.len() >= SENDS_MIN => other_prack(context, &invite, number, first),
        (Some((message, _)), Some(status)) if context.outcome().is_failure() => {
            format!("the PRACK for it (frame {}) was answered {}", message.at.frame, status.0)
        }
        (Some((message, t)), None) => unheard(context, message, t, &sends)?,
        _ => return None,
    };
    let end = abandoned(context, &invite, &sends);
    let is_failure = context.outcome().is_failure();
    let mut observation = Observation::new(Confidence::Certain, Proof::OwnWords)
        .severity(if is_failure { Severity::Error } else { Severity::Warn })
        .titled(match &prack {
            Some(_) => "The PRACK for reliable ringing came to nothing".to_owned(),
            None => format!(
                "{} was not acknowledged with PRACK",
                first.status().map_or(0, |s| s.0)
            ),
        })
        .happened(format!(
            "{} sent its {} reliably (RSeq {number}) {}; {fate}{end}.",
            context.name(invite.destination),
            first.status().map_or(0, |status| status.0),
            times(sends.len())
        ))
        .remedy(match refused {
            Some(status) => Steps::from([
                format!(
                    "{}: find out why it answers {} to a PRACK that names its own response (state lost, or another node behind its address).",
                    context.tables().endpoint(invite.destination).address,
                    status.0
                ),
                "Otherwise: switch 100rel off on one side.".to_owned(),
            ]),
            None if prack.is_some() => remedy(context, &invite, true),
            None => remedy_for_other(context, &invite, number, first),
        })
        .at(invite.source, "prack")
        .maybe_shown_by(in_messages(context, &sends, "repeated for want of a PRACK"))
        .shown_by(context.shows_header(first, HeaderName::RSeq, "asks for a PRACK"));
    observation = match prack {
        Some((message, _)) => observation.shown_by(context.shows_header(message, HeaderName::RAck, "the PRACK for it")),
        None => observation.shown_by(Evidence::Missing {
            expected: format!("PRACK with RAck {number} {} INVITE", invite.cseq),
            after: first.at,
            watched: context.capture.watched_since(first.time),
        }),
    };
    Some(if is_failure { observation } else { observation.beside() })
}

/// A PRACK that was repeated on its timer because nothing answered it.
fn unheard(context: &CallContext<'_>, prack: &Message, t: &Transaction, sends: &[&Message]) -> Option<String> {
    let times_sent: Vec<_> = context
        .transactions
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
fn sequence(context: &CallContext<'_>, message: &Message) -> Option<u32> {
    let is_provisional = message.status().is_some_and(|status| (101..200).contains(&status.0));
    let asks = context
        .tables()
        .header_values(message, HeaderName::Require)
        .any(|value| value.to_ascii_lowercase().contains("100rel"));
    if !is_provisional || !asks {
        return None;
    }
    context.header(message, HeaderName::RSeq)?.trim().parse().ok()
}

/// The PRACKs that name this response, on every hop.
fn pracks_of<'c, 'a>(
    context: &'c CallContext<'a>,
    invite: &Transaction,
    number: u32,
) -> impl Iterator<Item = (&'a Message, &'c Transaction)> {
    let cseq = invite.cseq;
    context.transactions.each().filter_map(move |(_, t)| {
        let request = context.transactions.message(t.request.filter(|_| t.method == Method::Prack)?);
        let value = RAck::parse(context.header(request, HeaderName::RAck)?.as_bytes());
        let is_for = value.rseq == Some(number) && value.cseq.number.is_none_or(|n| n == cseq);
        is_for.then_some((request, t))
    })
}

/// The PRACK that names this response, as the callee's side saw it.
fn prack_of<'c, 'a>(
    context: &'c CallContext<'a>,
    invite: &Transaction,
    number: u32,
) -> Option<(&'a Message, &'c Transaction)> {
    let node = context.capture.node(invite.destination);
    let arrived = |(_, t): &(&Message, &Transaction)| context.capture.node(t.destination) == node;
    pracks_of(context, invite, number).find(arrived)
}

/// What came in place of the PRACK.
fn other_prack(context: &CallContext<'_>, invite: &Transaction, number: u32, first: &Message) -> String {
    if let Some((astray, _)) = pracks_of(context, invite, number).last() {
        return format!(
            "the PRACK for it (frame {}) went to {} and was not seen going on to {}",
            astray.at.frame,
            context.capture.name(astray.destination),
            context.capture.name(invite.destination)
        );
    }
    match any_prack(context, first) {
        None => "no PRACK was ever sent".to_owned(),
        Some(prack) => format!(
            "the only PRACK (frame {}, to {}) has RAck {}",
            prack.at.frame,
            context.capture.name(prack.destination),
            context.header(prack, HeaderName::RAck).unwrap_or("missing")
        ),
    }
}

fn any_prack<'a>(context: &CallContext<'a>, first: &Message) -> Option<&'a Message> {
    let mut sent = context.transactions.originals().map(|(_, message)| message);
    sent.find(|message| message.is_request(Method::Prack) && message.time >= first.time)
}

/// Who changes what where the PRACK that was due never came to the callee's side.
fn remedy_for_other(context: &CallContext<'_>, invite: &Transaction, number: u32, first: &Message) -> Steps {
    let address = |endpoint| context.tables().endpoint(endpoint).address;
    if let Some((astray, _)) = pracks_of(context, invite, number).last() {
        let there = address(astray.destination);
        let told = target::contact(context.tables(), first).and_then(target::address);
        return if told == Some(there) {
            Steps::from([
                format!(
                    "{}: put an address into the Contact of its {} at which it is reached; {there} stands there, and the PRACK has to go to it.",
                    address(invite.destination),
                    first.status().map_or(0, |status| status.0)
                ),
                "Or let the proxy before it add Record-Route.".to_owned(),
                "Otherwise: switch 100rel off on one side.".to_owned(),
            ])
        } else {
            Steps::from([
                format!("{there}: pass the PRACK on to {}, by its Route and Request-URI.", address(invite.destination)),
                "Otherwise: switch 100rel off on one side.".to_owned(),
            ])
        };
    }
    match any_prack(context, first).and_then(|prack| context.header(prack, HeaderName::RAck)) {
        Some(sent) => format!(
            "{}: RAck of a PRACK has to repeat RSeq and CSeq of the response: {number} {} INVITE, not {sent} (firmware, or an SBC that rewrites one of them).",
            address(invite.source),
            invite.cseq
        ).into(),
        None => remedy(context, invite, false),
    }
}

fn abandoned(context: &CallContext<'_>, invite: &Transaction, sends: &[&Message]) -> String {
    let answer = invite.final_response.map(|answer| context.transactions.message(answer));
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

fn remedy(context: &CallContext<'_>, invite: &Transaction, was_sent: bool) -> Steps {
    let tables = context.tables();
    let (caller, callee) = (tables.endpoint(invite.source).address, tables.endpoint(invite.destination).address);
    if was_sent {
        return Steps::from([
            format!(
                "The way of PRACK and its 200 between {caller} and {callee}: Contact and Record-Route of the 18x, NAT, firewalls."
            ),
            format!("{callee}: does it answer PRACK at all?"),
            "Otherwise: switch 100rel off on one side.".to_owned(),
        ]);
    }
    Steps::from([
        format!(
            "{caller}: it offers 100rel (Supported or Require), so it has to send PRACK to the Contact and Route of the 18x; or switch 100rel off there."
        ),
        format!("{callee}: or do not require 100rel."),
        "Firewalls between them: let PRACK through.".to_owned(),
    ])
}
