//! Calls at somebody else's cost: several facts together, of which a hunt for the dial prefix, one foreign range dialled with several
//! prefixes, or a stolen password must be one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::call::beside::registration::RegistrationOutcome;
use crate::call::{Call, TextId};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::hostile::probe::{Ask, Reply, Sender, spellings};
use crate::diagnose::rule::Claim;
use crate::sip::Method;
use crate::sip::number::user_of;

/// Ways of writing one number that make a hunt for the prefix.
const SPELLINGS_MIN: usize = 3;
/// Facts that make a pattern.
const FACTS_MIN: usize = 3;
/// Calls at once to one foreign region.
const AT_ONCE_MIN: usize = 3;
/// Answered calls whose lengths are compared, and by how much the lengths may differ.
const EQUAL_MIN: usize = 3;
const EQUAL_PERCENT: f64 = 5.0;
/// Called numbers beside the hunt from which on a sender is a trunk with customers of its own.
const TRUNK_NUMBERS_MIN: usize = 30;
/// Attacks whose victims are looked for among the callers.
const SIEGES_MAX: usize = 100;
/// Registrations in which the home of a user is looked for.
const ATTEMPTS_MAX: usize = 10_000;
/// Prefixes that lead abroad, the longest first.
const FOREIGN: [&str; 6] = ["9011", "900", "011", "+", "00", "810"];
/// Digits of a foreign number that its range shares.
const RANGE_DIGITS: usize = 6;
/// Calls of one sender whose prefixes are looked at.
const INVITES_MAX: usize = 5_000;
/// Digits of a number that leads abroad.
const FOREIGN_DIGITS_MIN: usize = 9;

pub fn sec_toll_fraud(capture: &CaptureContext<'_>) -> Vec<Claim> {
    capture
        .senders()
        .iter()
        .filter(|sender| sender.asks.iter().any(|ask| ask.method == Method::Invite))
        .filter_map(|sender| claim(capture, sender))
        .collect()
}

/// What stands behind an international prefix; `None` for a number at home.
fn abroad(user: &str) -> Option<&str> {
    let rest = FOREIGN.iter().find_map(|prefix| user.strip_prefix(prefix))?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits >= FOREIGN_DIGITS_MIN).then_some(rest)
}

fn claim(capture: &CaptureContext<'_>, sender: &Sender) -> Option<Claim> {
    let stolen = stolen_users(capture, sender);
    // Most senders call once or twice, which is neither a hunt nor several prefixes.
    let invites = sender.asks.iter().filter(|ask| ask.method == Method::Invite);
    if stolen.is_empty() && invites.take(SPELLINGS_MIN).count() < SPELLINGS_MIN {
        return None;
    }
    let hunt = sender.prefix_hunt(capture.store);
    let written = spellings(capture.store, &hunt);
    let has_hunt = written.len() >= SPELLINGS_MIN && is_mostly_in_vain(capture, &hunt, &written);
    let range = prefixes_of_one_range(capture, sender);
    if !has_hunt && stolen.is_empty() && range.is_none() {
        return None;
    }
    let invites = || sender.asks.iter().filter(|ask| ask.method == Method::Invite);
    let numbers: HashSet<&str> = invites().map(|ask| user_of(capture.text(ask.target))).collect();
    if numbers.len() >= TRUNK_NUMBERS_MIN + written.len() {
        return None;
    }
    let calls: Vec<&Call> = invites().filter_map(|ask| capture.calls.get(ask.call? as usize)).collect();
    let mut facts: Vec<String> = Vec::new();
    if has_hunt {
        let shown: Vec<&str> = written.iter().take(6).map(String::as_str).collect();
        facts.push(format!("it tried one number as {}", shown.join(", ")));
    }
    // Whoever dials a foreign range calls abroad: that is one fact, not two.
    let mut counted_twice = 0;
    if let Some((range, prefixes)) = range.filter(|_| !has_hunt) {
        counted_twice = 1;
        facts.push(format!(
            "it dialled one foreign range (numbers that begin with {range}) with the prefixes {}",
            prefixes.join(", ")
        ));
    }
    if let Some(user) = stolen.first() {
        facts.push(format!("it guessed the password of {user} before"));
    }
    if let Some(ask) = invites().find(|ask| abroad(user_of(capture.text(ask.target))).is_some()) {
        facts.push(format!("it calls abroad ({})", user_of(capture.text(ask.target))));
    }
    let served = invites().find(|ask| ask.reply == Reply::Served && !ask.has_login(capture.store));
    if let Some(ask) = served.filter(|_| sender.is_public(capture.store) && !registers(sender)) {
        facts.push(format!("the call to {} went through without a login", user_of(capture.text(ask.target))));
    }
    let at_once = most_at_once(capture, &calls);
    if at_once >= AT_ONCE_MIN {
        facts.push(format!("{at_once} calls at once to one foreign region"));
    }
    if let Some(user) = borrows_user(capture, sender) {
        facts.push(format!("it calls as {user}, who is registered elsewhere"));
    }
    if has_equal_lengths(&calls) {
        facts.push("the answered calls are of nearly equal length".to_owned());
    }
    if facts.len() < FACTS_MIN + counted_twice {
        return None;
    }
    Some(story(capture, sender, &facts, invites().collect()))
}

