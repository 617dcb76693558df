//! Logins of requests outside calls and registrations: SUBSCRIBE, PUBLISH, MESSAGE and OPTIONS.
//!
//! Source: RFC 3261 section 22 (any request may be challenged).

use std::collections::BTreeMap;

use crate::call::beside::other_request::OtherRequest;
use crate::call::detail::login::{LoginFault, fault, rounds};
use crate::call::{CallTransactions, EndpointId, NodeId, TextId, TransactionIndex, is_challenge};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Observation, Severity};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::auth::login::{Deed, Login};
use crate::sip::Method;
use crate::sip::number::user_of;

/// Senders that are looked at: each is a device and a server, forged captures may hold any number.
const SENDERS_MAX: usize = 10_000;

/// Requests of one kind: who sends them, to whom, what for, and as which user.
type Errand = (NodeId, EndpointId, Deed, TextId);

/// Requests of one kind by one device whose last one was left at a challenge.
struct Stuck<'a> {
    last: &'a OtherRequest,
    first: &'a OtherRequest,
    count: u32,
}

/// What a rule about logins says of them.
pub fn claims(capture: &CaptureContext<'_>, ask: fn(&Login<'_, '_>) -> Option<Observation>) -> Vec<Claim> {
    let stuck = stuck(capture);
    let found = stuck.values().filter_map(|stuck| {
        let login = login(capture, stuck)?;
        let mut observation = ask(&login)?.beside();
        observation.severity = Some(Severity::Warn);
        Some(Claim {
            said: observation,
            calls: Vec::new(),
            count: stuck.count,
            first_at: stuck.first.sent,
            last_at: stuck.last.sent,
            scope: String::new(),
        })
    });
    found.collect()
}

/// What a sender of this method may do once it has logged in; `None` for methods of which other rules speak.
fn deed(method: Method) -> Option<Deed> {
    match method {
        Method::Subscribe => Some(Deed::Subscribe),
        Method::Publish => Some(Deed::Publish),
        Method::Message => Some(Deed::SendMessage),
        Method::Options => Some(Deed::AskCapabilities),
        _ => None,
    }
}

fn stuck<'a>(capture: &CaptureContext<'a>) -> BTreeMap<Errand, Stuck<'a>> {
    let mut all: BTreeMap<Errand, Stuck<'a>> = BTreeMap::new();
    for request in capture.requests {
        let Some(deed) = deed(request.method) else {
            continue;
        };
        let is_stuck = request.answer.is_some_and(|(status, _, _)| is_challenge(status));
        let key = (capture.node(request.source), request.destination, deed, request.from);
        let has_room = all.len() < SENDERS_MAX;
        match all.get_mut(&key) {
            Some(known) => {
                known.last = request;
                known.count += u32::from(is_stuck);
            }
            None if is_stuck && has_room => {
                let stuck = Stuck { last: request, first: request, count: 1 };
                all.insert(key, stuck);
            }
            None => {}
        }
    }
    // Whoever was let in at last needed a challenge or two, as everybody does.
    all.retain(|_, stuck| {
        let answer = stuck.last.answer;
        answer.is_some_and(|(status, _, _)| is_challenge(status)) && !capture.is_hostile(stuck.last.source)
    });
    all
}

fn login<'s, 'a>(capture: &'s CaptureContext<'a>, stuck: &Stuck<'a>) -> Option<Login<'s, 'a>> {
    let request = stuck.last;
    let messages = capture.store.messages_of(request.range);
    let transactions = CallTransactions::new(messages.iter().collect(), &capture.store.tables);
    let steps: Vec<TransactionIndex> = transactions
        .each()
        .filter(|(_, t)| t.method == request.method && t.parent.is_none() && t.request.is_some())
        .map(|(index, _)| index)
        .collect();
    let rounds = rounds(&transactions, &steps);
    let fault = fault(&rounds)?;
    // A keep-alive without login is answered 401 and has done its work.
    if request.method == Method::Options && matches!(fault, LoginFault::Unanswered { .. }) {
        return None;
    }
    let last = transactions.transaction(*steps.last()?);
    Some(Login {
        capture,
        fault,
        client: request.source,
        server: request.destination,
        origin: request.destination,
        client_name: capture.name(request.source),
        origin_name: capture.name(request.destination),
        user: user_of(capture.text(request.from)).to_owned(),
        tries: 1,
        left: 1,
        logs_in: false,
        is_deaf: last.last_request > last.final_response,
        deed: deed(request.method)?,
        rounds,
    })
}
