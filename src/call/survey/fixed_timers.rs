//! Fixed timers: whether what lasted equally long at one node was ended by a machine.
//!
//! Equal durations alone are chance in large captures; a timer is one that hardly anything outlasts.

use std::time::Duration;

use rayon::prelude::*;

use crate::call::outcome::call::{Call, Hop};
use crate::call::outcome::verdict::Outcome;
use crate::call::store::endpoint::NodeId;
use crate::call::store::fast_map::FastMap;
use crate::call::store::message_store::MessageStore;
use crate::call::store::tables::Tables;
use crate::capture::Timestamp;
use crate::sip::StatusCode;

/// How far a ring timer strays.
pub(in crate::call) const RING_SLACK: Duration = Duration::from_millis(500);
/// How far a talk timer strays.
pub(in crate::call) const TALK_SLACK: Duration = Duration::from_secs(1);
/// The shortest ringing that a timer is set to.
pub(in crate::call) const RING_TIMER_MIN: Duration = Duration::from_secs(10);
/// Ends at the same duration needed.
const ENDS_MIN: usize = 3;
/// Share of what lasted that long which must have ended there.
const SHARE_MIN: f64 = 0.9;
/// Ends within this time are one event, such as a restart, not a timer.
const BURST: Duration = Duration::from_secs(2);
/// Ends looked at to recognise a burst.
const BURST_SAMPLE: usize = 64;
/// The shortest talk that is kept: limits on the duration of calls are looked for from ten minutes on.
const TALK_TIMER_MIN: Duration = Duration::from_secs(9 * 60);
/// Calls that one thread measures at a time.
const CALLS_AT_A_TIME: usize = 4096;
/// Hops of one call that are looked at.
const HOPS_MAX: usize = 64;

/// A timer that ends what lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedTimer {
    /// Its middle, in milliseconds.
    pub millis: f64,
    /// How many ended there.
    pub ended: u32,
    /// How many lasted that long or longer.
    pub lasted: u32,
}

/// Something that lasted: how long in milliseconds, and when it ended; `None` where it was still going on.
pub type Lasting = (f32, Option<Timestamp>);

/// How long things lasted at one node, shortest first.
#[derive(Debug, Clone, Default)]
pub struct Durations(Vec<Lasting>);

impl Durations {
    /// Sorts durations.
    pub(in crate::call) fn new(mut all: Vec<Lasting>) -> Self {
        all.retain(|(millis, _)| millis.is_finite());
        all.par_sort_by(|a, b| a.0.total_cmp(&b.0));
        // These are kept for every node of a run.
        all.shrink_to_fit();
        Self(all)
    }

    /// The timer at a duration of `millis` milliseconds, where at least three and nine of ten of what lasted that long ended there,
    /// not all in one burst.
    pub(in crate::call) fn timer(&self, millis: f64, slack: Duration) -> Option<FixedTimer> {
        let slack = slack.as_secs_f64() * 1000.0;
        let start = self.0.partition_point(|(other, _)| f64::from(*other) < millis - slack);
        let end = self.0.partition_point(|(other, _)| f64::from(*other) <= millis + slack);
        let there = self.0.get(start..end)?;
        let after = &self.0[end..];
        let ended = there.iter().filter(|(_, at)| at.is_some()).count();
        // What is still going on and younger than the timer says nothing.
        let lasted = ended + after.len();
        if ended < ENDS_MIN || (ended as f64) < SHARE_MIN * lasted as f64 {
            return None;
        }
        let moments = || there.iter().filter_map(|(_, at)| *at).take(BURST_SAMPLE);
        if moments().max()?.since(moments().min()?) <= BURST {
            return None;
        }
        Some(FixedTimer { millis, ended: ended as u32, lasted: lasted as u32 })
    }
}

type ByNode<T> = FastMap<NodeId, T>;

/// What some calls show of how long things last; what is shorter than any timer is left out.
#[derive(Default)]
struct NodeDurations {
    rings: ByNode<Vec<Lasting>>,
    setups: ByNode<Vec<Lasting>>,
    talks: ByNode<Vec<Lasting>>,
}

