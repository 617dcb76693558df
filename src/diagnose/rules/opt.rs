//! Family OPT: keep-alives that say a peer is down.
//!
//! Sources: RFC 3261 section 11; RFC 5626 section 3.5.

use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::keepalive::{MissedKeepAlives, SENDS_IN_VAIN, Train, trains};
use crate::call::{Call, Message, OutcomeGroup};
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::start_line;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rule::{Claim, Rule};
use crate::diagnose::rules::net::icmp;
use crate::net::Transport;

/// The rules of this family.
pub const RULES: &[Rule] = &[Rule::of_capture("opt-peer-down", Severity::Error, opt_peer_down)];

/// Calls in an outage that are looked at.
const CALLS_MAX: usize = 50_000;

fn opt_peer_down(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for train in trains(capture.requests) {
        if capture.is_hostile(train.source) || !is_visible(capture, &train) {
            continue;
        }
        let down: Vec<Down<'_>> = train
            .outages(capture.requests)
            .into_iter()
            .map(|outage| down(capture, &train, outage))
            .filter(|down| !down.carried)
            .collect();
        claims.extend(claim(capture, &train, &down));
    }
    claims
}

/// Whether the capture would show an answer: it shows others of this peer, or the sender repeats itself as one that hears none.
fn is_visible(capture: &CaptureContext<'_>, train: &Train) -> bool {
    let (asker, peer) = (capture.node(train.source), capture.node(train.destination));
    let requests = || train.requests.iter().map(|index| &capture.requests[*index as usize]);
    !capture.is_one_directional(asker, peer)
        && requests().any(|request| request.answer.is_some() || request.sends >= SENDS_IN_VAIN)
}

/// One outage with the calls that it touched.
struct Down<'a> {
    outage: MissedKeepAlives,
    from: Timestamp,
    until: Option<Timestamp>,
    /// Calls to the peer that failed meanwhile.
    failed: Vec<u32>,
    /// Where calls of the same sender went meanwhile.
    moved: Vec<&'a Call>,
    /// The peer answered calls meanwhile: it only ignores OPTIONS.
    carried: bool,
}

fn down<'a>(capture: &CaptureContext<'a>, train: &Train, outage: MissedKeepAlives) -> Down<'a> {
    let from = train.at(capture.requests, outage.first).sent;
    let until = (outage.last + 1 < train.requests.len()).then(|| train.at(capture.requests, outage.last + 1).sent);
    let (asker, peer) = (capture.node(train.source), capture.node(train.destination));
    let mut down = Down { outage, from, until, failed: Vec::new(), moved: Vec::new(), carried: false };
    let first = capture.calls.partition_point(|call| call.started < from);
    let end = until.unwrap_or(capture.end);
    let during =
        capture.calls.iter().enumerate().skip(first).take(CALLS_MAX).take_while(|(_, call)| call.started <= end);
    for (index, call) in during {
        let mut hops = call.hops.iter().filter(|hop| capture.node(hop.source) == asker);
        let to_peer = hops.clone().find(|hop| capture.node(hop.destination) == peer);
        match to_peer {
            Some(hop) if hop.reply_ms.is_some() && !matches!(hop.final_code, 408 | 500..=599) => {
                down.carried = true;
            }
            Some(_) if call.outcome.group() == OutcomeGroup::Failure => down.failed.push(index as u32),
            Some(_) => down.moved.push(call),
            None if hops.next().is_some() => down.moved.push(call),
            None => {}
        }
    }
    down
}

