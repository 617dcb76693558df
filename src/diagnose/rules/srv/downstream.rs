//! What happened behind the node that the caller saw refuse: silence, or another code.
//!
//! Sources: RFC 3261 sections 16.7 (503 becomes 500, which response is forwarded) and 17.1.1 (timer B), RFC 6432.

use crate::call::survey::load::Attempt;
use crate::call::{EndpointId, Message, Outcome, OutcomeGroup, Step, TransactionIndex};
use crate::capture::Timestamp;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::words::duration;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::sip::HeaderName;

/// How long a node may take after 100 Trying before it counts as having lost the call, in milliseconds.
const LOST_AFTER_MS: f64 = 5_000.0;
/// Whole seconds after which proxies give up on a silent next hop.
const GIVE_UP_SECONDS: [f64; 9] = [4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 16.0, 30.0, 32.0];
/// Attempts at the silent node that are looked at.
const LOOK_MAX: usize = 1_000;
/// No node gives up on the next one sooner, in milliseconds.
const GIVE_UP_MIN_MS: f64 = 900.0;
/// Sends after which an INVITE was left unanswered, whatever its sender answered its own caller.
const SENDS_IN_VAIN: u32 = 3;
/// How far a timer of a proxy strays, in seconds.
const GIVE_UP_SLACK: f64 = 0.3;

/// Whether a node may answer this where the next one is silent.
fn is_given_up(code: u16) -> bool {
    matches!(code, 404 | 408 | 410 | 477..=480 | 500..=599)
}

/// A node answered for one behind it that did not answer.
pub fn srv_downstream_dead(context: &CallContext<'_>) -> Option<Observation> {
    // A caller who hung up before anything rang may have waited for a silent node.
    let has_hung_up = context.outcome() == Outcome::Cancelled && context.call.milestones.alerted.is_none();
    let has_failed = context.outcome().is_failure() && context.outcome() != Outcome::Dropped;
    if !has_failed && !has_hung_up {
        return None;
    }
    let (_, root) = context.root()?;
    if root.final_response.is_some() {
        return given_up(context).or_else(|| never_rang(context)).filter(|_| has_failed);
    }
    let observation = silence(context, &silent_node(context, has_hung_up)?);
    Some(if has_hung_up { observation.beside() } else { observation })
}

/// A node that never answered an INVITE for good, and the node before it that waited for it.
struct SilentNode<'a> {
    endpoint: EndpointId,
    /// Who waited.
    giver: EndpointId,
    /// The first send of the INVITE.
    first: &'a Message,
    /// The last send.
    last: &'a Message,
    sends: u32,
    /// What the giver answered in its place.
    verdict: &'a Message,
    /// Whether the caller hung up, rather than the giver gave up.
    has_hung_up: bool,
    /// Whether it said 100 Trying, so that it lost the call.
    is_lost: bool,
}

/// The hop where the call ended, where nothing more than 100 Trying came and it was waited for in vain.
fn silent_node<'a>(context: &CallContext<'a>, has_hung_up: bool) -> Option<SilentNode<'a>> {
    let (_, root) = context.root()?;
    let (parent, _) = context.path().iter().rev().nth(1)?;
    let parent = context.transactions.transaction(*parent);
    let verdict = context.message(parent.final_response?)?;
    // An ACK shows that a final response came, only not to the capture.
    if root.alerting.is_some() || root.ack.is_some() {
        return None;
    }
    let first = context.message(root.request?)?;
    let last = context.message(root.last_request?)?;
    let waited_ms = verdict.time.millis_since(first.time);
    let is_lost = root.trying.is_some();
    if waited_ms < LOST_AFTER_MS && (is_lost || has_hung_up) {
        return None;
    }
    let code = verdict.status().map_or(0, |status| status.0);
    // Of one that nobody waited for, or that ended in another code, the capture may lack the answer.
    let was_waited_for = waited_ms >= GIVE_UP_MIN_MS && is_given_up(code) || root.sends >= SENDS_IN_VAIN;
    (was_waited_for || has_hung_up).then_some(SilentNode {
        endpoint: root.destination,
        giver: parent.destination,
        first,
        last,
        sends: root.sends,
        verdict,
        has_hung_up,
        is_lost,
    })
}

