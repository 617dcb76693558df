//! What a rule is: a value with an id, a severity and pure functions over a call, a registration or the capture.

use crate::call::beside::registration::Registration;
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Finding, Observation, Severity};

/// A rule; its id names its function, its page in docs/rules and its ladders.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Lower case, such as `sdp-codec-mismatch`.
    pub id: &'static str,
    /// The severity that it has as a rule; what it sees may be milder, never worse.
    pub severity: Severity,
    /// What must be visible of a call before it may speak.
    pub gate: Gate,
    /// What it asks of each call.
    pub of_call: Option<AskCall>,
    /// What it asks of all tries of one device to register.
    pub of_registration: Option<AskRegistration>,
    /// What it asks of everything: a peer, a source, a destination, the capture itself.
    pub of_capture: Option<AskCapture>,
}

/// A question about one call.
pub type AskCall = fn(&CallContext<'_>) -> Option<Observation>;
/// A question about all tries of one device to register.
pub type AskRegistration = fn(&CaptureContext<'_>, &Registration) -> Option<Observation>;
/// A question about everything.
pub type AskCapture = fn(&CaptureContext<'_>) -> Vec<Claim>;

impl Rule {
    const fn new(id: &'static str, severity: Severity) -> Self {
        Self { id, severity, gate: Gate::Open, of_call: None, of_registration: None, of_capture: None }
    }

    /// A rule that is asked about each call.
    pub const fn of_call(id: &'static str, severity: Severity, ask: AskCall) -> Self {
        Self { of_call: Some(ask), ..Self::new(id, severity) }
    }

    /// A rule that is asked about each device that registers.
    pub const fn of_registration(id: &'static str, severity: Severity, ask: AskRegistration) -> Self {
        Self { of_registration: Some(ask), ..Self::new(id, severity) }
    }

    /// A rule that is asked once about everything.
    pub const fn of_capture(id: &'static str, severity: Severity, ask: AskCapture) -> Self {
        Self { of_capture: Some(ask), ..Self::new(id, severity) }
    }

    /// A rule that is asked about each device that registers, too.
    #[must_use]
    pub const fn and_registration(self, ask: AskRegistration) -> Self {
        Self { of_registration: Some(ask), ..self }
    }

    /// A rule that is asked about everything, too; its gate holds for the calls.
    #[must_use]
    pub const fn and_capture(self, ask: AskCapture) -> Self {
        Self { of_capture: Some(ask), ..self }
    }

    /// A rule that speaks only where this is visible.
    #[must_use]
    pub const fn gated(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    /// What it saw, with its id, and no more severe than it is.
    pub fn sign(&self, seen: Observation) -> Finding {
        let severity = seen.severity.map_or(self.severity, |severity| severity.min(self.severity));
        Finding { rule: self.id, severity, seen }
    }
}

/// What must be visible before a rule may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing: it speaks of what it sees.
    Open,
    /// Nothing either, but it judges a message by what went before it: it is less sure where the capture lacks messages.
    Complete,
    /// Both directions of every hop of the call: it speaks of something that did not come.
    BothDirections,
}

/// What a rule over the capture says, and of whom: an observation, or once the engine has signed it a finding.
#[derive(Debug, Clone)]
pub struct Claim<Said = Observation> {
    /// The statement.
    pub said: Said,
    /// Indices of the calls that it is about, each of which gets the finding too.
    pub calls: Vec<u32>,
    /// How many calls, requests or packets it is about.
    pub count: u32,
    /// First time it was seen.
    pub first_at: Timestamp,
    /// Last time it was seen.
    pub last_at: Timestamp,
    /// Who is concerned and who is not; empty where nothing is to say.
    pub scope: String,
}

impl Claim {
    /// The same, signed.
    pub fn signed(self, rule: &Rule) -> Claim<Finding> {
        let Self { said, calls, count, first_at, last_at, scope } = self;
        Claim { said: rule.sign(said), calls, count, first_at, last_at, scope }
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("id", &self.id).finish_non_exhaustive()
    }
}
