//! Peers that leave keep-alives unanswered, or answer them with an error.
//!
//! Sources: RFC 3261 section 11; RFC 5626 section 3.5.

use crate::call::Message;
use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::keepalive::{Train, trains};
use crate::call::beside::other_request::OtherRequest;
use crate::diagnose::context::call_context::start_line;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Severity, Steps};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::net::icmp;
use crate::diagnose::rules::opt::outage::{Down, down, is_visible, sign_of_life};
use crate::net::Transport;

/// Every peer whose keep-alives came to nothing while it carried no calls.
pub(super) fn opt_peer_down(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for train in trains(capture.requests) {
        if capture.is_hostile(train.source) || !is_visible(capture, &train) {
            continue;
        }
        let outages: Vec<Down<'_>> = train
            .outages(capture.requests)
            .into_iter()
            .map(|outage| down(capture, &train, outage))
            .filter(|down| !down.carried)
            .collect();
        claims.extend(peer_down(capture, &train, &outages).map(|down| claim(capture, down)));
    }
    claims
}

/// All outages of one peer.
struct PeerDown<'a> {
    train: &'a Train,
    /// The longest one.
    worst: &'a Down<'a>,
    /// Keep-alives of the longest one, the first and the last of them, and the codes of their answers.
    lost: usize,
    first: &'a OtherRequest,
    last: &'a OtherRequest,
    codes: Vec<u16>,
    /// Keep-alives of all outages.
    count: usize,
    /// Calls that failed in them.
    failed: Vec<u32>,
    /// Some keep-alive of the longest outage was not answered at all.
    is_silent: bool,
    /// Each of these was watched for as long as an answer may take.
    was_watched: bool,
    /// A message of the peer that shows it alive meanwhile.
    alive: Option<&'a Message>,
    /// The ICMP error that names the reason.
    report: Option<&'a IcmpReport>,
}

fn peer_down<'a>(capture: &'a CaptureContext<'_>, train: &'a Train, outages: &'a [Down<'_>]) -> Option<PeerDown<'a>> {
    let worst = outages.iter().max_by_key(|down| down.missed())?;
    let mut failed: Vec<u32> = outages.iter().flat_map(|down| down.failed.clone()).collect();
    failed.sort_unstable();
    failed.dedup();
    let keepalives = || worst.keepalives(capture, train);
    let (first, last) = (keepalives().next()?, keepalives().next_back()?);
    let codes: Vec<u16> = keepalives().filter_map(|request| request.answer).map(|(status, _, _)| status.0).collect();
    let alive = codes.is_empty().then(|| sign_of_life(capture, train, worst)).flatten();
    let ends = (train.source, train.destination);
    let report = icmp::between(capture, ends, (worst.from, last.sent)).filter(|_| alive.is_none() && codes.is_empty());
    Some(PeerDown {
        train,
        worst,
        lost: worst.missed(),
        first,
        last,
        is_silent: codes.len() < worst.missed(),
        was_watched: keepalives().filter(|request| request.answer.is_none()).all(|request| request.was_watched),
        codes,
        count: outages.iter().map(Down::missed).sum(),
        failed,
        alive,
        report,
    })
}

fn claim(capture: &CaptureContext<'_>, down: PeerDown<'_>) -> Claim {
    let PeerDown { train, worst, first, last, count, alive, report, .. } = down;
    let peer = capture.name(train.destination);
    let (title, sign, remedy) = match report {
        Some(report) => reported(capture, train, report),
        None => words(capture, train, worst, alive),
    };
    let said = Observation::new(if down.was_watched { Confidence::Certain } else { Confidence::Likely }, Proof::Timing)
        .severity(if down.failed.is_empty() { Severity::Warn } else { Severity::Error })
        .beside()
        .titled(title)
        .happened(format!(
            "{peer} {} (one every {:.0} s) {}.{sign}{}",
            how(capture, &down),
            train.interval_s,
            how_long(capture, &down),
            effect(capture, train, worst, down.failed.len())
        ))
        .remedy(remedy)
        .shown_by(Evidence::in_frames(
            vec![first.at, last.at],
            format!("OPTIONS {} SIP/2.0", capture.text(first.uri)),
            "first and last keep-alive without a good answer",
        ))
        .at(train.destination, "down")
        .maybe_shown_by(
            alive
                .map(|alive| Evidence::seen(alive.at, start_line(&capture.store.tables, alive), "it speaks meanwhile")),
        )
        .maybe_shown_by(report.map(|report| icmp::evidence(&[report])))
        .maybe_shown_by(down.is_silent.then(|| Evidence::Missing {
            expected: format!("an answer of {peer} to a keep-alive"),
            after: last.at,
            watched: capture.watched_since(last.sent),
        }));
    Claim {
        said,
        calls: down.failed,
        count: count as u32,
        first_at: worst.from,
        last_at: last.sent,
        scope: format!("{count} of {} keep-alives to {peer}", train.requests.len()),
    }
}

/// What the peer did with the keep-alives of the longest outage.
fn how(capture: &CaptureContext<'_>, PeerDown { train, lost, codes, .. }: &PeerDown<'_>) -> String {
    let asker = capture.name(train.source);
    match codes.first() {
        Some(code) if codes.len() == *lost => format!("answered {lost} keep-alives in a row of {asker} with {code}"),
        Some(code) => format!("left {lost} keep-alives in a row of {asker} unanswered or answered {code}"),
        None => format!("did not answer {lost} keep-alives in a row of {asker}"),
    }
}

fn how_long(capture: &CaptureContext<'_>, PeerDown { train, worst, .. }: &PeerDown<'_>) -> String {
    let span = worst.until.unwrap_or(capture.end).millis_since(worst.from) / 1000.0;
    match worst.until {
        Some(_) if worst.is_over(capture, train) => format!("for {span:.0} s, and was back afterwards"),
        Some(_) => format!("for {span:.0} s"),
        None => format!("until the capture ended, {span:.0} s later"),
    }
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
