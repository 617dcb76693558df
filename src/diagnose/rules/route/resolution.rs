//! Next hops that cannot be found.
//!
//! Sources: RFC 3263; Kamailio and OpenSIPS answer 478 for a name without address and 477 for a send that failed.

use crate::call::number::host_of;
use crate::diagnose::{Case, Confidence, Finding, Proof, Severity};
use crate::sip::HeaderName;

/// Words in a phrase or Warning that speak of name resolution.
const RESOLUTION: [&str; 8] = [
    "unresolvable",
    "unresolveable",
    "resolve",
    "dns",
    "name resolution",
    "nxdomain",
    "no such host",
    "unknown host",
];

pub fn dns(case: &Case<'_>) -> Option<Finding> {
    if case.outcome().is_answered() || case.call.final_code.is_none() {
        return None;
    }
    let (refuser, refusal) = (case.refuser()?, case.refusal()?);
    let code = case.refusal_code();
    let phrase = case.scene.text(refusal.line);
    let warnings = case.tables().header_values(refusal, HeaderName::Warning);
    let reasons = case.tables().header_values(refusal, HeaderName::Reason);
    let words: Vec<String> = std::iter::once(phrase)
        .chain(warnings)
        .chain(reasons)
        .map(str::to_ascii_lowercase)
        .collect();
    let says_so = words
        .iter()
        .any(|words| RESOLUTION.iter().any(|part| words.contains(part)));
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
