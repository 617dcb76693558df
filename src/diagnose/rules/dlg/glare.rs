//! Both sides change the call at the same moment, and requests whose CSeq runs backwards.
//!
//! Sources: RFC 3261 sections 14.1, 14.2 and 12.2.2; RFC 5407 section 3.3.1.

use std::time::Duration;

use crate::call::{EndpointId, Message, Transaction, TransactionIndex};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::duration;
use crate::diagnose::finding::{Confidence, Observation, Proof, Severity};
use crate::diagnose::rules::dlg::changes::{higher_before, is_change, is_collision, is_pending, refuser};
use crate::sip::{Method, StatusCode};

/// How long a side may take to try again: 4 s at most, and the time of the retry itself.
const RETRY_WAIT: Duration = Duration::from_secs(10);
/// Collisions in one call that show that both sides pause equally long.
const COLLISIONS_MAX: usize = 3;
/// How close together both sides' refusals of one collision come.
const ONE_COLLISION: Duration = Duration::from_millis(500);

/// A change that was refused because another one was under way.
#[derive(Clone, Copy)]
struct Collision<'a> {
    index: TransactionIndex,
    t: Transaction,
    request: &'a Message,
    answer: &'a Message,
}

/// 491, or 500 to a change that overlaps another one.
pub(super) fn dlg_glare(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let changes = context.transactions.each().filter(|(_, t)| t.parent.is_none() && is_change(context, t));
    let collisions: Vec<Collision<'_>> = changes
        .filter_map(|(index, t)| {
            let (request, answer) = (context.message(t.request?)?, context.message(t.final_response?)?);
            is_collision(context, t, answer).then_some(Collision { index, t: *t, request, answer })
        })
        .collect();
    match collisions.last() {
        Some(last) => Some(collided(context, last, rounds(&collisions))),
        None => backwards(context),
    }
}

/// The last collision of a call, which had so many.
fn collided(context: &CallContext<'_>, collision: &Collision<'_>, rounds: usize) -> Observation {
    let Collision { index, t, request, answer } = collision;
    // A proxy passes on what the other side says.
    let there = refuser(context, *index);
    let solved = solved(context, answer);
    let is_unsolved =
        solved.is_none() && context.capture.watched_since(answer.time) >= RETRY_WAIT && !ended_soon(context, answer);
    let outcome = match solved {
        Some(retry) => format!("a new try {:.1} s later succeeded", retry.time.since(answer.time).as_secs_f64()),
        None if is_unsolved => "no later try succeeded within 10 s".to_owned(),
        None => "the call, or the capture, ended before another try".to_owned(),
    };
    let is_trouble = is_unsolved || rounds >= COLLISIONS_MAX;
    let rival = rival(context, collision);
    let own = rival.filter(|rival| rival.from_tag == request.from_tag);
    let observation = Observation::new(Confidence::Certain, Proof::OwnWords);
    let (observation, remedy) = match own {
        Some(own) => too_early(context, observation, collision, there, own, &outcome),
        None => crossed(context, observation, collision, there, rival, &outcome),
    };
    observation
        .severity(if is_trouble { Severity::Warn } else { Severity::Info })
        .beside()
        .remedy(if is_trouble { remedy } else { "Nothing is broken; it costs a few seconds.".to_owned() })
        .shown_by(context.shows(answer, "another change is under way"))
        .shown_by(context.shows(request, "the change that was refused"))
        .at(if own.is_some() { t.source } else { there }, if own.is_some() { "too early" } else { "glare" })
        .maybe_shown_by(rival.map(|rival| context.shows(rival, "the change that was under way")))
        .maybe_shown_by(solved.map(|retry| context.shows(retry, "the change that succeeded")))
}

/// The other change of the call that was pending when this one was refused: one of the other side, where there is one, and of
/// several the one that was sent nearest to it.
fn rival<'a>(context: &CallContext<'a>, Collision { t, request, answer, .. }: &Collision<'_>) -> Option<&'a Message> {
    let pending = context.transactions.each().filter_map(|(_, other)| {
        let sent = context.message(other.request?)?;
        let is_same = sent.from_tag == request.from_tag && sent.cseq == request.cseq;
        let is_open = sent.time <= answer.time && is_pending(context, other, request.time);
        (other.via != t.via && !is_same && is_open && is_change(context, other)).then_some(sent)
    });
    pending.min_by_key(|sent| (sent.from_tag == request.from_tag, interval(sent, request)))
}

fn interval(a: &Message, b: &Message) -> Duration {
    a.time.since(b.time).max(b.time.since(a.time))
}

