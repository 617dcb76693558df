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

/// A line of an answer that does not fit its offer.
struct AnswerFault {
    misfit: Misfit,
    /// Place of the media line.
    place: usize,
}

/// What does not fit.
enum Misfit {
    /// The answer has another number of media lines.
    LineCount { offered: usize, answered: usize },
    /// The only line of audio is refused in a call that has nothing else.
    NoAudio,
    /// Another kind of medium.
    Kind { offered: MediaKind, answered: MediaKind },
    /// A profile whose packets the offerer cannot read.
    Profile { offered: String, answered: String },
    /// Codecs none of which was offered; none at all where `answered` is empty.
    Codecs { offered: String, answered: String },
    /// Both sides send alone, or receive alone: nobody hears anything.
    Direction(Direction),
}

impl Misfit {
    fn severity(&self) -> Severity {
        match self {
            Self::Direction(_) => Severity::Warn,
            _ => Severity::Error,
        }
    }

    fn signature(&self) -> &'static str {
        match self {
            Self::LineCount { .. } => "m-lines",
            Self::NoAudio => "port 0",
            Self::Kind { .. } => "kind",
            Self::Profile { .. } => "profile",
            Self::Codecs { .. } => "codecs",
            Self::Direction(_) => "direction",
        }
    }

    /// What was answered, where what was offered.
    fn words(&self) -> String {
        match self {
            Self::LineCount { offered, answered } => format!("{} where the offer has {offered}", lines(*answered)),
            Self::NoAudio => "port 0 on the only audio line".to_owned(),
            Self::Kind { offered, answered } => format!("{} where {} was offered", answered.word(), offered.word()),
            Self::Profile { offered, answered } => format!("{answered} where {offered} was offered"),
            Self::Codecs { offered, answered } if answered.is_empty() => {
                format!("no codec at all while {offered} was offered")
            }
            Self::Codecs { offered, answered } => format!("{answered} while only {offered} was offered"),
            Self::Direction(both) => format!("the direction {} to an offer of the same direction", word(*both)),
        }
    }
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
    faults.sort_by_key(|(_, _, fault)| std::cmp::Reverse(fault.misfit.severity()));
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

fn fault(context: &CallContext<'_>, offer: &Message, answer: &Message) -> Option<AnswerFault> {
    let sessions = &context.tables().sessions;
    let (ours, theirs) = (sessions.shape(offer.session), sessions.shape(answer.session));
    if ours.medias.is_empty() {
        return None;
    }
    let (offered, answered) = (ours.medias.len(), theirs.medias.len());
    if offered != answered {
        return Some(AnswerFault { misfit: Misfit::LineCount { offered, answered }, place: 0 });
    }
    let pairs = ours.medias.iter().zip(&theirs.medias).enumerate();
    let of_line = pairs.filter(|(_, (a, b))| !a.is_refused() && !b.is_refused());
    let mut faults: Vec<AnswerFault> =
        of_line.filter_map(|(place, (a, b))| Some(AnswerFault { misfit: misfit(a, b)?, place })).collect();
    faults.extend(no_audio(ours, theirs));
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.misfit.severity()));
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
fn no_audio(ours: &Sdp, theirs: &Sdp) -> Option<AnswerFault> {
    let place = ours.medias.iter().position(|media| media.kind == MediaKind::Audio && !media.is_refused())?;
    let is_refused = theirs.medias.get(place).is_some_and(Media::is_refused);
    let is_alone = used(ours).count() == 1 && used(theirs).next().is_none();
    (is_refused && is_alone).then_some(AnswerFault { misfit: Misfit::NoAudio, place })
}

/// Whether who sends by one profile can read what comes by the other: feedback (AVPF) makes no difference.
fn are_alike(ours: Profile, theirs: Profile) -> bool {
    use Profile as P;
    let is_known = |profile| {
        matches!(profile, P::RtpAvp | P::RtpAvpf | P::RtpSavp | P::RtpSavpf | P::DtlsSavp | P::DtlsSavpf | P::Udptl)
    };
    match (ours, theirs) {
        (P::RtpAvp | P::RtpAvpf, P::RtpAvp | P::RtpAvpf)
        | (P::RtpSavp | P::RtpSavpf, P::RtpSavp | P::RtpSavpf)
        | (P::DtlsSavp | P::DtlsSavpf, P::DtlsSavp | P::DtlsSavpf)
        | (P::Udptl, P::Udptl) => true,
        _ => !is_known(ours) && !is_known(theirs),
    }
}

fn misfit(ours: &Media, theirs: &Media) -> Option<Misfit> {
    if ours.kind != theirs.kind {
        return Some(Misfit::Kind { offered: ours.kind, answered: theirs.kind });
    }
    if !are_alike(ours.profile, theirs.profile) {
        let (offered, answered) = (ours.profile_text.clone(), theirs.profile_text.clone());
        return Some(Misfit::Profile { offered, answered });
    }
    if let Some(foreign) = foreign_codecs(ours, theirs) {
        return Some(foreign);
    }
    let answered = theirs.common.direction?;
    let is_dead = matches!(answered, Direction::SendOnly | Direction::RecvOnly) && answered == ours.direction();
    is_dead.then_some(Misfit::Direction(answered))
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
fn foreign_codecs(ours: &Media, theirs: &Media) -> Option<Misfit> {
    let is_known = |media: &Media| media.profile.is_rtp() && media.codecs.iter().all(|codec| !codec.name.is_empty());
    let is_comparable = is_known(ours) && is_known(theirs) && ours.real_codecs().next().is_some();
    if !is_comparable || offer::share_codec(ours, theirs).is_some() {
        return None;
    }
    Some(Misfit::Codecs { offered: offer::codec_names(ours), answered: offer::codec_names(theirs) })
}

fn observation(context: &CallContext<'_>, offer: &Message, answer: &Message, fault: &AnswerFault) -> Observation {
    let tables = context.tables();
    let what = fault.misfit.words();
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
        .severity(fault.misfit.severity())
        .titled(format!("The answer does not fit the offer: {what}"))
        .happened(format!("{answerer} answered with {what}{end}."))
        .remedy(format!(
            "Correct the answer of {} (firmware, or the SDP rules of the SBC in front of it); show its vendor both \
             session descriptions.",
            context.capture.name(answer.source)
        ))
        .shown_by(Evidence::seen(answer.at, quote(answer), "the answer"))
        .shown_by(Evidence::seen(offer.at, quote(offer), "the offer"))
        .at(answer.source, fault.misfit.signature())
}
