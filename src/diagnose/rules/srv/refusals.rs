//! Refusals of one node, of which several rules speak: which calls, when, with what evidence, and who still had room.

use std::collections::HashMap;
use std::time::Duration;

use crate::call::FastMap;
use crate::call::survey::load::{Attempt, Destination, Fate};
use crate::call::{NodeId, Transaction};
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::{part_of, was};
use crate::diagnose::finding::{Evidence, Observation, Severity};
use crate::diagnose::rule::Claim;

/// Refusals that are quoted.
const EXAMPLES_MAX: usize = 3;
/// Other destinations that are named.
const OTHERS_MAX: usize = 3;
/// A node has room that takes at least so many calls for each that it does not take.
const TAKEN_A_REFUSAL: u32 = 10;
/// What happens that soon happens as the capture begins.
const AT_ONCE: Duration = Duration::from_millis(50);

/// Some refusals of one node.
pub struct Refusals<'a> {
    pub capture: &'a CaptureContext<'a>,
    pub destination: &'a Destination,
    pub places: &'a [u32],
}

impl<'a> Refusals<'a> {
    /// The refused attempts, in the order of time.
    pub fn attempts(&self) -> impl Iterator<Item = &'a Attempt> + '_ {
        self.places.iter().filter_map(|place| self.destination.attempts.get(*place as usize))
    }