/// The first digits behind the prefix of a range abroad that an outside sender dials in several ways, and these prefixes: whoever
/// knows how a PBX is dialled uses one.
fn prefixes_of_one_range<'a>(capture: &CaptureContext<'a>, sender: &Sender) -> Option<(&'a str, Vec<&'a str>)> {
    if !sender.is_public(capture.store) {
        return None;
    }
    let mut ranges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut habits: BTreeMap<(&str, TextId), BTreeSet<&str>> = BTreeMap::new();
    let invites = sender.asks.iter().filter(|ask| ask.method == Method::Invite);
    for ask in invites.take(INVITES_MAX) {
        let user = user_of(capture.text(ask.target));
        let parts = abroad(user).and_then(|rest| Some((rest.get(..RANGE_DIGITS)?, user.strip_suffix(rest)?)));
        if let Some((range, prefix)) = parts {
            ranges.entry(range).or_default().insert(prefix);
            habits.entry((range, ask.from)).or_default().insert(prefix);
        }
    }
    // People of one office may differ in how they dial, but each of them knows one way.
    let varies = |range: &str| {
        let mut of_range = habits.iter().filter(|((of, _), _)| *of == range);
        of_range.any(|(_, prefixes)| prefixes.len() > 1)
    };
    let (range, prefixes) =
        ranges.into_iter().find(|(range, prefixes)| prefixes.len() >= SPELLINGS_MIN && varies(range))?;
    Some((range, prefixes.into_iter().collect()))
}

/// A hunt ends with its first success; a trunk that knows several ways of writing succeeds with most.
fn is_mostly_in_vain(capture: &CaptureContext<'_>, hunt: &[&Ask], written: &[String]) -> bool {
    let served: HashSet<&str> =
        hunt.iter().filter(|ask| ask.reply == Reply::Served).map(|ask| user_of(capture.text(ask.target))).collect();
    let failed = written.len() - served.len().min(written.len());
    failed >= 2 && failed * 2 >= written.len()
}

/// Whether a user that it calls as is registered at another node, and not at this one.
fn borrows_user(capture: &CaptureContext<'_>, sender: &Sender) -> Option<String> {
    let first = sender.asks.iter().find(|ask| ask.method == Method::Invite)?;
    let user = user_of(capture.text(first.from));
    let mut nodes = capture
        .attempts
        .iter()
        .take(ATTEMPTS_MAX)
        .filter(|attempt| {
            attempt.outcome == RegistrationOutcome::Registered && user_of(capture.text(attempt.aor)) == user
        })
        .map(|attempt| capture.node(attempt.source))
        .peekable();
    nodes.peek()?;
    nodes.all(|node| node != sender.node).then(|| user.to_owned())
}

fn registers(sender: &Sender) -> bool {
    sender.asks.iter().any(|ask| ask.method == Method::Register && ask.reply == Reply::Served)
}

