//! A session description in a few words: offer or answer, codecs, and what is unusual about it.

use crate::call::{CallTransactions, Message, TransactionIndex};
use crate::sip::sdp::{Direction, Media, MediaKind};
use crate::sip::{Method, Sdp};

/// Codecs named of one medium.
const CODECS_MAX: usize = 6;
/// Media named of one description.
const MEDIAS_MAX: usize = 3;

/// `offer PCMU PCMA 101`, `answer PCMA 101 hold`, `offer PCMU + video H264`.
pub(super) fn summary(transactions: &CallTransactions<'_>, message: &Message, owner: TransactionIndex) -> String {
    let sdp = transactions.tables.sessions.shape(message.session);
    let role = if is_answer(transactions, message, owner) { "answer" } else { "offer" };
    let mut medias: Vec<String> = sdp.medias.iter().take(MEDIAS_MAX).map(media).collect();
    if sdp.medias.len() > MEDIAS_MAX {
        medias.push(format!("{} more", sdp.medias.len() - MEDIAS_MAX));
    }
    if medias.is_empty() {
        medias.push(empty(sdp).to_owned());
    }
    format!("{role} {}", medias.join(" + "))
}

fn empty(sdp: &Sdp) -> &'static str {
    if sdp.defects.is_empty() { "without media" } else { "unreadable" }
}

/// A description answers where the request before it, or the response that an ACK confirms, carried the offer (RFC 3264, RFC 6337).
fn is_answer(transactions: &CallTransactions<'_>, message: &Message, owner: TransactionIndex) -> bool {
    let request = transactions.transactions.get(owner.0 as usize);
    let request = request.and_then(|transaction| transaction.request);
    match message.method() {
        Some(Method::Ack) => true,
        Some(_) => false,
        None => request.is_some_and(|request| !transactions.message(request).session.is_absent()),
    }
}

fn media(media: &Media) -> String {
    let mut words = Vec::new();
    if media.kind != MediaKind::Audio {
        words.push(media.kind.word().to_owned());
    }
    if media.is_refused() {
        words.push("refused".to_owned());
        return words.join(" ");
    }
    for codec in media.codecs.iter().take(CODECS_MAX) {
        words.push(if codec.is_real() { codec.name.clone() } else { codec.format.clone() });
    }
    if media.codecs.len() > CODECS_MAX {
        words.push(format!("+{}", media.codecs.len() - CODECS_MAX));
    }
    if media.profile.is_secure() {
        words.push("SRTP".to_owned());
    }
    match media.direction() {
        Direction::SendRecv if media.is_held() => words.push("hold".to_owned()),
        Direction::SendRecv => {}
        Direction::SendOnly => words.push("sendonly".to_owned()),
        Direction::RecvOnly => words.push("recvonly".to_owned()),
        Direction::Inactive => words.push("inactive".to_owned()),
    }
    words.join(" ")
}
