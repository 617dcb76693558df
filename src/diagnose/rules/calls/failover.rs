//! Routes that were tried one after the other.
//!
//! Sources: RFC 3261 section 16.7; RFC 3263 section 4.3.

use std::time::Duration;

use crate::call::{Transaction, TransactionIndex};
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::rules::calls::branches::{began, called_off, ended, families};
use crate::diagnose::{CallContext, Confidence, Observation, Proof, Severity, Steps};
use crate::sip::StatusCode;

/// How soon after a failure the next route is tried.
const FAILOVER_WAIT: Duration = Duration::from_secs(5);
/// Delay that callers notice.
const SLOW_FAILOVER: Duration = Duration::from_secs(2);
/// Failures of one destination from which on it should not be tried first.
const DEAD_PEER_MIN: u32 = 3;

pub fn call_failover(context: &CallContext<'_>) -> Option<Observation> {
    if context.call.hops.len() < 2 {
        return None;
    }
    let failover = families(context).iter().find_map(|kids| failover(context, kids))?;
    let evidence = failover.failed.final_response.or(failover.failed.last_request);
    let (first, second) = (context.message(evidence?)?, context.message(failover.carried.request?)?);
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .severity(failover.severity())
            .titled("Another route carried the call")
            .happened(failover_story(context, &failover))
            .remedy(failover_remedy(context, &failover))
            .shown_by(context.shows(first, "the first route failed"))
            .shown_by(context.shows(second, "the second route"))
            .at(failover.failed.destination, failover.end.code())
            .beside(),
    )
}

/// A route that failed, and the one that was tried because of it.
struct Failover<'a> {
    failed: &'a Transaction,
    end: RouteEnd,
    carried: &'a Transaction,
    /// How long the caller waited for the first route.
    cost: Duration,
    /// In how many calls of the capture that route failed.
    failures: u32,
}

/// How a route failed.
enum RouteEnd {
    /// It rang nobody, and was given up so long after it was tried.
    CalledOff(Duration),
    Refused(u16),
    Silent,
}

impl RouteEnd {
    fn code(&self) -> u16 {
        match self {
            Self::CalledOff(_) => 487,
            Self::Refused(code) => *code,
            Self::Silent => 0,
        }
    }
}

impl Failover<'_> {
    fn is_dead(&self) -> bool {
        self.failures >= DEAD_PEER_MIN
    }

    fn severity(&self) -> Severity {
        if self.cost > SLOW_FAILOVER || self.is_dead() { Severity::Warn } else { Severity::Info }
    }
}

/// The first pair of routes of which the second was tried because the first had failed.
fn failover<'a>(context: &'a CallContext<'_>, kids: &[TransactionIndex]) -> Option<Failover<'a>> {
    let hop = |index: &TransactionIndex| context.transactions.transaction(*index);
    let carried = kids.iter().map(hop).find(|t| {
        let status = context.transactions.final_status(t);
        status.is_some_and(StatusCode::is_success) || status.is_none() && t.alerting.is_some()
    })?;
    let second = began(context, carried)?;
    let failed = kids.iter().map(hop).rfind(|t| {
        let called_off = called_off(context, t);
        let gone = match context.transactions.final_status(t).map(|status| status.0) {
            Some(487) => called_off.is_some(),
            Some(486 | 600 | 603) | Some(0..=399) => false,
            Some(_) => true,
            None => t.alerting.is_none() && t.sends > 1 && is_heard(context, t),
        };
        let over = called_off
            .or_else(|| ended(context, t))
            .or_else(|| Some(context.message(t.last_request?)?.time))
            .is_some_and(|end| end <= second && second.since(end) <= FAILOVER_WAIT);
        t.first < carried.first && gone && over && t.alerting.is_none() && t.destination != carried.destination
    })?;
    let first = began(context, failed)?;
    let end = match context.transactions.final_status(failed) {
        Some(StatusCode(487)) => RouteEnd::CalledOff(called_off(context, failed)?.since(first)),
        Some(status) => RouteEnd::Refused(status.0),
        None => RouteEnd::Silent,
    };
    let failures = context.capture.failures_between(failed.source, failed.destination);
    Some(Failover { failed, end, carried, cost: second.since(first), failures })
}

fn failover_story(context: &CallContext<'_>, failover: &Failover<'_>) -> String {
    let cost = duration(failover.cost);
    let why = match failover.end {
        RouteEnd::CalledOff(after) => format!("rang nobody and was called off after {}", duration(after)),
        RouteEnd::Refused(code) => format!("answered {code}"),
        RouteEnd::Silent => format!("did not answer within {cost}"),
    };
    let often = if failover.is_dead() {
        format!("; it failed in {} of this capture and is still tried first", counted(failover.failures, "call"))
    } else {
        String::new()
    };
    format!(
        "{} {why}, then {} carried the call; this cost the caller {cost}{often}.",
        context.name(failover.failed.destination),
        context.capture.name(failover.carried.destination)
    )
}

fn failover_remedy(context: &CallContext<'_>, failover: &Failover<'_>) -> Steps {
    let silent = context.name(failover.failed.destination);
    if failover.severity() == Severity::Info {
        return format!("Nothing is broken for the caller; look at why {silent} failed.").into();
    }
    Steps::from([
        format!(
            "On {}: take {silent} out of the route while it fails, for example by OPTIONS pings.",
            context.name(failover.failed.source)
        ),
        "Shorten the time it waits for a route.".to_owned(),
    ])
}

/// Whether the capture holds both directions between the ends of a hop, so that silence there is silence.
fn is_heard(context: &CallContext<'_>, hop: &Transaction) -> bool {
    let capture = context.capture;
    !capture.is_one_directional(capture.node(hop.source), capture.node(hop.destination))
}
