//! Numbers and users that a node does not know.
//!
//! Sources: RFC 3261 sections 21.4.5, 21.4.23 and 21.6.3; Q.850 causes 1, 2, 3 and 22.

use std::time::Duration;

use crate::call::{Call, CallIndex, Cause, EndpointId, Message, NodeId};
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::rules::route::ringing::has_rung;
use crate::diagnose::rules::route::spelling::accepted_spelling;
use crate::diagnose::{CallContext, Confidence, Observation, Proof, Steps};
use crate::sip::HeaderName;
use crate::sip::number::{host_of, user_of};

/// A number that the node which refused it does not know.
struct UnknownNumber<'a> {
    refuser: EndpointId,
    refusal: &'a Message,
    request: &'a Message,
    code: u16,
    /// The Q.850 cause, where it is what says so.
    cause: Option<u16>,
    /// What other calls show of it.
    others: Comparison<'a>,
}

/// What a refusal says of a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NumberFate {
    /// The telephone network has no route to it.
    NoRoute,
    /// It has another number now.
    Moved,
    /// It is out of service.
    Gone,
    /// Several users have it.
    Ambiguous,
    /// It does not exist.
    Unknown,
}

impl UnknownNumber<'_> {
    fn meaning(&self) -> NumberFate {
        match (self.cause, self.code) {
            (Some(2 | 3), _) => NumberFate::NoRoute,
            (Some(22), _) => NumberFate::Moved,
            (_, 410) => NumberFate::Gone,
            (_, 485) => NumberFate::Ambiguous,
            _ => NumberFate::Unknown,
        }
    }
}

impl NumberFate {
    /// The title around the number, behind the name of the node.
    fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::NoRoute => ("has no route to", ""),
            Self::Moved => ("says that", " moved to another number"),
            Self::Gone => ("no longer serves", ""),
            Self::Ambiguous => ("cannot tell whom", " means"),
            Self::Unknown => ("does not know", ""),
        }
    }

    /// What the node does, behind its name.
    fn sentence(self, user: &str) -> String {
        match self {
            Self::NoRoute => format!("has no route to {user}"),
            Self::Moved => format!("says that {user} has another number now"),
            Self::Gone => format!("says that {user} is no longer in service"),
            Self::Ambiguous => format!("knows several users by the name {user}"),
            Self::Unknown => format!("does not know the number {user}"),
        }
    }

    fn remedy(self, node: &str) -> Steps {
        let dialled = || "See whether the number was dialled as meant.".to_owned();
        match self {
            Self::NoRoute => {
                Steps::from([dialled(), format!("If so: give {node} a route to it, or send it to a box that has one.")])
            }
            Self::Moved => "Call the new number; its operator, or the answer where it has a Contact, tells it.".into(),
            Self::Gone | Self::Ambiguous | Self::Unknown => Steps::from([
                dialled(),
                format!("If so: create it on {node}, or correct the route that leads it there."),
            ]),
        }
    }

    /// What makes it another problem than a number that does not exist.
    fn signature(self) -> &'static str {
        match self {
            Self::NoRoute => " no route",
            Self::Moved => " moved",
            Self::Gone | Self::Ambiguous | Self::Unknown => "",
        }
    }
}

pub fn route_number_unknown(context: &CallContext<'_>) -> Option<Observation> {
    let unknown = unknown_number(context)?;
    let UnknownNumber { refuser, refusal, request, code, cause, ref others } = unknown;
    let meaning = unknown.meaning();
    let uri = context.capture.text(request.line);
    let (node, user) = (context.name(refuser), user_of(uri));
    let said = match cause {
        Some(cause) => format!("{code} with Q.850 cause {cause}, so the telephone network behind it says so"),
        None => format!("{code} {}", context.capture.text(refusal.line)),
    };
    let (before, after) = meaning.title();
    let is_foreign_host = matches!(others, Comparison::ForeignHost { .. });
    // Wrong numbers at one node are one problem, a wrong domain another.
    let domain = if is_foreign_host { format!(" {}", host_of(uri)) } else { String::new() };
    let proof = if cause.is_some() { Proof::OwnWords } else { Proof::CodeMeaning };
    let confidence = if is_foreign_host { Confidence::Likely } else { Confidence::Certain };
    Some(
        Observation::new(confidence, proof)
            .titled(format!("{} {before} ", context.capture.name(refuser)))
            .naming(user, "number", after)
            .happened(format!(
                "{node} {} ({uri}): it answered {said}.{}",
                meaning.sentence(user),
                others.sentence(context)
            ))
            .remedy(others.remedy(context, &node, user).unwrap_or_else(|| meaning.remedy(&node)))
            .shown_by(context.shows(refusal, "the number is not known"))
            .shown_by(context.shows(request, "the number as it arrived"))
            .at(refuser, format!("{code}{domain}{}", meaning.signature())),
    )
}

