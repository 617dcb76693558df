//! Negotiation: which session description is the offer, which its answer, and what a change during the call wanted.
//!
//! Sources: RFC 3264 sections 5 to 8, RFC 3261 sections 13.2.1 and 14, RFC 3262 section 5, RFC 6337 section 2.2.

use crate::call::store::message::Message;
use crate::call::store::session::SessionId;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::pairing::{MessageIndex, TransactionIndex};
use crate::sip::sdp::{Direction, Media, MediaKind};
use crate::sip::{HeaderName, Method, Sdp, StatusCode};

/// Changes of one call that are looked at: refreshes of a long call stay below, a forged capture may hold any number.
const CHANGES_MAX: usize = 256;

/// What one INVITE or UPDATE did about the session, on one hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The INVITE or UPDATE transaction.
    pub transaction: TransactionIndex,
    /// The message that offers; `None` where no offer was captured.
    pub offer: Option<MessageIndex>,
    /// The message that answers that offer; `None` where none was captured.
    pub answer: Option<MessageIndex>,
    /// The final response of the transaction.
    pub concluded: Option<MessageIndex>,
    /// Whether the request came without offer, so that its receiver had to make one.
    pub is_delayed: bool,
}

/// Whether the body of a message is there as it was sent: nothing of it may be judged otherwise.
pub fn is_whole(message: &Message) -> bool {
    let flags = message.flags;
    !flags.is_cut() && !flags.is_incomplete() && !flags.has_short_body()
}

/// The offer and the answer that a transaction carried.
///
/// The first description in a response of the dialog is the answer, whether that response is reliable or not
/// (RFC 3261 section 13.2.1); without offer in the INVITE it is the offer, and ACK or PRACK answer it.
pub fn exchange(transactions: &CallTransactions<'_>, index: TransactionIndex) -> Exchange {
    let hop = transactions.hop(index);
    let request = hop.last_request().filter(|request| is_whole(request));
    let has_offer = request.is_some_and(|request| !request.session.is_absent());
    let mut exchange = Exchange {
        transaction: index,
        offer: hop.last_request.filter(|_| has_offer),
        answer: None,
        concluded: hop.final_response,
        is_delayed: false,
    };
    if has_offer {
        exchange.answer = described(hop).next();
    } else if request.is_some() && hop.method == Method::Invite {
        exchange.is_delayed = true;
        exchange.offer = described(hop).find(|at| is_reliable(transactions, *at));
        exchange.answer = exchange.offer.and_then(|offer| late_answer(transactions, hop, offer));
    }
    exchange
}

/// Responses above 100 and below 300 with a description, of the dialog that was taken where one was.
fn described<'t>(hop: TransactionView<'t, '_>) -> impl Iterator<Item = MessageIndex> + 't {
    let taken = hop.final_response().filter(|_| hop.is_success()).map(|answer| answer.to_tag);
    let described = hop.responses().filter(move |(_, message)| {
        let is_early_or_success = message.status().is_some_and(|status| (101..300).contains(&status.0));
        let is_of_dialog = taken.is_none_or(|tag| message.to_tag == tag || message.to_tag.is_absent());
        is_early_or_success && is_of_dialog && !message.session.is_absent() && is_whole(message)
    });
    described.map(|(at, _)| at)
}

/// A 2xx, or a provisional response that asks for PRACK (RFC 3262 section 3).
fn is_reliable(transactions: &CallTransactions<'_>, at: MessageIndex) -> bool {
    let message = transactions.message(at);
    message.status().is_some_and(StatusCode::is_success)
        || transactions.tables.header(message, HeaderName::RSeq).is_some()
}

fn late_answer(
    transactions: &CallTransactions<'_>,
    hop: TransactionView<'_, '_>,
    offer: MessageIndex,
) -> Option<MessageIndex> {
    let has_session = |at: &MessageIndex| !transactions.message(*at).session.is_absent();
    let to_tag = transactions.message(offer).to_tag;
    let acknowledged = transactions.originals().find(|(at, message)| {
        *at > offer
            && message.is_request(Method::Prack)
            && message.source == hop.source
            && message.to_tag == to_tag
            && has_session(at)
    });
    let prack = acknowledged.map(|(at, _)| at);
    prack.or_else(|| hop.ack.filter(has_session))
}

/// Offers inside the dialog next to the caller: the first 256 re-INVITEs and UPDATEs in the order of time.
pub fn changes<'s>(transactions: &'s CallTransactions<'_>) -> impl Iterator<Item = Exchange> + 's {
    let inside = transactions.all().filter(|hop| {
        matches!(hop.method, Method::Invite | Method::Update)
            && !hop.is_initial()
            && hop.parent.is_none()
            && hop.request.is_some()
    });
    inside.take(CHANGES_MAX).map(|hop| exchange(transactions, hop.index()))
}

/// Whether both sides agreed in an exchange.
pub fn is_agreed(transactions: &CallTransactions<'_>, exchange: &Exchange) -> bool {
    exchange.concluded.and_then(|at| transactions.message(at).status()).is_some_and(StatusCode::is_success)
        && exchange.answer.is_some()
}

/// What a re-INVITE or UPDATE asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The session as it was: a refresh, or a keep-alive.
    Refresh,
    /// An offer of the other side: a re-INVITE without description.
    NewOffer,
    /// To hold the other side.
    Hold,
    /// To end the hold.
    Resume,
    /// Fax by T.38.
    Fax,
    /// Voice again after fax.
    Voice,
    /// A stream of this kind more.
    Add(MediaKind),
    /// A stream of this kind less.
    Remove(MediaKind),
    /// Encryption, or its end.
    Profile,
    /// Other codecs.
    Codecs,
    /// Media at another address or port.
    Address,
    /// Something else in the description.
    Other,
}

