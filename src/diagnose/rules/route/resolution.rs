//! Next hops that cannot be found.
//!
//! Sources: RFC 3263; Kamailio and OpenSIPS answer 478 for a name without address and 477 for a send that failed.

use std::time::Duration;

use crate::call::Message;
use crate::call::beside::dns::Lookup;
use crate::capture::Timestamp;
use crate::diagnose::finding::words::duration;
use crate::diagnose::rules::route::lookup::{self, Failed};
use crate::diagnose::rules::route::targets::dead_targets;
use crate::diagnose::{Case, Confidence, Evidence, Finding, Proof, Severity};
use crate::sip::HeaderName;
use crate::sip::number::host_of;

/// Words in a phrase or Warning that speak of name resolution.
const RESOLUTION: [&str; 8] =
    ["unresolvable", "unresolveable", "resolve", "dns", "name resolution", "nxdomain", "no such host", "unknown host"];

/// How long after the last message of a call that was never answered its node may still ask.
const SILENCE_WAIT: Duration = Duration::from_secs(5);
/// Codes with which a node says that it could not send a call on.
const STUCK: [u16; 8] = [408, 477, 478, 480, 500, 502, 503, 504];

pub fn dns(case: &Case<'_>) -> Option<Finding> {
    if case.outcome().is_answered() {
        return None;
    }
    match asked(case) {
        Some((request, until, failed)) => Some(seen(case, request, until, &failed)),
        None => dead_targets(case).or_else(|| told(case)),
    }
}

/// What the node at which the call ended had asked DNS for, where that got it nowhere.
fn asked<'a>(case: &Case<'a>) -> Option<(&'a Message, Timestamp, Failed<'a>)> {
    if case.scene.lookups.is_empty() {
        return None;
    }
    let (hop, root) = case.root()?;
    let request = case.message(root.request?)?;
    let until = match root.final_response.and_then(|answer| case.message(answer)) {
        Some(answer) => STUCK.contains(&answer.status()?.0).then_some(answer.time)?,
        // It took the INVITE and was never heard again.
        None => root.trying.map(|_| case.call.ended.plus(SILENCE_WAIT))?,
    };
    let went_on = case.anatomy.children(hop).next().is_some() || root.alerting.is_some();
    let address = case.tables().endpoint(root.destination).address;
    let failed = lookup::failed(case, address, request, until)?;
    (!went_on).then_some((request, until, failed))
}

/// The lookups are in the capture.
fn seen(case: &Case<'_>, request: &Message, until: Timestamp, failed: &Failed<'_>) -> Finding {
    let Lookup { name, kind, server, .. } = failed.lookup;
    let got = lookup::why(failed.lookup, until).unwrap_or("nothing");
    let node = case.name(request.destination);
    let said = match failed.lookup.rcode {
        Some(_) => format!("DNS server {} answered its {} question with {got}", server.address, kind.word()),
        None => format!("DNS server {} never answered its {} question", server.address, kind.word()),
    };
    let asked = failed.lookup.answered;
    let gap = until.since(asked.map_or(failed.lookup.time(), |(at, _)| at));
    let answer = match case.refusal().and_then(Message::status) {
        Some(status) => format!("{} before it answered the call with {}", duration(gap), status.0),
        None => "and the call was never heard of again".to_owned(),
    };
    let is_sure = failed.is_asked_for && failed.is_final && failed.lookup.rcode.is_some();
    let confidence = match (is_sure, failed.is_asked_for || failed.is_final) {
        (true, _) => Confidence::Certain,
        (false, true) => Confidence::Likely,
        (false, false) => Confidence::Possible,
    };
    let rest = match confidence {
        Confidence::Possible => " Also consider that it knew another way and failed there.",
        _ => "",
    };
    let host = case.scene.name(request.destination);
    let proof = match case.refusal_code() {
        477 | 478 => Proof::OwnWords,
        _ => Proof::Protocol,
    };
    Finding::new("route-dns", Severity::Error, confidence, proof)
        .says(
            format!("{host} cannot find the next hop"),
            format!(
                "{node} could not resolve {name}: {said}, {answer}.{rest}"
            ),
            format!(
                "1. Is {name} spelt as it should be in the route or trunk of {host} that leads to {}? 2. Add the record at whoever runs that domain, or let {host} ask a resolver that knows it. 3. Until then: an address in its place.",
                case.scene.text(request.line)
            ),
        )
        .shown_by(Evidence::in_frames(
            failed.frames.clone(),
            format!("{} {name}", kind.word()),
            said,
        ))
        .shown_by(case.shows(request, "the call that could not go on"))
        .at(request.destination, format!("dns {name}"))
}

/// The node itself says so.
fn told(case: &Case<'_>) -> Option<Finding> {
    case.call.final_code?;
    let (refuser, refusal) = (case.refuser()?, case.refusal()?);
    let code = case.refusal_code();
    let phrase = case.scene.text(refusal.line);
    let warnings = case.tables().header_values(refusal, HeaderName::Warning);
    let reasons = case.tables().header_values(refusal, HeaderName::Reason);
    let words: Vec<String> =
        std::iter::once(phrase).chain(warnings).chain(reasons).map(str::to_ascii_lowercase).collect();
    let says_so = words.iter().any(|words| RESOLUTION.iter().any(|part| words.contains(part)));
    let confidence = match code {
        478 => Confidence::Certain,
        477 => Confidence::Likely,
        _ if says_so && code >= 400 => Confidence::Likely,
        _ => return None,
    };
    let request = case.refused_request()?;
    let node = case.name(refuser);
    let uri = case.scene.text(request.line);
    let host = host_of(uri);
    let what = if code == 477 && !says_so {
        "could not send the call to its next hop"
    } else {
        "could not resolve the name of its next hop"
    };
    let finding = Finding::new("route-dns", Severity::Error, confidence, Proof::OwnWords)
        .says(
            format!("{} cannot find the next hop", case.scene.name(refuser)),
            format!("{node} {what} and answered {code} {phrase}; the call was for {uri}."),
            format!("1. On {node}: see which name the route for {uri} leads to ({host} where nothing rewrites it) and whether its resolver knows it (NAPTR, SRV, A, AAAA). 2. Correct the DNS record or the route, or use an address."),
        )
        .shown_by(case.shows(refusal, "the next hop could not be found"))
        .at(refuser, format!("{code} {host}"));
    Some(finding)
}
