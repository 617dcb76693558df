//! Calls that go in a circle, and requests that reach one node on two ways.
//!
//! Sources: RFC 3261 sections 8.2.2.2, 16.3 and 16.6; RFC 5393.

use std::collections::{BTreeSet, HashMap};

use crate::call::FastMap;
use crate::call::{NodeId, Outcome, TextId, Transaction};
use crate::diagnose::finding::words::duration;
use crate::diagnose::{CallContext, Confidence, Observation, Proof};
use crate::sip::number::user_of;

/// Max-Forwards below which a first INVITE will not get far; RFC 3261 section 8.1.1.6 sets 70.
const HOPS_LEFT_MIN: u8 = 10;
/// Hops from which on a call that nothing refused may be a circle.
const HOPS_MIN: usize = 6;
/// What stands for a Max-Forwards that a message lacks.
const NO_MAX_FORWARDS: u8 = 255;
/// Visits of one node that make a circle beyond doubt.
const VISITS_SURE: usize = 3;
/// Nodes of a circle named in a text.
const NODES_SHOWN: usize = 4;

pub fn route_loop(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome().is_answered() {
        return None;
    }
    let (code, refused) = (context.code(), context.refusal_code());
    let is_loop_code = |code| matches!(code, 482 | 483);
    let is_refused = is_loop_code(code) || is_loop_code(refused);
    if !is_refused && context.outcome() != Outcome::TimedOut && context.call.hops.len() < HOPS_MIN {
        return None;
    }
    circle(context, is_refused)
        .or_else(|| if refused == 482 || code == 482 { merged(context) } else { None })
        .or_else(|| if is_refused { low_start(context).or_else(|| unseen(context)) } else { None })
}

/// A node that got the call several times for the same Request-URI.
struct Circle<'a> {
    uri: TextId,
    /// The hops on which it got the call, in the order of time.
    hops: Vec<&'a Transaction>,
    /// How often it got the call deeper than before.
    times: usize,
    /// Whether one of these hops lies behind the first.
    is_nested: bool,
}

impl<'a> Circle<'a> {
    /// The node that got the call most often, with what it was asked for.
    fn deepest(context: &'a CallContext<'_>) -> Option<Self> {
        let mut visits: FastMap<(NodeId, TextId), Vec<&Transaction>> = HashMap::default();
        for (_, hop) in context.transactions.invites() {
            let Some(request) = hop.request.and_then(|request| context.message(request)) else {
                continue;
            };
            let key = (context.capture.node(hop.destination), request.line);
            visits.entry(key).or_default().push(hop);
        }
        let vias = &context.tables().vias;
        // A circle goes deeper with each visit; a retry or a fork comes back at the same depth.
        let depths = |hops: &[&Transaction]| {
            let depths: BTreeSet<u8> = hops.iter().map(|hop| vias.get(hop.via).depth).collect();
            depths.len()
        };
        let ((_, uri), hops) = visits
            .into_iter()
            .max_by_key(|(_, hops)| (depths(hops), std::cmp::Reverse(hops.first().map(|hop| hop.first))))?;
        let (first, others) = hops.split_first()?;
        let is_nested = others.iter().any(|hop| vias.above(hop.via, first.via).is_some());
        Some(Self { uri, times: depths(&hops), is_nested, hops })
    }

    /// The nodes between the first visit and the second one, and the node itself.
    fn path(&self, context: &CallContext<'_>) -> String {
        let [first, second, ..] = self.hops.as_slice() else {
            return String::new();
        };
        let between =
            context.transactions.invites().filter(|(_, hop)| (first.first..second.first).contains(&hop.first));
        let names = between.map(|(_, hop)| context.capture.name(hop.destination)).take(NODES_SHOWN);
        let path: Vec<String> = names.chain([context.capture.name(first.destination)]).collect();
        path.join(" -> ")
    }
}