/// One side did not wait for the answer to its own change; the observation goes with what it has to change.
fn too_early(
    context: &CallContext<'_>,
    observation: Observation,
    Collision { t, request, answer, .. }: &Collision<'_>,
    refuser: EndpointId,
    own: &Message,
    outcome: &str,
) -> (Observation, String) {
    let observation = observation.titled("A change of the call was sent before the one before it was answered").happened(format!(
        "{} sent its {} in frame {} while its {} in frame {} had no final answer yet, and {} refused it with {}; {outcome}.",
        context.capture.name(t.source),
        t.method.text(),
        request.at.frame,
        own.method().map_or("request", Method::text),
        own.at.frame,
        context.capture.name(refuser),
        answer.status().map_or(0, |status| status.0)
    ));
    let remedy = format!(
        "{}: wait for the answer to one change of a call before it sends the next (RFC 3261 section 14.1).",
        context.tables().endpoint(t.source).address
    );
    (observation, remedy)
}

/// The changes of both sides crossed; the observation goes with what they have to change.
fn crossed(
    context: &CallContext<'_>,
    observation: Observation,
    Collision { t, request, answer, .. }: &Collision<'_>,
    refuser: EndpointId,
    rival: Option<&Message>,
    outcome: &str,
) -> (Observation, String) {
    let why = match rival {
        Some(rival) => format!(
            "its own {} (frame {}, sent {} {}) was under way",
            rival.method().map_or("change", Method::text),
            rival.at.frame,
            duration(interval(rival, request)),
            if rival.time <= request.time { "before" } else { "after" }
        ),
        None => "a change of its own was under way".to_owned(),
    };
    let observation = observation
        .titled("Both sides changed the call at the same moment")
        .happened(format!(
            "{} answered the {} of {} with {}",
            context.capture.name(refuser),
            t.method.text(),
            context.capture.name(t.source),
            answer.status().map_or(0, |status| status.0)
        ))
        .because(format!("{why}; {outcome}."));
    let remedy = format!(
        "Let one side alone refresh and change the call; {} or {} does not wait the random time of RFC 3261 section 14.1 (2.1 to 4 s for the caller's side, 0 to 2 s for the other).",
        context.tables().endpoint(t.source).address,
        context.tables().endpoint(refuser).address
    );
    (observation, remedy)
}

/// How many times the sides collided; both sides' 491 of one collision count once.
fn rounds(collisions: &[Collision<'_>]) -> usize {
    let mut count = 0;
    let mut last = None;
    for Collision { answer, .. } in collisions {
        if last.is_none_or(|last| answer.time.since(last) > ONE_COLLISION) {
            count += 1;
        }
        last = Some(answer.time);
    }
    count
}

/// The 2xx to a later change.
fn solved<'a>(context: &CallContext<'a>, answer: &Message) -> Option<&'a Message> {
    context
        .transactions
        .each()
        .filter(|(_, t)| is_change(context, t))
        .filter_map(|(_, t)| {
            let is_success = context.transactions.final_status(t).is_some_and(StatusCode::is_success);
            Some(context.transactions.message(t.final_response.filter(|_| is_success)?))
        })
        .find(|message| message.time > answer.time && message.time.since(answer.time) <= RETRY_WAIT)
}

fn ended_soon(context: &CallContext<'_>, answer: &Message) -> bool {
    let mut all = context.transactions.originals().map(|(_, message)| message);
    all.any(|m| m.is_request(Method::Bye) && m.time > answer.time && m.time.since(answer.time) <= RETRY_WAIT)
}

/// A 500 because the CSeq of a request is not higher than the one before it from the same side.
fn backwards(context: &CallContext<'_>) -> Option<Observation> {
    let refused = context.transactions.each().filter(|(_, t)| {
        t.parent.is_none()
            && t.method != Method::Ack
            && context.transactions.final_status(t).is_some_and(|status| status.0 == 500)
    });
    let (request, before) = refused
        .filter_map(|(_, t)| {
            let request = context.transactions.message(t.request?);
            Some((request, higher_before(context, request)?))
        })
        .next()?;
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .warn()
            .beside()
            .titled("The sequence numbers of the call run backwards")
            .happened(format!(
                "{} sent CSeq {} after CSeq {} in the same call; the other side has to refuse that with 500 (RFC 3261 section 12.2.2). It is a fault of the sender, not a collision.",
                context.name(request.source),
                request.cseq,
                before.cseq
            ))
            .remedy(format!(
                "{}: raise CSeq with every new request of a call; firmware.",
                context.tables().endpoint(request.source).address
            ))
            .shown_by(context.shows(request, format!("CSeq {}", request.cseq)))
            .shown_by(context.shows(before, format!("CSeq {}, earlier", before.cseq)))
            .at(request.source, "cseq"),
    )
}
