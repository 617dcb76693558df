//! Servers that DNS names for a domain, all of which were tried and none of which answered.
//!
//! Source: RFC 3263 sections 4.2 and 4.3 (SRV records, the next server where one fails).

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::call::beside::dns::Lookup;
use crate::call::{Message, Outcome, Transaction};
use crate::capture::FrameRef;
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof};
use crate::net::DnsRecord;
use crate::sip::Method;

/// Servers that must have been tried: of one that is dead other rules speak, by how it is dead.
const TARGETS_MIN: usize = 2;
/// Sends of an INVITE that nothing answered after which its server counts as dead.
const SENDS_MIN: u32 = 3;
/// Lookups before the end of a call that are looked at for it.
const LOOKUPS_MAX: usize = 2_000;
/// Servers that are named.
const NAMED_MAX: usize = 4;

/// Every server of a domain was tried for the call, and all were silent.
pub(super) fn dead_targets(context: &CallContext<'_>) -> Option<Observation> {
    let may_be_silence = matches!(
        context.outcome(),
        Outcome::TimedOut | Outcome::Cancelled | Outcome::Unreachable | Outcome::ServerFailed
    );
    if context.capture.lookups.is_empty() || !may_be_silence {
        return None;
    }
    let sender = context.root()?.1.source;
    let client = context.tables().endpoint(sender).address;
    let tried = tried_in_vain(context, client)?;
    let request = tried.first;
    let all = context.capture.lookups;
    let known = all.partition_point(|lookup| lookup.time() <= context.call.ended);
    let newest = all.get(..known)?.iter().rev().take(LOOKUPS_MAX);
    let lookups: Vec<&Lookup> = newest.filter(|lookup| lookup.client == client).collect();
    let (services, targets) = lookups.iter().find_map(|lookup| {
        let servers = servers(lookup, &lookups)?;
        (servers == tried.addresses).then_some((lookup, servers))
    })?;
    let name = &services.name;
    let listed: Vec<String> = targets.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let more = match targets.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .titled("No server of the domain answers")
            .happened(format!(
                "DNS names {} servers for {name}: {}{more}. {} sent the INVITE to each of them and none answered.",
                targets.len(),
                listed.join(", "),
                context.name(sender)
            ))
            .remedy(format!("Whoever runs {name}: are these servers up, and are the SRV records still right?"))
            .remedy(format!("Firewall between {client} and them: let SIP through both ways."))
            .remedy(format!("{client}: a further route for calls that {name} does not take."))
            .shown_by(Evidence::in_frames(
                vec![services.at()],
                format!("SRV {name}"),
                format!("names {} servers", targets.len()),
            ))
            .shown_by(Evidence::in_frames(
                tried.frames,
                context.start_line(request),
                "one INVITE to each of them, and no answer",
            ))
            .shown_by(Evidence::Missing {
                expected: "any response from any of them".to_owned(),
                after: request.at,
                watched: context.capture.watched_since(request.time),
            })
            .at(sender, format!("dead {name}")),
    )
}

/// The servers that a node sent the INVITE to.
struct Tried<'a> {
    addresses: BTreeSet<IpAddr>,
    /// The first INVITE to any of them.
    first: &'a Message,
    /// The first INVITE to each.
    frames: Vec<FrameRef>,
}

/// The servers that the node at `client` tried, where they are several and none of them said anything.
fn tried_in_vain<'a>(context: &CallContext<'a>, client: IpAddr) -> Option<Tried<'a>> {
    let tables = context.tables();
    let own = |t: &Transaction| t.method == Method::Invite && tables.endpoint(t.source).address == client;
    let (mut addresses, mut frames, mut first) = (BTreeSet::new(), Vec::new(), None);
    for (_, t) in context.transactions.each().filter(|(_, t)| own(t)) {
        let is_silent = t.trying.is_none() && t.alerting.is_none() && t.final_response.is_none();
        let nodes = (context.capture.node(t.source), context.capture.node(t.destination));
        // One that answers, or whose answers the capture may lack, leaves the domain alive.
        if !is_silent || t.sends < SENDS_MIN || context.capture.is_one_directional(nodes.0, nodes.1) {
            return None;
        }
        addresses.insert(tables.endpoint(t.destination).address);
        let request = context.message(t.request?)?;
        first = first.or(Some(request));
        frames.push(request.at);
    }
    let first = first?;
    (addresses.len() >= TARGETS_MIN).then_some(Tried { addresses, first, frames })
}

/// The addresses of the servers that an answer to an SRV question names; `None` where one of them was not looked up.
fn servers(service: &Lookup, lookups: &[&Lookup]) -> Option<BTreeSet<IpAddr>> {
    let mut addresses = BTreeSet::new();
    for record in &service.answers {
        let DnsRecord::Server { target, .. } = record else {
            continue;
        };
        let known = addresses.len();
        let about = lookups.iter().filter(|lookup| lookup.name.eq_ignore_ascii_case(target));
        for answer in about.flat_map(|lookup| &lookup.answers) {
            if let DnsRecord::Address(address) = answer {
                addresses.insert(*address);
            }
        }
        if addresses.len() == known {
            return None;
        }
    }
    (!addresses.is_empty()).then_some(addresses)
}
