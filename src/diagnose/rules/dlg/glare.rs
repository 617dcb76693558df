//! Both sides change the call at the same moment, and requests whose CSeq runs backwards.
//!
//! Sources: RFC 3261 sections 14.1, 14.2 and 12.2.2; RFC 5407 section 3.3.1.

use std::time::Duration;

use crate::call::{EndpointId, Message, Transaction, TransactionIndex};
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::duration;
use crate::diagnose::finding::{Confidence, Observation, Proof, Severity};
use crate::diagnose::rules::dlg::session_timer::refuser;
use crate::sip::{HeaderName, Method, StatusCode};

/// How long a side may take to try again: 4 s at most, and the time of the retry itself.
const RETRY_WAIT: Duration = Duration::from_secs(10);
/// Collisions in one call that show that both sides pause equally long.
const COLLISIONS_MAX: usize = 3;
/// How long a request without answer is under way at most (64 × T1, RFC 3261 section 17.1).
const PENDING_MAX: Duration = Duration::from_secs(32);

/// 491, or 500 to a change that overlaps another one.
pub(super) fn dlg_glare(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let collisions: Vec<(TransactionIndex, &Transaction, &Message, &Message)> = context
        .transactions
        .each()
        .filter(|(_, t)| t.parent.is_none() && is_change(context, t))
        .filter_map(|(index, t)| {
            let request = context.transactions.message(t.request?);
            let answer = context.transactions.message(t.final_response?);
            is_collision(context, t, answer).then_some((index, t, request, answer))
        })
        .collect();
    if collisions.is_empty() {
        return backwards(context);
    }
    let (index, t, request, answer) = *collisions.last()?;
    // A proxy passes on what the other side says.
    let there = refuser(context, index);
    let solved = solved(context, answer);
    let rounds = rounds(&collisions);
    let is_unsolved =
        solved.is_none() && context.capture.watched_since(answer.time) >= RETRY_WAIT && !ended_soon(context, answer);
    let outcome = match solved {
        Some(retry) => format!("a new try {:.1} s later succeeded", retry.time.since(answer.time).as_secs_f64()),
        None if is_unsolved => "no later try succeeded within 10 s".to_owned(),
        None => "the call, or the capture, ended before another try".to_owned(),
    };
    let is_trouble = is_unsolved || rounds >= COLLISIONS_MAX;
    let rival = rival(context, t, request, answer);
    let (title, (story, why), remedy) = words(context, t, there, (request, answer), rival);
    let is_own = rival.is_some_and(|rival| rival.from_tag == request.from_tag);
    let observation = Observation::new(Confidence::Certain, Proof::OwnWords);
    let observation = match why {
        Some(why) => observation.happened(story).because(format!("{why}; {outcome}.")),
        None => observation.happened(format!("{story}; {outcome}.")),
    };
    Some(
        observation
            .severity(if is_trouble { Severity::Warn } else { Severity::Info })
            .beside()
            .titled(title)
            .remedy(if is_trouble { remedy } else { "Nothing is broken; it costs a few seconds.".to_owned() })
            .shown_by(context.shows(answer, "another change is under way"))
            .shown_by(context.shows(request, "the change that was refused"))
            .at(if is_own { t.source } else { there }, if is_own { "too early" } else { "glare" })
            .maybe_shown_by(rival.map(|rival| context.shows(rival, "the change that was under way")))
            .maybe_shown_by(solved.map(|retry| context.shows(retry, "the change that succeeded"))),
    )
}

/// The other change of the call that was pending when this one was refused: one of the other side, where there is one, and of
/// several the one that was sent nearest to it.
fn rival<'a>(context: &CallContext<'a>, t: &Transaction, request: &Message, answer: &Message) -> Option<&'a Message> {
    let pending = context.transactions.each().filter_map(|(_, other)| {
        let sent = context.message(other.request?)?;
        let is_same = sent.from_tag == request.from_tag && sent.cseq == request.cseq;
        let is_open = sent.time <= answer.time && is_pending(context, other, request.time);
        (other.via != t.via && !is_same && is_open && is_change(context, other)).then_some(sent)
    });
    pending.min_by_key(|sent| (sent.from_tag == request.from_tag, apart(sent, request)))
}

/// Whether a change had no final answer yet at a moment. The answer may be missing in the capture: an ACK tells that there was
/// one, and no request waits for ever.
fn is_pending(context: &CallContext<'_>, change: &Transaction, at: Timestamp) -> bool {
    let sent = context.transactions.message(change.first);
    match change.final_response {
        Some(end) => context.transactions.message(end).time >= at,
        None => !is_acknowledged(context, sent) && at.since(sent.time) <= PENDING_MAX,
    }
}

/// Whether an ACK to an INVITE was sent, so that it had its answer.
fn is_acknowledged(context: &CallContext<'_>, invite: &Message) -> bool {
    context.transactions.originals().any(|(_, message)| {
        message.is_request(Method::Ack) && message.from_tag == invite.from_tag && message.cseq == invite.cseq
    })
}

