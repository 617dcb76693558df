//! What a node that could not send a call on had asked DNS for, and what came back.
//!
//! Sources: RFC 3263 section 4 (NAPTR, SRV, A and AAAA in this order), RFC 2308 (names that do not exist, empty answers).

use std::net::IpAddr;
use std::time::Duration;

use crate::call::beside::dns::Lookup;
use crate::call::{Message, detail::target};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::CallContext;
use crate::net::{DnsKind, DnsRecord};
use crate::sip::HeaderName;

/// How long before the failure a node may have asked: it keeps answers for a while.
const ASKED_BEFORE: Duration = Duration::from_secs(5);
/// How long a question waits for its answer before it counts as unanswered.
const ANSWER_WAIT: Duration = Duration::from_secs(1);
/// Lookups of the whole capture that are looked at for one call.
const LOOKUPS_MAX: usize = 2_000;
/// Frames that evidence names.
const FRAMES_MAX: usize = 8;

/// A name that could not be resolved.
pub struct Failed<'a> {
    /// The lookup that counts: the last one about the name.
    pub lookup: &'a Lookup,
    /// Frames of all of them.
    pub frames: Vec<FrameRef>,
    /// Whether the name is one that the request itself names.
    pub is_asked_for: bool,
    /// Whether an address was asked for, or the name itself does not exist: nothing else could have been tried.
    pub is_final: bool,
}

/// The one name that the node at `address` asked for in vain between a request and the failure that followed.
///
/// Quiet where any lookup about the name gave a record, and where the node asked for several names in vain: then nothing
/// shows which one the call needed.
pub fn failed<'a>(
    context: &CallContext<'a>,
    address: IpAddr,
    request: &Message,
    until: Timestamp,
) -> Option<Failed<'a>> {
    let all = context.capture.lookups;
    let since = Timestamp::from_nanoseconds(
        until.nanoseconds().saturating_sub(ASKED_BEFORE.as_nanos() as i64).min(request.time.nanoseconds()),
    );
    let first = all.partition_point(|lookup| lookup.time() < since);
    let own: Vec<&Lookup> = all
        .get(first..)?
        .iter()
        .take(LOOKUPS_MAX)
        .take_while(|lookup| lookup.time() <= until)
        .filter(|lookup| lookup.client == address && !is_number(&lookup.name))
        .collect();
    let mut hosts = hosts(context, request);
    follow(&own, &mut hosts);
    let is_asked_for = |name: &str| hosts.iter().any(|host| host == base(name));
    let mut names: Vec<&str> = own.iter().map(|lookup| base(&lookup.name)).collect();
    names.sort_unstable();
    names.dedup();
    let is_unsolved = |name: &&str| {
        let mut about = own.iter().filter(|lookup| base(&lookup.name) == *name);
        about.all(|lookup| why(lookup, until).is_some())
    };
    let unsolved: Vec<&str> = names.into_iter().filter(is_unsolved).collect();
    let named = unsolved.iter().find(|name| is_asked_for(name));
    let name = match (named, &unsolved[..]) {
        (Some(name), _) => *name,
        (None, [name]) => *name,
        _ => return None,
    };
    let about: Vec<&Lookup> = own.into_iter().filter(|lookup| base(&lookup.name) == name).collect();
    let is_service = |lookup: &Lookup| matches!(lookup.kind, DnsKind::Srv | DnsKind::Naptr);
    let is_address = |lookup: &Lookup| matches!(lookup.kind, DnsKind::A | DnsKind::Aaaa);
    let is_asked_for = named.is_some();
    // Names of databases and log servers are resolved too; a service record of SIP is asked for to send SIP alone.
    if !is_asked_for && !about.iter().any(|lookup| is_service(lookup)) {
        return None;
    }
    let is_final = about.iter().any(|lookup| is_address(lookup) || &*lookup.name == name && lookup.rcode == Some(3));
    Some(Failed {
        lookup: about.last()?,
        frames: about.iter().map(|lookup| lookup.at()).take(FRAMES_MAX).collect(),
        is_asked_for,
        is_final,
    })
}

/// Why a lookup helped nobody; `None` where it gave a record, or where its answer may still come.
pub fn why(lookup: &Lookup, until: Timestamp) -> Option<&'static str> {
    match lookup.rcode {
        None => (until.since(lookup.time()) >= ANSWER_WAIT).then_some("nothing"),
        Some(0) if lookup.answers.is_empty() => Some("no record of that kind"),
        Some(0) => lookup
            .answers
            .iter()
            .all(|record| matches!(record, DnsRecord::Server { target, .. } if target.is_empty()))
            .then_some("that the service is not offered there"),
        Some(2) => Some("SERVFAIL"),
        Some(3) => Some("NXDOMAIN, no such name"),
        Some(5) => Some("REFUSED"),
        Some(_) => Some("an error"),
    }
}

/// The hosts that a request may be sent on to: of its Request-URI and of its Route values.
fn hosts(context: &CallContext<'_>, request: &Message) -> Vec<String> {
    let routes = target::uris(context.tables(), request, HeaderName::Route);
    let line = context.capture.text(request.line);
    routes
        .into_iter()
        .chain(std::iter::once(line))
        .map(|uri| target::host(uri).trim_end_matches('.').to_owned())
        .filter(|host| !host.is_empty())
        .collect()
}

/// Adds the names to which records of the hosts lead: NAPTR to SRV, SRV to hosts, aliases to names.
fn follow(own: &[&Lookup], hosts: &mut Vec<String>) {
    /// Steps from a domain to an address; longer chains are loops.
    const STEPS_MAX: usize = 4;
    for _ in 0..STEPS_MAX {
        let known = hosts.len();
        let records = own
            .iter()
            .filter(|lookup| hosts.iter().any(|host| host == base(&lookup.name)))
            .flat_map(|lookup| lookup.answers.iter());
        let mut next: Vec<String> = records
            .filter_map(|record| match record {
                DnsRecord::Server { target, .. } => Some(target),
                DnsRecord::Service { replacement, .. } => Some(replacement),
                DnsRecord::Alias(name) => Some(name),
                DnsRecord::Address(_) => None,
            })
            .map(|name| base(&name.to_ascii_lowercase()).to_owned())
            .filter(|name| !name.is_empty() && !hosts.contains(name))
            .collect();
        next.sort_unstable();
        next.dedup();
        hosts.extend(next);
        if hosts.len() == known {
            break;
        }
    }
}

/// `example.com` of `_sip._udp.example.com`.
fn base(name: &str) -> &str {
    let mut rest = name;
    while let Some((label, tail)) = rest.split_once('.') {
        if !label.starts_with('_') {
            break;
        }
        rest = tail;
    }
    rest
}

/// Names that stand for telephone numbers and addresses: most of them do not exist, and calls go on without.
fn is_number(name: &str) -> bool {
    name.ends_with(".arpa")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_of_a_service_are_no_part_of_the_name() {
        assert_eq!("example.com", base("_sip._udp.example.com"));
        assert_eq!("example.com", base("example.com"));
        assert_eq!("", base(""));
        assert!(is_number("4.3.2.1.e164.arpa"));
    }
}