fn claim(capture: &CaptureContext<'_>, train: &Train, down: &[Down<'_>]) -> Option<Claim> {
    let worst = down.iter().max_by_key(|down| down.outage.last - down.outage.first)?;
    let count: usize = down.iter().map(|down| down.outage.last - down.outage.first + 1).sum();
    let (asker, peer) = (capture.name(train.source), capture.name(train.destination));
    let lost = worst.outage.last - worst.outage.first + 1;
    let first = train.at(capture.requests, worst.outage.first);
    let last = train.at(capture.requests, worst.outage.last);
    let codes: Vec<u16> = (worst.outage.first..=worst.outage.last)
        .filter_map(|place| train.at(capture.requests, place).answer)
        .map(|(status, _, _)| status.0)
        .collect();
    let how = match codes.first() {
        Some(code) if codes.len() == lost => {
            format!("answered {lost} keep-alives in a row of {asker} with {code}")
        }
        Some(code) => {
            format!("left {lost} keep-alives in a row of {asker} unanswered or answered {code}")
        }
        None => format!("did not answer {lost} keep-alives in a row of {asker}"),
    };
    let span = worst.until.unwrap_or(capture.end).millis_since(worst.from) / 1000.0;
    let is_back =
        (worst.outage.last + 1..train.requests.len()).any(|place| train.at(capture.requests, place).answer.is_some());
    let end = match worst.until {
        Some(_) if is_back => format!("for {span:.0} s, and was back afterwards"),
        Some(_) => format!("for {span:.0} s"),
        None => format!("until the capture ended, {span:.0} s later"),
    };
    let mut calls: Vec<u32> = down.iter().flat_map(|down| down.failed.clone()).collect();
    calls.sort_unstable();
    calls.dedup();
    let severity = if calls.is_empty() { Severity::Warn } else { Severity::Error };
    let mut unanswered = (worst.outage.first..=worst.outage.last)
        .map(|place| train.at(capture.requests, place))
        .filter(|request| request.answer.is_none())
        .peekable();
    let is_silent = unanswered.peek().is_some();
    let confidence =
        if unanswered.all(|request| request.was_watched) { Confidence::Certain } else { Confidence::Likely };
    let alive = codes.is_empty().then(|| sign_of_life(capture, train, worst)).flatten();
    let ends = (train.source, train.destination);
    let report = icmp::between(capture, ends, (worst.from, last.sent)).filter(|_| alive.is_none() && codes.is_empty());
    let (title, sign, remedy) = match report {
        Some(report) => reported(capture, train, report),
        None => words(capture, train, worst, alive),
    };
    let mut observation = Observation::new(confidence, Proof::Timing)
        .severity(severity)
        .beside()
        .titled(title)
        .happened(format!(
            "{peer} {how} (one every {:.0} s) {end}.{sign}{}",
            train.interval_s,
            effect(capture, train, worst, calls.len())
        ))
        .remedy(remedy)
        .shown_by(Evidence::in_frames(
            vec![first.at, last.at],
            format!("OPTIONS {} SIP/2.0", capture.text(first.uri)),
            "first and last keep-alive without a good answer",
        ))
        .at(train.destination, "down");
    observation =
        observation
            .maybe_shown_by(alive.map(|alive| {
                Evidence::seen(alive.at, start_line(&capture.store.tables, alive), "it speaks meanwhile")
            }));
    observation = observation.maybe_shown_by(report.map(|report| icmp::evidence(&[report])));
    let missing = Evidence::Missing {
        expected: format!("an answer of {peer} to a keep-alive"),
        after: last.at,
        watched: capture.watched_since(last.sent),
    };
    Some(Claim {
        said: if is_silent { observation.shown_by(missing) } else { observation },
        calls,
        count: count as u32,
        first_at: worst.from,
        last_at: last.sent,
        scope: format!("{count} of {} keep-alives to {peer}", train.requests.len()),
    })
}

/// The words where an ICMP error names the reason.
fn reported(capture: &CaptureContext<'_>, train: &Train, report: &IcmpReport) -> (String, String, Steps) {
    let tables = &capture.store.tables;
    let (here, there) = (tables.endpoint(train.source), tables.endpoint(train.destination));
    (
        format!("{there} was reported unreachable: {}", report.meaning()),
        format!(
            " {} reported `{}` for them (frame {}): {}.",
            icmp::reporter(report, there),
            report.meaning(),
            report.at.frame,
            icmp::consequence(report)
        ),
        icmp::remedy(report, here, there, Transport::Udp),
    )
}