fn silence(context: &CallContext<'_>, silent: &SilentNode<'_>) -> Observation {
    let SilentNode { first, verdict, sends, is_lost, .. } = *silent;
    let (dead, giver) = (context.name(silent.endpoint), context.capture.name(silent.giver));
    let confidence = if sends >= SENDS_IN_VAIN || is_lost { Confidence::Certain } else { Confidence::Likely };
    let what = if is_lost {
        format!("{dead} said 100 Trying and then nothing")
    } else if sends > 1 {
        format!("{dead} answered none of its {sends} INVITEs")
    } else {
        format!("{dead} did not answer its INVITE")
    };
    let device = context.capture.device_at(silent.endpoint, first.time).filter(|_| !is_lost);
    let who = if silent.has_hung_up {
        "The caller".to_owned()
    } else {
        format!("{giver} answered {}: it", verdict.status().map_or(0, |status| status.0))
    };
    let (title, record, remedy) = match &device {
        Some(device) => {
            (format!("The device of {} does not answer", device.user()), device.sentence(), device.remedy(&giver))
        }
        None => {
            let others = OtherAnswers::of(context, first.time, verdict.time);
            (others.title(&dead), others.sentence(&dead), others.remedy(&dead, &giver))
        }
    };
    Observation::new(confidence, Proof::Timing)
        .titled(title)
        .happened(format!("{who} gave up after {}, because {what}. {record}", duration(verdict.time.since(first.time))))
        .remedy(remedy)
        .shown_by(context.shows(first, "the first INVITE to the silent node"))
        .shown_by(Evidence::Missing {
            expected: "response".to_owned(),
            after: silent.last.at,
            watched: verdict.time.since(silent.last.time),
        })
        .shown_by(context.shows(verdict, "the answer that the caller got instead"))
        .not("srv-overload", "no refusal for load came from there, only silence")
        .at(silent.endpoint, device.as_ref().map_or("silent".to_owned(), |device| device.signature("silent")))
        .maybe_shown_by(device.map(|device| device.evidence()))
}

/// A node took the INVITE, rang nobody, and was called off by the proxy before it, which answered for itself.
fn never_rang(context: &CallContext<'_>) -> Option<Observation> {
    let (index, root) = context.root()?;
    let (parent, _) = context.path().iter().rev().nth(1)?;
    let parent = *context.transactions.transaction(*parent);
    let verdict = context.message(parent.final_response?)?;
    let code = verdict.status()?.0;
    let is_given_up = context.refusal_code() == 487 && matches!(code, 408 | 480 | 500 | 503 | 504);
    let is_last = context.transactions.children(index).next().is_none();
    let first = context.message(root.request?)?;
    if !is_given_up || !is_last || root.alerting.is_some() || verdict.time.millis_since(first.time) < LOST_AFTER_MS {
        return None;
    }
    let (silent, giver) = (context.name(root.destination), context.capture.name(parent.destination));
    let trying = root.trying.and_then(|trying| context.message(trying));
    let said = trying.map_or("nothing", |_| "100 Trying and then nothing");
    let waited = duration(verdict.time.since(first.time));
    Some(
        Observation::new(Confidence::Certain, Proof::Timing)
            .titled(format!("{silent} took the call and rang nobody"))
            .happened(format!("{giver} called it off and answered {code} after {waited},"))
            .because(format!(
                "{silent} said {said}. It answered the CANCEL, so it runs: what it waits for is behind it."
            ))
            .remedy(format!("In the log of {silent}: what did it wait for (its own next hop, a device that is gone)?"))
            .remedy(format!("At {giver}: shorten the wait for a hop that rings nobody and try a second route."))
            .shown_by(context.shows(first, "the INVITE that it took"))
            .shown_by(context.shows(verdict, "the answer that the caller got instead"))
            .at(root.destination, "never rang")
            .maybe_shown_by(trying.map(|trying| context.shows(trying, "its only answer"))),
    )
}

