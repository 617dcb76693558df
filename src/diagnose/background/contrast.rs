//! Contrast: what other calls and senders of the capture show, worked out once when the first rule asks for it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use crate::call::survey::metrics::Metrics;
use crate::call::{Call, GroupId, Message, NodeId, TextId, transactions_of};
use crate::capture::Timestamp;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::hostile::password_guessing::{GuessingRun, guessing_runs};
use crate::diagnose::hostile::probe::{Sender, senders};
use crate::diagnose::hostile::{self, Scan};
use crate::diagnose::incident::distinguishing_feature::KnownGood;
use crate::sip::{HeaderName, Identity, Method};

/// Calls with defects that are taken apart to see what nodes accept; more would not tell more.
const DEFECTIVE_CALLS_MAX: usize = 5_000;
/// Signed calls whose token's age is compared.
const SIGNED_CALLS_MAX: usize = 2_000;

/// What is worked out at most once for a scene.
#[derive(Debug, Default)]
pub struct Contrast {
    tolerated: OnceLock<HashSet<(NodeId, String)>>,
    repliers: OnceLock<BTreeSet<NodeId>>,
    calls_by_id: OnceLock<HashMap<Box<str>, u32>>,
    tokens: OnceLock<Tokens>,
    senders: OnceLock<Vec<Sender>>,
    guessing_runs: OnceLock<Vec<GuessingRun>>,
    by_aor: OnceLock<HashMap<TextId, Vec<u32>>>,
    scans: OnceLock<Vec<Scan>>,
    hostile: OnceLock<BTreeSet<NodeId>>,
    last_seen: OnceLock<HashMap<NodeId, Timestamp, foldhash::fast::FixedState>>,
    honest_metrics: OnceLock<Metrics>,
    known_good: KnownGood,
}

/// What the signatures of all calls have in common.
#[derive(Debug, Default)]
pub struct Tokens {
    /// Seconds from issue to INVITE of each signed call, sorted.
    ages: Vec<i64>,
    /// First use of each Identity header: when, and in which Call-ID.
    first_use: HashMap<TextId, (Timestamp, GroupId)>,
}

impl Tokens {
    /// How old the tokens of most calls seem, where at least three calls are signed: the clock of the capture when it is
    /// far from 0.
    pub fn usual_age(&self) -> Option<i64> {
        (self.ages.len() >= 3).then(|| self.ages[self.ages.len() / 2])
    }

    /// When a token was first used and in which Call-ID.
    pub fn first_use(&self, identity: TextId) -> Option<(Timestamp, GroupId)> {
        self.first_use.get(&identity).copied()
    }
}

/// The kind of defect in a sentence about one: what stands before the quoted part.
pub fn defect_kind(sentence: &str) -> &str {
    sentence.split_once(": \"").map_or(sentence, |(kind, _)| kind)
}

impl CaptureContext<'_> {
    /// What is wrong with a message, in sentences.
    pub fn defects(&self, message: &Message) -> Vec<&str> {
        let ids = self.store.defects.get(&message.digest);
        ids.into_iter().flatten().map(|id| self.text(*id)).collect()
    }

    /// Whether a node accepted a request with this kind of defect.
    pub fn tolerates(&self, node: NodeId, kind: &str) -> bool {
        let known = self.contrast.tolerated.get_or_init(|| tolerated(self));
        known.contains(&(node, kind.to_owned()))
    }

    /// Whether a node answered anything to any INVITE of the capture.
    pub fn replies(&self, node: NodeId) -> bool {
        let known = self.contrast.repliers.get_or_init(|| {
            let hops = self.calls.iter().flat_map(|call| call.hops.iter());
            hops.filter(|hop| hop.reply_ms.is_some()).map(|hop| self.node(hop.destination)).collect()
        });
        known.contains(&node)
    }

    /// The call with a Call-ID.
    pub fn call_with_id(&self, call_id: &str) -> Option<&Call> {
        let known = self.contrast.calls_by_id.get_or_init(|| {
            let legs = (0_u32..)
                .zip(self.calls)
                .flat_map(|(index, call)| call.legs.iter().map(move |leg| (leg.call_id, index)));
            legs.map(|(id, index)| (self.text(id).into(), index)).collect()
        });
        self.calls.get(*known.get(call_id)? as usize)
    }

    /// What the signatures of all calls have in common.
    pub fn tokens(&self) -> &Tokens {
        self.contrast.tokens.get_or_init(|| tokens(self))
    }

    /// What each node asked for.
    pub fn senders(&self) -> &[Sender] {
        self.contrast.senders.get_or_init(|| senders(self.store, self.calls, self.attempts, self.requests))
    }

    /// Gives back what only rules about the whole capture read: the calls' own verdicts need the room.
    pub(in crate::diagnose) fn forget_senders(&mut self) {
        // Who is hostile is asked of every call, and read off the senders.
        self.hostile_nodes();
        self.contrast.senders.take();
    }

    /// The features of good calls.
    pub fn known_good(&self) -> &KnownGood {
        &self.contrast.known_good
    }

    /// Password guessing.
    pub fn guessing_runs(&self) -> &[GuessingRun] {
        self.contrast.guessing_runs.get_or_init(|| guessing_runs(self.store, self.attempts))
    }

    /// Nodes that search for open servers.
    pub fn scans(&self) -> &[Scan] {
        self.contrast.scans.get_or_init(|| hostile::scans(self))
    }

    /// Nodes whose requests are left out of everything that is said of real calls.
    pub fn hostile_nodes(&self) -> &BTreeSet<NodeId> {
        self.contrast.hostile.get_or_init(|| hostile::nodes(self))
    }

    /// Messages that came in fragments.
    pub fn fragmented(&self) -> impl Iterator<Item = &Message> {
        let places = self.sight.fragmented.iter();
        places.filter_map(|place| self.store.messages.get(*place))
    }

    /// The metrics of all calls but those of hostile nodes.
    pub fn honest_metrics(&self) -> &Metrics {
        self.contrast.honest_metrics.get_or_init(|| {
            let calls = self.calls.iter();
            Metrics::of(calls.filter(|call| !self.is_hostile(call.source)))
        })
    }

    /// When a node last sent or received a SIP message; the capture's end tells nothing of nodes that it no longer shows.
    pub fn last_seen(&self, node: NodeId) -> Timestamp {
        let known = self.contrast.last_seen.get_or_init(|| {
            let mut last: HashMap<NodeId, Timestamp, foldhash::fast::FixedState> = HashMap::default();
            for message in &self.store.messages {
                for endpoint in [message.source, message.destination] {
                    let seen = last.entry(self.node(endpoint)).or_default();
                    *seen = message.time.max(*seen);
                }
            }
            last
        });
        known.get(&node).copied().unwrap_or_default()
    }

    /// Indices of the tries to register an address-of-record, in the order of time.
    pub fn attempts_for(&self, aor: TextId) -> &[u32] {
        let known = self.contrast.by_aor.get_or_init(|| {
            let mut by_aor: HashMap<TextId, Vec<u32>> = HashMap::new();
            for (index, attempt) in (0_u32..).zip(self.attempts) {
                by_aor.entry(attempt.aor).or_default().push(index);
            }
            by_aor
        });
        known.get(&aor).map_or(&[], Vec::as_slice)
    }
}

