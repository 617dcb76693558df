//! Slow set-up: how long callers hear nothing, and where that time passes.
//!
//! Sources: RFC 6076 section 4.3 (session request delay), ITU-T E.721 (order of the limits).

use std::collections::BTreeMap;

use crate::call::detail::delay::{StageKind, first_sign, stages};
use crate::call::survey::metrics::Spread;
use crate::call::{Call, Hop, NodeId, is_challenge, transactions_of};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::part_of;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::diagnose::rule::Claim;
use crate::sip::StatusCode;

/// Post-dial delay that nine of ten calls should keep, in milliseconds.
const PDD_WARN_MS: f64 = 6_000.0;
/// Post-dial delay that no call should take, in milliseconds.
const PDD_BAD_MS: f64 = 11_000.0;
/// A longer delay is a leap of the clock or another call, in milliseconds.
const PDD_MAX_MS: f64 = 600_000.0;
/// Calls from which on a share says something.
const CALLS_MIN: usize = 5;
/// Calls whose delay is quoted.
const EXAMPLES_MAX: usize = 3;
/// Slow calls of one destination of which the stages are read; more of them say no more.
const CALLS_READ_MAX: usize = 1_000;

/// Destinations that calls take long to.
pub fn fleet_slow_setup(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut groups: BTreeMap<NodeId, Vec<(u32, f64)>> = BTreeMap::new();
    for (index, call) in (0..).zip(capture.calls) {
        if let Some(pdd) = delay(capture, call).filter(|pdd| *pdd <= PDD_MAX_MS) {
            let node = capture.node(call.destination);
            groups.entry(node).or_default().push((index, pdd));
        }
    }
    groups.into_values().filter_map(|delays| claim(capture, &delays)).collect()
}

/// Post-dial delay without the time that the caller itself took between two tries, as a person does who types a password.
fn delay(capture: &CaptureContext<'_>, call: &Call) -> Option<f64> {
    let pdd = call.milestones.pdd_ms()?;
    if pdd <= PDD_WARN_MS {
        return Some(pdd);
    }
    let node = capture.node(call.source);
    let own: Vec<&Hop> =
        call.hops.iter().filter(|hop| hop.parent.is_none() && capture.node(hop.source) == node).collect();
    let pauses = own.windows(2).filter_map(|pair| {
        let refused = f64::from(pair[0].final_ms?);
        Some((pair[1].sent.millis_since(pair[0].sent) - refused).max(0.0))
    });
    Some((pdd - pauses.sum::<f64>()).max(0.0))
}

fn claim(capture: &CaptureContext<'_>, delays: &[(u32, f64)]) -> Option<Claim> {
    let spread = Spread::of(delays.iter().map(|(_, pdd)| *pdd).collect())?;
    let is_slow = delays.len() >= CALLS_MIN && spread.p90 > PDD_WARN_MS;
    if !is_slow && spread.max <= PDD_BAD_MS {
        return None;
    }
    let limit = if is_slow { PDD_WARN_MS } else { PDD_BAD_MS };
    let slow: Vec<u32> = delays.iter().filter(|(_, pdd)| *pdd > limit).map(|(call, _)| *call).collect();
    let first = capture.calls.get(*slow.first()? as usize)?;
    let last = capture.calls.get(*slow.last()? as usize)?;
    let name = capture.name(first.destination);
    let mut places = TimeSpent::default();
    for call in slow.iter().take(CALLS_READ_MAX).filter_map(|call| capture.calls.get(*call as usize)) {
        places.add(capture, call);
    }
    let (place, share, remedy) = places.largest()?;
    let how = if is_slow {
        format!(
            "Of {} calls to {name}, one in ten takes {:.1} s or more until it rings, half {:.1} s",
            delays.len(),
            spread.p90 / 1000.0,
            spread.p50 / 1000.0
        )
    } else {
        format!(
            "{} of {} calls to {name} took more than {:.0} s until it rang, the slowest {:.1} s",
            slow.len(),
            delays.len(),
            PDD_BAD_MS / 1000.0,
            spread.max / 1000.0
        )
    };
    let mut observation = Observation::new(Confidence::Certain, Proof::Timing)
        .beside()
        .titled(format!("Calls to {name} take long to ring"))
        .happened(format!("{how}. {share:.0} % of the time of the slow ones passes {place}."))
        .remedy(remedy)
        .at(first.destination, "slow");
    for call in slow.iter().take(EXAMPLES_MAX) {
        let context = CallContext::new(capture, *call as usize);
        let sign = first_sign(&context.transactions, context.dialogs.first());
        if let Some(message) = sign.and_then(|(_, sign)| context.message(sign)) {
            let after = context.seconds_in(message);
            observation =
                observation.shown_by(context.shows(message, format!("the first sign, {after:.1} s after the INVITE")));
        }
    }
    Some(Claim {
        said: observation,
        count: slow.len() as u32,
        first_at: first.started,
        last_at: last.ended,
        scope: format!("{} to {name} that rang", part_of(slow.len(), delays.len(), "call")),
        calls: slow,
    })
}

