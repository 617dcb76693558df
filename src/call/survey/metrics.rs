//! Metrics: ratios and delays over calls whose outcome is known, each with its population.
//!
//! Sources: ITU-T E.411 and E.425 (ASR, NER), RFC 6076 (SER, SEER, ISA, SRD, SDD, SDT, SCR).

use std::collections::BTreeMap;

use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::call::outcome::call::Call;
use crate::call::outcome::verdict::{Outcome, OutcomeGroup};

/// How values are spread; nearest-rank percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// How many values.
    pub count: u32,
    /// Mean.
    pub mean: f64,
    /// Half are at most this.
    pub p50: f64,
    /// 90 of 100 are at most this.
    pub p90: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// The spread of `values`, `None` where there are none.
    pub fn of(values: Vec<f64>) -> Option<Self> {
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let mut values: Vec<i64> = values.into_iter().map(ranked).collect();
        let max = values.iter().copied().max()?;
        // From the highest down, so that each search is among what lies below the one before.
        let mut below = values.as_mut_slice();
        let mut rank = |share: f64| {
            let place = ((count as f64 * share).ceil() as usize).clamp(1, count) - 1;
            let (_, found, _) = below.select_nth_unstable(place);
            let found = *found;
            below = std::mem::take(&mut below).get_mut(..=place).unwrap_or_default();
            value_of(found)
        };
        let (p95, p90, p50) = (rank(0.95), rank(0.90), rank(0.50));
        Some(Self { count: count as u32, mean, p50, p90, p95, max: value_of(max) })
    }
}

/// A whole number that has the place among others which its value has among theirs: these are compared in fewer steps.
fn ranked(value: f64) -> i64 {
    flip(value.to_bits().cast_signed())
}

fn value_of(ranked: i64) -> f64 {
    f64::from_bits(flip(ranked).cast_unsigned())
}

/// The order of IEEE 754 numbers is that of their bits, but that negative ones run backwards.
fn flip(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// Ratios and delays of a set of calls; `None` where the set is empty. Percentages run from 0 to 100.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    /// Calls whose outcome is known: the population of every ratio.
    pub calls: u32,
    /// Of these, answered.
    pub answered: u32,
    /// Of these, ended by a failure, those that were answered and dropped included.
    pub failed: u32,
    /// Calls that the capture shows too little of.
    pub partial: u32,
    /// Answer-seizure ratio: answered of all.
    pub asr_percent: Option<f64>,
    /// Network effectiveness ratio: answered or ended by the people (a cancel before anything rang is not), of all.
    pub ner_percent: Option<f64>,
    /// Session establishment ratio, RFC 6076 section 4.6: 200 of all not redirected.
    pub ser_percent: Option<f64>,
    /// Session establishment effectiveness ratio, RFC 6076 section 4.7: 200, 480, 486, 600 or 603 of all not redirected.
    pub seer_percent: Option<f64>,
    /// Ineffective session attempts, RFC 6076 section 4.8: 408, 500, 503 or 504 of all.
    pub isa_percent: Option<f64>,
    /// Session completion ratio, RFC 6076 section 4.9: answered and ended without a fault, of all.
    pub scr_percent: Option<f64>,
    /// Average call duration in milliseconds over ended answered calls.
    pub acd_ms: Option<f64>,
    /// Post-dial delay.
    pub pdd_ms: Option<Spread>,
    /// Set-up time of answered calls.
    pub setup_ms: Option<Spread>,
    /// Talk time.
    pub talk_ms: Option<Spread>,
    /// Session disconnect delay, RFC 6076 section 4.4: first BYE to its 2xx.
    pub sdd_ms: Option<Spread>,
    /// Session request delay of failed calls, RFC 6076 section 4.3.2: first INVITE to the failure.
    pub srd_failed_ms: Option<Spread>,
    /// Messages repeated by their sender.
    pub retransmissions: u64,
    /// Calls of each outcome, `partial` included.
    pub outcomes: BTreeMap<Outcome, u32>,
    /// Calls of each final code.
    pub final_codes: BTreeMap<u16, u32>,
}

/// What of a call counts in metrics; most of a call does not, and calls are measured by many groups.
#[derive(Debug, Clone, Copy)]
pub(in crate::call) struct Measured {
    outcome: Outcome,
    /// Whether the network did its part although nobody answered.
    is_carried: bool,
    /// Final code, 0 where there is none.
    code: u16,
    retransmissions: u32,
    /// In milliseconds; not a number where there is none.
    times: [f64; TIMES],
}

/// Post-dial delay, set-up, talk, teardown, and the time to a failure.
const TIMES: usize = 5;

impl From<&Call> for Measured {
    fn from(call: &Call) -> Self {
        let times = &call.milestones;
        let code = call.final_code.map_or(0, |code| code.0);
        let has_failed = call.outcome.is_failure() && !call.outcome.is_answered();
        let until_failure = times.concluded.zip(times.invited).filter(|_| has_failed);
        let times = [
            times.pdd_ms(),
            times.setup_ms(),
            times.talk_ms(),
            times.teardown_ms(),
            until_failure.map(|(end, start)| end.millis_since(start)),
        ];
        Self {
            outcome: call.outcome,
            is_carried: is_carried(call, code),
            code,
            retransmissions: call.retransmissions,
            times: times.map(|time| time.unwrap_or(f64::NAN)),
        }
    }
}

