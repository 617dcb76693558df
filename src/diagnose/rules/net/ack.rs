//! Answers that are repeated because their ACK does not arrive.
//!
//! Sources: RFC 3261 sections 13.2.2.4 and 13.3.1.4 (2xx), 17.1.1.3 (ACK of failures), 12.2.1.1 (where an ACK goes).

use crate::call::{DropCause, Message, Transaction, answering_hop, drop_cause, is_ack_missed};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::times;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rules::net::ack_way::{AckPlace, ICMP_WAIT, answers, locate};
use crate::diagnose::rules::net::message_evidence::in_messages;
use crate::sip::HeaderName;

/// Repeats in a call without which no ACK was missed: a callee that waits for one sends its answer four times at least.
const REPEATS_MIN: u32 = 3;
/// Sends of a failure response after which its ACK counts as lost.
const FAILURE_SENDS: u32 = 4;

/// The callee repeats its 2xx and hangs up, or would have.
pub(super) fn net_ack_lost(context: &CallContext<'_>) -> Option<Observation> {
    if context.call.retransmissions < REPEATS_MIN {
        return None;
    }
    let Some(dialog) = context.dialogs.first() else {
        return failure_without_ack(context);
    };
    let hop = answering_hop(&context.transactions, dialog);
    if !is_ack_missed(&context.transactions, hop) {
        return None;
    }
    let invite = context.transactions.transaction(hop);
    let was_dropped = matches!(drop_cause(&context.transactions, dialog), Some(DropCause::AckLost { .. }));
    let place = locate(context, hop, invite);
    let answers = answers(context, hop);
    let (first, last) = (*answers.first()?, *answers.last()?);
    let name = context.name(invite.destination);
    let end = match dialog.bye.and_then(|bye| context.transactions.transaction(bye).request) {
        Some(bye) if was_dropped => {
            format!(
                ", so it hung up after {:.1} s",
                context.transactions.message(bye).time.since(first.time).as_secs_f64()
            )
        }
        _ => ": such a call is cut about 32 s after the answer, unless it ends before".to_owned(),
    };
    let explanation = format!(
        "{name} sent its {} {} in {:.1} s and never got the ACK{end}. {}",
        first.status().map_or(200, |status| status.0),
        times(answers.len()),
        last.time.since(first.time).as_secs_f64(),
        place.sentence(context, invite)
    );
    let confidence = if place.is_seen() || was_dropped { Confidence::Certain } else { Confidence::Likely };
    let mut observation = Observation::new(confidence, Proof::Protocol)
        .severity(if was_dropped { Severity::Error } else { Severity::Warn })
        .titled(format!("{} never got the ACK", context.capture.name(invite.destination)))
        .happened(explanation)
        .remedy(remedy(context, invite, first, &place))
        .at(invite.destination, place.signature())
        .maybe_shown_by(in_messages(context, &answers, "repeated until the callee gave up"));
    if let Some(ack) = place.ack() {
        observation =
            observation.shown_by(context.shows(ack, format!("sent to {}", context.capture.name(ack.destination))));
        let until = ack.time.plus(ICMP_WAIT);
        let node = context.capture.node(ack.destination);
        observation =
            observation.maybe_shown_by(context.capture.errors_about(node, first.time, until).next().map(|report| {
                Evidence::seen(report.at, "", format!("{} reported {} for it", report.reporter, report.meaning()))
            }));
    } else {
        observation = observation.shown_by(Evidence::Missing {
            expected: "ACK".to_owned(),
            after: first.at,
            watched: context.capture.watched_since(first.time),
        });
    }
    Some(observation)
}

/// How to see that it is mended.
const RETEST: &str = "Re-test: one 200, an ACK within 0.2 s, and a call longer than 40 s.";

