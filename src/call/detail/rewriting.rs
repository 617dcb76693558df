//! Rewriting: what a node changed of an INVITE before it sent it on.
//!
//! Sources: RFC 3261 sections 16.6 (what a proxy may change) and 20, RFC 3325 (identities), RFC 3264 (session descriptions).

use std::collections::BTreeMap;

use crate::call::outcome::negotiation::is_whole;
use crate::call::store::message::{MAX_FORWARDS_ABSENT, Message};
use crate::call::store::session::SessionId;
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::pairing::TransactionIndex;
use crate::sip::HeaderName;

/// Part of a request that a node may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestPart {
    /// The URI of the request line.
    RequestUri,
    /// The URI of From.
    From,
    /// The URI of To.
    To,
    /// The Call-ID: the sender is a B2BUA.
    CallId,
    /// Max-Forwards, where it is not one less.
    MaxForwards,
    /// What carried the request.
    Transport,
    /// The session description as a whole: it came, or went.
    Session,
    /// Where the media is wanted: address and port of each medium.
    MediaAddress,
    /// The codecs of all media, in their order.
    Codecs,
    /// Any other header field.
    Header(HeaderName),
}

impl RequestPart {
    /// The word of the report contract; a header field has its own name.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequestUri => "request-uri",
            Self::From => "from",
            Self::To => "to",
            Self::CallId => "call-id",
            Self::MaxForwards => "max-forwards",
            Self::Transport => "transport",
            Self::Session => "session",
            Self::MediaAddress => "media-address",
            Self::Codecs => "codecs",
            Self::Header(name) => name.text(),
        }
    }
}

/// One difference between a request and the same request one visible hop before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// What is different.
    pub part: RequestPart,
    /// How it came; `None` where the part was added, or a header field whose values are not shown.
    pub before: Option<String>,
    /// How it was sent on; `None` where the part was removed, or a header field whose values are not shown.
    pub after: Option<String>,
    /// What became of it.
    pub how: RewriteKind,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RewriteKind {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It reads differently.
    Changed,
}