/// The last message that a peer sent while it left keep-alives unanswered, where it spoke in the later half of that time.
fn sign_of_life<'a>(capture: &CaptureContext<'a>, train: &Train, worst: &Down<'_>) -> Option<&'a Message> {
    let sent = |place| train.at(capture.requests, place).sent;
    let (first, last) = (worst.outage.first, worst.outage.last);
    let peer = capture.node(train.destination);
    let spoke = capture.history().last_spoken(capture.store, peer, sent(last))?;
    // Behind one address may be several devices, each with a port of its own.
    let is_other = spoke.source != train.destination
        && (capture.device_at(train.destination, sent(first)).is_some()
            || capture.device_at(spoke.source, sent(last)).is_some());
    let spoke =
        if is_other { capture.history().last_from(capture.store, train.destination, sent(last))? } else { spoke };
    (spoke.time > sent(first + (last - first) / 2)).then_some(spoke)
}

/// Title, what else is known of the peer, and who changes what.
fn words(
    capture: &CaptureContext<'_>,
    train: &Train,
    worst: &Down<'_>,
    alive: Option<&Message>,
) -> (String, String, Steps) {
    let (asker, peer) = (capture.name(train.source), capture.name(train.destination));
    if let Some(alive) = alive {
        return (
            format!("{peer} does not answer keep-alives"),
            format!(
                " It sent messages of its own meanwhile (the last is frame {}), so it is up: the keep-alives do not reach it, or it does not answer them.",
                alive.at.frame
            ),
            Steps::from([
                format!(
                    "{peer}: answer OPTIONS of {asker} (any final response; look at its list of allowed addresses)."
                ),
                "Firewall between them: let the keep-alives through.".to_owned(),
                format!("{asker}: do not take {peer} out of routing for this alone."),
            ]),
        );
    }
    if let Some(device) = capture.device_at(train.destination, worst.from) {
        return (
            format!("The device of {} was not reachable", device.user()),
            format!(" {}", device.sentence()),
            device.remedy(&asker),
        );
    }
    let was_answered = train
        .requests
        .iter()
        .filter_map(|index| capture.requests.get(*index as usize))
        .any(|request| request.answer.is_some());
    if was_answered {
        (
            format!("{peer} was down"),
            String::new(),
            Steps::from([
                format!(
                    "{peer}: find out what stopped it at the first of these keep-alives: restart, service, network path."
                ),
                format!("{asker}: make sure that it counts every answer as alive, 404 and 405 too."),
            ]),
        )
    } else {
        (
            format!("{peer} answers no keep-alives"),
            " It answered none in this capture: it is down, not reachable, or takes no OPTIONS from there.".to_owned(),
            Steps::from([
                format!("{peer}: is it up, and does it answer OPTIONS of {asker} at all?"),
                "Firewall between them: let SIP through both ways.".to_owned(),
                format!("{asker}: make sure that it counts every answer as alive, 404 and 405 too."),
            ]),
        )
    }
}

fn effect(capture: &CaptureContext<'_>, train: &Train, worst: &Down<'_>, failed: usize) -> String {
    let peer = capture.node(train.destination);
    let elsewhere =
        worst.moved.iter().flat_map(|call| call.hops.iter()).find(|hop| {
            capture.node(hop.source) == capture.node(train.source) && capture.node(hop.destination) != peer
        });
    let moved = match elsewhere {
        Some(hop) => {
            format!(
                " {} went to {} meanwhile.",
                counted(worst.moved.len() as u32, "call"),
                capture.name(hop.destination)
            )
        }
        None => String::new(),
    };
    let lost = match failed {
        0 => String::new(),
        failed => format!(" {} to it failed meanwhile.", counted(failed as u32, "call")),
    };
    format!("{lost}{moved}")
}
