//! Reliable provisional responses whose PRACK is missing or refused.
//!
//! Source: RFC 3262 sections 3 and 4.

use crate::call::detail::silence::follows_timer;
use crate::call::{Message, Outcome, Transaction, TransactionIndex, detail::target};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::times;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rules::net::message_evidence::in_messages;
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
    hops.find_map(|hop| {
        let other = || Some(observation(context, &unacknowledged(context, hop)?));
        unanswered_offer(context, hop).or_else(other)
    })
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

/// A reliable response that no PRACK acknowledged.
struct Unacknowledged<'a> {
    invite: Transaction,
    /// Its RSeq.
    number: u32,
    first: &'a Message,
    sends: Vec<&'a Message>,
    fault: PrackFault<'a>,
}

/// What is wrong with the PRACK of a response.
enum PrackFault<'a> {
    /// None came to the callee's side.
    Missing(Instead<'a>),
    /// It was refused.
    Refused(&'a Message, StatusCode),
    /// It was sent so many times and never answered.
    Unanswered(&'a Message, usize),
}

/// What came in place of a PRACK.
enum Instead<'a> {
    /// It went elsewhere, and was not passed on.
    Astray(&'a Message),
    /// The first one that was sent, with its RAck: it names another response.
    Other(&'a Message, Option<&'a str>),
    Nothing,
}

fn unacknowledged<'a>(context: &CallContext<'a>, hop: TransactionIndex) -> Option<Unacknowledged<'a>> {
    let invite = *context.transactions.transaction(hop);
    let responses = context.transactions.responses_of(hop);
    let reliable: Vec<(u32, &Message)> =
        responses.filter_map(|(_, message)| Some((sequence(context, message)?, message))).collect();
    let (number, _) = *reliable.last()?;
    let sends: Vec<&Message> =
        reliable.iter().filter(|(known, _)| *known == number).map(|(_, message)| *message).collect();
    let first = *sends.first()?;
    let fault = match prack_of(context, &invite, number) {
        None if sends.len() >= SENDS_MIN => PrackFault::Missing(instead(context, &invite, number, first)),
        None => return None,
        Some((prack, t)) => {
            let refusal = context.transactions.final_status(t).filter(|status| status.0 >= 300);
            match refusal.filter(|status| !matches!(status.0, 401 | 407)) {
                Some(status) if context.outcome().is_failure() => PrackFault::Refused(prack, status),
                Some(_) => return None,
                None => PrackFault::Unanswered(prack, sends_in_vain(context, t)?),
            }
        }
    };
    Some(Unacknowledged { invite, number, first, sends, fault })
}

/// How often a PRACK was sent that was repeated on its timer because nothing answered it.
fn sends_in_vain(context: &CallContext<'_>, t: &Transaction) -> Option<usize> {
    let sent = context.transactions.originals().map(|(_, message)| message).filter(|message| {
        message.is_request(Method::Prack) && message.via == t.via && message.destination == t.destination
    });
    let times_sent: Vec<_> = sent.map(|message| message.time).collect();
    let is_lost = t.final_response.is_none()
        && !t.transport.is_reliable()
        && times_sent.len() >= SENDS_MIN
        && follows_timer(&times_sent);
    is_lost.then_some(times_sent.len())
}

fn instead<'a>(context: &CallContext<'a>, invite: &Transaction, number: u32, first: &Message) -> Instead<'a> {
    if let Some((astray, _)) = pracks_of(context, invite, number).last() {
        return Instead::Astray(astray);
    }
    let mut sent = context.transactions.originals().map(|(_, message)| message);
    let other = sent.find(|message| message.is_request(Method::Prack) && message.time >= first.time);
    other.map_or(Instead::Nothing, |other| Instead::Other(other, context.header(other, HeaderName::RAck)))
}