fn apart(a: &Message, b: &Message) -> Duration {
    a.time.since(b.time).max(b.time.since(a.time))
}

/// Title, what happened and why, and what to change where it does not end well.
fn words(
    context: &CallContext<'_>,
    t: &Transaction,
    refuser: EndpointId,
    (request, answer): (&Message, &Message),
    rival: Option<&Message>,
) -> (&'static str, (String, Option<String>), String) {
    let code = answer.status().map_or(0, |status| status.0);
    let (method, there) = (t.method.text(), context.capture.name(refuser));
    let address = |endpoint| context.tables().endpoint(endpoint).address;
    match rival.filter(|rival| rival.from_tag == request.from_tag) {
        Some(rival) => (
            "A change of the call was sent before the one before it was answered",
            (
                format!(
                    "{} sent its {method} in frame {} while its {} in frame {} had no final answer yet, and {there} refused it with {code}",
                    context.capture.name(t.source),
                    request.at.frame,
                    rival.method().map_or("request", Method::text),
                    rival.at.frame
                ),
                None,
            ),
            format!(
                "{}: wait for the answer to one change of a call before it sends the next (RFC 3261 section 14.1).",
                address(t.source)
            ),
        ),
        None => {
            let why = match rival {
                Some(rival) => format!(
                    "its own {} (frame {}, sent {} {}) was under way",
                    rival.method().map_or("change", Method::text),
                    rival.at.frame,
                    duration(apart(rival, request)),
                    if rival.time <= request.time { "before" } else { "after" }
                ),
                None => "a change of its own was under way".to_owned(),
            };
            (
                "Both sides changed the call at the same moment",
                (format!("{there} answered the {method} of {} with {code}", context.capture.name(t.source)), Some(why)),
                format!(
                    "Let one side alone refresh and change the call; {} or {} does not wait the random time of RFC 3261 section 14.1 (2.1 to 4 s for the caller's side, 0 to 2 s for the other).",
                    address(t.source),
                    address(refuser)
                ),
            )
        }
    }
}

fn is_change(context: &CallContext<'_>, t: &Transaction) -> bool {
    matches!(t.method, Method::Invite | Method::Update)
        && t.request.is_some_and(|request| !context.transactions.message(request).to_tag.is_absent())
}

/// Whether a change was refused because another one was under way.
pub(in crate::diagnose::rules) fn is_collision(context: &CallContext<'_>, t: &Transaction, answer: &Message) -> bool {
    match answer.status().map_or(0, |status| status.0) {
        491 => true,
        500 => {
            let retry_after = context
                .header(answer, HeaderName::RetryAfter)
                .and_then(|value| value.split([';', ' ', '(']).next()?.parse::<u32>().ok());
            retry_after.is_some_and(|seconds| seconds <= 10) && overlaps(context, t)
        }
        _ => false,
    }
}

/// Whether another change of the same call was pending when this one was sent.
fn overlaps(context: &CallContext<'_>, t: &Transaction) -> bool {
    let sent = context.transactions.message(t.first).time;
    context.transactions.each().any(|(_, other)| {
        is_change(context, other)
            && other.first != t.first
            && other.via != t.via
            && context.transactions.message(other.first).time <= sent
            && is_pending(context, other, sent)
    })
}

/// Collisions that lie apart; both sides' 491 of one collision count once.
fn rounds(collisions: &[(TransactionIndex, &Transaction, &Message, &Message)]) -> usize {
    let mut count = 0;
    let mut last = None;
    for (_, _, _, answer) in collisions {
        if last.is_none_or(|last| answer.time.since(last) > Duration::from_millis(500)) {
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
    context
        .transactions
        .originals()
        .any(|(_, m)| m.is_request(Method::Bye) && m.time > answer.time && m.time.since(answer.time) <= RETRY_WAIT)
}

/// An earlier request of the same side in the call whose CSeq is not lower, so that this one has to be refused.
pub(in crate::diagnose::rules) fn higher_before<'a>(
    context: &CallContext<'a>,
    request: &Message,
) -> Option<&'a Message> {
    if request.to_tag.is_absent() {
        return None;
    }
    let mut all = context.transactions.originals().map(|(_, message)| message);
    all.find(|earlier| {
        earlier
            .method()
            .is_some_and(|method| !matches!(method, Method::Ack | Method::Cancel))
            && earlier.from_tag == request.from_tag
            && earlier.source == request.source
            && earlier.group == request.group
            && earlier.via != request.via
            && earlier.time < request.time
            && earlier.cseq >= request.cseq
            // Each dialog has numbers of its own, and a forked call has several dialogs.
            && (earlier.to_tag.is_absent() || earlier.to_tag == request.to_tag)
    })
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