fn unknown_number<'a>(context: &'a CallContext<'_>) -> Option<UnknownNumber<'a>> {
    if context.outcome().is_answered() || context.call.final_code.is_none() {
        return None;
    }
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let code = context.refusal_code();
    let cause =
        Cause::of(context.tables(), refusal).q850.filter(|cause| matches!(cause, 1 | 2 | 3 | 22) && code >= 400);
    let by_code = matches!(code, 404 | 410 | 604 | 485);
    let (_, root) = context.root()?;
    if !by_code && cause.is_none() || has_rung(context, root) || accepted_spelling(context).is_some() {
        return None;
    }
    let request = context.refused_request()?;
    let uri = context.capture.text(request.line);
    let nodes: Vec<NodeId> = context.call.hops.iter().map(|hop| context.capture.node(hop.destination)).collect();
    let to = context.capture.text(request.to);
    // A user that registers here exists; why its device cannot be reached is another rule's matter.
    if [uri, to].iter().any(|aor| context.capture.binding_at(aor, &nodes, refusal.time).is_some()) {
        return None;
    }
    let others = comparison(context, refuser, refusal, uri);
    Some(UnknownNumber { refuser, refusal, request, code, cause, others })
}

/// What an answer and other calls show of a number that is unknown.
enum Comparison<'a> {
    /// The answer itself names whom else to call.
    Names(&'a str),
    /// The node accepted the number shortly before.
    AcceptedBefore {
        before: Duration,
        /// That call.
        call: CallIndex,
        /// Who placed it, where that is somebody else: who may call a number can depend on where the call comes from.
        other_caller: Option<EndpointId>,
    },
    /// Every call to its host fails there, calls to another host work.
    ForeignHost { own: &'a str, other: &'a str },
    /// The node accepted none of so many calls.
    NothingAccepted { calls: u32 },
    /// The node accepted so many calls for other numbers.
    OthersAccepted { calls: u32 },
    /// Nothing.
    None,
}

fn comparison<'a>(
    context: &'a CallContext<'_>,
    refuser: EndpointId,
    refusal: &'a Message,
    uri: &'a str,
) -> Comparison<'a> {
    let capture = context.capture;
    if context.refusal_code() == 485
        && let Some(contacts) = context.header(refusal, HeaderName::Contact)
    {
        return Comparison::Names(contacts);
    }
    let Some(reception) = capture.reception(refuser) else {
        return Comparison::None;
    };
    let (all, host) = (&reception.all, host_of(uri));
    let same = reception.users.get(user_of(uri)).and_then(|same| same.last);
    if let Some(last) = same.filter(|last| last.time < refusal.time && host_of(capture.text(last.uri)) == host) {
        let caller = |call: &Call| capture.node(call.source);
        let accepted = capture.calls.get(last.call.place());
        let other = accepted.filter(|other| caller(other) != caller(context.call));
        return Comparison::AcceptedBefore {
            before: refusal.time.since(last.time),
            call: last.call,
            other_caller: other.map(|other| other.source),
        };
    }
    let own = reception.hosts.get(host).copied().unwrap_or_default();
    let other = all.last.map(|last| host_of(capture.text(last.uri)));
    let fails_alone = own.accepted == 0 && own.unknown > 1 && all.accepted > 1;
    if let Some(other) = other.filter(|other| fails_alone && *other != host) {
        return Comparison::ForeignHost { own: host, other };
    }
    match all.accepted {
        0 if all.unknown > 1 && reception.users.len() > 1 => Comparison::NothingAccepted { calls: all.unknown },
        0 => Comparison::None,
        calls => Comparison::OthersAccepted { calls },
    }
}

impl Comparison<'_> {
    /// A sentence with a blank before it; empty where nothing is to say.
    fn sentence(&self, context: &CallContext<'_>) -> String {
        match *self {
            Self::Names(contacts) => format!(" It names {contacts}."),
            Self::AcceptedBefore { before, call, other_caller } => {
                let from = other_caller.map_or(String::new(), |other| format!(" from {}", context.capture.name(other)));
                let before = duration(before);
                format!(" It accepted the same number {before} before{from}, in call {}.", call.id())
            }
            Self::ForeignHost { own, other } => format!(
                " Every call to the host {own} fails there, calls to the host {other} work: it does not take {own} for its own."
            ),
            Self::NothingAccepted { calls } => format!(
                " It accepted no number in this capture and answered so to {}: its routes or users as a whole may be missing.",
                counted(calls, "call")
            ),
            Self::OthersAccepted { calls } => format!(" It accepted {} for other numbers.", counted(calls, "call")),
            Self::None => String::new(),
        }
    }

    /// Who changes what, where this shows more than the refusal.
    fn remedy(&self, context: &CallContext<'_>, node: &str, user: &str) -> Option<Steps> {
        match *self {
            Self::AcceptedBefore { before, other_caller: None, .. } => Some(
                format!(
                    "On {node}: see what changed for {user} in the {} before: a user or registration that was removed, or a route that now leads elsewhere.",
                    duration(before)
                )
                .into(),
            ),
            Self::ForeignHost { own, other } => Some(Steps::from([
                format!("On {}: send calls to the host {other}.", context.name(context.call.source)),
                format!("Or make {own} known to {node}."),
            ])),
            _ => None,
        }
    }
}