fn observation(context: &CallContext<'_>, response: &Unacknowledged<'_>) -> Observation {
    let Unacknowledged { invite, number, first, sends, fault } = response;
    let code = first.status().map_or(0, |status| status.0);
    let is_failure = context.outcome().is_failure();
    let observation = Observation::new(Confidence::Certain, Proof::OwnWords)
        .severity(if is_failure { Severity::Error } else { Severity::Warn })
        .titled(match fault {
            PrackFault::Missing(_) => format!("{code} was not acknowledged with PRACK"),
            _ => "The PRACK for reliable ringing came to nothing".to_owned(),
        })
        .happened(format!(
            "{} sent its {code} reliably (RSeq {number}) {}; {}{}.",
            context.name(invite.destination),
            times(sends.len()),
            fate(context, response),
            abandoned(context, invite, sends)
        ))
        .remedy(remedy(context, response))
        .at(invite.source, "prack")
        .maybe_shown_by(in_messages(context, sends, "repeated for want of a PRACK"))
        .shown_by(context.shows_header(first, HeaderName::RSeq, "asks for a PRACK"))
        .shown_by(match fault {
            PrackFault::Refused(prack, _) | PrackFault::Unanswered(prack, _) => {
                context.shows_header(prack, HeaderName::RAck, "the PRACK for it")
            }
            PrackFault::Missing(_) => Evidence::Missing {
                expected: format!("PRACK with RAck {number} {} INVITE", invite.cseq),
                after: first.at,
                watched: context.capture.watched_since(first.time),
            },
        });
    if is_failure { observation } else { observation.beside() }
}

/// What became of the PRACK.
fn fate(context: &CallContext<'_>, response: &Unacknowledged<'_>) -> String {
    match response.fault {
        PrackFault::Missing(Instead::Astray(astray)) => format!(
            "the PRACK for it (frame {}) went to {} and was not seen going on to {}",
            astray.at.frame,
            context.capture.name(astray.destination),
            context.capture.name(response.invite.destination)
        ),
        PrackFault::Missing(Instead::Other(other, rack)) => format!(
            "the only PRACK (frame {}, to {}) has RAck {}",
            other.at.frame,
            context.capture.name(other.destination),
            rack.unwrap_or("missing")
        ),
        PrackFault::Missing(Instead::Nothing) => "no PRACK was ever sent".to_owned(),
        PrackFault::Refused(prack, status) => {
            format!("the PRACK for it (frame {}) was answered {}", prack.at.frame, status.0)
        }
        PrackFault::Unanswered(prack, sends) => {
            let is_repeated = response.sends.last().is_some_and(|last| last.time > prack.time);
            let (frame, count) = (prack.at.frame, times(sends));
            if is_repeated {
                format!(
                    "the PRACK (frame {frame}) was sent {count} and never answered, and the response was repeated all the same: the PRACK does not arrive"
                )
            } else {
                format!(
                    "the PRACK (frame {frame}) was sent {count} and its 200 never came, although the response was not repeated any more"
                )
            }
        }
    }
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

/// Who changes what so that a reliable response is acknowledged.
fn remedy(context: &CallContext<'_>, response: &Unacknowledged<'_>) -> Steps {
    let address = |endpoint| context.tables().endpoint(endpoint).address;
    let (caller, callee) = (address(response.invite.source), address(response.invite.destination));
    let switch_off = || "Otherwise: switch 100rel off on one side.".to_owned();
    match response.fault {
        PrackFault::Refused(_, status) => Steps::from([
            format!(
                "{callee}: find out why it answers {} to a PRACK that names its own response (state lost, or another node behind its address).",
                status.0
            ),
            switch_off(),
        ]),
        PrackFault::Unanswered(..) => Steps::from([
            format!(
                "The way of PRACK and its 200 between {caller} and {callee}: Contact and Record-Route of the 18x, NAT, firewalls."
            ),
            format!("{callee}: does it answer PRACK at all?"),
            switch_off(),
        ]),
        PrackFault::Missing(Instead::Astray(astray)) => {
            let there = address(astray.destination);
            let contact = target::contact(context.tables(), response.first).and_then(target::address);
            if contact != Some(there) {
                let step = format!("{there}: pass the PRACK on to {callee}, by its Route and Request-URI.");
                return [step, switch_off()].into();
            }
            Steps::from([
                format!(
                    "{callee}: put an address into the Contact of its {} at which it is reached; {there} stands there, and the PRACK has to go to it.",
                    response.first.status().map_or(0, |status| status.0)
                ),
                "Or let the proxy before it add Record-Route.".to_owned(),
                switch_off(),
            ])
        }
        PrackFault::Missing(Instead::Other(_, Some(rack))) => {
            format!(
                "{caller}: RAck of a PRACK has to repeat RSeq and CSeq of the response: {} {} INVITE, not {rack} (firmware, or an SBC that rewrites one of them).",
                response.number, response.invite.cseq
            )
            .into()
        }
        PrackFault::Missing(Instead::Other(_, None) | Instead::Nothing) => Steps::from([
            format!(
                "{caller}: it offers 100rel (Supported or Require), so it has to send PRACK to the Contact and Route of the 18x; or switch 100rel off there."
            ),
            format!("{callee}: or do not require 100rel."),
            "Firewalls between them: let PRACK through.".to_owned(),
        ]),
    }
}
