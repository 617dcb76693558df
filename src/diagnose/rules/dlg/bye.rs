//! Hang-ups that never reach the other side.
//!
//! Sources: RFC 3261 sections 15.1.1 and 12.2.1.2.

use std::time::Duration;

use crate::call::beside::icmp::IcmpReport;
use crate::call::detail::silence::follows_timer;
use crate::call::{Message, Transaction, TransactionIndex, is_ack_missed, is_private};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::times;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rules::dlg::other_end::{held_on, later_end};
use crate::diagnose::rules::dlg::swallowed;
use crate::diagnose::rules::net::icmp;
use crate::diagnose::rules::net::message_evidence::in_messages;
use crate::net::Endpoint;
use crate::sip::Method;

/// Repeats after which a BYE counts as lost.
const REPEATS_MIN: u32 = 3;
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
    match lost_bye(context) {
        Some(lost) => Some(observation(context, &lost)),
        None => swallowed::kept_by_proxy(context),
    }
}

/// A BYE that was sent again and again, and that nothing answered.
struct LostBye<'a> {
    bye: Transaction,
    sends: Vec<&'a Message>,
    first: &'a Message,
    last: &'a Message,
    /// ICMP errors that quote it.
    reports: Vec<&'a IcmpReport>,
    /// The BYE with which the other side ended the call by itself.
    later_end: Option<&'a Message>,
}

fn lost_bye<'a>(context: &CallContext<'a>) -> Option<LostBye<'a>> {
    if context.call.retransmissions < REPEATS_MIN {
        return None;
    }
    let (index, bye) = context.transactions.each().find(|(index, t)| is_lost(context, *index, t))?;
    let sends: Vec<&Message> = context.transactions.sends_of(index).map(|(_, message)| message).collect();
    let (first, last) = (*sends.first()?, *sends.last()?);
    let (reports, later_end) = (icmp::reports(context, bye), later_end(context, first));
    Some(LostBye { bye: *bye, sends, first, last, reports, later_end })
}

fn observation(context: &CallContext<'_>, lost: &LostBye<'_>) -> Observation {
    let LostBye { bye, sends, first, last, reports, later_end } = lost;
    let there = context.tables().endpoint(bye.destination);
    let never_speaks = || !context.capture.history().has_spoken(context.capture.node(bye.destination));
    let whereto = if is_private(there.address) && never_speaks() {
        format!("{there}, a private address that never answers anything,")
    } else {
        there.to_string()
    };
    let impact = match later_end {
        Some(end) => format!("; the other side {}", held_on(first, end)),
        // Where nothing is there any more, nothing holds the call.
        None if !reports.is_empty() => String::new(),
        None => "; for the other side the call may still be up".to_owned(),
    };
    let (confidence, known, remedy) = way(context, bye, there, reports.first().copied());
    Observation::new(confidence, Proof::Protocol)
        .titled("The hang-up did not reach the other side")
        .happened(format!(
            "{} hung up, but its BYE to {whereto} was sent {} and never answered{impact}.{known}",
            context.name(bye.source),
            times(sends.len())
        ))
        .remedy(remedy)
        .at(bye.destination, "bye")
        .maybe_shown_by(in_messages(context, sends, "the BYE, never answered"))
        .shown_by(Evidence::Missing {
            expected: "a response to BYE".to_owned(),
            after: last.at,
            watched: context.capture.watched_since(last.time),
        })
        .maybe_shown_by((!reports.is_empty()).then(|| icmp::evidence(reports)))
        .maybe_shown_by(later_end.map(|end| context.shows(end, "the other side's own end of the call")))
}

/// How sure, what is known of the way that the BYE takes, and who changes what.
fn way(
    context: &CallContext<'_>,
    bye: &Transaction,
    there: Endpoint,
    report: Option<&IcmpReport>,
) -> (Confidence, String, Steps) {
    let here = context.tables().endpoint(bye.source);
    if let Some(report) = report {
        let known = format!(
            " {} reported `{}` for it (frame {}): {}.",
            icmp::reporter(report, there),
            report.meaning(),
            report.at.frame,
            icmp::consequence(report)
        );
        return (Confidence::Certain, known, icmp::remedy(report, here, there, bye.transport));
    }
    if has_ack_arrived(context, bye) {
        return (
            Confidence::Likely,
            " The ACK of this call arrived on the same way: the BYE, or the answer to it, was lost, or the other side had forgotten the call.".to_owned(),
            Steps::from([
                format!("On {there}: look up in its log whether the BYE arrived and what it made of it."),
                format!(
                    "Between {there} and {}: look for loss, and for firewalls that end a flow during the call.",
                    here.address
                ),
            ]),
        );
    }
    let steps = Steps::from([
        format!(
            "The side behind {there}: put an address into Contact (or let its proxy add Record-Route) that {} can reach.",
            here.address
        ),
        "Firewall and NAT between them: let requests inside calls through for as long as a call lasts.".to_owned(),
        "Re-test: the BYE must get its 200 at once.".to_owned(),
    ]);
    (Confidence::Certain, String::new(), steps)
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
        || t.sends <= REPEATS_MIN
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
