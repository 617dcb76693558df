//! sdp-answer-invalid: an answer that does not fit its offer.
//!
//! Sources: RFC 3264 sections 6 and 8, RFC 6337 section 3.

use std::time::Duration;

use crate::call::outcome::negotiation::{Exchange, changes, exchange, is_whole, used};
use crate::call::{Message, TransactionIndex};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity};
use crate::diagnose::rules::sdp::offer;
use crate::diagnose::rules::sdp::versions::{kept_version, second_answer};
use crate::sip::sdp::{Direction, Media, MediaKind, Profile};
use crate::sip::{Sdp, StatusCode};

/// Who cannot use an answer hangs up within this time.
const HANG_UP_MAX: Duration = Duration::from_secs(2);
/// Hops and changes looked at; a forged capture may hold any number.
const EXCHANGES_MAX: usize = 64;

/// What is wrong with an answer.
struct Fault {
    what: String,
    kind: &'static str,
    severity: Severity,
    place: usize,
}

/// The rule.
pub fn sdp_answer_invalid(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_answered() {
        return None;
    }
    let first = context.dialogs.first()?.invite;
    let opening = hops_of(context, first);
    let exchanges = opening
        .into_iter()
        .map(|hop| exchange(&context.transactions, hop))
        .chain(changes(&context.transactions))
        .take(EXCHANGES_MAX);
    let mut judged = None;
    let faults = exchanges.filter_map(|exchange| {
        let (offer, answer) = agreed(context, &exchange)?;
        // Most hops pass on what they got, and the same is found fault with once.
        let sessions = &context.tables().sessions;
        let shapes = [offer, answer].map(|message| sessions.shape_number(message.session));
        if judged.replace(shapes) == Some(shapes) {
            return None;
        }
        let fault = fault(context, offer, answer)?;
        Some((offer, answer, fault))
    });
    // The hop farthest from the caller comes first: there the answer was made.
    let mut faults: Vec<_> = faults.collect();
    faults.sort_by_key(|(_, _, fault)| std::cmp::Reverse(fault.severity));
    match faults.first() {
        Some((offer, answer, fault)) => Some(observation(context, offer, answer, fault)),
        None => second_answer(context, first).or_else(|| kept_version(context)),
    }
}

/// The answered hops of an INVITE, the one next to the callee first.
fn hops_of(context: &CallContext<'_>, first: TransactionIndex) -> Vec<TransactionIndex> {
    let transactions = &context.transactions;
    let mut hops = Vec::with_capacity(context.call.hops.len().min(EXCHANGES_MAX));
    hops.push(first);
    while let Some(hop) = hops.last().copied()
        && hops.len() < EXCHANGES_MAX
    {
        let next = transactions.children(hop).find(|(index, child)| {
            *index > hop && transactions.final_status(child).is_some_and(StatusCode::is_success)
        });
        match next {
            Some((index, _)) => hops.push(index),
            None => break,
        }
    }
    hops.reverse();
    hops
}

fn agreed<'a>(context: &CallContext<'a>, exchange: &Exchange) -> Option<(&'a Message, &'a Message)> {
    let status = context.message(exchange.concluded?)?.status()?;
    if !status.is_success() {
        return None;
    }
    let offer = context.message(exchange.offer?)?;
    let answer = context.message(exchange.answer?)?;
    (is_whole(offer) && is_whole(answer)).then_some((offer, answer))
}

fn fault(context: &CallContext<'_>, offer: &Message, answer: &Message) -> Option<Fault> {
    let sessions = &context.tables().sessions;
    let (ours, theirs) = (sessions.shape(offer.session), sessions.shape(answer.session));
    if ours.medias.is_empty() {
        return None;
    }
    if ours.medias.len() != theirs.medias.len() {
        return Some(Fault {
            what: format!("{} where the offer has {}", lines(theirs.medias.len()), ours.medias.len()),
            kind: "m-lines",
            severity: Severity::Error,
            place: 0,
        });
    }
    let pairs = ours.medias.iter().zip(&theirs.medias).enumerate();
    let of_line = pairs.filter(|(_, (a, b))| !a.is_refused() && !b.is_refused());
    let mut faults: Vec<Fault> = of_line.filter_map(|(place, (a, b))| line_fault(a, b, place)).collect();
    faults.extend(no_audio(ours, theirs));
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.severity));
    faults.into_iter().next()
}

fn lines(count: usize) -> String {
    match count {
        0 => "no m-line".to_owned(),
        1 => "one m-line".to_owned(),
        count => format!("{count} m-lines"),
    }
}

