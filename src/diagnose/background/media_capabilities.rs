//! What nodes accept: every offer that a refusing node took or refused in the whole capture, and what it says of itself.
//!
//! Sources: RFC 3264 section 6 (answers), RFC 3261 sections 11 (OPTIONS) and 21.4.26 (a description in a refusal).

use rayon::prelude::*;

use crate::call::beside::other_request::OtherRequest;
use crate::call::outcome::negotiation::{self, Exchange};
use crate::call::{
    Call, CallTransactions, EndpointId, FastMap, FastSet, Hop, Message, MessageStore, SessionId, Tables, TextId,
    Transaction, TransactionIndex, transactions_of,
};
use crate::capture::{FrameRef, Timestamp};
use crate::sip::{HeaderName, Method, StatusCode};

/// Different facts kept of one endpoint: devices have a handful of templates, forged captures any number.
const FACTS_MAX: usize = 128;
/// Exchanges of one call that are learned from: a forged call may hold any number.
const EXCHANGES_MAX: usize = 64;
/// Tries kept of one caller towards one callee through one endpoint.
const TRIES_MAX: usize = 64;

/// Calls that one thread learns from at a time.
const CALLS_AT_A_TIME: usize = 256;

/// How a fact about an endpoint came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    /// It answered this offer with a description.
    Accepted,
    /// It accepted an INVITE without offer.
    AcceptedWithout,
    /// It refused this offer because of its media, or with a code that may mean so.
    Refused,
    /// It refused an INVITE without offer.
    RefusedWithout,
    /// It described itself in a refusal or in the answer to OPTIONS.
    Described,
    /// It offered this itself.
    Offered,
}

/// One thing known of an endpoint; equal ones are counted.
#[derive(Debug, Clone, Copy)]
pub struct Fact {
    /// How it is known.
    pub kind: FactKind,
    /// The offer to it, or by it; absent where there was none.
    pub offer: SessionId,
    /// Its answer or description of itself; absent where there was none.
    pub answer: SessionId,
    /// Media type of the request's body as sent, absent where it is not named.
    pub content_type: TextId,
    /// Product that it names, absent where it names none.
    pub software: TextId,
    /// How often it was seen.
    pub count: u32,
    /// Frame of the first response, or of the first offer by it.
    pub at: FrameRef,
    /// First and last time.
    pub seen: (Timestamp, Timestamp),
}

/// One INVITE of a caller to a callee through an endpoint that refused something.
#[derive(Debug, Clone, Copy)]
pub struct Try {
    /// When it was sent.
    pub time: Timestamp,
    /// Its offer, absent where there was none.
    pub offer: SessionId,
    /// The answer, absent where there was none.
    pub answer: SessionId,
    /// Media type of its body as sent, absent where it is not named.
    pub content_type: TextId,
    /// Whether it was accepted.
    pub is_accepted: bool,
    /// Frame of the response that accepted or refused it.
    pub at: FrameRef,
}

type TryKey = (EndpointId, TextId, TextId);

/// What is known of the endpoints that refused media.
#[derive(Debug, Default)]
pub struct MediaCapabilities {
    facts: FastMap<EndpointId, Vec<Fact>>,
    tries: FastMap<TryKey, Vec<Try>>,
}

impl MediaCapabilities {
    /// Everything known of an endpoint, in the order of first sight.
    pub fn of(&self, endpoint: EndpointId) -> &[Fact] {
        self.facts.get(&endpoint).map_or(&[], Vec::as_slice)
    }

    /// The INVITEs with the From and To of `message` that an endpoint received, in the order of time.
    pub fn tries(&self, endpoint: EndpointId, message: &Message) -> &[Try] {
        self.tries.get(&(endpoint, message.from, message.to)).map_or(&[], Vec::as_slice)
    }