fn circle(context: &CallContext<'_>, is_refused: bool) -> Option<Observation> {
    let circle = Circle::deepest(context)?;
    let Circle { ref hops, times, .. } = circle;
    if times < 2 || !circle.is_nested || !is_refused && times < VISITS_SURE {
        return None;
    }
    let (first, last) = (*hops.first()?, *hops.last()?);
    let (asked, ended) = (context.message(first.request?)?, context.message(last.request?)?);
    let left = if asked.max_forwards != NO_MAX_FORWARDS && ended.max_forwards < asked.max_forwards {
        format!(
            "; Max-Forwards fell from {} to {} in {}",
            asked.max_forwards,
            ended.max_forwards,
            duration(ended.time.since(asked.time))
        )
    } else {
        String::new()
    };
    let number = context.capture.text(circle.uri);
    let node = context.name(first.destination);
    let confidence = if times >= VISITS_SURE || is_refused { Confidence::Certain } else { Confidence::Likely };
    let refusal = context.refusal().map(|refusal| context.shows(refusal, "the end of the circle"));
    Some(
        Observation::new(confidence, Proof::Protocol)
            .titled("The call goes in a circle")
            .happened(format!(
                "The call for {number} circles {}: {node} got it {times} times with the same Request-URI{left}.",
                circle.path(context)
            ))
            .remedy(format!(
                "On {node} or {}: correct the route for {} so that it leads to the user, not back.",
                context.name(last.source),
                user_of(number)
            ))
            .shown_by(context.shows(ended, "the same call again"))
            .shown_by(context.shows(asked, "the first time"))
            .at(first.destination, user_of(number))
            .maybe_shown_by(refusal),
    )
}

/// One node got the same request on two ways: a fork that meets again.
fn merged(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let node = context.capture.node(refuser);
    let mut copies = context.transactions.invites().filter(|(_, hop)| context.capture.node(hop.destination) == node);
    let (_, first) = copies.next()?;
    let (_, second) = copies.find(|(_, hop)| {
        hop.via != first.via && hop.cseq == first.cseq && context.tables().vias.above(hop.via, first.via).is_none()
    })?;
    let (a, b) = (context.message(first.request?)?, context.message(second.request?)?);
    Some(
        Observation::new(Confidence::Likely, Proof::Protocol)
            .titled("One device was called on two ways at once")
            .happened(format!(
                "{} got the same INVITE from {} and from {} and refused the second one with 482: the call was forked and the branches meet in one device.",
                context.name(refuser),
                context.capture.name(first.source),
                context.capture.name(second.source)
            ))
            .remedy(format!(
                "Remove the double entry of this device from the group or from the registrations that {} calls.",
                context.name(second.source)
            ))
            .shown_by(context.shows(refusal, "the second copy was refused"))
            .shown_by(context.shows(a, "the first copy"))
            .shown_by(context.shows(b, "the second copy"))
            .at(refuser, "merged"),
    )
}

/// The caller allowed too few hops.
fn low_start(context: &CallContext<'_>) -> Option<Observation> {
    let step = context.transactions.transaction(context.transactions.last_step()?);
    let request = context.message(step.last_request?)?;
    let refusal = context.refusal()?;
    if context.refusal_code() != 483 || request.max_forwards >= HOPS_LEFT_MIN {
        return None;
    }
    let caller = context.name(step.source);
    Some(
        Observation::new(Confidence::Likely, Proof::Protocol)
            .titled("The call ran out of hops")
            .happened(format!(
                "{caller} sent the call with Max-Forwards {}, which {} had used up at the refusal with 483.",
                request.max_forwards,
                context.name(context.refuser()?)
            ))
            .remedy(format!("On {caller}: send Max-Forwards 70."))
            .shown_by(context.shows(refusal, "too many hops"))
            .shown_by(context.shows(request, "the INVITE with few hops left"))
            .at(step.source, request.max_forwards),
    )
}

/// 482 or 483 without a circle in the capture.
fn unseen(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let code = context.refusal_code();
    let request = context.refused_request()?;
    let repeated = repeated_sender(context, request.via);
    let node = context.name(refuser);
    let uri = context.capture.text(request.line);
    let (why, confidence) = match repeated {
        Some((name, times)) => (
            format!("the Via headers of the refused INVITE list {name} {times} times"),
            if times >= VISITS_SURE { Confidence::Certain } else { Confidence::Likely },
        ),
        None => ("the circle itself lies on hops that were not captured".to_owned(), Confidence::Possible),
    };
    Some(
        Observation::new(confidence, Proof::OwnWords)
            .titled("The call goes in a circle")
            .happened(format!(
                "{node} refused the call for {uri} with {code} {}: {why}.",
                context.capture.text(refusal.line)
            ))
            .remedy(format!(
                "On {node} and the nodes behind it: follow the route for {} and correct the one that leads back.",
                user_of(uri)
            ))
            .shown_by(context.shows(refusal, "the refusal"))
            .at(refuser, user_of(uri)),
    )
}

/// The sender that a Via stack names most often, where it is more than once.
fn repeated_sender<'a>(context: &CallContext<'a>, via: crate::call::ViaId) -> Option<(&'a str, usize)> {
    let mut counts: FastMap<TextId, usize> = HashMap::default();
    for value in context.tables().vias.values(via) {
        *counts.entry(value.sent_by).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(name, times)| (*times, *name));
    most.filter(|(_, times)| *times > 1).map(|(name, times)| (context.capture.text(name), times))
}