impl Change {
    /// The words after "asked": `to put the call on hold`.
    pub fn words(self) -> String {
        match self {
            Self::Refresh => "to refresh the session without a change".to_owned(),
            Self::NewOffer => "for a new offer (a re-INVITE without session description)".to_owned(),
            Self::Hold => "to put the call on hold".to_owned(),
            Self::Resume => "to resume the call from hold".to_owned(),
            Self::Fax => "to switch to T.38 fax".to_owned(),
            Self::Voice => "to switch from fax back to voice".to_owned(),
            Self::Add(kind) => format!("to add {}", kind.word()),
            Self::Remove(kind) => format!("to remove {}", kind.word()),
            Self::Profile => "to change between plain and encrypted media".to_owned(),
            Self::Codecs => "to change the codecs".to_owned(),
            Self::Address => "to move its media to another address or port".to_owned(),
            Self::Other => "to change the session description".to_owned(),
        }
    }
}

/// What a request inside a dialog wanted, compared with what its sender had described last and the other side had taken.
pub fn change_wanted(transactions: &CallTransactions<'_>, index: TransactionIndex) -> Change {
    let hop = transactions.hop(index);
    let Some(wanted) = hop.request().filter(|request| is_whole(request)) else {
        return Change::Other;
    };
    if wanted.session.is_absent() {
        return match hop.method {
            Method::Invite => Change::NewOffer,
            _ => Change::Refresh,
        };
    }
    let node = transactions.tables.node(wanted.source);
    let before = transactions.originals().filter(|(at, message)| {
        Some(*at) < hop.request
            && !message.session.is_absent()
            && transactions.tables.node(message.source) == node
            && is_in_dialog(message, wanted)
            && was_taken(transactions, *at)
    });
    let Some((_, before)) = before.last() else {
        return Change::Other;
    };
    difference(transactions.tables, before.session, wanted.session)
}

fn is_in_dialog(message: &Message, other: &Message) -> bool {
    let same = message.from_tag == other.from_tag || message.from_tag == other.to_tag;
    same && message.group == other.group
}

fn was_taken(transactions: &CallTransactions<'_>, at: MessageIndex) -> bool {
    transactions.hop_of(at).is_some_and(|hop| hop.method == Method::Ack || hop.is_success())
}

/// What separates two descriptions of one side, the most important difference first.
pub fn difference(tables: &Tables, before: SessionId, after: SessionId) -> Change {
    let sessions = &tables.sessions;
    let (old, new) = (sessions.shape(before), sessions.shape(after));
    let has = |sdp: &Sdp, kind| used(sdp).any(|media| media.kind == kind);
    let kinds = [MediaKind::Audio, MediaKind::Video, MediaKind::Text, MediaKind::Application, MediaKind::Message];
    let added = kinds.iter().find(|kind| !has(old, **kind) && has(new, **kind));
    let removed = kinds.iter().find(|kind| has(old, **kind) && !has(new, **kind));
    match (has(old, MediaKind::Image), has(new, MediaKind::Image)) {
        (false, true) => return Change::Fax,
        (true, false) => return Change::Voice,
        _ => {}
    }
    match (is_held(tables, before), is_held(tables, after)) {
        (false, true) => return Change::Hold,
        (true, false) => return Change::Resume,
        _ => {}
    }
    if let Some(kind) = added {
        return Change::Add(*kind);
    }
    if let Some(kind) = removed {
        return Change::Remove(*kind);
    }
    let pairs = || used(old).zip(used(new));
    if pairs().any(|(a, b)| a.profile != b.profile) {
        return Change::Profile;
    }
    let formats = |media: &Media| -> Vec<String> { media.real_codecs().map(|codec| codec.key()).collect() };
    if pairs().any(|(a, b)| formats(a) != formats(b)) {
        return Change::Codecs;
    }
    if sessions.media(before) != sessions.media(after) {
        return Change::Address;
    }
    if sessions.shape_number(before) == sessions.shape_number(after) {
        return Change::Refresh;
    }
    Change::Other
}

/// The media lines that are in use.
pub fn used(sdp: &Sdp) -> impl Iterator<Item = &Media> {
    sdp.medias.iter().filter(|media| !media.is_refused())
}

/// Whether the side that describes itself so holds the other one: nothing may be sent to it on any line in use.
///
/// By direction, or by the address 0.0.0.0 of RFC 2543 (RFC 3264 section 8.4).
pub(in crate::call) fn is_held(tables: &Tables, session: SessionId) -> bool {
    let sdp = tables.sessions.shape(session);
    let places = tables.sessions.media(session);
    let mut lines = sdp.medias.iter().enumerate().filter(|(_, media)| !media.is_refused()).peekable();
    lines.peek().is_some()
        && lines.all(|(place, media)| {
            let is_numeric = media.connection.as_ref().is_some_and(|connection| connection.address.is_some());
            let address = places.get(place).map(|at| at.address);
            // A description without c= line has no address either, which holds nobody.
            let is_zero = is_numeric && address.is_some_and(|address| address.is_unspecified());
            is_zero || matches!(media.direction(), Direction::SendOnly | Direction::Inactive)
        })
}
