//! What a rule is: a value with an id, a severity and one pure function over a call, a registration or the capture.

use crate::call::beside::registration::Registration;
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Finding, Severity};

/// A rule; its id names its function, its page in docs/rules and its ladders.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Lower case, such as `sdp-codec-mismatch`.
    pub id: &'static str,
    /// The severity that it has as a rule; a finding may be milder.
    pub severity: Severity,
    /// Title of its page.
    pub title: &'static str,
    /// What it looks at.
    pub subject: Subject,
    /// What must be visible before it may speak.
    pub gate: Gate,
}

/// What a rule looks at, with its function.
#[derive(Clone, Copy)]
pub enum Subject {
    /// One call.
    Call(AskCall),
    /// All tries of one device to register.
    Registration(AskRegistration),
    /// Everything: a peer, a source, a destination, the capture itself.
    Capture(AskCapture),
    /// One call, and all tries of one device to register.
    CallAndRegistration(AskCall, AskRegistration),
    /// One call, and everything; the gate holds for the call.
    CallAndCapture(AskCall, AskCapture),
    /// One call, all tries of one device to register, and everything; the gate holds for the call.
    All(AskCall, AskRegistration, AskCapture),
}

/// A question about one call.
pub type AskCall = fn(&CallContext<'_>) -> Option<Finding>;
/// A question about all tries of one device to register.
pub type AskRegistration = fn(&CaptureContext<'_>, &Registration) -> Option<Finding>;
/// A question about everything.
pub type AskCapture = fn(&CaptureContext<'_>) -> Vec<Claim>;

impl Subject {
    /// What it asks of a call.
    pub fn of_call(self) -> Option<AskCall> {
        match self {
            Self::Call(ask)
            | Self::CallAndRegistration(ask, _)
            | Self::CallAndCapture(ask, _)
            | Self::All(ask, _, _) => Some(ask),
            Self::Registration(_) | Self::Capture(_) => None,
        }
    }

    /// What it asks of a device.
    pub fn of_registration(self) -> Option<AskRegistration> {
        match self {
            Self::Registration(ask) | Self::CallAndRegistration(_, ask) | Self::All(_, ask, _) => Some(ask),
            Self::Call(_) | Self::Capture(_) | Self::CallAndCapture(..) => None,
        }
    }

    /// What it asks of the capture.
    pub fn of_capture(self) -> Option<AskCapture> {
        match self {
            Self::Capture(ask) | Self::CallAndCapture(_, ask) | Self::All(_, _, ask) => Some(ask),
            Self::Call(_) | Self::Registration(_) | Self::CallAndRegistration(..) => None,
        }
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

/// What a rule over the capture says, and of whom.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The statement.
    pub finding: Finding,
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

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("id", &self.id).finish_non_exhaustive()
    }
}
