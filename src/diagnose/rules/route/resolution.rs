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
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof};
use crate::sip::HeaderName;
use crate::sip::number::host_of;

/// Words in a phrase or Warning that speak of name resolution.
const RESOLUTION: [&str; 8] =
    ["unresolvable", "unresolveable", "resolve", "dns", "name resolution", "nxdomain", "no such host", "unknown host"];

/// How long after the last message of a call that was never answered its node may still ask.
const SILENCE_WAIT: Duration = Duration::from_secs(5);
/// Codes with which a node says that it could not send a call on.
const STUCK: [u16; 8] = [408, 477, 478, 480, 500, 502, 503, 504];

pub fn route_dns(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome().is_answered() {
        return None;
    }
    match asked(context) {
        Some((request, until, failed)) => Some(seen(context, request, until, &failed)),
        None => dead_targets(context).or_else(|| stated(context)),
    }
}

/// What the node at which the call ended had asked DNS for, where that got it nowhere.
fn asked<'a>(context: &CallContext<'a>) -> Option<(&'a Message, Timestamp, Failed<'a>)> {
    if context.capture.lookups.is_empty() {
        return None;
    }
    let (hop, root) = context.root()?;
    let request = context.message(root.request?)?;
    let until = match root.final_response.and_then(|answer| context.message(answer)) {
        Some(answer) => STUCK.contains(&answer.status()?.0).then_some(answer.time)?,
        // It took the INVITE and was never heard again.
        None => root.trying.map(|_| context.call.ended.plus(SILENCE_WAIT))?,
    };
    let went_on = context.transactions.children(hop).next().is_some() || root.alerting.is_some();
    let address = context.tables().endpoint(root.destination).address;
    let failed = lookup::failed(context, address, request, until)?;
    (!went_on).then_some((request, until, failed))
}

/// The lookups are in the capture.
fn seen(context: &CallContext<'_>, request: &Message, until: Timestamp, failed: &Failed<'_>) -> Observation {
    let Lookup { name, kind, server, .. } = failed.lookup;
    let got = lookup::why(failed.lookup, until).unwrap_or("nothing");
    let node = context.name(request.destination);
    let said = match failed.lookup.rcode {
        Some(_) => format!("DNS server {} answered its {} question with {got}", server.address, kind.word()),
        None => format!("DNS server {} never answered its {} question", server.address, kind.word()),
    };
    let asked = failed.lookup.answered;
    let gap = until.since(asked.map_or(failed.lookup.time(), |(at, _)| at));
    let answer = match context.refusal().and_then(Message::status) {
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
    let host = context.capture.name(request.destination);
    let proof = match context.refusal_code() {
        477 | 478 => Proof::OwnWords,
        _ => Proof::Protocol,
    };
    Observation::new(confidence, proof)
        .titled(format!("{host} cannot find the next hop"))
        .happened(format!("{node} could not resolve {name}: {said}, {answer}.{rest}"))
        .remedy(format!(
            "Is {name} spelt as it should be in the route or trunk of {host} that leads to {}?",
            context.capture.text(request.line)
        ))
        .remedy(format!("Add the record at whoever runs that domain, or let {host} ask a resolver that knows it."))
        .remedy("Until then: an address in its place.")
        .shown_by(Evidence::in_frames(failed.frames.clone(), format!("{} {name}", kind.word()), said))
        .shown_by(context.shows(request, "the call that could not go on"))
        .at(request.destination, format!("dns {name}"))
}

/// The node itself says so.
fn stated(context: &CallContext<'_>) -> Option<Observation> {
    context.call.final_code?;
    let (refuser, refusal) = (context.refuser()?, context.refusal()?);
    let code = context.refusal_code();
    let phrase = context.capture.text(refusal.line);
    let warnings = context.tables().header_values(refusal, HeaderName::Warning);
    let reasons = context.tables().header_values(refusal, HeaderName::Reason);
    let words: Vec<String> =
        std::iter::once(phrase).chain(warnings).chain(reasons).map(str::to_ascii_lowercase).collect();
    let says_so = words.iter().any(|words| RESOLUTION.iter().any(|part| words.contains(part)));
    let confidence = match code {
        478 => Confidence::Certain,
        477 => Confidence::Likely,
        _ if says_so && code >= 400 => Confidence::Likely,
        _ => return None,
    };
    let request = context.refused_request()?;
    let node = context.name(refuser);
    let uri = context.capture.text(request.line);
    let host = host_of(uri);
    let what = if code == 477 && !says_so {
        "could not send the call to its next hop"
    } else {
        "could not resolve the name of its next hop"
    };
    Some(
        Observation::new(confidence, Proof::OwnWords)
            .titled(format!("{} cannot find the next hop", context.capture.name(refuser)))
            .happened(format!("{node} {what} and answered {code} {phrase}; the call was for {uri}."))
            .remedy(format!(
                "On {node}: see which name the route for {uri} leads to ({host} where nothing rewrites it) and whether its resolver knows it (NAPTR, SRV, A, AAAA)."
            ))
            .remedy("Correct the DNS record or the route, or use an address.")
            .shown_by(context.shows(refusal, "the next hop could not be found"))
            .at(refuser, format!("{code} {host}")),
    )
}
