//! Registrations: each try of a device to bind its contact to an address-of-record, and what came of it.
//!
//! Source: RFC 3261 section 10.

use std::time::Duration;

use memchr::{memchr, memchr2};

use crate::call::outcome::verdict::{Watch, has_credentials};
use crate::call::store::endpoint::{EndpointId, NodeId};
use crate::call::store::message::Message;
use crate::call::store::message_store::Leg;
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::call::transaction::call_id_parts::{RETRY_WAIT, is_challenge};
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::timer::TIMER_B;
use crate::capture::{FrameRef, Timestamp};
use crate::sip::{HeaderName, Method, StatusCode};

/// How soon a device answers a challenge to a login that was refused; later the same login is a new try.
const FRESH_CHALLENGE_WAIT: Duration = Duration::from_secs(5);
/// Sends of a REGISTER without any answer after which its sender was not heard: those of timer E up to 16 s.
const SENDS_IN_VAIN: u32 = 7;

/// How a try to register, or the last of several, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegistrationOutcome {
    /// 2xx.
    Registered,
    /// Challenged, and credentials were never sent.
    Challenged,
    /// Refused.
    Failed,
    /// Never answered.
    TimedOut,
    /// The capture holds too little to tell.
    Partial,
}

impl RegistrationOutcome {
    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Challenged => "challenged",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Partial => "partial",
        }
    }
}

/// One try: the first REGISTER, its challenges and its retries.
#[derive(Debug, Clone)]
pub struct RegisterAttempt {
    /// Address-of-record: the URI in To.
    pub aor: TextId,
    /// Who sent it, on the hop next to the device.
    pub source: EndpointId,
    /// Who received it there.
    pub registrar: EndpointId,
    /// The messages of its Call-ID.
    pub leg: Leg,
    /// First message, which is the first send unless clocks differ.
    pub started: Timestamp,
    /// Final response of the last step, or its request where that was captured later or never answered.
    pub ended: Timestamp,
    /// Frame of the first send.
    pub asked_at: FrameRef,
    /// Frame of the last final response.
    pub answered_at: Option<FrameRef>,
    /// How it ended.
    pub outcome: RegistrationOutcome,
    /// Last final status.
    pub final_code: Option<StatusCode>,
    /// URI and parameters of the first Contact of the last request, absent for a query.
    pub contact: TextId,
    /// Seconds granted by the 2xx, where it says.
    pub expires_s: Option<u32>,
    /// Whether the device asked to be forgotten: expiry 0.
    pub is_removal: bool,
    /// Whether a request carried credentials.
    pub has_credentials: bool,
    /// Challenges that were sent: 401 and 407.
    pub challenges: u32,
    /// Sends of all its requests on the first hop.
    pub sends: u32,
    /// Sends of the last of them.
    pub last_sends: u32,
}

/// The tries in the REGISTER messages of one Call-ID.
///
/// Answers to a REGISTER that was not captured belong to the try that they go on with, and to none otherwise.
pub(in crate::call) fn attempts(transactions: &CallTransactions<'_>, leg: Leg, watch: &Watch) -> Vec<RegisterAttempt> {
    let roots = transactions.all().filter(|hop| hop.method == Method::Register && hop.parent.is_none());
    let mut chains: Vec<Vec<TransactionView<'_, '_>>> = Vec::new();
    for hop in roots {
        match chains.last_mut() {
            Some(chain) if chain.last().is_some_and(|last| continues(transactions, *last, hop)) => chain.push(hop),
            _ if hop.request.is_some() => chains.push(vec![hop]),
            _ => {}
        }
    }
    chains.iter().filter_map(|chain| attempt(transactions, chain, leg, watch)).collect()
}

fn continues(
    transactions: &CallTransactions<'_>,
    last: TransactionView<'_, '_>,
    next: TransactionView<'_, '_>,
) -> bool {
    let (Some(answer), Some(status)) = (last.final_response(), last.status()) else {
        return false;
    };
    let after = next.first().time;
    let retries = is_challenge(status) || matches!(status.0, 423 | 420 | 421 | 494) || status.is_redirection();
    let rejected_login = is_challenge(status) && has_credentials(transactions, &last);
    // A device that tries the same login again later makes a new try; one that answers a fresh challenge goes on.
    let wait = if rejected_login { FRESH_CHALLENGE_WAIT } else { RETRY_WAIT };
    // Where the clocks of two capture points differ, the login may seem to come before the challenge that it answers.
    let is_in_order = after >= answer.time || next.cseq == last.cseq.wrapping_add(1) && !rejected_login;
    retries && is_in_order && after.since(answer.time) <= wait
}