impl RewriteKind {
    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// What is different in the request of a hop, compared with the hop that it relays; empty next to the caller.
///
/// Where nodes between the two hops were not captured, theirs is among it. Of header fields those are compared that are kept.
pub fn rewriting(transactions: &CallTransactions<'_>, hop: TransactionIndex) -> Vec<Rewrite> {
    let hop = transactions.hop(hop);
    let (Some(before), Some(after)) = (hop.parent().and_then(TransactionView::request), hop.request()) else {
        return Vec::new();
    };
    let mut rewrites = Vec::new();
    compare_heads(transactions.tables, before, after, &mut rewrites);
    compare_headers(transactions.tables, before, after, &mut rewrites);
    if is_whole(before) && is_whole(after) {
        compare_sessions(transactions.tables, before.session, after.session, &mut rewrites);
    }
    rewrites
}

fn compare_heads(tables: &Tables, before: &Message, after: &Message, out: &mut Vec<Rewrite>) {
    let texts = [
        (RequestPart::RequestUri, before.line, after.line),
        (RequestPart::From, before.from, after.from),
        (RequestPart::To, before.to, after.to),
        (RequestPart::CallId, tables.call_id_of(before.group), tables.call_id_of(after.group)),
    ];
    for (part, before, after) in texts {
        if before != after {
            out.push(changed(part, tables.text(before), tables.text(after)));
        }
    }
    // A proxy takes one off (RFC 3261 section 16.6 step 3), so do those that were not captured.
    let (came, went) = (before.max_forwards, after.max_forwards);
    let is_less = went < came && came != MAX_FORWARDS_ABSENT && came - went <= HOPS_UNSEEN_MAX;
    let is_absent = came == MAX_FORWARDS_ABSENT && went == MAX_FORWARDS_ABSENT;
    if !(is_less || is_absent) {
        let text = |value: u8| (value != MAX_FORWARDS_ABSENT).then(|| value.to_string());
        out.push(rewrite(RequestPart::MaxForwards, text(came), text(went)));
    }
    if before.transport != after.transport {
        let (came, went) = (before.transport.word(), after.transport.word());
        out.push(changed(RequestPart::Transport, came, went));
    }
}

/// Proxies that may stand between two captured hops without a word about Max-Forwards.
const HOPS_UNSEEN_MAX: u8 = 5;

fn changed(part: RequestPart, before: &str, after: &str) -> Rewrite {
    rewrite(part, Some(before.to_owned()), Some(after.to_owned()))
}

fn rewrite(part: RequestPart, before: Option<String>, after: Option<String>) -> Rewrite {
    let how = match (&before, &after) {
        (None, _) => RewriteKind::Added,
        (_, None) => RewriteKind::Removed,
        _ => RewriteKind::Changed,
    };
    Rewrite { part, before, after, how }
}

fn compare_headers(tables: &Tables, before: &Message, after: &Message, out: &mut Vec<Rewrite>) {
    if before.headers == after.headers {
        return;
    }
    let values = |message: &Message| {
        let mut values: BTreeMap<HeaderName, Vec<TextId>> = BTreeMap::new();
        for (name, value) in tables.headers.get(message.headers) {
            values.entry(name).or_default().push(value);
        }
        values
    };
    let (came, went) = (values(before), values(after));
    let mut names: Vec<HeaderName> = came.keys().chain(went.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (came, went) = (came.get(&name), went.get(&name));
        if came == went {
            continue;
        }
        let how = match (came, went) {
            (None, _) => RewriteKind::Added,
            (_, None) => RewriteKind::Removed,
            _ => RewriteKind::Changed,
        };
        let shown = |values: Option<&Vec<TextId>>| {
            let texts = values?.iter().map(|value| tables.text(*value));
            is_shown(name).then(|| texts.collect::<Vec<_>>().join(", "))
        };
        out.push(Rewrite { part: RequestPart::Header(name), before: shown(came), after: shown(went), how });
    }
}

/// Header fields whose values say who calls, who is called and what was said of it; of others the name says enough.
fn is_shown(name: HeaderName) -> bool {
    use HeaderName as H;
    matches!(
        name,
        H::Contact
            | H::PAssertedIdentity
            | H::PPreferredIdentity
            | H::RemotePartyId
            | H::Privacy
            | H::Diversion
            | H::SessionExpires
            | H::ContentType
            | H::UserAgent
    )
}

fn compare_sessions(tables: &Tables, before: SessionId, after: SessionId, out: &mut Vec<Rewrite>) {
    if before == after {
        return;
    }
    match (before.is_absent(), after.is_absent()) {
        (true, _) => return out.push(rewrite(RequestPart::Session, None, Some(codecs(tables, after)))),
        (_, true) => return out.push(rewrite(RequestPart::Session, Some(codecs(tables, before)), None)),
        _ => {}
    }
    let places = |session| {
        let places = tables.sessions.media(session).iter();
        places.map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let (came, went) = (places(before), places(after));
    if came != went {
        out.push(changed(RequestPart::MediaAddress, &came, &went));
    }
    let (came, went) = (codecs(tables, before), codecs(tables, after));
    if came != went {
        out.push(changed(RequestPart::Codecs, &came, &went));
    }
}

/// The codecs of every medium in use: `PCMU PCMA telephone-event, H264`.
fn codecs(tables: &Tables, session: SessionId) -> String {
    let used = crate::call::outcome::negotiation::used(tables.sessions.shape(session));
    let media = used.map(|media| {
        let names = media.codecs.iter().map(|codec| match codec.common_name() {
            "" => codec.format.as_str(),
            name => name,
        });
        names.collect::<Vec<_>>().join(" ")
    });
    media.collect::<Vec<_>>().join(", ")
}
