//! Incidents: findings with the same rule, origin and signature are one problem, and are reported once.

pub(in crate::diagnose) mod grouping;

use std::collections::HashMap;

use rayon::prelude::*;

use crate::call::survey::load::Fate;
use crate::call::{CallId, CallIndex, FastMap, NodeId};
use crate::diagnose::background::distinguishing_feature::FAILED_MIN;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::part_of;
use crate::diagnose::finding::{Confidence, Finding, Incident, Severity, Variety, Verdict};
use crate::diagnose::incident::grouping::IncidentGroups;
use crate::diagnose::rule::Claim;

/// Incidents, most harmful first, whose calls are compared with good ones.
const COMPARED_MAX: usize = 24;

/// Gathers what rules said of the capture, of calls and of registrations, most harmful first.
pub fn gather(
    capture: &CaptureContext<'_>,
    claims: &[Claim<Finding>],
    calls: &[Verdict],
    registrations: &[Vec<Finding>],
) -> Vec<Incident> {
    // What is a consequence of something else on every call that it concerns is no problem of its own.
    let stands = |claim: &&Claim<Finding>| {
        claim.calls.is_empty()
            || claim.calls.iter().any(|call| {
                let verdict = calls.get(*call as usize);
                verdict.is_none_or(|verdict| {
                    let mut findings = verdict.findings.iter();
                    findings.any(|finding| finding.rule == claim.said.rule)
                })
            })
    };
    let mut incidents: Vec<Incident> = claims.iter().filter(stands).map(of_claim).collect();
    let grouped = || groups(capture, claims, calls, registrations);
    let (groups, calls_to) = rayon::join(grouped, || calls_to(capture));
    incidents.extend(groups.incidents());
    for incident in &mut incidents {
        if incident.scope.is_empty() {
            incident.scope = scope(capture, incident, &calls_to);
        }
    }
    incidents.sort_by(|a, b| {
        harm(b).cmp(&harm(a)).then(a.first_at.cmp(&b.first_at)).then(a.finding.rule.cmp(b.finding.rule))
    });
    let compared = incidents.len().min(COMPARED_MAX);
    incidents[..compared]
        .par_iter_mut()
        .with_max_len(1)
        .for_each(|incident| incident.distinction = distinguishing_feature(capture, incident));
    incidents
}

/// What rules said of calls and of registrations, and not of the capture already.
fn groups(
    capture: &CaptureContext<'_>,
    claims: &[Claim<Finding>],
    calls: &[Verdict],
    registrations: &[Vec<Finding>],
) -> IncidentGroups {
    let claimed = |call: u32, rule: &str| {
        claims.iter().any(|claim| claim.said.rule == rule && claim.calls.binary_search(&call).is_ok())
    };
    let mut groups = IncidentGroups::default();
    for (index, verdict) in calls.iter().enumerate() {
        let call = &capture.calls[index];
        for finding in verdict
            .findings
            .iter()
            .filter(|finding| finding.severity > Severity::Info && !claimed(index as u32, finding.rule))
        {
            groups.add(finding, Some(CallIndex(index as u32).id()), call.started, call.ended);
        }
    }
    for (registration, findings) in capture.registrations.iter().zip(registrations) {
        let tries = || registration.attempts.iter().filter_map(|index| capture.attempts.get(*index as usize));
        let first = tries().next().map_or(capture.start, |attempt| attempt.started);
        let last = tries().next_back().map_or(capture.end, |attempt| attempt.ended);
        for finding in findings.iter().filter(|finding| finding.severity > Severity::Info) {
            groups.add(finding, None, first, last);
        }
    }
    groups
}

/// Rank of an incident: severity, then how many it touched, then how sure it is.
fn harm(incident: &Incident) -> (Severity, u32, Confidence) {
    (incident.finding.severity, incident.count, incident.finding.seen.confidence)
}

fn of_claim(claim: &Claim<Finding>) -> Incident {
    Incident {
        finding: claim.said.clone(),
        variety: Variety::default(),
        calls: claim.calls.iter().map(|call| CallIndex(*call).id()).collect(),
        count: claim.count,
        first_at: claim.first_at,
        last_at: claim.last_at,
        scope: claim.scope.clone(),
        distinction: String::new(),
    }
}

/// How many calls each node was sent.
fn calls_to(capture: &CaptureContext<'_>) -> FastMap<NodeId, u32> {
    let mut counts: FastMap<NodeId, u32> = HashMap::default();
    for call in capture.calls {
        let nodes = || call.hops.iter().map(|hop| capture.node(hop.destination));
        for (place, node) in nodes().enumerate() {
            if !nodes().take(place).any(|before| before == node) {
                *counts.entry(node).or_default() += 1;
            }
        }
    }
    counts
}

/// How large a share of the calls to the same node an incident is; `calls_to` says how many each node was sent.
fn scope(capture: &CaptureContext<'_>, incident: &Incident, calls_to: &FastMap<NodeId, u32>) -> String {
    let Some(origin) = incident.finding.seen.origin.map(|origin| capture.node(origin)) else {
        return String::new();
    };
    if incident.calls.is_empty() {
        return String::new();
    }
    let address = capture.store.tables.endpoints.address(origin);
    match calls_to.get(&origin) {
        None => String::new(),
        Some(all) => {
            let part = part_of(incident.calls.len(), *all as usize, "call");
            format!("{part} to {address}{}", sources(capture, incident, origin))
        }
    }
}

/// Where all of them come from one sender and others fare better there: who, and how many of the others went well.
fn sources(capture: &CaptureContext<'_>, incident: &Incident, origin: NodeId) -> String {
    /// Calls of others that make a difference.
    const OTHERS_MIN: usize = 3;
    let source = |call: CallId| {
        let call = capture.calls.get(call.index()?.place())?;
        Some(capture.node(call.source))
    };
    let mut all = incident.calls.iter().filter_map(|call| source(*call));
    let Some(first) = all.next() else {
        return String::new();
    };
    if incident.calls.len() < 2 || first == origin || all.any(|other| other != first) {
        return String::new();
    }
    let Some(load) = capture.loads.at(origin) else {
        return String::new();
    };
    let (mut well, mut others) = (0_usize, 0_usize);
    for attempt in &load.attempts {
        let id = attempt.call.id();
        if source(id).is_some_and(|source| source != first) {
            others += 1;
            well += usize::from(attempt.fate == Fate::Taken);
        }
    }
    if well < OTHERS_MIN || well * 10 < others * 9 {
        return String::new();
    }
    let address = capture.store.tables.endpoints.address(first);
    let well = part_of(well, others, "call");
    format!(", all from {address}; {well} from others went well")
}

/// What sets the calls of an incident apart, in words; empty where nothing does or the incident is no error.
fn distinguishing_feature(capture: &CaptureContext<'_>, incident: &Incident) -> String {
    let Some(origin) = incident.finding.seen.origin else {
        return String::new();
    };
    if incident.finding.severity < Severity::Error || incident.calls.len() < FAILED_MIN {
        return String::new();
    }
    let failed: Vec<u32> = incident.calls.iter().filter_map(|id| id.index()).map(|call| call.0).collect();
    let node = capture.node(origin);
    let good = capture.good_calls(node).iter().copied();
    let good: Vec<u32> = good.filter(|call| failed.binary_search(call).is_err()).collect();
    capture.separates(node, &failed, &good).map_or(String::new(), |feature| feature.sentence() + ".")
}