    /// Gathers what the capture says of the endpoints that refused media in it; the same whatever the threads.
    pub fn gather(store: &MessageStore, calls: &[Call], requests: &[OtherRequest]) -> Self {
        let refusers: FastSet<EndpointId> = calls.par_iter().flat_map_iter(|call| refusers(store, call)).collect();
        let mut known = Self::default();
        if refusers.is_empty() {
            return known;
        }
        let concerns = |hop: &Hop| refusers.contains(&hop.destination) || refusers.contains(&hop.source);
        let shares = calls.par_chunks(CALLS_AT_A_TIME).with_max_len(1).map(|calls| {
            let mut lessons = Vec::new();
            for call in calls.iter().filter(|call| call.hops.iter().any(concerns)) {
                add_lessons(&transactions_of(store, &call.legs), &refusers, &mut lessons);
            }
            lessons
        });
        let learned: Vec<Vec<Lesson>> = shares.collect();
        // What a party was refused is compared with its own other tries; of those who never were, nothing is asked.
        let refused: FastSet<TryKey> =
            learned.iter().flatten().filter_map(|lesson| lesson.try_key().filter(|_| !lesson.is_accepted())).collect();
        for mut lesson in learned.into_iter().flatten() {
            if !lesson.try_key().is_some_and(|key| refused.contains(&key)) {
                lesson.tried = None;
            }
            known.learn(&store.tables, lesson);
        }
        for lesson in requests
            .iter()
            .filter(|request| request.method == Method::Options && refusers.contains(&request.destination))
            .filter_map(|request| options_lesson(store, request))
        {
            known.learn(&store.tables, lesson);
        }
        known
    }

    fn learn(&mut self, tables: &Tables, lesson: Lesson) {
        let (fact, sessions) = (lesson.fact, &tables.sessions);
        let shapes = |fact: &Fact| {
            let (offer, answer) = (fact.offer, fact.answer);
            (sessions.shape_number(offer), sessions.shape_number(answer))
        };
        let facts = self.facts.entry(lesson.endpoint).or_default();
        let has_room = facts.len() < FACTS_MAX;
        let own = shapes(&fact);
        let known = facts.iter_mut().find(|known| {
            known.kind == fact.kind
                && known.content_type == fact.content_type
                && known.software == fact.software
                && shapes(known) == own
        });
        match known {
            Some(known) => {
                known.count = known.count.saturating_add(1);
                known.seen = (known.seen.0.min(fact.seen.0), known.seen.1.max(fact.seen.1));
            }
            None if has_room => facts.push(fact),
            None => {}
        }
        if let Some((from, to, once)) = lesson.tried {
            let tries = self.tries.entry((lesson.endpoint, from, to)).or_default();
            if tries.len() < TRIES_MAX {
                tries.push(once);
            }
        }
    }
}

/// One observation before it is counted.
struct Lesson {
    endpoint: EndpointId,
    fact: Fact,
    tried: Option<(TextId, TextId, Try)>,
}

impl Lesson {
    fn try_key(&self) -> Option<TryKey> {
        let (from, to, _) = self.tried?;
        Some((self.endpoint, from, to))
    }

    fn is_accepted(&self) -> bool {
        self.tried.is_some_and(|(_, _, once)| once.is_accepted)
    }
}

/// Endpoints of a call that refused with a code that may be about media.
fn refusers(store: &MessageStore, call: &Call) -> Vec<EndpointId> {
    let plain = |code| matches!(code, 406 | 415 | 488 | 606);
    let hidden = |code| matches!(code, 400 | 403 | 480 | 500 | 501 | 503);
    let hops = call.hops.iter();
    let refused = hops.filter(|hop| plain(hop.final_code) || hidden(hop.final_code) && has_media_hint(store, call));
    refused.map(|hop| hop.destination).collect()
}

fn has_media_hint(store: &MessageStore, call: &Call) -> bool {
    let mut messages = call.legs.iter().flat_map(|leg| store.messages_of(leg));
    messages.any(|message| match message.status() {
        None => message.is_request(Method::Invite) && message.to_tag.is_absent() && message.session.is_absent(),
        Some(status) => {
            status.0 >= 400
                && (!message.session.is_absent()
                    || store.tables.header(message, HeaderName::Warning).is_some()
                    || store.tables.header(message, HeaderName::Reason).is_some())
        }
    })
}

fn add_lessons(transactions: &CallTransactions<'_>, refusers: &FastSet<EndpointId>, lessons: &mut Vec<Lesson>) {
    let group = |transaction: &Transaction| transactions.message(transaction.first).group;
    // What a proxy answers is the answer of the node behind it.
    let is_passed_on = |index: TransactionIndex, transaction: &Transaction| {
        let mut children = transactions.children(index);
        children.any(|(_, child)| group(child) == group(transaction))
    };
    let concerned = transactions.each().filter(|(_, transaction)| {
        matches!(transaction.method, Method::Invite | Method::Update)
            && (refusers.contains(&transaction.destination) || refusers.contains(&transaction.source))
    });
    for (index, transaction) in concerned.take(EXCHANGES_MAX) {
        let of_receiver = refusers.contains(&transaction.destination) && !is_passed_on(index, transaction);
        let of_sender = refusers.contains(&transaction.source) && transaction.parent.is_none();
        if !of_receiver && !of_sender {
            continue;
        }
        let exchange = negotiation::exchange(transactions, index);
        if of_receiver {
            add_receiver_lessons(transactions, transaction, &exchange, lessons);
        }
        if of_sender {
            lessons.extend(sender_lesson(transactions, transaction, &exchange));
        }
    }
}

