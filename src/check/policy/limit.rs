//! Limits: a number of the metrics or of one call, and the least or most that it may be.

use crate::analysis::CallField;
use crate::call::survey::metrics::{Metrics, RegistrationMetrics, Spread};
use crate::check::view::CallView;

/// A number by its name in a policy.
#[derive(Debug)]
pub struct Number<Of, About> {
    /// Its name; the unit is the last word.
    pub name: &'static str,
    /// What it is a number of.
    pub about: About,
    of: fn(&Of) -> Option<f64>,
}

const fn number<Of, About: Copy>(name: &'static str, about: About, of: fn(&Of) -> Option<f64>) -> Number<Of, About> {
    Number { name, about, of }
}

/// A number over all calls.
pub type Metric = Number<Metrics, About>;

/// A number over all tries to register.
pub type RegistrationMetric = Number<RegistrationMetrics, AboutTries>;

/// What a metric of calls is about, which says what call counts against a limit on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// How many calls there are.
    Calls,
    /// How many are of each kind.
    Count(Counted),
    /// A share of calls.
    Share(Counted),
    /// A delay.
    Delay(Delay),
}

/// What of calls is counted, or is in a share of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Messages that were sent again.
    Retransmissions,
    /// Calls that the capture shows too little of.
    Partial,
    /// Calls that were answered.
    Answered,
    /// Calls that did not fail.
    Effective,
    /// Calls that were answered and ended without a fault.
    Completed,
    /// Calls that failed for want of an answer or a server: 408, 500, 503, 504 (RFC 6076 section 4.8).
    Ineffective,
}

/// A delay of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delay {
    /// First INVITE to the first 18x.
    Pdd,
    /// First INVITE to the answer.
    Setup,
    /// Answer to the first BYE.
    Talk,
    /// First INVITE to a failure.
    SrdFailed,
    /// First BYE to its 2xx.
    Sdd,
}

impl Delay {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pdd => CallField::PddMs.name(),
            Self::Setup => CallField::SetupMs.name(),
            Self::Talk => CallField::TalkMs.name(),
            Self::SrdFailed => "srd_failed_ms",
            Self::Sdd => "sdd_ms",
        }
    }
}

/// What a metric of registrations is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AboutTries {
    /// How many tries there are.
    Tries,
    /// The share of those that failed.
    Refused,
    /// First REGISTER to its 2xx.
    Delay,
}

fn spread(spread: Option<Spread>, of: fn(&Spread) -> f64) -> Option<f64> {
    spread.as_ref().map(of)
}

/// Every metric that a policy may limit, by its name without `min_` or `max_`; the unit is the last word.
pub static METRICS: [Metric; 33] = [
    number("calls", About::Calls, |m| Some(f64::from(m.calls))),
    number("retransmissions", About::Count(Counted::Retransmissions), |m| Some(m.retransmissions as f64)),
    number("answered", About::Count(Counted::Answered), |m| Some(f64::from(m.answered))),
    number("partial", About::Count(Counted::Partial), |m| Some(f64::from(m.partial))),
    number("asr_percent", About::Share(Counted::Answered), |m| m.asr_percent),
    number("ner_percent", About::Share(Counted::Effective), |m| m.ner_percent),
    number("ser_percent", About::Share(Counted::Effective), |m| m.ser_percent),
    number("seer_percent", About::Share(Counted::Effective), |m| m.seer_percent),
    number("isa_percent", About::Share(Counted::Ineffective), |m| m.isa_percent),
    number("scr_percent", About::Share(Counted::Completed), |m| m.scr_percent),
    number("acd_ms", About::Delay(Delay::Talk), |m| m.acd_ms),
    number("pdd_mean_ms", About::Delay(Delay::Pdd), |m| spread(m.pdd_ms, |s| s.mean)),
    number("pdd_p50_ms", About::Delay(Delay::Pdd), |m| spread(m.pdd_ms, |s| s.p50)),
    number("pdd_p90_ms", About::Delay(Delay::Pdd), |m| spread(m.pdd_ms, |s| s.p90)),
    number("pdd_p95_ms", About::Delay(Delay::Pdd), |m| spread(m.pdd_ms, |s| s.p95)),
    number("pdd_max_ms", About::Delay(Delay::Pdd), |m| spread(m.pdd_ms, |s| s.max)),
    number("setup_mean_ms", About::Delay(Delay::Setup), |m| spread(m.setup_ms, |s| s.mean)),
    number("setup_p50_ms", About::Delay(Delay::Setup), |m| spread(m.setup_ms, |s| s.p50)),
    number("setup_p90_ms", About::Delay(Delay::Setup), |m| spread(m.setup_ms, |s| s.p90)),
    number("setup_p95_ms", About::Delay(Delay::Setup), |m| spread(m.setup_ms, |s| s.p95)),
    number("setup_max_ms", About::Delay(Delay::Setup), |m| spread(m.setup_ms, |s| s.max)),
    number("talk_p50_ms", About::Delay(Delay::Talk), |m| spread(m.talk_ms, |s| s.p50)),
    number("talk_p90_ms", About::Delay(Delay::Talk), |m| spread(m.talk_ms, |s| s.p90)),
    number("talk_p95_ms", About::Delay(Delay::Talk), |m| spread(m.talk_ms, |s| s.p95)),
    number("talk_max_ms", About::Delay(Delay::Talk), |m| spread(m.talk_ms, |s| s.max)),
    number("srd_failed_p50_ms", About::Delay(Delay::SrdFailed), |m| spread(m.srd_failed_ms, |s| s.p50)),
    number("srd_failed_p90_ms", About::Delay(Delay::SrdFailed), |m| spread(m.srd_failed_ms, |s| s.p90)),
    number("srd_failed_p95_ms", About::Delay(Delay::SrdFailed), |m| spread(m.srd_failed_ms, |s| s.p95)),
    number("srd_failed_max_ms", About::Delay(Delay::SrdFailed), |m| spread(m.srd_failed_ms, |s| s.max)),
    number("sdd_p50_ms", About::Delay(Delay::Sdd), |m| spread(m.sdd_ms, |s| s.p50)),
    number("sdd_p90_ms", About::Delay(Delay::Sdd), |m| spread(m.sdd_ms, |s| s.p90)),
    number("sdd_p95_ms", About::Delay(Delay::Sdd), |m| spread(m.sdd_ms, |s| s.p95)),
    number("sdd_max_ms", About::Delay(Delay::Sdd), |m| spread(m.sdd_ms, |s| s.max)),
];