impl Metrics {
    /// Measures calls; those of outcome `partial` count only in `outcomes` and `partial`.
    pub fn of<'a>(calls: impl Iterator<Item = &'a Call>) -> Self {
        Self::of_measured(calls.map(Measured::from))
    }

    /// The same of calls that were measured one by one.
    pub(in crate::call) fn of_measured(calls: impl Iterator<Item = Measured>) -> Self {
        let mut metrics = Self::default();
        let mut outcomes = [0_u32; Outcome::ALL.len()];
        let mut codes: Vec<u32> = Vec::new();
        let mut times: [Vec<f64>; TIMES] = Default::default();
        let mut carried = 0;
        for call in calls {
            outcomes[call.outcome as usize] += 1;
            metrics.retransmissions += u64::from(call.retransmissions);
            if call.outcome == Outcome::Partial {
                continue;
            }
            let code = usize::from(call.code);
            if codes.len() <= code {
                codes.resize(code + 1, 0);
            }
            codes[code] += 1;
            carried += u32::from(call.is_carried);
            for (all, time) in times.iter_mut().zip(call.times) {
                if !time.is_nan() {
                    all.push(time);
                }
            }
        }
        let outcomes = Outcome::ALL.map(|outcome| (outcome, outcomes[outcome as usize]));
        metrics.count(&outcomes, &codes, carried);
        metrics.outcomes = outcomes.into_iter().filter(|(_, count)| *count > 0).collect();
        let coded = (0..).zip(codes).skip(1);
        metrics.final_codes = coded.filter(|(_, count)| *count > 0).collect();
        let [pdd, setup, talk, teardown, failed] = times.map(Spread::of);
        metrics.pdd_ms = pdd;
        metrics.setup_ms = setup;
        metrics.talk_ms = talk;
        metrics.acd_ms = talk.map(|talk| talk.mean);
        metrics.sdd_ms = teardown;
        metrics.srd_failed_ms = failed;
        metrics
    }

    /// The counts and ratios, from the calls of each outcome and of each final code; `carried` are those that the people ended.
    fn count(&mut self, outcomes: &[(Outcome, u32)], codes: &[u32], carried: u32) {
        let of = |is: &dyn Fn(Outcome) -> bool| -> u32 {
            let those = outcomes.iter().filter(|(outcome, _)| is(*outcome));
            those.map(|(_, count)| count).sum()
        };
        let coded = |range: std::ops::Range<usize>| -> u32 {
            let end = range.end.min(codes.len());
            codes.get(range.start..end).unwrap_or_default().iter().sum()
        };
        self.partial = of(&|outcome| outcome == Outcome::Partial);
        let calls = of(&|outcome| outcome != Outcome::Partial);
        self.calls = calls;
        self.answered = of(&Outcome::is_answered);
        self.failed = of(&Outcome::is_failure);
        let success = coded(200..300);
        let effective = [480, 486, 600, 603].map(|code| coded(code..code + 1));
        let ineffective = [408, 500, 503, 504].map(|code| coded(code..code + 1));
        let of_all = |part: u32| percent(part, calls);
        let of_kept = |part: u32| percent(part, calls - coded(300..400));
        self.asr_percent = of_all(self.answered);
        self.ner_percent = of_all(self.answered + carried);
        self.ser_percent = of_kept(success);
        self.seer_percent = of_kept(success + effective.iter().sum::<u32>());
        self.isa_percent = of_all(ineffective.iter().sum());
        self.scr_percent = of_all(of(&|outcome| outcome == Outcome::Completed));
    }
}

/// Whether the network did its part although nobody answered: the people ended the attempt.
///
/// A caller that gives up before anything rang may have given up on the network.
fn is_carried(call: &Call, code: u16) -> bool {
    let is_early = call.outcome == Outcome::Cancelled && call.milestones.alerted.is_none();
    let is_refused_by_callee = call.outcome == Outcome::Blocked && matches!(code, 433 | 603 | 607);
    let is_normal = call.outcome.group() == OutcomeGroup::Normal && !call.outcome.is_answered();
    is_normal && !is_early || is_refused_by_callee
}

fn percent(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| 100.0 * f64::from(part) / f64::from(whole))
}

/// How tries to register went; `None` where there were none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RegistrationMetrics {
    /// Tries whose end is known, the answer to a challenge being part of its try; those left at a challenge are in none.
    pub attempts: u32,
    /// Of these, taken by the registrar.
    pub registered: u32,
    /// Ineffective registration attempts, RFC 6076 section 4.2: refused or never answered, of all. From 0 to 100.
    pub ira_percent: Option<f64>,
    /// Registration request delay, RFC 6076 section 4.1: first REGISTER to the 2xx.
    pub rrd_ms: Option<Spread>,
}

impl RegistrationMetrics {
    /// Measures tries.
    pub fn of<'a>(attempts: impl Iterator<Item = &'a RegisterAttempt>) -> Self {
        let (mut metrics, mut ineffective, mut delays) = (Self::default(), 0, Vec::new());
        for attempt in attempts {
            match attempt.outcome {
                RegistrationOutcome::Registered => {
                    metrics.registered += 1;
                    delays.push(attempt.ended.millis_since(attempt.started));
                }
                RegistrationOutcome::Failed | RegistrationOutcome::TimedOut => ineffective += 1,
                // A challenge alone is no failure, and what was not captured proves nothing.
                RegistrationOutcome::Challenged | RegistrationOutcome::Partial => {}
            }
        }
        metrics.attempts = metrics.registered + ineffective;
        metrics.ira_percent = percent(ineffective, metrics.attempts);
        metrics.rrd_ms = Spread::of(delays);
        metrics
    }
}
