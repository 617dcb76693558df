//! Guesses: logins that a server refused, told apart from one device that repeats one wrong password.
//!
//! Sources: RFC 3261 section 22, RFC 7616 (digest; the response hides the password, equal ones are one try).

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::call::GroupId;
use crate::call::MessageStore;
use crate::call::TextId;
use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::call::{EndpointId, NodeId, is_private};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::hostile::probe::{Mark, mark_of};
use crate::sip::{Digest, HeaderName, Method};

/// The time in which refused logins are counted.
pub const GUESS_WINDOW: Duration = Duration::from_secs(60);
/// Refused logins in that time that no phone makes.
const GUESSES_MIN: usize = 10;
/// The same for an address of a private network, where broken devices are more likely than attackers.
const GUESSES_MIN_PRIVATE: usize = 30;
/// A device keeps its Call-ID for all its registrations (RFC 3261 section 10.2); a tool does not.
const CALL_IDS_MIN: usize = 5;
/// Users whose logins are refused from one socket in that time.
const USERS_MIN: usize = 5;
/// Refused logins of a tool that says what it is.
const TOOL_GUESSES_MIN: usize = 5;
/// Sockets of one tool.
const SOCKETS_MAX: usize = 3;
/// Nodes that guess at one user together, and their guesses.
const NODES_MIN: usize = 8;
const SHARED_GUESSES_MIN: usize = 20;

/// A refused login.
#[derive(Debug, Clone, Copy)]
pub struct Guess {
    /// When it was sent.
    pub time: Timestamp,
    /// Its frame.
    pub at: FrameRef,
    /// Who tried.
    pub source: EndpointId,
    /// Who refused.
    pub registrar: EndpointId,
    /// For which address-of-record.
    pub aor: TextId,
    /// Its Call-ID.
    pub group: GroupId,
    /// Whether it names a tool that serves attacks alone.
    pub is_tool: bool,
}

/// Guesses that belong together.
#[derive(Debug, Clone)]
pub struct GuessingRun {
    /// In the order of time.
    pub guesses: Vec<Guess>,
    /// The most within a minute.
    pub peak: usize,
    /// The addresses-of-record, in the order of first sight.
    pub users: Vec<TextId>,
    /// The nodes that tried.
    pub nodes: Vec<NodeId>,
    /// Index of the first login of these nodes for one of these users that succeeded after the refusals began.
    pub success: Option<u32>,
}

/// Password guessing in the tries to register.
pub fn guessing_runs(store: &MessageStore, attempts: &[RegisterAttempt]) -> Vec<GuessingRun> {
    let guesses = guesses(store, attempts);
    let mut by_node: BTreeMap<NodeId, Vec<Guess>> = BTreeMap::new();
    let mut by_user: BTreeMap<TextId, Vec<Guess>> = BTreeMap::new();
    for guess in guesses {
        by_node.entry(store.tables.node(guess.source)).or_default().push(guess);
        by_user.entry(guess.aor).or_default().push(guess);
    }
    let one_source = by_node
        .into_iter()
        .filter(|(node, guesses)| is_siege(store, *node, guesses, attempts))
        .map(|(_, guesses)| guesses);
    let mut guessing_runs: Vec<GuessingRun> = one_source.map(|guesses| siege(store, guesses, attempts)).collect();
    let known: HashSet<NodeId> = guessing_runs.iter().flat_map(|siege| siege.nodes.clone()).collect();
    for guesses in by_user.into_values() {
        let nodes: HashSet<NodeId> = guesses.iter().map(|guess| store.tables.node(guess.source)).collect();
        if nodes.len() >= NODES_MIN && nodes.is_disjoint(&known) && peak(&guesses) >= SHARED_GUESSES_MIN {
            guessing_runs.push(siege(store, guesses, attempts));
        }
    }
    guessing_runs
}

