//! Calls refused because the caller withholds its number.
//!
//! Sources: RFC 5079 (433; section 3: what anonymity is), RFC 3323 and RFC 3325 (Privacy), Q.850 cause 24.

use crate::call::survey::chance::Table;
use crate::call::survey::load::Fate;
use crate::call::{Cause, Message, OutcomeGroup};
use crate::diagnose::background::call_features::invite_of;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::sip::HeaderName;

/// Codes with which networks refuse anonymous callers without saying so.
const CODES: [u16; 4] = [403, 480, 486, 603];
/// Q.850: call rejected because the callee takes no anonymous calls.
const REJECTED_ANONYMOUS: u16 = 24;
/// Calls of each kind that a comparison needs.
const CALLS_MIN: u64 = 2;
/// Calls between two nodes that are compared, of so many calls to one of them; more prove no more.
const LOOK_MAX: usize = 500;
const ATTEMPTS_MAX: usize = 5_000;
/// Chance above which a comparison is only possible.
const CHANCE_LIKELY: f64 = 0.05;

pub fn id_anonymous(context: &CallContext<'_>) -> Option<Observation> {
    if context.outcome().is_answered() || context.refusal_code() < 300 {
        return None;
    }
    let code = context.refusal_code();
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let says_so = code == 433 || Cause::of(context.tables(), refusal).q850 == Some(REJECTED_ANONYMOUS);
    let may_mean_so = CODES.contains(&code) && withholds(context.capture, request);
    if !says_so && !may_mean_so {
        return None;
    }
    let compared = if says_so { None } else { Some(comparison(context, request)?) };
    let how = match context.header(request, HeaderName::Privacy) {
        Some(privacy) => format!("this one asks for it with `Privacy: {privacy}`"),
        None => format!("this one comes from {}", context.tables().text(request.from)),
    };
    let who = context.name(refuser);
    let (confidence, proof, explanation) = match &compared {
        None => (
            Confidence::Certain,
            Proof::OwnWords,
            format!("{who} takes no anonymous calls and refused with {code}; {how}."),
        ),
        Some((table, confidence)) => (
            *confidence,
            Proof::Comparison,
            format!(
                "{who} refused all {} calls from {} that withhold the caller's number, and took {} that show it: {} it takes no anonymous calls; {how}.",
                table.failed_in,
                context.capture.name(request.source),
                table.good_out,
                if *confidence == Confidence::Likely { "most likely" } else { "possibly" }
            ),
        ),
    };
    let observation = Observation::new(confidence, proof)
        .titled("Anonymous callers are not accepted")
        .happened(explanation)
        .remedy("Show the caller's number, with the caller's consent, or call from a line that shows it.")
        .shown_by(context.shows(refusal, "the refusal"))
        .shown_by(context.shows_header(request, HeaderName::Privacy, "the caller withholds its number"))
        .at(refuser, code);
    let explains = context.outcome().is_failure();
    Some(if explains { observation } else { observation.beside() })
}

/// Whether a request withholds its caller's number (RFC 5079 section 3).
fn withholds(capture: &CaptureContext<'_>, request: &Message) -> bool {
    let tables = &capture.store.tables;
    let wants = |value: &str| {
        let mut words = value.split([';', ',']).map(str::trim);
        words.any(|word| word.eq_ignore_ascii_case("id") || word.eq_ignore_ascii_case("user"))
    };
    let from = tables.text(request.from).to_ascii_lowercase();
    from.contains("anonymous.invalid") || tables.header_values(request, HeaderName::Privacy).any(wants)
}

/// Calls with and without the caller's number from the same sender at the same node, where only those without are refused.
fn comparison(context: &CallContext<'_>, request: &Message) -> Option<(Table, Confidence)> {
    let capture = context.capture;
    let (source, node) = (capture.node(request.source), capture.node(request.destination));
    let attempts = capture.loads.at(node)?.attempts.iter().take(ATTEMPTS_MAX);
    let mut table = Table::default();
    for attempt in attempts.filter(|attempt| attempt.source == source).take(LOOK_MAX) {
        let call = capture.calls.get(attempt.call.place())?;
        let Some(invite) = invite_of(capture, call) else {
            continue;
        };
        let is_good = matches!(call.outcome.group(), OutcomeGroup::Answered | OutcomeGroup::Normal)
            && attempt.fate == Fate::Taken;
        match (withholds(capture, invite), is_good) {
            (true, true) => return None,
            (true, false) => table.failed_in += 1,
            (false, true) => table.good_out += 1,
            (false, false) => table.failed_out += 1,
        }
    }
    if table.failed_in < CALLS_MIN || table.good_out < CALLS_MIN || table.failed_out > table.good_out {
        return None;
    }
    let confidence = match table.chance() <= CHANCE_LIKELY {
        true => Confidence::Likely,
        false => Confidence::Possible,
    };
    Some((table, confidence))
}
