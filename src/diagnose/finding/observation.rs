//! What a rule saw: its answer before the engine signs it with the rule's id and severity.
//!
//! The parts of what is said stay data; [`sentence`](crate::diagnose::finding::sentence) makes sentences of them.

use std::fmt::Display;

use crate::call::EndpointId;
use crate::diagnose::finding::degree::{Confidence, Proof, Severity};
use crate::diagnose::finding::evidence::{Evidence, RuledOut};
use crate::diagnose::finding::parts::{Cause, Steps, Subject, Title};

/// What one rule saw, as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Where it is milder than its rule; a severity above that of the rule has no effect.
    pub severity: Option<Severity>,
    /// How sure.
    pub confidence: Confidence,
    /// How good the proof is.
    pub proof: Proof,
    /// Whether it can be why the call ended as it did, rather than something seen beside it.
    pub explains: bool,
    /// A few words, for lists and tables.
    pub title: Title,
    /// What happened and why, in this call's own values.
    pub cause: Cause,
    /// Who changes what, step by step.
    pub remedy: Vec<String>,
    /// Decisive first.
    pub evidence: Vec<Evidence>,
    /// Look-alikes that were refuted.
    pub ruled_out: Vec<RuledOut>,
    /// The node at fault or where it is seen; findings of one incident share it.
    pub origin: Option<EndpointId>,
    /// What makes findings of one rule at one origin the same problem, such as the codecs offered.
    pub signature: String,
}

impl Observation {
    /// An observation as severe as its rule and without evidence yet; the other methods add the rest.
    pub fn new(confidence: Confidence, proof: Proof) -> Self {
        Self {
            severity: None,
            confidence,
            proof,
            explains: true,
            title: Title::default(),
            cause: Cause::default(),
            remedy: Vec::new(),
            evidence: Vec::new(),
            ruled_out: Vec::new(),
            origin: None,
            signature: String::new(),
        }
    }

    /// As severe as this, where its rule allows it.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// No error, but a warning.
    #[must_use]
    pub fn warn(self) -> Self {
        self.severity(Severity::Warn)
    }

    /// Normal, or context.
    #[must_use]
    pub fn info(self) -> Self {
        self.severity(Severity::Info)
    }

    /// Seen beside the outcome, not its cause.
    #[must_use]
    pub fn beside(mut self) -> Self {
        self.explains = false;
        self
    }

    /// A few words, for lists and tables; [`naming`](Self::naming) goes on where they name somebody.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title.before = title.into();
        self
    }

    /// Goes on with the title: whom or what it names, where the same problem has others of them too, and the rest of it.
    /// The title has to read well with `and 2 other numbers` behind the name.
    #[must_use]
    pub fn naming(mut self, name: impl Into<String>, noun: &'static str, after: impl Into<String>) -> Self {
        self.title.subject = Some(Box::new(Subject { name: name.into(), noun, after: after.into() }));
        self
    }

    /// What happened, in whole sentences; without the last stop where [`because`](Self::because) follows.
    #[must_use]
    pub fn happened(mut self, what: impl Into<String>) -> Self {
        self.cause.what = what.into();
        self
    }

    /// Why it happened: what follows `because`, to the end of what is said. The word that joins them says how sure it is.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.cause.reason = Some(reason.into());
        self
    }

    /// Who changes what: one step, or several; steps of several calls follow each other.
    #[must_use]
    pub fn remedy(mut self, steps: impl Into<Steps>) -> Self {
        self.remedy.extend(steps.into());
        self
    }

    /// What proves it.
    #[must_use]
    pub fn shown_by(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// What proves it too, where the capture has it: one piece, or several.
    #[must_use]
    pub fn maybe_shown_by(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// A refuted look-alike.
    #[must_use]
    pub fn not(mut self, rule: &'static str, because: impl Into<String>) -> Self {
        self.ruled_out.push(RuledOut { rule, because: because.into() });
        self
    }

    /// Where, and what makes it the same problem as another finding.
    #[must_use]
    pub fn at(mut self, origin: EndpointId, signature: impl Display) -> Self {
        self.origin = Some(origin);
        self.signature = signature.to_string();
        self
    }

    /// Some levels less sure, because of something that the capture lacks.
    pub fn doubt(&mut self, levels: u8, because: &'static str) {
        for _ in 0..levels {
            self.confidence = self.confidence.lowered();
        }
        self.cause.doubts.push(because);
    }
}