fn attempt(
    transactions: &CallTransactions<'_>,
    steps: &[TransactionView<'_, '_>],
    leg: Leg,
    watch: &Watch,
) -> Option<RegisterAttempt> {
    let (first, last) = (steps.first()?, steps.last()?);
    let request = steps.iter().rev().find_map(|step| step.request())?;
    let asked = first.request()?;
    let (answer, status) = (last.final_response(), last.status());
    let tables = transactions.tables;
    let contact = tables.header_id(request, HeaderName::Contact);
    let requested = seconds(tables.header(request, HeaderName::Expires), tables.text(contact));
    let with_login = steps.iter().any(|step| has_credentials(transactions, step));
    let outcome = match status {
        Some(status) if status.is_success() => RegistrationOutcome::Registered,
        // What the request that this refuses asked for was not captured.
        Some(status) if is_challenge(status) && last.request.is_none() => RegistrationOutcome::Partial,
        None if request.flags.is_headless() || watch.has_nameless => RegistrationOutcome::Partial,
        Some(status) if is_challenge(status) && !with_login => RegistrationOutcome::Challenged,
        Some(_) => RegistrationOutcome::Failed,
        None if watch.since(request.time) >= TIMER_B || last.sends >= SENDS_IN_VAIN => RegistrationOutcome::TimedOut,
        None => RegistrationOutcome::Partial,
    };
    Some(RegisterAttempt {
        aor: asked.to,
        source: first.source,
        registrar: first.destination,
        leg,
        started: first.first().time,
        ended: answer.map_or(request.time, |answer| answer.time.max(request.time)),
        asked_at: asked.at,
        answered_at: answer.map(|answer| answer.at),
        outcome,
        final_code: status,
        contact,
        expires_s: answer
            .filter(|_| outcome == RegistrationOutcome::Registered)
            .and_then(|answer| granted(tables, answer, contact)),
        is_removal: requested == Some(0),
        has_credentials: with_login,
        challenges: steps.iter().filter(|step| step.status().is_some_and(is_challenge)).count() as u32,
        sends: steps.iter().map(|step| step.sends).sum(),
        last_sends: last.sends,
    })
}

/// What the registrar granted to the contact of the request: its `expires` parameter, else the Expires header.
fn granted(tables: &Tables, answer: &Message, contact: TextId) -> Option<u32> {
    let own = address_of(tables.text(contact));
    let contacts = || tables.header_values(answer, HeaderName::Contact).flat_map(|line| line.split(','));
    let listed = contacts().find(|value| !own.is_empty() && address_of(value) == own).or_else(|| contacts().next());
    seconds(tables.header(answer, HeaderName::Expires), listed.unwrap_or_default())
}

/// The URI of a Contact value without brackets and parameters.
pub fn address_of(contact: &str) -> &str {
    // Single bytes of ASCII never stand inside a character.
    let start = memchr(b'<', contact.as_bytes()).map_or(0, |at| at + 1);
    let inner = contact.get(start..).unwrap_or_default();
    let end = memchr2(b'>', b';', inner.as_bytes()).unwrap_or(inner.len());
    inner.get(..end).unwrap_or_default().trim_ascii()
}

fn seconds(header: Option<&str>, contact: &str) -> Option<u32> {
    let parameters = contact.rsplit_once('>').map_or(contact, |(_, rest)| rest);
    let own = parameters
        .split(';')
        .filter_map(|part| part.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("expires"));
    own.map(|(_, value)| value.trim().trim_matches('"')).or(header.map(str::trim))?.parse().ok()
}

/// All tries of one device for one address-of-record at one registrar.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Address-of-record.
    pub aor: TextId,
    /// The device's address on its last try.
    pub source: EndpointId,
    /// The registrar.
    pub registrar: EndpointId,
    /// How the last try that can be judged ended.
    pub outcome: RegistrationOutcome,
    /// Its final status.
    pub final_code: Option<StatusCode>,
    /// Seconds granted last.
    pub expires_s: Option<u32>,
    /// Indices of its tries, in the order of time, among all tries of the run.
    pub attempts: Vec<u32>,
}

/// Groups tries, which are in the order of time, by address-of-record, device and registrar.
pub fn registrations(attempts: &[RegisterAttempt], node: impl Fn(EndpointId) -> NodeId) -> Vec<Registration> {
    let mut place: std::collections::HashMap<_, usize, foldhash::fast::RandomState> =
        std::collections::HashMap::default();
    let mut all: Vec<Registration> = Vec::new();
    for (index, attempt) in attempts.iter().enumerate() {
        let key = (attempt.aor, node(attempt.source), node(attempt.registrar));
        let at = *place.entry(key).or_insert_with(|| {
            all.push(Registration {
                aor: attempt.aor,
                source: attempt.source,
                registrar: attempt.registrar,
                outcome: attempt.outcome,
                final_code: attempt.final_code,
                expires_s: None,
                attempts: Vec::new(),
            });
            all.len() - 1
        });
        let entry = &mut all[at];
        entry.attempts.push(index as u32);
        if attempt.outcome != RegistrationOutcome::Partial || entry.outcome == RegistrationOutcome::Partial {
            entry.source = attempt.source;
            entry.outcome = attempt.outcome;
            entry.final_code = attempt.final_code;
            entry.expires_s = attempt.expires_s.or(entry.expires_s);
        }
    }
    all
}
