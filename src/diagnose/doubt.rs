//! Doubt: what the capture lacks, which makes what is said of a call, a registration or a node less sure.

use crate::call::beside::registration::Registration;
use crate::call::survey::missing_messages::missed_in;
use crate::call::{EndpointId, Leg, NodeId};
use crate::capture::WeaknessKind;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::rule::{Gate, Rule};

/// Hops of a call whose connections are looked at.
const HOPS_MAX: usize = 16;
/// One of so many messages between two nodes that is known to be missing makes it likely that more are, next to any conclusion.
const PAIR_SHARE: u32 = 20;
/// One of so many messages of the whole capture that is known to be missing casts doubt on every pair of nodes.
const TOTAL_SHARE: u32 = 100;
/// Messages that the capture must lack elsewhere before it counts against a pair that lacks none.
const TOTAL_MIN: u32 = 2;

const DROPPED: &str = "The capture lost packets, so what seems missing may only not have been captured.";
const LACKING: &str = "The capture lacks messages that were sent between these nodes, as others show, so what seems missing may only not have been captured.";
const LACKING_ELSEWHERE: &str = "The capture lacks messages that were sent elsewhere, as others show, so what seems missing may only not have been captured.";
const STEPPED: &str =
    "The clock of the capture was set while it ran, so what seems missing may have come at a time that cannot be told.";

/// Why a finding is less sure, and by how many levels.
type Lowering = (u8, &'static str);

/// What the capture lacks of one call.
pub(super) struct Doubt<'c, 'a> {
    context: &'c CallContext<'a>,
    /// Its messages were cut by the snap length, or lack fragments.
    is_cut: bool,
    /// The streams that carried it lack bytes.
    has_gaps: bool,
}

impl<'c, 'a> Doubt<'c, 'a> {
    pub(super) fn of(context: &'c CallContext<'a>) -> Self {
        let capture = context.capture;
        let is_cut = context.transactions.messages.iter().any(|message| message.flags.is_cut());
        let has_gaps = capture.sight.missing_bytes > 0
            && context.call.hops.iter().take(HOPS_MAX).any(|hop| {
                let tables = context.tables();
                let (a, b) = (tables.endpoint(hop.source), tables.endpoint(hop.destination));
                hop.transport.is_reliable()
                    && capture.connections_between(a, b).any(|connection| connection.missing_bytes > 0)
            });
        Self { context, is_cut, has_gaps }
    }

    /// Makes what a rule says of the call as sure as the capture allows; rules about the capture itself speak of what it lacks.
    pub(super) fn apply(&self, rule: &Rule, seen: &mut Observation) {
        if rule.id.starts_with("cap-") {
            return;
        }
        let capture = self.context.capture;
        let reason = if self.is_cut {
            Some((1, "Messages of this call are cut in the capture, so this is less sure."))
        } else if self.has_gaps {
            Some((1, "The capture lacks parts of the connection, so this is less sure."))
        } else if may_lack(rule, seen) {
            let hops = self.context.call.hops.iter().take(HOPS_MAX);
            let pairs = hops.map(|hop| (capture.node(hop.source), capture.node(hop.destination)));
            of_absence(capture, &self.context.call.legs, pairs)
        } else {
            None
        };
        lower(seen, reason);
    }
}

/// Makes what a rule says of a device as sure as the capture allows.
pub(super) fn doubt_registration(
    capture: &CaptureContext<'_>,
    registration: &Registration,
    rule: &Rule,
    seen: &mut Observation,
) {
    if may_lack(rule, seen) {
        let pair = (capture.node(registration.source), capture.node(registration.registrar));
        let last = registration.attempts.last();
        let attempt = last.and_then(|index| capture.attempts.get(*index as usize));
        let legs: Vec<Leg> = attempt.map(|attempt| attempt.leg).into_iter().collect();
        lower(seen, of_absence(capture, &legs, std::iter::once(pair)));
    }
}

/// Makes what a rule says of a node as sure as the capture allows.
pub(super) fn doubt_claim(capture: &CaptureContext<'_>, rule: &Rule, seen: &mut Observation) {
    if !rule.id.starts_with("cap-")
        && may_lack(rule, seen)
        && let Some(origin) = seen.origin
    {
        lower(seen, of_absence_at(capture, origin));
    }
}

/// Whether a finding would be another one if the capture held a message more: it concludes from something that did not come, or
/// judges a message by what went before it. What a node says in its own words stands.
fn may_lack(rule: &Rule, seen: &Observation) -> bool {
    let missing = |evidence: &Evidence| matches!(evidence, Evidence::Missing { .. });
    // What is only possible names what else it may be.
    if seen.confidence == Confidence::Possible {
        return false;
    }
    match rule.gate {
        _ if seen.evidence.iter().any(missing) => true,
        Gate::BothDirections => true,
        Gate::Complete => seen.proof != Proof::OwnWords,
        Gate::Open => false,
    }
}

fn lower(seen: &mut Observation, reason: Option<Lowering>) {
    if let Some((levels, because)) = reason {
        seen.doubt(levels, because);
    }
}

/// What casts doubt on an absence in some Call-IDs between some nodes.
fn of_absence(
    capture: &CaptureContext<'_>,
    legs: &[Leg],
    pairs: impl Iterator<Item = (NodeId, NodeId)>,
) -> Option<Lowering> {
    let lacks_own =
        legs.iter().any(|leg| missed_in(capture.store.messages_of(leg), &capture.store.tables, capture.start) > 0);
    if lacks_own {
        return Some((2, LACKING));
    }
    let missing_messages = capture.missing_messages();
    let mut own = pairs.map(|(a, b)| missing_messages.between(a, b));
    let worst = own.by_ref().fold(None, |worst: Option<Lowering>, tally| {
        let levels = match tally.missed {
            0 => return worst,
            _ if tally.is_at_least_one_in(PAIR_SHARE) => 2,
            _ => 1,
        };
        Some(worst.map_or((levels, LACKING), |(known, why)| (known.max(levels), why)))
    });
    worst.or_else(|| of_everything(capture))
}

fn of_absence_at(capture: &CaptureContext<'_>, origin: EndpointId) -> Option<Lowering> {
    let tally = capture.missing_messages().at(capture.node(origin));
    match tally.missed {
        0 => of_everything(capture),
        _ if tally.is_at_least_one_in(PAIR_SHARE) => Some((2, LACKING)),
        _ => Some((1, LACKING)),
    }
}

/// What casts doubt on every absence in the capture.
fn of_everything(capture: &CaptureContext<'_>) -> Option<Lowering> {
    let total = capture.missing_messages().total();
    let is_lossy = total.missed >= TOTAL_MIN && total.is_at_least_one_in(TOTAL_SHARE);
    let weaknesses = &capture.sight.weaknesses;
    let stepped = || weaknesses.iter().any(|weakness| weakness.kind == WeaknessKind::TimeStepsBack);
    if capture.sight.dropped > 0 {
        Some((1, DROPPED))
    } else if is_lossy {
        Some((1, LACKING_ELSEWHERE))
    } else if stepped() {
        Some((1, STEPPED))
    } else {
        None
    }
}