    /// When the first and the last of them came.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let first = self.attempts().next().map_or(self.capture.start, |attempt| attempt.sent);
        let last = self.attempts().last().map_or(first, |attempt| attempt.sent);
        (first, last)
    }

    /// That span in words, in seconds of the capture.
    pub fn span_words(&self) -> String {
        let (first, last) = self.span();
        if last.since(self.capture.start) < AT_ONCE {
            return "as the capture began".to_owned();
        }
        if first == last {
            return format!("{} into the capture", seconds(self.capture, first));
        }
        format!("between {} and {} of the capture", seconds(self.capture, first), seconds(self.capture, last))
    }

    /// The codes in words: `503`, or `503 (40) and 486 (3)`.
    pub fn codes(&self) -> String {
        let mut counts: Vec<(u16, u32)> = Vec::new();
        for attempt in self.attempts() {
            match counts.iter_mut().find(|(code, _)| *code == attempt.code) {
                Some((_, count)) => *count += 1,
                None => counts.push((attempt.code, 1)),
            }
        }
        counts.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        let name = |code: u16| {
            if code == 0 { "no answer".to_owned() } else { code.to_string() }
        };
        match counts.as_slice() {
            [(code, _)] => name(*code),
            all => {
                let each: Vec<String> = all.iter().map(|(code, count)| format!("{} ({count})", name(*code))).collect();
                each.join(", ")
            }
        }
    }

    /// Indices of the calls that ended with one of these refusals, rising.
    pub fn calls(&self) -> Vec<u32> {
        let mut calls: Vec<u32> =
            self.attempts().filter(|attempt| attempt.decides).map(|attempt| attempt.call.0).collect();
        calls.sort_unstable();
        calls.dedup();
        calls
    }

    /// How many of the refused calls another try carried.
    pub fn rescued(&self) -> usize {
        let was_answered = |attempt: &&Attempt| {
            let call = self.capture.calls.get(attempt.call.place());
            call.is_some_and(|call| call.outcome.is_answered())
        };
        self.attempts().filter(was_answered).count()
    }

    /// Evidence in the first refusals.
    pub fn evidence(&self, shows: &str) -> Vec<Evidence> {
        let examples = self.attempts().take(EXAMPLES_MAX);
        examples.filter_map(|attempt| refusal_evidence(self.capture, attempt, shows)).collect()
    }

    /// The claim about these refusals; a warning where every call got through another way.
    pub fn claim(&self, mut observation: Observation) -> Claim {
        let calls = self.calls();
        let (first_at, last_at) = self.span();
        if calls.is_empty() {
            observation.severity = Some(Severity::Warn);
        }
        if observation.origin.is_none() {
            observation.origin = Some(self.destination.endpoint);
        }
        Claim { said: observation, calls, count: self.places.len() as u32, first_at, last_at, scope: self.scope() }
    }

    fn scope(&self) -> String {
        let all = self.destination.attempts.len();
        let mut scope = format!(
            "{} at {}",
            part_of(self.places.len(), all, "attempt"),
            self.capture.name(self.destination.endpoint)
        );
        let rescued = self.rescued();
        if rescued > 0 {
            scope += &format!("; {rescued} of them {} answered on another try", was(rescued));
        }
        scope
    }

    /// Other nodes that the same senders used meanwhile and that took nearly everything: who still had room.
    pub fn others_with_room(&self) -> Vec<(String, u32)> {
        let (first, last) = self.span();
        let sources: Vec<NodeId> = {
            let mut sources: Vec<NodeId> = self.attempts().map(|attempt| attempt.source).collect();
            sources.sort_unstable();
            sources.dedup();
            sources
        };
        let mut others: Vec<(String, u32)> = Vec::new();
        for other in &self.capture.loads.destinations {
            if other.node == self.destination.node {
                continue;
            }
            let start = other.attempts.partition_point(|attempt| attempt.sent < first);
            let end = other.attempts.partition_point(|attempt| attempt.sent <= last);
            let meanwhile = other.attempts.get(start..end).unwrap_or_default();
            let ours = meanwhile.iter().filter(|attempt| sources.binary_search(&attempt.source).is_ok());
            let (mut taken, mut refused) = (0_u32, 0_u32);
            for attempt in ours {
                taken += u32::from(attempt.fate == Fate::Taken);
                refused += u32::from(matches!(attempt.fate, Fate::Refused | Fate::Behind | Fate::Silent));
            }
            if taken > 0 && refused * TAKEN_A_REFUSAL <= taken {
                others.push((self.capture.name(other.endpoint), taken));
            }
        }
        others.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        others.truncate(OTHERS_MAX);
        others
    }

    /// INVITEs that senders sent although a Retry-After that they had got still ran.
    pub fn sent_too_early(&self) -> u32 {
        let mut pauses: FastMap<NodeId, Vec<(Timestamp, Timestamp)>> = HashMap::default();
        for attempt in &self.destination.attempts {
            if let (Some(pause), Some(after)) = (attempt.words.retry_after_seconds, attempt.final_ms) {
                let asked = attempt.sent.plus(Duration::from_secs_f32((after / 1000.0).max(0.0)));
                let end = asked.plus(Duration::from_secs(u64::from(pause)));
                pauses.entry(attempt.source).or_default().push((asked, end));
            }
        }
        for pauses in pauses.values_mut() {
            pauses.sort_unstable();
            let mut latest = Timestamp::from_nanoseconds(i64::MIN);
            for pause in pauses {
                // The end that is in force once this pause has been asked for.
                latest = latest.max(pause.1);
                pause.1 = latest;
            }
        }
        let is_early = |attempt: &&Attempt| {
            let Some(pauses) = pauses.get(&attempt.source) else {
                return false;
            };
            let asked_before = pauses.partition_point(|(asked, _)| *asked <= attempt.sent);
            asked_before.checked_sub(1).and_then(|last| pauses.get(last)).is_some_and(|(_, end)| attempt.sent < *end)
        };
        self.destination.attempts.iter().filter(is_early).count() as u32
    }
}

/// The hop of an attempt.
pub fn hop_of(context: &CallContext<'_>, attempt: &Attempt) -> Option<Transaction> {
    let mut hops = context.transactions.invites();
    hops.nth(attempt.hop as usize).map(|(_, hop)| *hop)
}

/// Evidence in the answer that an attempt got.
pub fn refusal_evidence(capture: &CaptureContext<'_>, attempt: &Attempt, shows: &str) -> Option<Evidence> {
    let index = attempt.call.place();
    capture.calls.get(index)?;
    let context = CallContext::new(capture, index);
    let hop = hop_of(&context, attempt)?;
    let message = context.message(hop.final_response.or(hop.last_request)?)?;
    Some(context.shows(message, shows))
}

/// A moment in seconds of the capture: `12.4 s`.
pub fn seconds(capture: &CaptureContext<'_>, moment: Timestamp) -> String {
    format!("{:.1} s", moment.millis_since(capture.start) / 1000.0)
}

/// A list in words: `a (3 calls), b (1 call)`.
pub fn list(others: &[(String, u32)]) -> String {
    let each: Vec<String> = others.iter().map(|(name, count)| format!("{name} ({count} taken)")).collect();
    each.join(", ")
}
