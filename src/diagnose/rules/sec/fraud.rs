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
/// Calls of one sender of which it is counted how many were up at once.
const CALLS_MAX: usize = 500;
/// Digits that numbers of one region abroad share.
const REGION_DIGITS: usize = 3;
/// Talk below which a call is too short to compare its length, in milliseconds.
const TALK_MIN_MS: f64 = 5_000.0;
/// Ways of writing one number that a text lists.
const SPELLINGS_SHOWN: usize = 6;
/// Frames that evidence names.
const FRAMES_MAX: usize = 5;
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
    let abroad_at = invites().map(|ask| user_of(capture.text(ask.target))).find(|user| abroad(user).is_some());
    let served = invites().find(|ask| ask.reply == Reply::Served && !ask.has_login(capture.store));
    let served = served.filter(|_| sender.is_public(capture.store) && !registers(sender));
    let at_once = most_at_once(capture, &calls);
    let hunt = has_hunt.then_some(FraudFact::Hunt(&written));
    let range = range.filter(|_| !has_hunt);
    // Whoever dials a foreign range calls abroad: that is one fact, not two.
    let counted_twice = usize::from(range.is_some());
    let facts = [
        hunt,
        range.map(|(range, prefixes)| FraudFact::OneRange { range, prefixes }),
        stolen.first().map(|user| FraudFact::StolenPassword(user)),
        abroad_at.map(FraudFact::CallsAbroad),
        served.map(|ask| FraudFact::NoLogin(user_of(capture.text(ask.target)))),
        (at_once >= AT_ONCE_MIN).then_some(FraudFact::AtOnce(at_once)),
        borrowed_user(capture, sender).map(FraudFact::BorrowedUser),
        has_equal_lengths(&calls).then_some(FraudFact::EqualLengths),
    ];
    let facts: Vec<FraudFact<'_>> = facts.into_iter().flatten().collect();
    (facts.len() >= FACTS_MIN + counted_twice).then(|| fraud(capture, sender, &facts, invites().collect()))
}

/// What speaks for calls at somebody else's cost.
enum FraudFact<'a> {
    /// One number was tried in these ways of writing, mostly in vain.
    Hunt(&'a [String]),
    /// Numbers of one foreign range were dialled with several prefixes.
    OneRange { range: &'a str, prefixes: Vec<&'a str> },
    /// The password of this user was guessed before.
    StolenPassword(&'a str),
    /// This number is abroad.
    CallsAbroad(&'a str),
    /// The call to this number went through without a login.
    NoLogin(&'a str),
    /// So many calls to one foreign region were up at one moment.
    AtOnce(usize),
    /// It calls as this user, who is registered elsewhere.
    BorrowedUser(&'a str),
    /// The answered calls are of nearly equal length.
    EqualLengths,
}

impl FraudFact<'_> {
    fn words(&self) -> String {
        match self {
            Self::Hunt(written) => {
                let shown: Vec<&str> = written.iter().take(SPELLINGS_SHOWN).map(String::as_str).collect();
                format!("it tried one number as {}", shown.join(", "))
            }
            Self::OneRange { range, prefixes } => format!(
                "it dialled one foreign range (numbers that begin with {range}) with the prefixes {}",
                prefixes.join(", ")
            ),
            Self::StolenPassword(user) => format!("it guessed the password of {user} before"),
            Self::CallsAbroad(user) => format!("it calls abroad ({user})"),
            Self::NoLogin(user) => format!("the call to {user} went through without a login"),
            Self::AtOnce(calls) => format!("{calls} calls at once to one foreign region"),
            Self::BorrowedUser(user) => format!("it calls as {user}, who is registered elsewhere"),
            Self::EqualLengths => "the answered calls are of nearly equal length".to_owned(),
        }
    }
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
        let split = abroad(user).and_then(|rest| Some((rest.get(..RANGE_DIGITS)?, user.strip_suffix(rest)?)));
        if let Some((range, prefix)) = split {
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

/// The user that it calls as, where that is registered at another node, and not at this one.
fn borrowed_user<'a>(capture: &CaptureContext<'a>, sender: &Sender) -> Option<&'a str> {
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
    nodes.all(|node| node != sender.node).then_some(user)
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
    let region = |call: &Call| abroad(user_of(capture.text(call.callee))).and_then(|rest| rest.get(..REGION_DIGITS));
    let answered: Vec<&&Call> = calls.iter().filter(|call| call.outcome.is_answered()).take(CALLS_MAX).collect();
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
        calls.iter().filter_map(|call| call.milestones.talk_ms()).filter(|talk| *talk >= TALK_MIN_MS).collect();
    let (Some(least), Some(most)) =
        (talks.iter().copied().min_by(f64::total_cmp), talks.iter().copied().max_by(f64::total_cmp))
    else {
        return false;
    };
    talks.len() >= EQUAL_MIN && most - least <= most * EQUAL_PERCENT / 100.0
}

fn fraud(capture: &CaptureContext<'_>, sender: &Sender, facts: &[FraudFact<'_>], invites: Vec<&Ask>) -> Claim {
    let address = capture.store.tables.endpoints.address(sender.node);
    let facts: Vec<String> = facts.iter().map(FraudFact::words).collect();
    let (first, last) = (invites[0], invites[invites.len() - 1]);
    let served: Vec<&Ask> = invites.iter().copied().filter(|ask| ask.reply == Reply::Served).collect();
    let mut calls: Vec<u32> = invites.iter().filter_map(|ask| ask.call).collect();
    calls.sort_unstable();
    let quoted = |asks: &[&Ask], shows: &str| {
        let first = asks.first()?;
        let frames = asks.iter().take(FRAMES_MAX).map(|ask| ask.at).collect();
        Some(Evidence::in_frames(frames, format!("INVITE to {}", capture.text(first.target)), shows))
    };
    let observation = Observation::new(Confidence::Likely, Proof::Comparison)
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
        .at(first.source, "fraud")
        .maybe_shown_by(quoted(&served, "calls that got through"))
        .maybe_shown_by(quoted(&invites, "the first of its calls"));
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
