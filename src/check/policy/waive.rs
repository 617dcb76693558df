//! Waivers at work: what a policy accepts for now, for which calls, and until when.

use crate::check::policy::{Day, Policy, Waiver, WaiverTarget};
use crate::check::verdict::{Status, Verdict};
use crate::check::view::CallView;

/// The waivers of a policy on one day.
#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct Waivers<'p> {
    waivers: &'p [Waiver],
    today: Option<Day>,
}

/// What the waivers say of one failure.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::check) struct Ruling<'p> {
    /// Why it is accepted; `None` where it is not.
    pub(in crate::check) reason: Option<&'p str>,
    /// Last day on which it was accepted, where it no longer is.
    pub(in crate::check) expired: Option<Day>,
}

impl<'p> Waivers<'p> {
    /// `today` is the day that they expire against; where it is unknown none has expired.
    pub(in crate::check) fn new(policy: &'p Policy, today: Option<Day>) -> Self {
        Self { waivers: &policy.waivers, today }
    }

    /// Whether the way in which a call ended is accepted.
    pub(in crate::check) fn of_call(self, call: &CallView) -> Ruling<'p> {
        let is_meant = |target: &WaiverTarget| match target {
            WaiverTarget::Code(code) => code.fits(call.final_code),
            WaiverTarget::Outcome(outcome) => *outcome == call.outcome,
            WaiverTarget::Rule(rule) => !rule.is_empty() && *rule == call.primary,
            WaiverTarget::Expectation(_) => false,
        };
        self.ruling(is_meant, Some(call))
    }

    /// Whether what a rule found is accepted; `call` is the one that it was found in.
    pub(in crate::check) fn of_finding(self, rule: &str, call: Option<&CallView>) -> Ruling<'p> {
        let is_meant = |target: &WaiverTarget| matches!(target, WaiverTarget::Rule(own) if own == rule);
        self.ruling(is_meant, call)
    }

    /// Accepts a failing verdict that a waiver names.
    pub(in crate::check) fn by_name(self, verdict: &mut Verdict) {
        if !verdict.fails() {
            return;
        }
        let is_meant =
            |target: &WaiverTarget| matches!(target, WaiverTarget::Expectation(name) if *name == verdict.name);
        let ruling = self.ruling(is_meant, None);
        match ruling.reason {
            Some(reason) => verdict.status = Status::Waived(reason.to_owned()),
            None => verdict.said.push_str(&ruling.expired_text()),
        }
    }

    fn ruling(self, is_meant: impl Fn(&WaiverTarget) -> bool, call: Option<&CallView>) -> Ruling<'p> {
        let mut ruling = Ruling::default();
        for waiver in self.waivers.iter().filter(|waiver| is_meant(&waiver.target)) {
            let is_for_call = match (&waiver.calls, call) {
                (None, _) => true,
                (Some(calls), Some(call)) => calls.matches(call) == Ok(true),
                (Some(_), None) => false,
            };
            if !is_for_call {
                continue;
            }
            match (waiver.expires, self.today) {
                (Some(expires), Some(today)) if today > expires => {
                    ruling.expired = ruling.expired.max(Some(expires));
                }
                _ => {
                    ruling.reason = Some(&waiver.reason);
                    break;
                }
            }
        }
        ruling
    }
}

impl Ruling<'_> {
    /// What either says: accepted where one accepts.
    pub(in crate::check) fn or(self, other: Self) -> Self {
        Self { reason: self.reason.or(other.reason), expired: self.expired.max(other.expired) }
    }

    /// What a reader of a failure reads of a waiver that expired, empty where none did.
    pub(in crate::check) fn expired_text(&self) -> String {
        self.expired.map_or(String::new(), expired_text)
    }
}

/// ` (was accepted until 2026-12-31)`.
pub(in crate::check) fn expired_text(day: Day) -> String {
    format!(" (was accepted until {day})")
}
