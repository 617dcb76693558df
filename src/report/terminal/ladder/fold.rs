//! Rungs of a ladder: each message once, with its repeats and what is worth knowing of its headers and body.

use std::collections::HashMap;

use crate::call::{CallTransactions, EndpointId, Message, MessageKind, TransactionIndex};
use crate::capture::Timestamp;
use crate::diagnose::words::trimmed;
use crate::reference::ResponseCode;
use crate::report::terminal::ladder::session;
use crate::sip::{HeaderName, Method};

/// Gaps between repeats that are shown one by one.
const GAPS_MAX: usize = 10;

/// One rung: a message, and how often it was sent.
#[derive(Debug)]
pub(super) struct Rung<'a> {
    /// The first send.
    pub(super) message: &'a Message,
    /// `INVITE x7`, `200 OK (BYE)`.
    pub(super) name: String,
    /// Whether the name is what anybody expects: a method, or a code with its registered phrase.
    pub(super) is_usual: bool,
    /// Gaps between repeats, session description, decisive headers.
    pub(super) note: String,
    /// When the first message of the call was captured.
    pub(super) start: Timestamp,
}

/// The rungs of a call in the order of time; with `is_whole` each repeat is a rung of its own.
pub(super) fn rungs<'a>(transactions: &CallTransactions<'a>, is_whole: bool) -> Vec<Rung<'a>> {
    type Key = (TransactionIndex, MessageKind, EndpointId, EndpointId);
    let mut folded: Vec<(usize, Vec<Timestamp>, bool)> = Vec::new();
    let mut first_of: HashMap<Key, usize> = HashMap::new();
    for (index, message) in transactions.originals() {
        let place = index.0 as usize;
        let is_repeat = transactions.repeated.get(place).copied().unwrap_or(false);
        let owner = transactions.owner.get(place).copied();
        let key = owner.map(|owner| (owner, message.kind, message.source, message.destination));
        let first = key.and_then(|key| first_of.get(&key).copied());
        match first.and_then(|first| folded.get_mut(first)) {
            Some((_, sends, _)) if is_repeat && !is_whole => sends.push(message.time),
            _ => {
                if let Some(key) = key {
                    first_of.insert(key, folded.len());
                }
                folded.push((place, vec![message.time], is_repeat));
            }
        }
    }
    let start = transactions.messages.first().map(|message| message.time);
    let start = start.unwrap_or_default();
    let rung = |(place, sends, is_repeat): (usize, Vec<Timestamp>, bool)| {
        let message = *transactions.messages.get(place)?;
        let owner = transactions.owner.get(place).copied()?;
        Some(Rung {
            message,
            name: name(transactions, message, sends.len(), is_repeat),
            is_usual: sends.len() == 1 && is_usual(transactions, message),
            note: note(transactions, message, owner, &sends),
            start,
        })
    };
    folded.into_iter().filter_map(rung).collect()
}

fn name(transactions: &CallTransactions<'_>, message: &Message, sends: usize, is_repeat: bool) -> String {
    // What servers write behind a 100 is for nobody.
    let mut name = match message.status() {
        Some(status) if status.0 == 100 => "100 Trying".to_owned(),
        _ => transactions.name(message),
    };
    if message.status().is_some() && message.cseq_method != Method::Invite {
        name.push_str(&format!(" ({})", message.cseq_method.text()));
    }
    if sends > 1 {
        name.push_str(&format!(" x{sends}"));
    }
    if is_repeat {
        name.push_str(" again");
    }
    name
}

/// A 100 says nothing but that the request arrived, whatever its phrase.
fn is_usual(transactions: &CallTransactions<'_>, message: &Message) -> bool {
    let Some(status) = message.status() else {
        return true;
    };
    let known = ResponseCode::find(status.0);
    status.0 == 100
        || known.is_some_and(|known| known.phrase.eq_ignore_ascii_case(transactions.tables.text(message.line).trim()))
}

fn note(
    transactions: &CallTransactions<'_>,
    message: &Message,
    owner: TransactionIndex,
    sends: &[Timestamp],
) -> String {
    let mut parts = Vec::new();
    if sends.len() > 1 {
        parts.push(format!("({})", gaps(sends)));
    }
    if !message.session.is_absent() {
        parts.push(session::summary(transactions, message, owner));
    }
    let headers =
        [(HeaderName::Warning, "Warning"), (HeaderName::Reason, "Reason"), (HeaderName::RetryAfter, "Retry-After")];
    for (header, label) in headers {
        if let Some(value) = transactions.tables.header(message, header) {
            parts.push(format!("{label}: {value}"));
        }
    }
    parts.join("  ")
}

/// `0.5 1 2 4 8 16 s`.
fn gaps(sends: &[Timestamp]) -> String {
    let gaps = sends.windows(2).map(|pair| match pair {
        [before, after] => after.since(*before).as_secs_f64(),
        _ => 0.0,
    });
    let shown: Vec<String> = gaps.take(GAPS_MAX).map(|gap| trimmed(gap, if gap < 0.1 { 3 } else { 1 })).collect();
    let more = if sends.len() > GAPS_MAX + 1 { " ..." } else { "" };
    format!("{}{more} s", shown.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_between_repeats_read_like_the_timer() {
        let sends: Vec<Timestamp> = [0.0, 0.5, 1.5, 3.502, 7.5]
            .map(|seconds: f64| Timestamp::from_nanoseconds((seconds * 1e9) as i64))
            .to_vec();
        assert_eq!("0.5 1 2 4 s", gaps(&sends));
    }
}
