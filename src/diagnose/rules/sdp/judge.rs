//! The judgement of a refusal: every dimension of the offer is tested, the best proved one explains, the refuted ones are named.

use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::duration;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rules::sdp::offer::Dimension;
use crate::diagnose::rules::sdp::refusal::Refusal;
use crate::diagnose::rules::sdp::{body, codec, family, fax, params, profile, streams, syntax};

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
pub struct Judgement {
    /// The best explanation; `None` where no dimension is known to fit.
    pub theory: Option<Theory>,
    /// What it is not, and why.
    pub refuted: Vec<(Dimension, String)>,
    /// What else it may be.
    pub open: Vec<Dimension>,
}

type Ask = fn(&Refusal<'_, '_>) -> Test;

/// The dimensions in the order in which equal explanations are preferred.
const TESTS: &[(Dimension, Ask)] = &[
    (Dimension::Body, body::test),
    (Dimension::Keys, profile::test_keys),
    (Dimension::Profile, profile::test),
    (Dimension::Family, family::test),
    (Dimension::Presence, syntax::test_presence),
    (Dimension::Syntax, syntax::test),
    (Dimension::Fax, fax::test),
    (Dimension::Streams, streams::test),
    (Dimension::Codecs, codec::test),
    (Dimension::Parameters, params::test),
];

/// Tests every dimension of a refusal.
pub fn judge(refusal: &Refusal<'_, '_>) -> Judgement {
    let mut judgement = Judgement { theory: None, refuted: Vec::new(), open: Vec::new() };
    let is_thin = is_thin(refusal);
    // A refusal that says nothing of media is about them only where the offer is missing or cannot be read.
    let is_about_media = refusal.is_about_media();
    let asked = TESTS
        .iter()
        .filter(|(dimension, _)| is_about_media || matches!(dimension, Dimension::Presence | Dimension::Syntax));
    for (dimension, ask) in asked {
        match ask(refusal) {
            Test::Fits(mut theory) => {
                if is_thin {
                    theory.confidence = theory.confidence.lowered();
                }
                judgement.take(*theory);
            }
            Test::Refuted(because) => judgement.refuted.push((*dimension, because)),
            Test::Open => judgement.open.push(*dimension),
            Test::Silent => {}
        }
    }
    judgement
}

impl Judgement {
    fn take(&mut self, theory: Theory) {
        let rank = |theory: &Theory| (theory.confidence, theory.proof);
        let is_better = self.theory.as_ref().is_none_or(|best| rank(&theory) > rank(best));
        let loser = if is_better { self.theory.replace(theory) } else { Some(theory) };
        self.open.extend(loser.map(|theory| theory.dimension));
    }
}

/// Whether the capture lacks what one side of the refusing hop says.
fn is_thin(refusal: &Refusal<'_, '_>) -> bool {
    let capture = refusal.context.capture;
    capture.is_one_directional(capture.node(refusal.refuser), capture.node(refusal.offerer))
}

/// The finding about a refusal, where this dimension explains it best.
pub fn explain(context: &CallContext<'_>, dimension: Dimension) -> Option<Observation> {
    let best = context.media.get_or_init(|| {
        let judgement = judge(&Refusal::of(context)?);
        Some(judgement.theory?.dimension as u8)
    });
    if *best != Some(dimension as u8) {
        return None;
    }
    let refusal = Refusal::of(context)?;
    let judgement = judge(&refusal);
    let theory = judgement.theory.as_ref()?;
    Some(observation(&refusal, theory, &judgement))
}

fn observation(refusal: &Refusal<'_, '_>, theory: &Theory, judgement: &Judgement) -> Observation {
    let mut why = format!("{}.", theory.why);
    if theory.confidence == Confidence::Possible && !judgement.open.is_empty() {
        let open: Vec<&str> = judgement.open.iter().map(|one| one.word()).collect();
        why.push_str(&format!(" Also consider {}.", open.join(", ")));
    }
    let observation = Observation::new(theory.confidence, theory.proof)
        .titled(theory.title.clone())
        .happened(format!("{} refused the call with {} after {}", refusal.refuser_name(), refusal.code, delay(refusal)))
        .because(why)
        .remedy(theory.remedy.clone())
        .shown_by(refusal.shows_offer("what was offered"))
        .shown_by(refusal.shows_refusal())
        .at(refusal.refuser, &theory.signature);
    let observation = theory.evidence.iter().cloned().fold(observation, Observation::shown_by);
    with_refuted(observation, judgement)
}

/// Adds what was ruled out.
pub fn with_refuted(observation: Observation, judgement: &Judgement) -> Observation {
    let refuted = judgement.refuted.iter();
    refuted.fold(observation, |observation, (dimension, because)| observation.not(dimension.rule(), because.clone()))
}

/// How long the refuser took: `40 ms`, `2.3 s`.
pub fn delay(refusal: &Refusal<'_, '_>) -> String {
    duration(refusal.response.time.since(refusal.request.time))
}