/// Every metric of registrations that a policy may limit, in the same table as the others.
pub static REGISTRATION_METRICS: [RegistrationMetric; 6] = [
    number("registration_attempts", AboutTries::Tries, |m| Some(f64::from(m.attempts))),
    number("ira_percent", AboutTries::Refused, |m| m.ira_percent),
    number("rrd_p50_ms", AboutTries::Delay, |m| spread(m.rrd_ms, |s| s.p50)),
    number("rrd_p90_ms", AboutTries::Delay, |m| spread(m.rrd_ms, |s| s.p90)),
    number("rrd_p95_ms", AboutTries::Delay, |m| spread(m.rrd_ms, |s| s.p95)),
    number("rrd_max_ms", AboutTries::Delay, |m| spread(m.rrd_ms, |s| s.max)),
];

/// The name of every metric that a policy may limit over the whole run.
pub fn metric_names() -> impl Iterator<Item = &'static str> {
    let of_calls = METRICS.iter().map(|number| number.name);
    of_calls.chain(REGISTRATION_METRICS.iter().map(|number| number.name))
}

/// Keys of `[metrics]` beside the limits.
pub const METRICS_KEYS: [&str; 1] = ["min_sample"];

/// The keys of limits on numbers of these names.
pub(super) fn limit_keys<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.flat_map(|name| [Bound::Min, Bound::Max].map(|bound| format!("{}{name}", bound.prefix()))).collect()
}

/// Whether a key belongs below `[metrics]`.
pub(super) fn is_metric_key(key: &str) -> bool {
    METRICS_KEYS.contains(&key) || limit_keys(metric_names()).iter().any(|known| known == key)
}

/// The first metrics, whose names mean the size of the group and a number of each call in an expectation.
const NOT_OF_GROUPS: usize = 2;

/// Every metric that an expectation may limit over the calls of its group: all but those whose names mean the size of the
/// group and a number of each call there.
pub fn group_metrics() -> &'static [Metric] {
    METRICS.get(NOT_OF_GROUPS..).unwrap_or_default()
}

/// A number of one call.
pub type CallNumber = Number<CallView, ()>;

/// Every number of a call that an expectation may limit.
pub static CALL_NUMBERS: [CallNumber; 7] = [
    number(CallField::PddMs.name(), (), |call| call.pdd_ms),
    number(CallField::RingMs.name(), (), |call| call.ring_ms),
    number(CallField::SetupMs.name(), (), |call| call.setup_ms),
    number(CallField::TalkMs.name(), (), |call| call.talk_ms),
    number(CallField::ReplyMs.name(), (), CallView::reply_ms),
    number(CallField::Messages.name(), (), |call| Some(f64::from(call.messages))),
    number(CallField::Retransmissions.name(), (), |call| Some(f64::from(call.retransmissions))),
];

/// Which side of a limit is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At least this.
    Min,
    /// At most this.
    Max,
}

impl Bound {
    /// The start of a key: `min_` or `max_`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Min => "min_",
            Self::Max => "max_",
        }
    }

    /// Whether a value is allowed.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Min => value >= limit,
            Self::Max => value <= limit,
        }
    }
}

/// A limit as a policy gives it.
#[derive(Debug)]
pub struct Limit<Of: 'static> {
    /// What is limited, with how it is read.
    pub number: &'static Of,
    /// Which side is allowed.
    pub bound: Bound,
    /// The least or the most.
    pub value: f64,
    /// Line of the policy, from 1.
    pub line: u32,
}

impl<Of, About> Limit<Number<Of, About>> {
    /// The key that it was written with: `max_pdd_p95_ms`.
    pub fn key(&self) -> String {
        format!("{}{}", self.bound.prefix(), self.number.name)
    }

    /// The number that it limits, `None` where nothing was measured.
    pub fn measure(&self, of: &Of) -> Option<f64> {
        (self.number.of)(of)
    }
}

/// A number with at most one decimal, and a unit as its key names it: `41.5 ms`, `95 %`, `3`.
pub fn shown(key: &str, value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0 + 0.0;
    let unit = match key.rsplit('_').next() {
        Some("ms") => " ms",
        Some("percent") => " %",
        _ => "",
    };
    format!("{rounded}{unit}")
}