/// Audio was offered as the only medium that could carry the call, and its line was refused.
fn no_audio(ours: &Sdp, theirs: &Sdp) -> Option<Fault> {
    let place = ours.medias.iter().position(|media| media.kind == MediaKind::Audio && !media.is_refused())?;
    let is_refused = theirs.medias.get(place).is_some_and(Media::is_refused);
    let is_alone = used(ours).count() == 1 && used(theirs).next().is_none();
    (is_refused && is_alone).then(|| Fault {
        what: "port 0 on the only audio line".to_owned(),
        kind: "port 0",
        severity: Severity::Error,
        place,
    })
}

/// What two profiles have in common as far as packets can be read.
fn class(profile: Profile) -> u8 {
    match profile {
        Profile::RtpAvp | Profile::RtpAvpf => 0,
        Profile::RtpSavp | Profile::RtpSavpf => 1,
        Profile::DtlsSavp | Profile::DtlsSavpf => 2,
        Profile::Udptl => 3,
        _ => 4,
    }
}

fn line_fault(ours: &Media, theirs: &Media, place: usize) -> Option<Fault> {
    let error = |kind, what| Fault { what, kind, severity: Severity::Error, place };
    if ours.kind != theirs.kind {
        let what = format!("{} where {} was offered", theirs.kind.word(), ours.kind.word());
        return Some(error("kind", what));
    }
    if class(ours.profile) != class(theirs.profile) {
        let what = format!("{} where {} was offered", theirs.profile_text, ours.profile_text);
        return Some(error("profile", what));
    }
    if let Some(what) = foreign_codecs(ours, theirs) {
        return Some(error("codecs", what));
    }
    let told = theirs.common.direction?;
    let is_allowed = match ours.direction() {
        Direction::SendRecv => true,
        Direction::SendOnly => matches!(told, Direction::RecvOnly | Direction::Inactive),
        Direction::RecvOnly => matches!(told, Direction::SendOnly | Direction::Inactive),
        Direction::Inactive => told == Direction::Inactive,
    };
    // Both sides say that they send alone, or receive alone: nobody hears anything.
    let is_dead = told == ours.direction() && !is_allowed;
    is_dead.then(|| Fault {
        what: format!("the direction {} to an offer of the same direction", word(told)),
        kind: "direction",
        severity: Severity::Warn,
        place,
    })
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}

/// No codec of the answer was offered; names alone count, and formats that neither side explains do not.
fn foreign_codecs(ours: &Media, theirs: &Media) -> Option<String> {
    let is_known = |media: &Media| media.profile.is_rtp() && media.codecs.iter().all(|codec| !codec.name.is_empty());
    if !is_known(ours) || !is_known(theirs) || ours.real_codecs().next().is_none() {
        return None;
    }
    if offer::share_codec(ours, theirs).is_some() {
        return None;
    }
    let answered = offer::codec_names(theirs);
    let offered = offer::codec_names(ours);
    Some(if answered.is_empty() {
        format!("no codec at all while {offered} was offered")
    } else {
        format!("{answered} while only {offered} was offered")
    })
}

fn observation(context: &CallContext<'_>, offer: &Message, answer: &Message, fault: &Fault) -> Observation {
    let tables = context.tables();
    let bye = context
        .dialogs
        .first()
        .and_then(|dialog| dialog.bye)
        .and_then(|bye| context.transactions.transaction(bye).request)
        .map(|at| context.transactions.message(at))
        .filter(|bye| bye.time >= answer.time && bye.time.since(answer.time) <= HANG_UP_MAX);
    let end = bye.map_or(String::new(), |bye| {
        format!(
            "; {} hung up {:.0} ms later, most likely for that",
            context.capture.name(bye.source),
            bye.time.millis_since(answer.time)
        )
    });
    let answerer = context.name(answer.source);
    let quote = |message: &Message| offer::media_line(tables, message.session, fault.place).unwrap_or_default();
    Observation::new(Confidence::Certain, Proof::Protocol)
        .severity(fault.severity)
        .titled(format!("The answer does not fit the offer: {}", fault.what))
        .happened(format!("{answerer} answered with {}{end}.", fault.what))
        .remedy(format!(
            "Correct the answer of {} (firmware, or the SDP rules of the SBC in front of it); show its vendor both \
             session descriptions.",
            context.capture.name(answer.source)
        ))
        .shown_by(Evidence::seen(answer.at, quote(answer), "the answer"))
        .shown_by(Evidence::seen(offer.at, quote(offer), "the offer"))
        .at(answer.source, fault.kind)
}
