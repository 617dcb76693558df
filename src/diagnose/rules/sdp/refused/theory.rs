//! Theories of a refusal, each by one dimension of the offer, and what all tests of them came to.

use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};

/// An explanation of a refusal by one dimension.
#[derive(Debug)]
pub struct Theory {
    /// What was refused.
    pub dimension: Dimension,
    /// How sure.
    pub confidence: Confidence,
    /// How good the proof is.
    pub proof: Proof,
    /// For lists.
    pub title: String,
    /// What follows "because".
    pub why: String,
    /// Who changes what.
    pub remedy: Steps,
    /// What shows it beside the offer and the refusal.
    pub evidence: Vec<Evidence>,
    /// What makes it the same problem as in another call.
    pub signature: String,
}

/// What the test of one dimension came to.
#[derive(Debug)]
pub enum Test {
    /// It explains the refusal.
    Fits(Box<Theory>),
    /// It cannot be the reason, because of this.
    Refuted(String),
    /// Nothing speaks for it or against it.
    Open,
    /// The offer has nothing of the kind.
    Silent,
}

/// What all tests together came to.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The best explanation; `None` where no dimension is known to fit.
    pub theory: Option<Theory>,
    /// What it is not, and why.
    pub refuted: Vec<(Dimension, String)>,
    /// What else it may be.
    pub open: Vec<Dimension>,
}

impl Judgement {
    /// Takes in the test of one dimension; of two theories the better proved one stays, of equal ones the earlier.
    pub fn take(&mut self, dimension: Dimension, test: Test) {
        match test {
            Test::Fits(theory) => self.weigh(*theory),
            Test::Refuted(because) => self.refuted.push((dimension, because)),
            Test::Open => self.open.push(dimension),
            Test::Silent => {}
        }
    }

    fn weigh(&mut self, theory: Theory) {
        let rank = |theory: &Theory| (theory.confidence, theory.proof);
        let is_better = self.theory.as_ref().is_none_or(|best| rank(&theory) > rank(best));
        let loser = if is_better { self.theory.replace(theory) } else { Some(theory) };
        self.open.extend(loser.map(|theory| theory.dimension));
    }

    /// What else it may be, as a reader knows it: `the codecs, T.38`; empty where nothing is left.
    pub fn open_words(&self) -> String {
        self.open.iter().map(|one| one.word()).collect::<Vec<_>>().join(", ")
    }

    /// An observation with all that was ruled out.
    pub fn rule_out(&self, observation: Observation) -> Observation {
        let refuted = self.refuted.iter();
        refuted
            .fold(observation, |observation, (dimension, because)| observation.not(dimension.rule(), because.clone()))
    }
}