/// Every refused login with a response of its own, in the order of time.
fn guesses(store: &MessageStore, attempts: &[RegisterAttempt]) -> Vec<Guess> {
    let mut seen: HashSet<(GroupId, String), foldhash::fast::RandomState> = HashSet::default();
    let mut guesses = Vec::new();
    for attempt in attempts.iter().filter(|attempt| attempt.has_credentials) {
        let messages = store.messages_of(&attempt.leg);
        // Messages of one part lie in the order of time, and tries of one Call-ID do not overlap.
        let first = messages.partition_point(|message| message.time < attempt.started);
        let logins = messages[first..]
            .iter()
            .take_while(|message| message.time <= attempt.ended)
            .filter(|message| message.is_request(Method::Register));
        let before = guesses.len();
        for message in logins {
            let Some(login) = store.tables.header(message, HeaderName::Authorization) else {
                continue;
            };
            let digest = Digest::parse(login.as_bytes());
            let response = digest.get("response").unwrap_or_default();
            let key = (message.group, String::from_utf8_lossy(response).into_owned());
            if seen.insert(key) {
                guesses.push(Guess {
                    time: message.time,
                    at: message.at,
                    source: attempt.source,
                    registrar: attempt.registrar,
                    aor: attempt.aor,
                    group: message.group,
                    is_tool: store.tables.software(message).is_some_and(|name| mark_of(name) == Some(Mark::Tool)),
                });
            }
        }
        if attempt.outcome == RegistrationOutcome::Registered {
            // The last one succeeded; a single one before it is a login whose nonce had expired.
            let failed = guesses.len().saturating_sub(before + 1);
            guesses.truncate(if failed <= 1 { before } else { before + failed });
        }
        if attempt.outcome != RegistrationOutcome::Registered
            && !matches!(attempt.final_code.map(|code| code.0), Some(401 | 403 | 407))
        {
            guesses.truncate(before);
        }
    }
    guesses.sort_by_key(|guess| (guess.time, guess.at));
    guesses
}

/// The most guesses within a minute.
fn peak(guesses: &[Guess]) -> usize {
    let (mut best, mut begin) = (0, 0);
    for (place, guess) in guesses.iter().enumerate() {
        while guesses[begin].time.plus(GUESS_WINDOW) < guess.time {
            begin += 1;
        }
        best = best.max(place + 1 - begin);
    }
    best
}

fn is_siege(store: &MessageStore, node: NodeId, guesses: &[Guess], attempts: &[RegisterAttempt]) -> bool {
    if guesses.iter().filter(|guess| guess.is_tool).count() >= TOOL_GUESSES_MIN {
        return true;
    }
    let is_private = is_private(store.tables.endpoints.address(node));
    let needed = if is_private { GUESSES_MIN_PRIVATE } else { GUESSES_MIN };
    if peak(guesses) < needed {
        return false;
    }
    let call_ids: HashSet<GroupId> = guesses.iter().map(|guess| guess.group).collect();
    let users: HashSet<TextId> = guesses.iter().map(|guess| guess.aor).collect();
    let sockets: HashSet<EndpointId> = guesses.iter().map(|guess| guess.source).collect();
    if users.len() < USERS_MIN {
        // Each of few users is tried again and again.
        return call_ids.len() >= CALL_IDS_MIN && guesses.len() >= users.len() * 5;
    }
    let served: HashSet<TextId> = attempts
        .iter()
        .filter(|attempt| {
            attempt.outcome == RegistrationOutcome::Registered && store.tables.node(attempt.source) == node
        })
        .map(|attempt| attempt.aor)
        .collect();
    // A server that passes on the registrations of many phones with outdated passwords sends each of them now and then.
    let is_spray = !is_private || guesses.len() >= users.len() * 3;
    sockets.len() <= SOCKETS_MAX && served.len() < users.len() && is_spray
}

fn siege(store: &MessageStore, guesses: Vec<Guess>, attempts: &[RegisterAttempt]) -> GuessingRun {
    let mut users: Vec<TextId> = guesses.iter().map(|guess| guess.aor).collect();
    let mut known: HashSet<TextId> = HashSet::new();
    users.retain(|user| known.insert(*user));
    let mut nodes: Vec<NodeId> = guesses.iter().map(|guess| store.tables.node(guess.source)).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let begun = guesses.first().map_or(Timestamp::default(), |guess| guess.time);
    let success = attempts.iter().position(|attempt| {
        attempt.outcome == RegistrationOutcome::Registered
            && attempt.has_credentials
            && attempt.ended > begun
            && known.contains(&attempt.aor)
            && nodes.binary_search(&store.tables.node(attempt.source)).is_ok()
    });
    GuessingRun { peak: peak(&guesses), users, nodes, success: success.map(|index| index as u32), guesses }
}