/// Where the time of slow calls passes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Whereabouts {
    /// In rounds of a login.
    Login,
    /// In redirections that the caller or a proxy followed.
    Redirection,
    /// In tries that led nowhere, at this node.
    Lost(String),
    /// In INVITEs that nobody heard.
    Unheard,
    /// In this node, or behind it.
    Node(String),
}

/// How long slow calls were at each place, in milliseconds.
#[derive(Default)]
struct TimeSpent {
    all: f64,
    at: BTreeMap<Whereabouts, f64>,
}

impl TimeSpent {
    fn add(&mut self, capture: &CaptureContext<'_>, call: &Call) {
        let mut lost = String::new();
        for stage in stages(&transactions_of(capture.store, &call.legs)) {
            let name = capture.name(stage.endpoint);
            let code = StatusCode(stage.code);
            let is_caller = capture.node(stage.endpoint) == capture.node(call.source);
            if stage.kind == StageKind::TurnRound && is_caller {
                continue;
            }
            let place = match stage.kind {
                StageKind::Challenge => Whereabouts::Login,
                StageKind::TurnRound if is_challenge(code) => Whereabouts::Login,
                StageKind::Redirection => Whereabouts::Redirection,
                StageKind::TurnRound if code.is_redirection() => Whereabouts::Redirection,
                StageKind::FailedTry | StageKind::SilentTry => {
                    lost.clone_from(&name);
                    Whereabouts::Lost(name)
                }
                StageKind::TurnRound => Whereabouts::Lost(lost.clone()),
                StageKind::Unheard => Whereabouts::Unheard,
                StageKind::Forwarding | StageKind::Waiting | StageKind::Returning => Whereabouts::Node(name),
            };
            self.all += stage.millis();
            *self.at.entry(place).or_default() += stage.millis();
        }
    }

    /// The place where most of the time passes in words, its share in percent, and what to do.
    fn largest(&self) -> Option<(String, f64, String)> {
        let (place, time) = self.at.iter().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)))?;
        let share = (100.0 * time / self.all.max(1.0)).min(100.0);
        let (passes, remedy) = match place {
            Whereabouts::Login => (
                "in the login round before the INVITE that rang".to_owned(),
                "Save the round by using the last nonce again, and look at what makes it slow: the node that asks, or the client that takes its time.".to_owned(),
            ),
            Whereabouts::Redirection => (
                "in redirections before the INVITE that rang".to_owned(),
                "Send calls to the target at once, or let the redirecting server answer faster.".to_owned(),
            ),
            Whereabouts::Lost(name) => (
                format!("in tries at {name} that led nowhere, before the INVITE that rang was sent"),
                format!(
                    "Take {name} out of the routes, or put it behind the one that works, with a shorter wait for each try."
                ),
            ),
            Whereabouts::Unheard => (
                "until the repeated INVITE got its first answer".to_owned(),
                "Look for packet loss or a busy node on the way: each INVITE had to be repeated."
                    .to_owned(),
            ),
            Whereabouts::Node(name) => (
                format!("waiting for {name} and what lies behind it"),
                format!(
                    "Ask the operator of {name} where the time passes behind it: number look-ups, a dead first route, paging of mobiles."
                ),
            ),
        };
        Some((passes, share, remedy))
    }
}
