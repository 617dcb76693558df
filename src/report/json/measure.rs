//! The numbers in the report: `metrics`, and the same by destination, source, product and time in `metrics_by`.

use serde::Serialize;

use crate::call::survey::metrics::{self, RegistrationMetrics};
use crate::call::survey::profile::{self, Dimension, Profile};
use crate::report::json::value::{Each, Keyed, moment, rounded};

/// Ratios and delays with their populations.
pub(super) struct MetricsLine<'a>(&'a metrics::Metrics, RegistrationMetrics);

impl<'a> MetricsLine<'a> {
    pub(super) fn of(metrics: &'a metrics::Metrics, registrations: RegistrationMetrics) -> Self {
        Self(metrics, registrations)
    }
}

/// A spread; all null where nothing was measured.
#[derive(Serialize, Default)]
struct SpreadLine {
    count: u32,
    mean: Option<f64>,
    p50: Option<f64>,
    p90: Option<f64>,
    p95: Option<f64>,
    max: Option<f64>,
}

fn spread(spread: Option<metrics::Spread>) -> SpreadLine {
    spread.map_or(SpreadLine::default(), |spread| SpreadLine {
        count: spread.count,
        mean: Some(rounded(spread.mean)),
        p50: Some(rounded(spread.p50)),
        p90: Some(rounded(spread.p90)),
        p95: Some(rounded(spread.p95)),
        max: Some(rounded(spread.max)),
    })
}

impl Serialize for MetricsLine<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<O, C> {
            calls: u32,
            answered: u32,
            failed: u32,
            partial: u32,
            asr_percent: Option<f64>,
            ner_percent: Option<f64>,
            ser_percent: Option<f64>,
            seer_percent: Option<f64>,
            isa_percent: Option<f64>,
            scr_percent: Option<f64>,
            acd_ms: Option<f64>,
            pdd_ms: SpreadLine,
            setup_ms: SpreadLine,
            talk_ms: SpreadLine,
            srd_failed_ms: SpreadLine,
            sdd_ms: SpreadLine,
            registration_attempts: u32,
            ira_percent: Option<f64>,
            rrd_ms: SpreadLine,
            retransmissions: u64,
            outcomes: O,
            final_codes: C,
        }
        let Self(metrics, registrations) = self;
        Fields {
            calls: metrics.calls,
            answered: metrics.answered,
            failed: metrics.failed,
            partial: metrics.partial,
            asr_percent: metrics.asr_percent.map(rounded),
            ner_percent: metrics.ner_percent.map(rounded),
            ser_percent: metrics.ser_percent.map(rounded),
            seer_percent: metrics.seer_percent.map(rounded),
            isa_percent: metrics.isa_percent.map(rounded),
            scr_percent: metrics.scr_percent.map(rounded),
            acd_ms: metrics.acd_ms.map(rounded),
            pdd_ms: spread(metrics.pdd_ms),
            setup_ms: spread(metrics.setup_ms),
            talk_ms: spread(metrics.talk_ms),
            srd_failed_ms: spread(metrics.srd_failed_ms),
            sdd_ms: spread(metrics.sdd_ms),
            registration_attempts: registrations.attempts,
            ira_percent: registrations.ira_percent.map(rounded),
            rrd_ms: spread(registrations.rrd_ms),
            retransmissions: metrics.retransmissions,
            outcomes: Keyed(|| {
                let outcomes = metrics.outcomes.iter();
                outcomes.map(|(outcome, count)| (outcome.word(), count))
            }),
            final_codes: &metrics.final_codes,
        }
        .serialize(serializer)
    }
}

/// The numbers of calls that have something in common.
#[derive(Serialize)]
struct SummaryLine {
    calls: u32,
    answered: u32,
    failed: u32,
    partial: u32,
    asr_percent: Option<f64>,
    ner_percent: Option<f64>,
    acd_ms: Option<f64>,
    pdd_p50_ms: Option<f64>,
    pdd_p95_ms: Option<f64>,
}

fn summary(metrics: &metrics::Metrics) -> SummaryLine {
    SummaryLine {
        calls: metrics.calls,
        answered: metrics.answered,
        failed: metrics.failed,
        partial: metrics.partial,
        asr_percent: metrics.asr_percent.map(rounded),
        ner_percent: metrics.ner_percent.map(rounded),
        acd_ms: metrics.acd_ms.map(rounded),
        pdd_p50_ms: metrics.pdd_ms.map(|pdd| rounded(pdd.p50)),
        pdd_p95_ms: metrics.pdd_ms.map(|pdd| rounded(pdd.p95)),
    }
}

/// The metrics by destination, source, product and time.
pub(super) fn metrics_by(profile: &Profile) -> impl Serialize {
    #[derive(Serialize)]
    struct Fields<D, T> {
        destination: D,
        source: D,
        software: D,
        time: T,
    }
    Fields {
        destination: dimension(&profile.destinations),
        source: dimension(&profile.sources),
        software: dimension(&profile.software),
        time: time(profile),
    }
}

fn dimension(dimension: &Dimension) -> impl Serialize {
    #[derive(Serialize)]
    struct Fields<G> {
        groups: G,
        others: u32,
        others_metrics: Option<SummaryLine>,
    }
    #[derive(Serialize)]
    struct Line<'a> {
        key: &'a str,
        #[serde(flatten)]
        summary: SummaryLine,
    }
    Fields {
        groups: Each(|| {
            dimension.groups.iter().map(|group| Line { key: &group.key, summary: summary(&group.metrics) })
        }),
        others: dimension.others,
        others_metrics: dimension.others_metrics.as_ref().map(summary),
    }
}

fn time(profile: &Profile) -> impl Serialize {
    #[derive(Serialize)]
    struct Fields<S> {
        span_s: u64,
        peak_calls: u32,
        spans: S,
    }
    #[derive(Serialize)]
    struct Line<T> {
        from: T,
        #[serde(flatten)]
        summary: SummaryLine,
        peak_calls: u32,
    }
    let line = |span: &profile::TimeSpan| Line {
        from: moment(span.from),
        summary: summary(&span.metrics),
        peak_calls: span.peak_calls,
    };
    Fields {
        span_s: profile.span.as_secs(),
        peak_calls: profile.peak_calls,
        spans: Each(move || profile.spans.iter().map(line)),
    }
}