/// 408 or 504 after a proxy's wait, where what it waited for is not in the capture.
fn given_up(context: &CallContext<'_>) -> Option<Observation> {
    let (index, root) = context.root()?;
    let (refusal, request) = (context.refusal()?, context.message(root.request?)?);
    let is_alone = context.transactions.children(index).next().is_none();
    if !matches!(context.refusal_code(), 408 | 504) || root.alerting.is_some() || !is_alone {
        return None;
    }
    let waited = refusal.time.millis_since(request.time) / 1000.0;
    let is_timer = GIVE_UP_SECONDS.iter().any(|timer| (waited - timer).abs() <= GIVE_UP_SLACK);
    if !is_timer {
        return None;
    }
    let giver = context.name(root.destination);
    let code = context.refusal_code();
    Some(
        Observation::new(Confidence::Possible, Proof::CodeMeaning)
            .titled(format!("Something behind {giver} does not answer"))
            .happened(format!(
                "{giver} answered {code} after {waited:.1} s without any ringing: it possibly waited that long for a node behind it, which this capture does not show. A device of the callee that is switched off looks the same."
            ))
            .remedy(format!(
                "Capture between {giver} and its next hop during such a call, and look there for an INVITE that is repeated without answer."
            ))
            .shown_by(context.shows(refusal, "given up without ringing"))
            .at(root.destination, "given up"),
    )
}

/// What else a node answered that was silent for one call.
enum OtherAnswers {
    /// So many other INVITEs meanwhile.
    Meanwhile(usize),
    /// The last INVITE so many seconds before.
    Before(f64),
    /// None before in this capture.
    Never,
}

impl OtherAnswers {
    fn of(context: &CallContext<'_>, sent: Timestamp, given_up: Timestamp) -> Self {
        let root = context.root().map(|(_, root)| context.capture.node(root.destination));
        let Some(load) = root.and_then(|node| context.capture.loads.at(node)) else {
            return Self::Never;
        };
        let start = load.attempts.partition_point(|attempt| attempt.sent < sent);
        let end = load.attempts.partition_point(|attempt| attempt.sent < given_up);
        let answered = |attempt: &&Attempt| attempt.reply_ms.is_some();
        let meanwhile = load.attempts.get(start..end).unwrap_or_default().iter();
        let count = meanwhile.take(LOOK_MAX).filter(answered).count();
        if count > 0 {
            return Self::Meanwhile(count);
        }
        let before = load.attempts.get(..start).unwrap_or_default().iter().rev();
        match before.take(LOOK_MAX).find(answered) {
            Some(last) => Self::Before(sent.millis_since(last.sent) / 1000.0),
            None => Self::Never,
        }
    }

    fn title(&self, dead: &str) -> String {
        match self {
            Self::Meanwhile(_) => format!("{dead} did not answer this INVITE"),
            _ => format!("{dead} does not answer"),
        }
    }

    fn sentence(&self, dead: &str) -> String {
        match self {
            Self::Meanwhile(1) => format!("{dead} answered another INVITE meanwhile."),
            Self::Meanwhile(count) => format!("{dead} answered {count} other INVITEs meanwhile."),
            Self::Before(seconds) => {
                format!("{dead} had last answered an INVITE {seconds:.0} s before.")
            }
            Self::Never => format!("{dead} answered no INVITE before in this capture."),
        }
    }

    fn remedy(&self, dead: &str, giver: &str) -> Steps {
        let wait = format!("At {giver}: shorten the wait for a silent next hop and try a second route.");
        match self {
            Self::Meanwhile(_) => format!(
                "Look in the log of {dead} for this Call-ID: it dropped the INVITE, or packets are lost between {giver} and it. {wait}"
            ).into(),
            _ => format!(
                "Find out whether {dead} runs and whether a firewall lets SIP through from {giver} to it. {wait}"
            ).into(),
        }
    }
}

/// A code that a node turned into another one on its way to the caller.
struct Translation<'a> {
    /// The node at which the failure began.
    origin: EndpointId,
    /// The node that translated.
    translator: EndpointId,
    /// What it got.
    got: &'a Message,
    got_code: u16,
    /// What it gave.
    gave: &'a Message,
    gave_code: u16,
    /// Whether it got and gave it in two transactions that are linked by what they have in common alone.
    is_linked: bool,
}

