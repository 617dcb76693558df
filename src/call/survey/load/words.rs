//! What a refusal says about load, limits and routes in its own words.
//!
//! Sources: RFC 3261 sections 20.33 (Retry-After) and 20.43 (Warning), RFC 6432 (Q.850 in responses), RFC 7339 section 4 (overload control).

use crate::call::outcome::reason::Cause;
use crate::call::store::fast_map::FastMap;
use crate::call::store::message::Message;
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::sip::{HeaderName, Via};

/// What a refusal says of its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RefusalWords {
    /// Retry-After in seconds.
    pub retry_after_seconds: Option<u32>,
    /// Percent of requests that the node wants kept back (RFC 7339), while that holds.
    pub oc_percent: Option<u8>,
    /// Q.850 cause.
    pub q850: Option<u16>,
    /// A text speaks of overload or congestion.
    pub says_overload: bool,
    /// A text speaks of a limit, of channels or of capacity.
    pub says_limit: bool,
    /// A text speaks of a rate of calls.
    pub says_rate: bool,
    /// A text speaks of a missing route, trunk or gateway.
    pub says_no_route: bool,
}

const OVERLOAD: [&str; 6] = ["overload", "over load", "congest", "too busy", "system busy", "server busy"];
const LIMIT: [&str; 9] =
    ["limit", "exceed", "capacity", "channel", "too many", "max calls", "maximum calls", "no circuit", "license"];
const RATE: [&str; 6] = ["cps", "calls per second", "call rate", "rate limit", "rate-limit", "calls/s"];
const NO_ROUTE: [&str; 6] =
    ["no route", "no trunk", "no gateway", "no available gateway", "route not found", "no destination route"];

/// What a text speaks of.
#[derive(Debug, Clone, Copy, Default)]
struct Topics {
    overload: bool,
    limit: bool,
    rate: bool,
    no_route: bool,
}

impl Topics {
    fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let has = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
        Self { overload: has(&OVERLOAD), limit: has(&LIMIT), rate: has(&RATE), no_route: has(&NO_ROUTE) }
    }
}

/// Texts of refusals that were read before: a node refuses in the same words again and again.
#[derive(Debug, Default)]
pub(super) struct RefusalReader {
    topics: FastMap<TextId, Topics>,
}

impl RefusalReader {
    /// Reads the phrase, Warning, Reason, Retry-After and top Via of a refusal.
    pub(super) fn words(&mut self, tables: &Tables, refusal: &Message) -> RefusalWords {
        let mut topics = Topics::default();
        let headers = tables.headers.get(refusal.headers);
        let texts =
            headers.filter(|(name, _)| matches!(name, HeaderName::Warning | HeaderName::Reason)).map(|(_, text)| text);
        for text in std::iter::once(refusal.line).chain(texts) {
            let known = self.topics.entry(text);
            let own = known.or_insert_with(|| Topics::of(tables.text(text)));
            topics.overload |= own.overload;
            topics.limit |= own.limit;
            topics.rate |= own.rate;
            topics.no_route |= own.no_route;
        }
        RefusalWords {
            retry_after_seconds: tables.header(refusal, HeaderName::RetryAfter).and_then(seconds),
            oc_percent: tables.header(refusal, HeaderName::Via).and_then(|via| overload_percent(via.as_bytes())),
            q850: Cause::of(tables, refusal).q850,
            says_overload: topics.overload,
            says_limit: topics.limit && !topics.rate,
            says_rate: topics.rate,
            says_no_route: topics.no_route,
        }
    }
}

impl RefusalWords {
    /// Whether the node says that it, or what it serves, is overloaded.
    pub fn is_overload(&self) -> bool {
        // 42 switching equipment congestion, 34 no circuit, 44 requested circuit not available.
        self.says_overload
            || self.says_rate
            || self.says_limit
            || self.oc_percent.is_some()
            || matches!(self.q850, Some(34 | 42 | 44))
    }

    /// Whether the node says that all its channels are taken.
    pub fn is_limit(&self) -> bool {
        self.says_limit || matches!(self.q850, Some(34 | 44))
    }

    /// Whether the node says that it knows no way to the number.
    pub fn is_no_route(&self) -> bool {
        // 2 no route to transit network, 3 no route to destination.
        self.says_no_route || matches!(self.q850, Some(2 | 3))
    }
}

/// The delay of a Retry-After value: digits, then perhaps a comment or parameters.
fn seconds(value: &str) -> Option<u32> {
    let value = value.trim_start();
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

fn overload_percent(via: &[u8]) -> Option<u8> {
    let overload = Via::parse(via).overload()?;
    let percent = overload.value.filter(|percent| *percent > 0)?;
    (overload.validity_milliseconds != Some(0)).then(|| percent.min(100) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_with_comment_and_parameters() {
        assert_eq!(Some(18_000), seconds("18000;duration=3600"));
        assert_eq!(Some(120), seconds(" 120 (I'm in a meeting)"));
        assert_eq!(None, seconds("soon"));
    }

    #[test]
    fn overload_control_counts_while_it_is_valid() {
        let via = |parameters: &str| format!("SIP/2.0/TCP p1.example.net;branch=z9hG4bK2d4;{parameters}");
        let percent = |parameters: &str| overload_percent(via(parameters).as_bytes());
        assert_eq!(Some(20), percent("oc=20;oc-algo=\"loss\";oc-validity=500"));
        assert_eq!(None, percent("oc=20;oc-validity=0"));
        assert_eq!(None, percent("oc;oc-algo=\"loss\""));
        assert_eq!(None, percent("oc=0;oc-validity=500"));
    }
}