fn tolerated(capture: &CaptureContext<'_>) -> HashSet<(NodeId, String)> {
    let mut known = HashSet::new();
    let has_defect = |call: &&Call| {
        call.legs.iter().any(|leg| {
            capture.store.messages_of(leg).iter().any(|message| {
                message.is_request(Method::Invite) && capture.store.defects.contains_key(&message.digest)
            })
        })
    };
    for call in capture.calls.iter().filter(has_defect).take(DEFECTIVE_CALLS_MAX) {
        let transactions = transactions_of(capture.store, &call.legs);
        for (_, invite) in transactions.invites() {
            let is_read = invite.alerting.is_some()
                || transactions
                    .final_status(invite)
                    .is_some_and(|status| status.is_success() || shows_understanding(status.0));
            let Some(request) = invite.last_request.filter(|_| is_read) else {
                continue;
            };
            for sentence in capture.defects(transactions.message(request)) {
                let node = capture.node(invite.destination);
                known.insert((node, defect_kind(sentence).to_owned()));
            }
        }
    }
    known
}

/// Refusals that only a node sends which has read the whole request and looked for the callee.
fn shows_understanding(code: u16) -> bool {
    matches!(code, 300..=399 | 404 | 410 | 480 | 484 | 486 | 487 | 488 | 600 | 603 | 604)
}

fn tokens(capture: &CaptureContext<'_>) -> Tokens {
    let mut tokens = Tokens::default();
    let mut signed = 0;
    for call in capture.calls {
        let Some(leg) = call.legs.first() else {
            continue;
        };
        let messages = capture.store.messages_of(leg);
        let invites =
            messages.iter().filter(|message| message.is_request(Method::Invite) && message.to_tag.is_absent());
        let mut is_first = true;
        for message in invites {
            for id in identities(capture, message) {
                tokens.first_use.entry(id).or_insert((message.time, message.group));
                if is_first && signed < SIGNED_CALLS_MAX {
                    tokens.ages.extend(age(capture, message, id));
                    signed += 1;
                    is_first = false;
                }
            }
        }
    }
    tokens.ages.sort_unstable();
    tokens
}

/// The Identity headers of a message.
pub fn identities<'a>(capture: &'a CaptureContext<'_>, message: &'a Message) -> impl Iterator<Item = TextId> + 'a {
    let headers = capture.store.tables.headers.get(message.headers);
    headers.filter(|(name, _)| *name == HeaderName::Identity).map(|(_, id)| id)
}

/// Seconds from the issue of a token to the capture of the message that carries it.
pub fn age(capture: &CaptureContext<'_>, message: &Message, identity: TextId) -> Option<i64> {
    let passport = Identity::parse(capture.text(identity).as_bytes()).passport().ok()?;
    Some((message.time.nanoseconds() / 1_000_000_000).saturating_sub(passport.issued_at?))
}
