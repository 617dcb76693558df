//! Slow set-up: how long callers hear nothing, and where that time passes.
//!
//! Sources: RFC 6076 section 4.3 (session request delay), ITU-T E.721 (order of the limits).

use std::collections::BTreeMap;

use crate::call::metrics::Spread;
use crate::call::{Call, Hop, NodeId};
use crate::diagnose::case::Case;
use crate::diagnose::finding::{Confidence, Finding, Proof, Severity};
use crate::diagnose::rule::Claim;
use crate::diagnose::scene::Scene;
use crate::diagnose::words::part_of;

/// Post-dial delay that nine of ten calls should keep, in milliseconds.
const PDD_WARN_MS: f64 = 6_000.0;
/// Post-dial delay that no call should take, in milliseconds.
const PDD_BAD_MS: f64 = 11_000.0;
/// A longer delay is a leap of the clock or another call, in milliseconds.
const PDD_MAX_MS: f64 = 600_000.0;
/// Calls from which a share is told.
const CALLS_MIN: usize = 5;
/// Calls whose delay is quoted.
const EXAMPLES_MAX: usize = 3;
/// A first response later than this came after the INVITE had been repeated, in milliseconds.
const REPEATED_MS: f64 = 500.0;

/// Destinations that calls take long to.
pub fn fleet_slow_setup(scene: &Scene<'_>) -> Vec<Claim> {
    let mut groups: BTreeMap<NodeId, Vec<(u32, f64)>> = BTreeMap::new();
    for (index, call) in (0..).zip(scene.calls) {
        if let Some(pdd) = call.milestones.pdd_ms().filter(|pdd| *pdd <= PDD_MAX_MS) {
            let node = scene.node(call.destination);
            groups.entry(node).or_default().push((index, pdd));
        }
    }
    groups
        .into_values()
        .filter_map(|delays| claim(scene, &delays))
        .collect()
}

fn claim(scene: &Scene<'_>, delays: &[(u32, f64)]) -> Option<Claim> {
    let spread = Spread::of(delays.iter().map(|(_, pdd)| *pdd).collect())?;
    let is_slow = delays.len() >= CALLS_MIN && spread.p90 > PDD_WARN_MS;
    if !is_slow && spread.max <= PDD_BAD_MS {
        return None;
    }
    let limit = if is_slow { PDD_WARN_MS } else { PDD_BAD_MS };
    let slow: Vec<u32> = delays
        .iter()
        .filter(|(_, pdd)| *pdd > limit)
        .map(|(call, _)| *call)
        .collect();
    let first = scene.calls.get(*slow.first()? as usize)?;
    let last = scene.calls.get(*slow.last()? as usize)?;
    let name = scene.name(first.destination);
    let mut stages = Stages::default();
    for call in slow
        .iter()
        .filter_map(|call| scene.calls.get(*call as usize))
    {
        stages.add(scene, call);
    }
    let (place, share, remedy) = stages.largest();
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
    let mut finding = Finding::new(
        "fleet-slow-setup",
        Severity::Warn,
        Confidence::Certain,
        Proof::Timing,
    )
    .beside()
    .says(
        format!("Calls to {name} take long to ring"),
        format!("{how}. {share:.0} % of the time of the slow ones passes {place}."),
        remedy,
    )
    .at(first.destination, "slow");
    for call in slow.iter().take(EXAMPLES_MAX) {
        let case = Case::new(scene, *call as usize);
        let mut steps = case
            .anatomy
            .chain
            .iter()
            .map(|step| case.anatomy.transaction(*step));
        let answer = case.dialogs.first().map(|dialog| dialog.answer);
        let alerting = steps.find_map(|step| step.alerting).or(answer);
        if let Some(message) = alerting.and_then(|alerting| case.message(alerting)) {
            let after = case.seconds_in(message);
            finding = finding.shown_by(case.shows(
                message,
                format!("the first sign, {after:.1} s after the INVITE"),
            ));
        }
    }
    Some(Claim {
        finding,
        count: slow.len() as u32,
        first_at: first.started,
        last_at: last.ended,
        scope: format!(
            "{} to {name} that rang",
            part_of(slow.len(), delays.len(), "call")
        ),
        calls: slow,
    })
}

/// Where the time of slow calls passes, in milliseconds.
#[derive(Default)]
struct Stages {
    all: f64,
    earlier: f64,
    repeats: f64,
    behind: BTreeMap<String, f64>,
}

impl Stages {
    fn add(&mut self, scene: &Scene<'_>, call: &Call) {
        let (Some(pdd), Some(invited)) = (call.milestones.pdd_ms(), call.milestones.invited) else {
            return;
        };
        self.all += pdd;
        // The last hop that rang is the deepest one of the try that succeeded.
        let rang = |hop: &&Hop| hop.alerted_ms.is_some() || (200..300).contains(&hop.final_code);
        let Some(deepest) = call.hops.iter().rev().find(rang) else {
            return;
        };
        let edge = scene.node(call.source);
        let try_start = call
            .hops
            .iter()
            .filter(|hop| rang(hop) && scene.node(hop.source) == edge)
            .map(|hop| hop.sent)
            .next_back()
            .unwrap_or(deepest.sent);
        self.earlier += try_start.millis_since(invited).clamp(0.0, pdd);
        let wait = deepest
            .alerted_ms
            .or(deepest.final_ms)
            .map_or(0.0, f64::from);
        let unheard = deepest.reply_ms.map_or(0.0, f64::from).min(wait);
        if unheard > REPEATED_MS {
            self.repeats += unheard;
        }
        let heard = if unheard > REPEATED_MS {
            wait - unheard
        } else {
            wait
        };
        *self
            .behind
            .entry(scene.name(deepest.destination))
            .or_default() += heard;
        let between = deepest.sent.millis_since(try_start).max(0.0);
        *self.behind.entry(scene.name(deepest.source)).or_default() += between;
    }

    /// The place where most of the time passes, its share in percent, and what to do.
    fn largest(&self) -> (String, f64, String) {
        let share = |part: f64| (100.0 * part / self.all.max(1.0)).min(100.0);
        let behind = self
            .behind
            .iter()
            .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)));
        let (name, wait) = behind.map_or(("", 0.0), |(name, wait)| (name.as_str(), *wait));
        if self.earlier >= wait && self.earlier >= self.repeats {
            return (
                "before the INVITE that rang was sent".to_owned(),
                share(self.earlier),
                "Look at what came before it: a route that fails first belongs behind the one that works, with a shorter wait for each, and a login round is saved by using the last nonce again.".to_owned(),
            );
        }
        if self.repeats > wait {
            return (
                "until the repeated INVITE got its first answer".to_owned(),
                share(self.repeats),
                "Look for packet loss or a busy node on the way: each INVITE had to be repeated."
                    .to_owned(),
            );
        }
        (
            format!("waiting for {name} and what lies behind it"),
            share(wait),
            format!(
                "Ask the operator of {name} where the time passes behind it: number look-ups, a dead first route, paging of mobiles."
            ),
        )
    }
}
