//! When messages came, whatever they say: shows that the capture was not blind while an answer was left alone.

use std::time::Duration;

use crate::call::{GroupId, Message, Outcome};
use crate::capture::Timestamp;
use crate::diagnose::background::needs::{Needs, is_challenged, is_refused};
use crate::diagnose::input::DiagnosisInput;

/// How far behind a message others are looked for at most.
const LOOK_AHEAD: Duration = Duration::from_secs(5);
/// Messages looked at: those of the same Call-ID come soon or not at all.
const LOOK_MAX: usize = 64;

/// When each message came and of which Call-ID it is, in the order of time, around what may have been left alone.
#[derive(Debug, Default)]
pub struct MessageMoments(Vec<(Timestamp, GroupId)>);

impl MessageMoments {
    /// Reads the messages during and soon after refused logins and redirections: of other times nothing is asked.
    pub(super) fn of(input: &DiagnosisInput<'_>, needs: Needs) -> Self {
        if !needs.refused_login && !needs.redirection {
            return Self::default();
        }
        let times = times(input);
        let is_near = |time: Timestamp| {
            let begun = times.partition_point(|(from, _)| *from <= time);
            begun.checked_sub(1).and_then(|last| times.get(last)).is_some_and(|(_, until)| time <= *until)
        };
        let messages = input.store.messages.iter().filter(|message| is_near(message.time));
        let mut moments: Vec<(Timestamp, GroupId)> = messages.map(|message| (message.time, message.group)).collect();
        moments.sort_unstable();
        Self(moments)
    }

    /// Whether the capture holds messages of other Call-IDs within some time behind a message of a refused login or a
    /// redirected call, at most [`LOOK_AHEAD`].
    pub fn is_alive_after(&self, message: &Message, within: Duration) -> bool {
        debug_assert!(within <= LOOK_AHEAD, "what came later was not kept");
        let first = self.0.partition_point(|(time, _)| *time <= message.time);
        let until = message.time.plus(within);
        let mut next = self.0[first..].iter().take(LOOK_MAX);
        next.any(|(time, group)| *time <= until && *group != message.group)
    }
}

/// The times in which something was refused or redirected.
fn times(input: &DiagnosisInput<'_>) -> Vec<(Timestamp, Timestamp)> {
    let is_asked = |outcome| matches!(outcome, Outcome::AuthFailed | Outcome::Redirected);
    let calls = input.calls.iter().filter(|call| is_asked(call.outcome)).map(|call| (call.started, call.ended));
    let attempts = input.attempts.iter().filter(|attempt| is_refused(attempt));
    let attempts = attempts.map(|attempt| (attempt.started, attempt.ended));
    let requests = input.requests.iter().filter(|request| is_challenged(request)).filter_map(|request| {
        let messages = input.store.messages_of(request.range);
        let times = || messages.iter().map(|message| message.time);
        Some((times().min()?, times().max()?))
    });
    merged(calls.chain(attempts).chain(requests).collect())
}

/// Times with what is looked at behind each, in order and without overlap.
fn merged(mut times: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    times.sort_unstable();
    let mut merged: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, ended) in times {
        let until = ended.plus(LOOK_AHEAD);
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_overlap_with_what_follows_them_are_one() {
        let at = |seconds: i64| Timestamp::from_nanoseconds(seconds * 1_000_000_000);
        let times = vec![(at(40), at(41)), (at(0), at(10)), (at(2), at(3)), (at(14), at(20))];
        assert_eq!(vec![(at(0), at(25)), (at(40), at(46))], merged(times));
    }
}