fn add_receiver_lessons(
    transactions: &CallTransactions<'_>,
    transaction: &Transaction,
    exchange: &Exchange,
    lessons: &mut Vec<Lesson>,
) {
    let Some(request) = transaction.last_request.map(|at| transactions.message(at)) else {
        return;
    };
    if !negotiation::is_whole(request) || transaction.method != Method::Invite {
        return;
    }
    let Some((kind, shown)) = reaction(transactions, exchange) else {
        return;
    };
    let accepted = matches!(kind, FactKind::Accepted | FactKind::AcceptedWithout);
    // Asked without offer, it described itself.
    let own = match exchange.is_delayed {
        true => exchange.offer,
        false => exchange.answer,
    };
    let session = own.map_or(SessionId::default(), |own| transactions.message(own).session);
    let content_type = transactions.tables.header_id(request, HeaderName::ContentType);
    let once = Try {
        time: request.time,
        offer: request.session,
        answer: session,
        content_type,
        is_accepted: accepted,
        at: shown.at,
    };
    let fact = Fact {
        kind,
        offer: request.session,
        answer: session,
        content_type,
        software: transactions.tables.header_id(shown, HeaderName::Server),
        count: 1,
        at: shown.at,
        seen: (request.time, request.time),
    };
    let is_initial = transactions.is_initial(transaction);
    lessons.push(Lesson {
        endpoint: transaction.destination,
        fact,
        tried: is_initial.then_some((request.from, request.to, once)),
    });
    if !accepted && !shown.session.is_absent() && negotiation::is_whole(shown) {
        lessons.push(Lesson {
            endpoint: transaction.destination,
            fact: Fact { kind: FactKind::Described, offer: SessionId::default(), answer: shown.session, ..fact },
            tried: None,
        });
    }
}

/// How a receiver took an INVITE, and the response that shows it.
fn reaction<'a>(transactions: &CallTransactions<'a>, exchange: &Exchange) -> Option<(FactKind, &'a Message)> {
    let concluded = exchange.concluded.map(|at| transactions.message(at));
    let status = concluded.and_then(Message::status).map_or(0, |status| status.0);
    let answer = exchange.answer.map(|at| transactions.message(at));
    let is_success = (200..300).contains(&status);
    match (answer, concluded) {
        (Some(answer), _) if !exchange.is_delayed => Some((FactKind::Accepted, answer)),
        (_, Some(last)) if is_success && exchange.is_delayed => Some((FactKind::AcceptedWithout, last)),
        (_, Some(last)) if is_refusal(status) && exchange.is_delayed => Some((FactKind::RefusedWithout, last)),
        (_, Some(last)) if is_refusal(status) => Some((FactKind::Refused, last)),
        _ => None,
    }
}

fn is_refusal(status: u16) -> bool {
    matches!(status, 400 | 403 | 406 | 415 | 480 | 488 | 500 | 501 | 503 | 606)
}

fn sender_lesson(
    transactions: &CallTransactions<'_>,
    transaction: &Transaction,
    exchange: &Exchange,
) -> Option<Lesson> {
    let offer = transactions.message(exchange.offer.filter(|_| !exchange.is_delayed)?);
    Some(Lesson {
        endpoint: transaction.source,
        fact: Fact {
            kind: FactKind::Offered,
            offer: offer.session,
            answer: SessionId::default(),
            content_type: TextId::default(),
            software: transactions.tables.header_id(offer, HeaderName::UserAgent),
            count: 1,
            at: offer.at,
            seen: (offer.time, offer.time),
        },
        tried: None,
    })
}

fn options_lesson(store: &MessageStore, request: &OtherRequest) -> Option<Lesson> {
    let messages = store.messages_of(request.range);
    let answer = messages.iter().find(|message| {
        message.is_response_to(Method::Options)
            && message.status().is_some_and(StatusCode::is_success)
            && message.source == request.destination
            && !message.session.is_absent()
            && negotiation::is_whole(message)
    })?;
    Some(Lesson {
        endpoint: request.destination,
        fact: Fact {
            kind: FactKind::Described,
            offer: SessionId::default(),
            answer: answer.session,
            content_type: TextId::default(),
            software: store.tables.header_id(answer, HeaderName::Server),
            count: 1,
            at: answer.at,
            seen: (answer.time, answer.time),
        },
        tried: None,
    })
}