/// The caller got another code than the one with which the call failed.
pub fn srv_code_translated(context: &CallContext<'_>) -> Option<Observation> {
    let Translation { origin, translator, got, got_code, gave, gave_code, is_linked } = translation(context)?;
    let (giver, root) = (context.capture.name(translator), context.name(origin));
    let root_code = context.refusal_code();
    let refusal = context.refusal();
    let phrase = refusal.map_or("", |refusal| context.capture.text(refusal.line));
    let reason = refusal
        .and_then(|refusal| context.header(refusal, HeaderName::Reason))
        .map_or(String::new(), |reason| format!(" (Reason: {reason})"));
    let after = duration(gave.time.since(got.time));
    let dropped = dropped_headers(context, got, gave);
    let confidence = if is_linked { Confidence::Likely } else { Confidence::Certain };
    let origin_name = context.capture.name(origin);
    Some(
        Observation::new(confidence, Proof::CodeMeaning)
            .titled(format!("The caller saw {gave_code}, but the cause is {root_code} from {origin_name}"))
            .happened(format!(
                "{root} answered {root_code} {phrase}{reason}; {giver} turned {got_code} into {gave_code} {after} later{dropped}. The failure began at {origin_name}, not at {giver}."
            ))
            .remedy(format!("On {root}: find out why it answers {root_code}, with the INVITE that it got."))
            .remedy(match got_code {
                503 => format!(
                    "At {giver}: take 503 from the next hop as the signal to try another route, and pass its Reason on."
                ),
                _ => format!("At {giver}: pass {got_code} on as it is, or at least its Reason."),
            })
            .shown_by(context.shows(got, "the first answer"))
            .shown_by(context.shows(gave, "what became of it"))
            .not("srv-internal-error", format!("{giver} had no fault of its own: it passed on what it got"))
            .at(origin, format!("{got_code} to {gave_code}")),
    )
}

fn translation<'a>(context: &CallContext<'a>) -> Option<Translation<'a>> {
    if context.outcome().group() != OutcomeGroup::Failure || context.outcome() == Outcome::Dropped {
        return None;
    }
    let path = context.path();
    let translated = path.iter().position(|(_, step)| matches!(step, Step::Translated | Step::Chose))?;
    let (cause, step) = path.get(translated)?;
    let (before, _) = path.get(translated.checked_sub(1)?)?;
    // A forking proxy that passes one of several codes on translates nothing.
    let is_chosen = *step == Step::Chose && finals_behind(context, *before) > 1;
    let (cause, before) = (context.transactions.transaction(*cause), context.transactions.transaction(*before));
    let (got, gave) = (context.message(cause.final_response?)?, context.message(before.final_response?)?);
    let (got_code, gave_code) = (got.status()?.0, gave.status()?.0);
    let is_ordinary = matches!(got_code, 300..=399 | 401 | 407 | 487);
    // Of a call that ended in silence there is no code to compare with.
    if got_code == gave_code || is_chosen || is_ordinary || context.refusal_code() == 0 {
        return None;
    }
    Some(Translation {
        origin: context.refuser()?,
        translator: before.destination,
        got,
        got_code,
        gave,
        gave_code,
        is_linked: cause.via != before.via && context.call.legs.len() > 1,
    })
}

/// How many hops behind one ended with the code with which it ended itself.
fn finals_behind(context: &CallContext<'_>, parent: TransactionIndex) -> usize {
    let edge_code = context.transactions.final_status(context.transactions.transaction(parent));
    context
        .transactions
        .children(parent)
        .filter(|(_, hop)| hop.final_response.is_some() && context.transactions.final_status(hop) == edge_code)
        .count()
}

/// Headers that explain a refusal and that the translating node left out.
fn dropped_headers(context: &CallContext<'_>, got: &Message, gave: &Message) -> String {
    let explaining = [HeaderName::Reason, HeaderName::RetryAfter, HeaderName::Warning];
    let lost: Vec<&str> = explaining
        .into_iter()
        .filter(|name| context.header(got, *name).is_some() && context.header(gave, *name).is_none())
        .map(HeaderName::text)
        .collect();
    if lost.is_empty() { String::new() } else { format!(" and dropped its {}", lost.join(" and ")) }
}
