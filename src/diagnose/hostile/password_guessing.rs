//! Password guessing: logins that a server refused, where it is more than one device that repeats one wrong password.
//!
//! Sources: RFC 3261 section 22, RFC 7616 (digest; the response hides the password, equal ones are one try).

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome};
use crate::call::{EndpointId, GroupId, MessageStore, NodeId, TextId, is_private};
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
/// Nodes that try the passwords of one user together, and their refused logins.
const NODES_MIN: usize = 8;
const SHARED_GUESSES_MIN: usize = 20;

/// A refused login.
#[derive(Debug, Clone, Copy)]
pub struct RefusedLogin {
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

/// Refused logins that belong together.
#[derive(Debug, Clone)]
pub struct GuessingRun {
    /// In the order of time.
    pub logins: Vec<RefusedLogin>,
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
    let logins = refused_logins(store, attempts);
    let mut by_node: BTreeMap<NodeId, Vec<RefusedLogin>> = BTreeMap::new();
    let mut by_user: BTreeMap<TextId, Vec<RefusedLogin>> = BTreeMap::new();
    for login in logins {
        by_node.entry(store.tables.node(login.source)).or_default().push(login);
        by_user.entry(login.aor).or_default().push(login);
    }
    let one_source = by_node
        .into_iter()
        .filter(|(node, logins)| is_guessing(store, *node, logins, attempts))
        .map(|(_, logins)| logins);
    let mut guessing_runs: Vec<GuessingRun> = one_source.map(|logins| guessing_run(store, logins, attempts)).collect();
    let known: HashSet<NodeId> = guessing_runs.iter().flat_map(|run| run.nodes.clone()).collect();
    for logins in by_user.into_values() {
        let nodes: HashSet<NodeId> = logins.iter().map(|login| store.tables.node(login.source)).collect();
        if nodes.len() >= NODES_MIN && nodes.is_disjoint(&known) && peak(&logins) >= SHARED_GUESSES_MIN {
            guessing_runs.push(guessing_run(store, logins, attempts));
        }
    }
    guessing_runs
}

/// Every refused login with a response of its own, in the order of time.
fn refused_logins(store: &MessageStore, attempts: &[RegisterAttempt]) -> Vec<RefusedLogin> {
    let mut seen: HashSet<(GroupId, String), foldhash::fast::RandomState> = HashSet::default();
    let mut refused = Vec::new();
    for attempt in attempts.iter().filter(|attempt| attempt.has_credentials) {
        let messages = store.messages_of(&attempt.leg);
        // Messages of one part lie in the order of time, and tries of one Call-ID do not overlap.
        let first = messages.partition_point(|message| message.time < attempt.started);
        let sent = messages[first..]
            .iter()
            .take_while(|message| message.time <= attempt.ended)
            .filter(|message| message.is_request(Method::Register));
        let before = refused.len();
        for message in sent {
            let Some(login) = store.tables.header(message, HeaderName::Authorization) else {
                continue;
            };
            let digest = Digest::parse(login.as_bytes());
            let response = digest.get("response").unwrap_or_default();
            let key = (message.group, String::from_utf8_lossy(response).into_owned());
            if seen.insert(key) {
                refused.push(RefusedLogin {
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
            let failed = refused.len().saturating_sub(before + 1);
            refused.truncate(if failed <= 1 { before } else { before + failed });
        }
        if attempt.outcome != RegistrationOutcome::Registered
            && !matches!(attempt.final_code.map(|code| code.0), Some(401 | 403 | 407))
        {
            refused.truncate(before);
        }
    }
    refused.sort_by_key(|login| (login.time, login.at));
    refused
}

/// The most refused logins within a minute.
fn peak(logins: &[RefusedLogin]) -> usize {
    let (mut best, mut begin) = (0, 0);
    for (place, login) in logins.iter().enumerate() {
        while logins[begin].time.plus(GUESS_WINDOW) < login.time {
            begin += 1;
        }
        best = best.max(place + 1 - begin);
    }
    best
}

fn is_guessing(store: &MessageStore, node: NodeId, logins: &[RefusedLogin], attempts: &[RegisterAttempt]) -> bool {
    if logins.iter().filter(|login| login.is_tool).count() >= TOOL_GUESSES_MIN {
        return true;
    }
    let is_private = is_private(store.tables.endpoints.address(node));
    let needed = if is_private { GUESSES_MIN_PRIVATE } else { GUESSES_MIN };
    if peak(logins) < needed {
        return false;
    }
    let call_ids: HashSet<GroupId> = logins.iter().map(|login| login.group).collect();
    let users: HashSet<TextId> = logins.iter().map(|login| login.aor).collect();
    let sockets: HashSet<EndpointId> = logins.iter().map(|login| login.source).collect();
    if users.len() < USERS_MIN {
        // Each of few users is tried again and again.
        return call_ids.len() >= CALL_IDS_MIN && logins.len() >= users.len() * 5;
    }
    let served: HashSet<TextId> = attempts
        .iter()
        .filter(|attempt| {
            attempt.outcome == RegistrationOutcome::Registered && store.tables.node(attempt.source) == node
        })
        .map(|attempt| attempt.aor)
        .collect();
    // A server that passes on the registrations of many phones with outdated passwords sends each of them now and then.
    let is_spray = !is_private || logins.len() >= users.len() * 3;
    sockets.len() <= SOCKETS_MAX && served.len() < users.len() && is_spray
}

fn guessing_run(store: &MessageStore, logins: Vec<RefusedLogin>, attempts: &[RegisterAttempt]) -> GuessingRun {
    let mut users: Vec<TextId> = logins.iter().map(|login| login.aor).collect();
    let mut known: HashSet<TextId> = HashSet::new();
    users.retain(|user| known.insert(*user));
    let mut nodes: Vec<NodeId> = logins.iter().map(|login| store.tables.node(login.source)).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let begun = logins.first().map_or(Timestamp::default(), |login| login.time);
    let success = attempts.iter().position(|attempt| {
        attempt.outcome == RegistrationOutcome::Registered
            && attempt.has_credentials
            && attempt.ended > begun
            && known.contains(&attempt.aor)
            && nodes.binary_search(&store.tables.node(attempt.source)).is_ok()
    });
    GuessingRun { peak: peak(&logins), users, nodes, success: success.map(|index| index as u32), logins }
}
