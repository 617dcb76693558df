//! The switch of a call to T.38 fax, or back to voice, that was refused.
//!
//! Sources: ITU-T T.38 annex D, RFC 3264 section 8, RFC 3261 section 14.

use crate::call::outcome::negotiation::{self, Change, Exchange, change_wanted, is_agreed, used};
use crate::call::{MessageIndex, TransactionIndex};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity};
use crate::diagnose::rules::sdp::offer;
use crate::sip::sdp::MediaKind;

/// The first switch that was refused, and that no later try brought about.
pub fn switch_refused(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let transactions = &context.transactions;
    let changes: Vec<(Exchange, Change)> = negotiation::changes(transactions)
        .map(|exchange| (exchange, change_wanted(transactions, exchange.transaction)))
        .filter(|(_, change)| matches!(change, Change::Fax | Change::Voice))
        .collect();
    let (refused, change) = changes.iter().find(|(exchange, change)| was_refused(context, exchange, *change))?;
    let later = || changes.iter().filter(|(other, _)| other.transaction > refused.transaction);
    // Glare, a login or another try: what was refused once came to pass.
    if later().any(|(other, again)| again == change && took(context, other, *again)) {
        return None;
    }
    Some(observation(context, refused, *change))
}

fn took(context: &CallContext<'_>, exchange: &Exchange, change: Change) -> bool {
    is_agreed(&context.transactions, exchange) && !is_line_refused(context, exchange, change)
}

fn is_line_refused(context: &CallContext<'_>, exchange: &Exchange, change: Change) -> bool {
    let wanted = if change == Change::Fax { MediaKind::Image } else { MediaKind::Audio };
    let answer = exchange.answer.and_then(|at| context.message(at));
    answer.is_some_and(|answer| {
        let sdp = context.tables().sessions.shape(answer.session);
        sdp.media(wanted).is_none_or(|media| media.is_refused())
    })
}

fn was_refused(context: &CallContext<'_>, exchange: &Exchange, change: Change) -> bool {
    let last = exchange.concluded.and_then(|at| context.message(at));
    let Some(status) = last.and_then(|last| last.status()) else {
        return false;
    };
    match status.0 {
        401 | 407 | 408 | 481 | 491 | 487 => false,
        300.. => true,
        _ => exchange.answer.is_some() && is_line_refused(context, exchange, change),
    }
}

/// The hop farthest from the asking side at which the same answer was given.
fn last_hop(context: &CallContext<'_>, first: TransactionIndex) -> TransactionIndex {
    /// Hops followed; a forged capture may nest any number.
    const HOPS_MAX: usize = 32;
    let mut hop = first;
    for _ in 0..HOPS_MAX {
        let status = context.transactions.final_status(context.transactions.transaction(hop));
        let next = context
            .transactions
            .children(hop)
            .find(|(index, child)| *index > hop && context.transactions.final_status(child) == status);
        match next {
            Some((index, _)) => hop = index,
            None => break,
        }
    }
    hop
}

fn observation(context: &CallContext<'_>, refused: &Exchange, change: Change) -> Observation {
    let transactions = &context.transactions;
    let root = transactions.transaction(last_hop(context, refused.transaction));
    let (asker, refuser) = (context.capture.name(root.source), root.destination);
    let request = root.request.map(|at| transactions.message(at));
    let response = root.final_response.map(|at| transactions.message(at));
    let status = transactions.final_status(root).map_or(0, |status| status.0);
    let answered = context.call.milestones.answered;
    let after = request.zip(answered).map_or(0.0, |(request, answered)| request.time.millis_since(answered) / 1000.0);
    let fallback = fallback(context, refused.concluded);
    let how = if status < 300 { "answered its line with port 0".to_owned() } else { format!("refused with {status}") };
    let what = match change {
        Change::Fax => "switch to T.38 fax",
        _ => "switch from fax back to voice",
    };
    let end = match (change, fallback) {
        (Change::Fax, Some(frame)) => {
            format!("; it fell back to voice codecs with a further re-INVITE (frame {frame})")
        }
        (Change::Fax, None) => " and no fallback to G.711 pass-through followed".to_owned(),
        _ => String::new(),
    };
    let severity = if fallback.is_some() { Severity::Warn } else { Severity::Error };
    let mut observation = Observation::new(Confidence::Certain, Proof::OwnWords)
        .severity(severity)
        .titled("The switch to or from T.38 fax was refused")
        .happened(format!(
            "{asker} asked to {what} {after:.1} s after the answer; {} {how}{end}.",
            context.name(refuser)
        ))
        .remedy(format!(
            "On {}: enable T.38 for this peer. Or on {asker}: fall back to fax over PCMU or PCMA without voice \
                 activity detection.",
            context.capture.name(refuser)
        ))
        .at(refuser, format!("{what} {status}"))
        .beside();
    if let Some(request) = request {
        let lines = offer::media_lines(context.tables(), request.session);
        observation = observation.shown_by(Evidence::seen(request.at, lines, "the wanted switch"));
    }
    observation = observation.maybe_shown_by(response.map(|response| context.shows(response, "its answer")));
    observation.not("sdp-codec-mismatch", "fax was asked for, not a voice codec")
}

/// The frame of a later offer of voice that was taken.
fn fallback(context: &CallContext<'_>, after: Option<MessageIndex>) -> Option<u32> {
    let transactions = &context.transactions;
    let later = negotiation::changes(transactions).find(|exchange| {
        exchange.offer > after
            && is_agreed(transactions, exchange)
            && exchange.offer.is_some_and(|at| {
                let sdp = context.tables().sessions.shape(transactions.message(at).session);
                used(sdp).any(|media| media.kind == MediaKind::Audio)
            })
    });
    Some(transactions.message(later?.offer?).at.frame)
}