impl NodeDurations {
    fn measure(&mut self, call: &Call, store: &MessageStore, end: Timestamp) {
        let waited = |lasting: &Lasting| lasts(lasting, RING_TIMER_MIN - RING_SLACK);
        let talk = talk_of(call, end).filter(|talk| lasts(talk, TALK_TIMER_MIN));
        // No part of a call lasts longer than all of it.
        if talk.is_none() && call.ended.since(call.started) < RING_TIMER_MIN - RING_SLACK {
            return;
        }
        for (node, hop) in nodes(call, &store.tables) {
            if let Some((ring, setup)) = waits_of(call, hop) {
                if let Some(ring) = ring.filter(waited) {
                    self.rings.entry(node).or_default().push(ring);
                }
                if waited(&setup) {
                    self.setups.entry(node).or_default().push(setup);
                }
            }
            if let Some(talk) = talk {
                self.talks.entry(node).or_default().push(talk);
            }
        }
    }
}

fn lasts(lasting: &Lasting, at_least: Duration) -> bool {
    lasting.0 >= at_least.as_secs_f32() * 1000.0
}

fn append(all: &mut ByNode<Vec<Lasting>>, more: ByNode<Vec<Lasting>>) {
    for (node, lasting) in more {
        all.entry(node).or_default().extend(lasting);
    }
}

/// How long calls rang, were being set up and talked at each node.
#[derive(Debug, Default)]
pub struct FixedTimers {
    rings: ByNode<Durations>,
    setups: ByNode<Durations>,
    talks: ByNode<Durations>,
}

impl FixedTimers {
    /// Measures every call at every node that its INVITE passed; `end` is the last frame.
    pub(in crate::call) fn of(calls: &[Call], store: &MessageStore, end: Timestamp) -> Self {
        let shares: Vec<NodeDurations> = calls
            .par_chunks(CALLS_AT_A_TIME)
            .with_max_len(1)
            .map(|calls| {
                let mut share = NodeDurations::default();
                for call in calls {
                    share.measure(call, store, end);
                }
                share
            })
            .collect();
        let mut all = NodeDurations::default();
        for share in shares {
            append(&mut all.rings, share.rings);
            append(&mut all.setups, share.setups);
            append(&mut all.talks, share.talks);
        }
        // Where fewer things lasted than show a timer, none will be found.
        let sorted = |all: ByNode<Vec<Lasting>>| {
            all.into_par_iter()
                .filter(|(_, lasting)| lasting.len() >= ENDS_MIN)
                .map(|(node, lasting)| (node, Durations::new(lasting)))
                .collect()
        };
        Self { rings: sorted(all.rings), setups: sorted(all.setups), talks: sorted(all.talks) }
    }

    /// The timer that ends ringing at a node after `ring_ms`, first 18x to the end.
    pub fn ring(&self, node: NodeId, ring_ms: f64) -> Option<FixedTimer> {
        at_least_ringing(ring_ms)?;
        self.rings.get(&node)?.timer(ring_ms, RING_SLACK)
    }

    /// The timer that ends attempts at a node `setup_ms` after the INVITE.
    pub fn setup(&self, node: NodeId, setup_ms: f64) -> Option<FixedTimer> {
        at_least_ringing(setup_ms)?;
        self.setups.get(&node)?.timer(setup_ms, RING_SLACK)
    }

    /// The timer that ends talks through a node after `talk_ms`, which is ten minutes or more.
    pub fn talk(&self, node: NodeId, talk_ms: f64) -> Option<FixedTimer> {
        self.talks.get(&node)?.timer(talk_ms, TALK_SLACK)
    }

    /// Corrects outcomes: a refusal after a ring time that hardly any call at that node outlasts was nobody's hand.
    pub(in crate::call) fn refine(&self, calls: &mut [Call], store: &MessageStore) {
        for call in calls {
            let code = call.final_code.map_or(0, |StatusCode(code)| code);
            let is_refusal = matches!(code, 486 | 487 | 603)
                // Busy after ringing is only what the refuser itself calls so (Q.850 cause 17).
                && matches!(call.outcome, Outcome::Declined | Outcome::Cancelled)
                && call.milestones.cancelled.is_none();
            if !is_refusal {
                continue;
            }
            let last =
                call.hops.iter().take(HOPS_MAX).rev().find(|hop| hop.final_code == code && hop.alerted_ms.is_some());
            let timer = last.and_then(|hop| {
                let node = store.tables.node(hop.destination);
                let ring = hop.final_ms? - hop.alerted_ms?;
                self.ring(node, f64::from(ring))
            });
            if timer.is_some() {
                call.outcome = Outcome::NoAnswer;
            }
        }
    }
}