/// The users of a sender whose password was guessed from its node or from others.
fn stolen_users<'a>(capture: &CaptureContext<'a>, sender: &Sender) -> Vec<&'a str> {
    let taken = capture.guessing_runs().iter().take(SIEGES_MAX).filter_map(|siege| {
        let success = capture.attempts.get(siege.success? as usize)?;
        let by_node = siege.nodes.contains(&sender.node);
        Some((user_of(capture.text(success.aor)), by_node, success.ended))
    });
    let used = taken.filter(|(user, by_node, since)| {
        sender.asks.iter().any(|ask| {
            ask.method == Method::Invite && ask.time >= *since && (*by_node || user_of(capture.text(ask.from)) == *user)
        })
    });
    used.map(|(user, _, _)| user).collect()
}

/// The most calls to numbers with the same first digits abroad that were up at one moment.
fn most_at_once(capture: &CaptureContext<'_>, calls: &[&Call]) -> usize {
    let region = |call: &Call| abroad(user_of(capture.text(call.callee))).and_then(|rest| rest.get(..3));
    let answered: Vec<&&Call> = calls.iter().filter(|call| call.outcome.is_answered()).take(500).collect();
    let at = |moment: &Call| {
        answered
            .iter()
            .filter(|call| {
                region(call).is_some()
                    && region(call) == region(moment)
                    && call.started <= moment.started
                    && call.ended >= moment.started
            })
            .count()
    };
    answered.iter().map(|call| at(call)).max().unwrap_or(0)
}

fn has_equal_lengths(calls: &[&Call]) -> bool {
    let talks: Vec<f64> =
        calls.iter().filter_map(|call| call.milestones.talk_ms()).filter(|talk| *talk >= 5_000.0).collect();
    let (Some(least), Some(most)) =
        (talks.iter().copied().min_by(f64::total_cmp), talks.iter().copied().max_by(f64::total_cmp))
    else {
        return false;
    };
    talks.len() >= EQUAL_MIN && most - least <= most * EQUAL_PERCENT / 100.0
}

fn story(capture: &CaptureContext<'_>, sender: &Sender, facts: &[String], invites: Vec<&Ask>) -> Claim {
    let address = capture.store.tables.endpoints.address(sender.node);
    let (first, last) = (invites[0], invites[invites.len() - 1]);
    let served: Vec<&&Ask> = invites.iter().filter(|ask| ask.reply == Reply::Served).collect();
    let mut calls: Vec<u32> = invites.iter().filter_map(|ask| ask.call).collect();
    calls.sort_unstable();
    let mut observation = Observation::new(Confidence::Likely, Proof::Comparison)
        .titled(format!("Calls from {address} look like toll fraud"))
        .happened(format!(
            "{} of {} calls from {address} got through, and {}. Whether they were wanted only the owner of the account can say.",
            served.len(),
            invites.len(),
            facts.join("; ")
        ))
        .remedy(format!(
            "Now: end the calls of {address}, block it and change the secrets of the accounts that it used."
        ))
        .remedy("Bar the prefixes that it called, and tell the carrier.")
        .remedy("Take calls to the outside from known users alone, with limits per account.")
        .at(first.source, "fraud");
    if !served.is_empty() {
        observation = observation.shown_by(Evidence::in_frames(
            served.iter().take(5).map(|ask| ask.at).collect(),
            format!("INVITE to {}", capture.text(served[0].target)),
            "calls that got through",
        ));
    }
    observation = observation.shown_by(Evidence::in_frames(
        invites.iter().take(5).map(|ask| ask.at).collect(),
        format!("INVITE to {}", capture.text(first.target)),
        "the first of its calls",
    ));
    Claim {
        said: observation,
        count: calls.len() as u32,
        calls,
        first_at: first.time,
        last_at: last.time,
        scope: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_abroad_has_an_international_prefix_and_enough_digits() {
        for user in ["0044207946000", "+442079460000", "9011442079460000", "011442079460000"] {
            assert!(abroad(user).is_some(), "{user}");
        }
        for user in ["2001", "030123456", "+49", "alice", ""] {
            assert_eq!(None, abroad(user), "{user}");
        }
    }
}
