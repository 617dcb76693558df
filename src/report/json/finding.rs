//! Findings in the report, with evidence that a reader can open in Wireshark.

use serde::Serialize;

use crate::diagnose;
use crate::report::json::value::{Each, Frame, rounded};
use crate::report::words::silence;

/// One element of `findings`.
pub(super) struct FindingLine<'a>(pub(super) &'a diagnose::Finding);

impl Serialize for FindingLine<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a, E, N> {
            rule: &'a str,
            severity: &'a str,
            confidence: &'a str,
            explains: bool,
            title: &'a str,
            explanation: &'a str,
            remedy: &'a str,
            evidence: E,
            ruled_out: N,
        }
        let finding = self.0;
        Fields {
            rule: finding.rule,
            severity: finding.severity.word(),
            confidence: finding.seen.confidence.word(),
            explains: finding.seen.explains,
            title: &finding.title(),
            explanation: &finding.explanation(),
            remedy: &finding.remedy(),
            evidence: Each(|| finding.seen.evidence.iter().map(EvidenceLine)),
            ruled_out: Each(|| finding.seen.ruled_out.iter().map(ruled_out)),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
pub(super) struct RuledOut<'a> {
    rule: &'a str,
    because: &'a str,
}

pub(super) fn ruled_out(ruled_out: &diagnose::RuledOut) -> RuledOut<'_> {
    RuledOut { rule: ruled_out.rule, because: &ruled_out.because }
}

/// One element of `evidence`; silence has no quote and says how long the capture watched.
pub(super) struct EvidenceLine<'a>(pub(super) &'a diagnose::Evidence);

impl Serialize for EvidenceLine<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Missing<'a> {
            expected: &'a str,
            watched_ms: f64,
        }
        #[derive(Serialize)]
        struct Fields<'a, F> {
            frames: F,
            quote: &'a str,
            shows: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            missing: Option<Missing<'a>>,
        }
        match self.0 {
            diagnose::Evidence::Seen { frames, quote, shows } => {
                Fields { frames: Each(|| frames.iter().copied().map(Frame::from)), quote, shows, missing: None }
                    .serialize(serializer)
            }
            diagnose::Evidence::Missing { expected, after, watched } => Fields {
                frames: [Frame::from(*after)],
                quote: "",
                shows: &silence(expected, *watched),
                missing: Some(Missing { expected, watched_ms: rounded(watched.as_secs_f64() * 1000.0) }),
            }
            .serialize(serializer),
        }
    }
}
