//! Session descriptions that one side sent twice: another answer behind the one that held, and a hold without a new version.
//!
//! Sources: RFC 3264 section 8 (the version of o=), RFC 3261 section 13.2.1 and RFC 6337 section 3 (one answer for one offer).

use crate::call::outcome::negotiation::{Change, changes, difference, is_agreed, is_whole, used};
use crate::call::{Message, MessageIndex, NodeId, SessionId, TextId, TransactionIndex};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rules::sdp::offer;
use crate::sip::sdp::{Direction, Media};
use crate::sip::{HeaderName, Method, StatusCode};

/// Speakers of one call whose last description is kept; a forged capture may hold any number.
const SPEAKERS_MAX: usize = 16;

/// A 2xx whose session description is not the one of the reliable response before it, which had answered the offer.
pub fn second_answer(context: &CallContext<'_>, first: TransactionIndex) -> Option<Observation> {
    let transactions = &context.transactions;
    let invite = transactions.transaction(first);
    let answer = context.message(invite.final_response?)?;
    let request = context.message(invite.last_request?)?;
    let has_success = answer.status().is_some_and(StatusCode::is_success);
    if !has_success || answer.session.is_absent() || request.session.is_absent() {
        return None;
    }
    let mut early = transactions.responses_of(first).map(|(_, message)| message);
    let held = early.find(|message| {
        message.status().is_some_and(StatusCode::is_provisional)
            && message.to_tag == answer.to_tag
            && !message.session.is_absent()
            && is_whole(message)
            && context.header(message, HeaderName::RSeq).is_some()
    })?;
    let change = changed(context, held.session, answer.session)
        .filter(|change| *change != Change::Codecs || !is_narrower(context, held, answer))?;
    // A change that was agreed meanwhile makes the session another one.
    let was_changed = transactions.originals().any(|(_, message)| {
        let offers = matches!(message.method(), Some(Method::Update | Method::Prack));
        offers && !message.session.is_absent()
    });
    if was_changed || !is_whole(answer) || !is_whole(request) {
        return None;
    }
    let answerer = context.capture.name(answer.source);
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .warn()
            .titled("Two answers to one offer")
            .happened(format!(
                "{} had answered the offer in a reliable {}, and sent another session description in its {} ({}): {} may go on with the first one, so that media go astray.",
                context.name(answer.source),
                held.status().map_or(0, |status| status.0),
                answer.status().map_or(0, |status| status.0),
                what(change),
                context.capture.name(invite.source)
            ))
            .remedy(format!(
                "On {answerer}: repeat the first answer in the 200 or leave it out, and change the session by UPDATE (firmware, or the SDP rules of the SBC in front of it)."
            ))
            .shown_by(shown(context, answer, "the second answer"))
            .shown_by(shown(context, held, "the answer that holds"))
            .at(answer.source, "second answer")
            .beside(),
    )
}

/// A hold whose o= line has the version of the description before it, and that the other side did not follow.
pub fn kept_version(context: &CallContext<'_>) -> Option<Observation> {
    changes(&context.transactions).next()?;
    let begin = context.dialogs.first()?.answer;
    let sessions = &context.tables().sessions;
    let mut spoken: Vec<(NodeId, TextId, &Message)> = Vec::new();
    for (at, message) in context.transactions.originals() {
        if message.session.is_absent() || !is_whole(message) {
            continue;
        }
        let own_tag = match message.method() {
            Some(_) => message.from_tag,
            None => message.to_tag,
        };
        let node = context.capture.node(message.source);
        let known = spoken.iter_mut().find(|(speaker, tag, _)| (*speaker, *tag) == (node, own_tag));
        let Some((_, _, before)) = known else {
            if spoken.len() < SPEAKERS_MAX {
                spoken.push((node, own_tag, message));
            }
            continue;
        };
        let last = std::mem::replace(before, message);
        let (own, earlier) = (sessions.origin(message.session), sessions.origin(last.session));
        if at > begin
            && own == earlier
            && own.0 != 0
            && changed(context, last.session, message.session) == Some(Change::Hold)
            && let Some(answer) = unfollowed(context, at)
        {
            return Some(kept(context, message, answer));
        }
    }
    None
}

