//! Hang-ups that never reach the other side.
//!
//! Sources: RFC 3261 sections 15.1.1 and 12.2.1.2.

use std::time::Duration;

use crate::call::beside::icmp::IcmpReport;
use crate::call::detail::silence::follows_timer;
use crate::call::{Message, Transaction, TransactionIndex, is_ack_missed, is_private};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rules::dlg::swallowed;
use crate::diagnose::rules::net::{icmp, in_messages, times};
use crate::net::Endpoint;
use crate::sip::Method;

/// Sends after which a BYE counts as lost: the first and three repeats.
const SENDS_MIN: usize = 4;
/// How long a BYE is repeated at most: 64 × T1 (RFC 3261 section 17.1.2.2).
const BYE_WAIT: Duration = Duration::from_secs(32);
/// Sends of a BYE that ran its whole timer.
const SENDS_ALL: usize = 10;
/// BYEs of both sides that come so close together cross each other.
const CROSSING: Duration = Duration::from_secs(2);

/// A BYE that nothing answers, or that a proxy keeps to itself.
pub(super) fn dlg_bye_lost(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    unanswered(context).or_else(|| swallowed::bye(context))
}

fn unanswered(context: &CallContext<'_>) -> Option<Observation> {
    if context.call.retransmissions < 3 {
        return None;
    }
    let (index, bye) =
        context.transactions.each().find(|(index, t)| is_lost(context, *index, t)).map(|(index, t)| (index, *t))?;
    let sends: Vec<&Message> = context.transactions.sends_of(index).map(|(_, m)| m).collect();
    let (first, last) = (*sends.first()?, *sends.last()?);
    let there = context.tables().endpoint(bye.destination);
    let kind =
        if is_private(there.address) && !context.capture.history().has_spoken(context.capture.node(bye.destination)) {
            format!("{there}, a private address that never answers anything,")
        } else {
            there.to_string()
        };
    let reports = icmp::reports(context, &bye);
    let impact = match later_end(context, first) {
        Some(end) => format!(
            "; the other side held the call for another {:.0} s (its own BYE is frame {})",
            end.time.since(first.time).as_secs_f64(),
            end.at.frame
        ),
        // Where nothing is there any more, nothing holds the call.
        None if !reports.is_empty() => String::new(),
        None => "; for the other side the call may still be up".to_owned(),
    };
    let Told { confidence, way, remedy } = told(context, &bye, there, reports.first().copied());
    let mut observation = Observation::new(confidence, Proof::Protocol)
        .titled("The hang-up did not reach the other side")
        .happened(format!(
            "{} hung up, but its BYE to {kind} was sent {} and never answered{impact}.{way}",
            context.name(bye.source),
            times(sends.len())
        ))
        .remedy(remedy)
        .at(bye.destination, "bye")
        .maybe_shown_by(in_messages(context, &sends, "the BYE, never answered"))
        .shown_by(Evidence::Missing {
            expected: "a response to BYE".to_owned(),
            after: last.at,
            watched: context.capture.watched_since(last.time),
        });
    if !reports.is_empty() {
        observation = observation.shown_by(icmp::evidence(&reports));
    }
    observation = observation.maybe_shown_by(
        later_end(context, first).map(|end| context.shows(end, "the other side's own end of the call")),
    );
    Some(observation)
}

/// How sure, what is known of the way, and who changes what.
struct Told {
    confidence: Confidence,
    way: String,
    remedy: Steps,
}

fn told(context: &CallContext<'_>, bye: &Transaction, there: Endpoint, report: Option<&IcmpReport>) -> Told {
    let here = context.tables().endpoint(bye.source);
    if let Some(report) = report {
        return Told {
            confidence: Confidence::Certain,
            way: format!(
                " {} reported `{}` for it (frame {}): {}.",
                icmp::reporter(report, there),
                report.meaning(),
                report.at.frame,
                icmp::consequence(report)
            ),
            remedy: icmp::remedy(report, here, there, bye.transport),
        };
    }
    if has_ack_arrived(context, bye) {
        return Told {
            confidence: Confidence::Likely,
            way: " The ACK of this call arrived on the same way: the BYE, or the answer to it, was lost, or the other side had forgotten the call.".to_owned(),
            remedy: Steps::from([
                format!("On {there}: look up in its log whether the BYE arrived and what it made of it."),
                format!(
                    "Between {there} and {}: look for loss, and for firewalls that end a flow during the call.",
                    here.address
                ),
            ]),
        };
    }
    Told {
        confidence: Confidence::Certain,
        way: String::new(),
        remedy: Steps::from([
            format!(
                "The side behind {there}: put an address into Contact (or let its proxy add Record-Route) that {} can reach.",
                here.address
            ),
            "Firewall and NAT between them: let requests inside calls through for as long as a call lasts.".to_owned(),
            "Re-test: the BYE must get its 200 at once.".to_owned(),
        ]),
    }
}

/// Whether the callee heard the ACK of the call, which went the way that the BYE goes.
fn has_ack_arrived(context: &CallContext<'_>, bye: &Transaction) -> bool {
    context.dialogs.first().is_some_and(|dialog| {
        let acked = context.transactions.transaction(dialog.invite).ack;
        let ack = acked.and_then(|ack| context.message(ack));
        ack.is_some_and(|ack| ack.source == bye.source && ack.destination == bye.destination)
            && !is_ack_missed(&context.transactions, dialog.invite)
    })
}

fn is_lost(context: &CallContext<'_>, index: TransactionIndex, t: &Transaction) -> bool {
    if t.method != Method::Bye
        || t.final_response.is_some()
        || t.transport.is_reliable()
        || (t.sends as usize) < SENDS_MIN
        || context.transactions.children(index).next().is_some()
        || context.transactions.responses_of(index).next().is_some()
    {
        return false;
    }
    let sends: Vec<&Message> = context.transactions.sends_of(index).map(|(_, m)| m).collect();
    let moments: Vec<_> = sends.iter().map(|message| message.time).collect();
    let (Some(first), true) = (sends.first(), follows_timer(&moments)) else {
        return false;
    };
    let was_watched = sends.len() >= SENDS_ALL || context.capture.watched_since(first.time) >= BYE_WAIT;
    let crosses = context.transactions.originals().any(|(_, m)| {
        m.is_request(Method::Bye)
            && m.from_tag == first.to_tag
            && m.time.since(first.time).max(first.time.since(m.time)) <= CROSSING
    });
    was_watched && !crosses
}

/// The BYE with which the other side ended the call by itself.
pub(super) fn later_end<'a>(context: &CallContext<'a>, bye: &Message) -> Option<&'a Message> {
    context
        .transactions
        .originals()
        .map(|(_, message)| message)
        .find(|message| message.is_request(Method::Bye) && message.from_tag == bye.to_tag && message.time > bye.time)
}