fn at_least_ringing(millis: f64) -> Option<()> {
    (millis >= RING_TIMER_MIN.as_secs_f64() * 1000.0).then_some(())
}

/// The nodes that an INVITE passed, each with the hop at which it is seen first.
fn nodes<'a>(call: &'a Call, tables: &Tables) -> Vec<(NodeId, &'a Hop)> {
    let mut nodes: Vec<(NodeId, &Hop)> = Vec::new();
    for hop in call.hops.iter().take(HOPS_MAX) {
        for endpoint in [hop.source, hop.destination] {
            let node = tables.node(endpoint);
            let known = nodes.iter_mut().find(|(known, _)| *known == node);
            match known {
                // Of several tries the one that rang counts.
                Some(known) if known.1.alerted_ms.is_none() => known.1 = hop,
                Some(_) => {}
                None => nodes.push((node, hop)),
            }
        }
    }
    nodes
}

/// How long a hop rang, where it did, and how long it took from the INVITE to its end.
fn waits_of(call: &Call, hop: &Hop) -> Option<(Option<Lasting>, Lasting)> {
    let (setup, at) = match hop.final_ms {
        Some(after) => (after, hop.sent.plus(Duration::from_secs_f32((after / 1000.0).max(0.0)))),
        None => {
            let end = call.milestones.cancelled?;
            (end.millis_since(hop.sent) as f32, end)
        }
    };
    let ring = hop.alerted_ms.map(|alerted| (setup - alerted, Some(at)));
    Some((ring, (setup, Some(at))))
}

fn talk_of(call: &Call, end: Timestamp) -> Option<Lasting> {
    let times = &call.milestones;
    let answered = times.answered?;
    match times.hung_up {
        Some(hung_up) => Some((hung_up.millis_since(answered) as f32, Some(hung_up))),
        None => Some((end.millis_since(answered) as f32, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(millis: f32, second: i64) -> Lasting {
        (millis, Some(Timestamp::from_nanoseconds(second * 1_000_000_000)))
    }

    #[test]
    fn four_calls_cut_at_30_seconds_and_none_longer_are_a_timer() {
        let mut all: Vec<Lasting> = (0..4).map(|n| ended(30_000.0 + n as f32 * 20.0, n * 60)).collect();
        all.extend((0..20).map(|n| ended(4_000.0 + n as f32 * 700.0, n * 11)));
        let timer = Durations::new(all).timer(30_010.0, RING_SLACK).expect("a timer of 30 s");
        assert_eq!((4, 4), (timer.ended, timer.lasted));
    }

    #[test]
    fn three_equal_durations_among_longer_ones_are_chance() {
        let mut all: Vec<Lasting> = (0..3).map(|n| ended(30_000.0, n * 60)).collect();
        all.extend((0..10).map(|n| ended(31_000.0 + n as f32 * 3_000.0, n * 11)));
        assert_eq!(None, Durations::new(all).timer(30_000.0, RING_SLACK));
    }

    #[test]
    fn equal_durations_that_end_together_are_one_event() {
        let all: Vec<Lasting> = (0..5).map(|_| ended(30_000.0, 60)).collect();
        assert_eq!(None, Durations::new(all).timer(30_000.0, RING_SLACK));
    }

    #[test]
    fn a_call_still_up_that_outlasted_the_time_speaks_against_a_timer() {
        let mut all: Vec<Lasting> = (0..3).map(|n| ended(60_000.0, n * 60)).collect();
        all.push((90_000.0, None));
        assert_eq!(None, Durations::new(all).timer(60_000.0, TALK_SLACK));
    }
}
