//! The numbers in the report: `metrics`.

use serde::Serialize;

use crate::call::metrics;
use crate::report::json::value::{Keyed, rounded};

/// Ratios and delays with their populations.
pub(super) struct Metrics<'a>(&'a metrics::Metrics);

impl<'a> Metrics<'a> {
    pub(super) fn of(metrics: &'a metrics::Metrics) -> Self {
        Self(metrics)
    }
}

/// A spread; all null where nothing was measured.
#[derive(Serialize, Default)]
struct Spread {
    count: u32,
    mean: Option<f64>,
    p50: Option<f64>,
    p90: Option<f64>,
    p95: Option<f64>,
    max: Option<f64>,
}

fn spread(spread: Option<metrics::Spread>) -> Spread {
    spread.map_or(Spread::default(), |spread| Spread {
        count: spread.count,
        mean: Some(rounded(spread.mean)),
        p50: Some(rounded(spread.p50)),
        p90: Some(rounded(spread.p90)),
        p95: Some(rounded(spread.p95)),
        max: Some(rounded(spread.max)),
    })
}

impl Serialize for Metrics<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<O, C> {
            calls: u32,
            answered: u32,
            partial: u32,
            asr_percent: Option<f64>,
            ner_percent: Option<f64>,
            ser_percent: Option<f64>,
            seer_percent: Option<f64>,
            isa_percent: Option<f64>,
            scr_percent: Option<f64>,
            acd_ms: Option<f64>,
            pdd_ms: Spread,
            setup_ms: Spread,
            talk_ms: Spread,
            srd_failed_ms: Spread,
            retransmissions: u64,
            outcomes: O,
            final_codes: C,
        }
        let metrics = self.0;
        Fields {
            calls: metrics.calls,
            answered: metrics.answered,
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