fn remedy(context: &CallContext<'_>, invite: &Transaction, answer: &Message, place: &AckPlace<'_>) -> Steps {
    let address = |endpoint| context.tables().endpoint(endpoint).address;
    let (caller, callee) = (address(invite.source), address(invite.destination));
    let mut steps = match *place {
        AckPlace::WrongTag(ack) | AckPlace::OldBranch(ack) => {
            return format!(
                "{}: its ACK to a 200 needs a new branch, and the From and To tags of the 200. {RETEST}",
                address(ack.source)
            )
            .into();
        }
        AckPlace::Contact(_) => vec![
            format!(
                "{callee}: put the address from which it is reached into Contact (its external or advertised SIP address{}).",
                setting(context, invite)
            ),
            "Or let the proxy in front of it add Record-Route, so that the ACK does not need the Contact.".to_owned(),
        ],
        AckPlace::Astray { .. } => vec![format!(
            "{callee}, or the proxy next to the caller: send answers to the address and port that the request came from (rport, RFC 3581), the 200 like the 180."
        )],
        AckPlace::WrongNumber(ack) => {
            vec![format!("{}: its ACK has to carry the CSeq number of the INVITE (firmware).", address(ack.source))]
        }
        AckPlace::Hop(ack) => {
            let routed = match context.header(answer, HeaderName::RecordRoute) {
                Some(_) => "the route set of the 200 has to be followed there",
                None => "add Record-Route there, so that the ACK takes the same way back",
            };
            vec![format!("{}: it has to pass the ACK on to {callee}; {routed}.", address(ack.destination))]
        }
        AckPlace::Beyond(_) => vec![
            format!(
                "Firewall, NAT and SIP ALG between this capture point and {callee}: let requests inside calls through."
            ),
            format!("Capture on {callee} itself."),
        ],
        AckPlace::Gone(..) => vec![format!(
            "{caller}: find out why its SIP process ended or left its port while the call was set up (crash, restart, a test tool that stops early)."
        )],
        AckPlace::Unanswered(_) => {
            vec![format!("The way of the 200 back to the caller: Via, NAT and firewall between {callee} and {caller}.")]
        }
        // An ACK to a 2xx is the caller's own, however many proxies lie between.
        AckPlace::NeverSent(sender) => {
            vec![format!("{}: it has to acknowledge the 200 (look at its log at that time).", address(sender))]
        }
    };
    steps.push(RETEST.to_owned());
    steps.into()
}

/// Where the product at the callee has this setting, as far as it is known by name.
fn setting(context: &CallContext<'_>, invite: &Transaction) -> &'static str {
    const SETTINGS: [(&str, &str); 4] = [
        ("freeswitch", "; in FreeSWITCH ext-sip-ip and ext-rtp-ip of its profile"),
        ("asterisk", "; in Asterisk external_signaling_address and external_media_address of its transport"),
        ("kamailio", "; in Kamailio advertise in its listen line"),
        ("opensips", "; in OpenSIPS advertised_address"),
    ];
    let software = context.software(invite.destination).unwrap_or_default();
    let software = software.to_ascii_lowercase();
    let known = SETTINGS.iter().find(|(name, _)| software.contains(name));
    known.map_or("", |(_, setting)| setting)
}

/// A refusal that is repeated because nobody acknowledges it: load, no harm to the call.
fn failure_without_ack(context: &CallContext<'_>) -> Option<Observation> {
    let (hop, t) = context.transactions.invites().find(|(_, t)| {
        let is_failure = context.transactions.final_status(t).is_some_and(|status| status.0 >= 300);
        is_failure && t.ack.is_none() && t.final_sends >= FAILURE_SENDS && t.request.is_some()
    })?;
    let refusals: Vec<&Message> = context
        .transactions
        .responses_of(hop)
        .map(|(_, message)| message)
        .filter(|message| message.status().is_some_and(|status| status.0 >= 300))
        .collect();
    // Whoever still repeats the INVITE did not get the refusal: that is another problem.
    let first = refusals.first()?;
    if t.last_request.is_some_and(|last| context.transactions.message(last).time > first.time) {
        return None;
    }
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .warn()
            .beside()
            .titled(format!("{} never acknowledges the refusal", context.capture.name(t.source)))
            .happened(format!(
                "{} sent its {} {}",
                context.capture.name(t.destination),
                first.status().map_or(0, |status| status.0),
                times(refusals.len())
            ))
            .because(format!(
                "no ACK came from {}. The call had failed anyway; this is load for both sides.",
                context.capture.name(t.source)
            ))
            .remedy(format!(
                "{}: acknowledge final responses, or let them through to it.",
                context.capture.store.tables.endpoint(t.source).address
            ))
            .shown_by(in_messages(context, &refusals, "repeated for want of an ACK")?)
            .at(t.source, "failure"),
    )
}