/// The answer to a hold that says in words that media go both ways, as before.
fn unfollowed<'a>(context: &CallContext<'a>, offer: MessageIndex) -> Option<&'a Message> {
    let exchange = changes(&context.transactions).find(|exchange| exchange.offer == Some(offer))?;
    let (offer, answer) = (context.message(offer)?, context.message(exchange.answer?)?);
    let sessions = &context.tables().sessions;
    let direction = |message: &Message| {
        let mut lines = used(sessions.shape(message.session));
        lines.next().and_then(|line| line.common.direction)
    };
    let holds = matches!(direction(offer), Some(Direction::SendOnly | Direction::Inactive));
    let went_on = is_agreed(&context.transactions, &exchange) && direction(answer) == Some(Direction::SendRecv);
    (holds && went_on).then_some(answer)
}

fn kept(context: &CallContext<'_>, hold: &Message, answer: &Message) -> Observation {
    let (_, version) = context.tables().sessions.origin(hold.session);
    let (holder, other) = (context.capture.name(hold.source), context.capture.name(answer.source));
    Observation::new(Confidence::Possible, Proof::Protocol)
        .warn()
        .titled("A hold was answered as if nothing had changed")
        .happened(format!(
            "{:.1} s into the call {} put it on hold with the same version {version} in its o= line as before, and {} answered with sendrecv: it possibly took the description for a repetition, or heeds no hold at all.",
            context.seconds_in(hold),
            context.name(hold.source),
            context.name(answer.source)
        ))
        .remedy(format!(
            "On {holder}: raise the version in o= with every change (firmware, or the SDP rules of the SBC in front of it)."
        ))
        .remedy(format!("Or on {other}: answer sendonly with recvonly or inactive, whatever the version."))
        .shown_by(shown(context, hold, "the hold, without a new version"))
        .shown_by(shown(context, answer, "answered as before"))
        .at(hold.source, "version")
        .beside()
}

/// Whether an answer has codecs of the one before alone, with the same one first: whoever goes on with the first uses that.
fn is_narrower(context: &CallContext<'_>, before: &Message, after: &Message) -> bool {
    let sessions = &context.tables().sessions;
    let (old, new) = (sessions.shape(before.session), sessions.shape(after.session));
    let keys = |line: &Media| -> Vec<String> { line.real_codecs().map(|codec| codec.key()).collect() };
    let mut pairs = used(old).zip(used(new));
    sessions.media(before.session) == sessions.media(after.session)
        && pairs.all(|(old, new)| {
            let (old, new) = (keys(old), keys(new));
            old.first() == new.first() && new.iter().all(|key| old.contains(key))
        })
}

/// What separates two descriptions for whoever sends media by them; `None` where nothing does.
fn changed(context: &CallContext<'_>, before: SessionId, after: SessionId) -> Option<Change> {
    let sessions = &context.tables().sessions;
    if before == after
        || sessions.shape_number(before) == sessions.shape_number(after)
            && sessions.media(before) == sessions.media(after)
    {
        return None;
    }
    match difference(context.tables(), before, after) {
        Change::Refresh | Change::Other => None,
        change => Some(change),
    }
}

fn what(change: Change) -> &'static str {
    match change {
        Change::Hold => "on hold",
        Change::Resume => "off hold",
        Change::Fax => "fax in place of voice",
        Change::Voice => "voice in place of fax",
        Change::Add(_) => "one more stream",
        Change::Remove(_) => "one stream less",
        Change::Profile => "another kind of encryption",
        Change::Codecs => "other codecs",
        Change::Address => "another media address or port",
        Change::Refresh | Change::NewOffer | Change::Other => "other settings",
    }
}

fn shown(context: &CallContext<'_>, message: &Message, shows: &str) -> Evidence {
    Evidence::seen(message.at, offer::media_lines(context.tables(), message.session), shows)
}
