//! Limits: a number of the metrics or of one call, and the least or most that it may be.

use crate::analysis::CallField;
use crate::call::survey::metrics::{Metrics, RegistrationMetrics, Spread};
use crate::check::view::CallView;

/// A number by its name in a policy, with how it is read; `None` where nothing was measured.
pub type Number<Of> = (&'static str, fn(&Of) -> Option<f64>);

/// A number over all calls.
pub type Metric = Number<Metrics>;

/// A number over all tries to register.
pub type RegistrationMetric = Number<RegistrationMetrics>;

fn spread(spread: Option<Spread>, of: fn(&Spread) -> f64) -> Option<f64> {
    spread.as_ref().map(of)
}

/// Every metric that a policy may limit, by its name without `min_` or `max_`; the unit is the last word.
pub const METRICS: [Metric; 33] = [
    ("calls", |m| Some(f64::from(m.calls))),
    ("retransmissions", |m| Some(m.retransmissions as f64)),
    ("answered", |m| Some(f64::from(m.answered))),
    ("partial", |m| Some(f64::from(m.partial))),
    ("asr_percent", |m| m.asr_percent),
    ("ner_percent", |m| m.ner_percent),
    ("ser_percent", |m| m.ser_percent),
    ("seer_percent", |m| m.seer_percent),
    ("isa_percent", |m| m.isa_percent),
    ("scr_percent", |m| m.scr_percent),
    ("acd_ms", |m| m.acd_ms),
    ("pdd_mean_ms", |m| spread(m.pdd_ms, |s| s.mean)),
    ("pdd_p50_ms", |m| spread(m.pdd_ms, |s| s.p50)),
    ("pdd_p90_ms", |m| spread(m.pdd_ms, |s| s.p90)),
    ("pdd_p95_ms", |m| spread(m.pdd_ms, |s| s.p95)),
    ("pdd_max_ms", |m| spread(m.pdd_ms, |s| s.max)),
    ("setup_mean_ms", |m| spread(m.setup_ms, |s| s.mean)),
    ("setup_p50_ms", |m| spread(m.setup_ms, |s| s.p50)),
    ("setup_p90_ms", |m| spread(m.setup_ms, |s| s.p90)),
    ("setup_p95_ms", |m| spread(m.setup_ms, |s| s.p95)),
    ("setup_max_ms", |m| spread(m.setup_ms, |s| s.max)),
    ("talk_p50_ms", |m| spread(m.talk_ms, |s| s.p50)),
    ("talk_p90_ms", |m| spread(m.talk_ms, |s| s.p90)),
    ("talk_p95_ms", |m| spread(m.talk_ms, |s| s.p95)),
    ("talk_max_ms", |m| spread(m.talk_ms, |s| s.max)),
    ("srd_failed_p50_ms", |m| spread(m.srd_failed_ms, |s| s.p50)),
    ("srd_failed_p90_ms", |m| spread(m.srd_failed_ms, |s| s.p90)),
    ("srd_failed_p95_ms", |m| spread(m.srd_failed_ms, |s| s.p95)),
    ("srd_failed_max_ms", |m| spread(m.srd_failed_ms, |s| s.max)),
    ("sdd_p50_ms", |m| spread(m.sdd_ms, |s| s.p50)),
    ("sdd_p90_ms", |m| spread(m.sdd_ms, |s| s.p90)),
    ("sdd_p95_ms", |m| spread(m.sdd_ms, |s| s.p95)),
    ("sdd_max_ms", |m| spread(m.sdd_ms, |s| s.max)),
];

/// Every metric of registrations that a policy may limit, in the same table as the others.
pub const REGISTRATION_METRICS: [RegistrationMetric; 6] = [
    ("registration_attempts", |m| Some(f64::from(m.attempts))),
    ("ira_percent", |m| m.ira_percent),
    ("rrd_p50_ms", |m| spread(m.rrd_ms, |s| s.p50)),
    ("rrd_p90_ms", |m| spread(m.rrd_ms, |s| s.p90)),
    ("rrd_p95_ms", |m| spread(m.rrd_ms, |s| s.p95)),
    ("rrd_max_ms", |m| spread(m.rrd_ms, |s| s.max)),
];

/// The name of every metric that a policy may limit over the whole run.
pub fn metric_names() -> impl Iterator<Item = &'static str> {
    let of_calls = METRICS.iter().map(|(name, _)| *name);
    of_calls.chain(REGISTRATION_METRICS.iter().map(|(name, _)| *name))
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

/// Every metric that an expectation may limit over the calls of its group: all but those whose names mean the size of the
/// group and a number of each call there.
pub const GROUP_METRICS: &[Metric] = {
    let all: &'static [Metric] = &METRICS;
    all.split_at(2).1
};

/// A number of one call.
pub type CallNumber = Number<CallView>;

/// Every number of a call that an expectation may limit.
pub const CALL_NUMBERS: [CallNumber; 7] = [
    (CallField::PddMs.name(), |call| call.pdd_ms),
    (CallField::RingMs.name(), |call| call.ring_ms),
    (CallField::SetupMs.name(), |call| call.setup_ms),
    (CallField::TalkMs.name(), |call| call.talk_ms),
    (CallField::ReplyMs.name(), CallView::reply_ms),
    (CallField::Messages.name(), |call| Some(f64::from(call.messages))),
    (CallField::Retransmissions.name(), |call| Some(f64::from(call.retransmissions))),
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit<Of> {
    /// What is limited, with how it is read.
    pub number: Of,
    /// Which side is allowed.
    pub bound: Bound,
    /// The least or the most.
    pub value: f64,
    /// Line of the policy, from 1.
    pub line: u32,
}

impl<Of> Limit<Number<Of>> {
    /// The key that it was written with: `max_pdd_p95_ms`.
    pub fn key(&self) -> String {
        format!("{}{}", self.bound.prefix(), self.number.0)
    }

    /// The number that it limits, `None` where nothing was measured.
    pub fn measure(&self, of: &Of) -> Option<f64> {
        (self.number.1)(of)
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
